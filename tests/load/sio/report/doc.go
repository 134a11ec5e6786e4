// Package report holds the results of runs of sioload, and makes tables and
// pictures of them.
//
// The types to know are Result, one run; Line, one thing that is measured, with
// its target; and Set, all runs of a comparison.
package report
