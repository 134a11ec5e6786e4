// Command hermod is the test application of the conformance suite on Hermod. Its
// contract, which the application on the official server fulfils too, is in
// the README beside the suite.
package main
