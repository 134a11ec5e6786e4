// Package tagged writes values with bytes in them as JSON: what JSON has no form
// for is an object with one member, whose name begins with $. The programs that
// the tests control, in Go and in JavaScript, speak so.
package tagged
