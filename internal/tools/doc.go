// Package tools is not built: its module pins the programs that check the
// project, so that they stay out of the module graph of our users. They run as
//
//	go tool -modfile=internal/tools/go.mod staticcheck ./...
//
// Beside it lie the scripts that the Makefile calls and, in testreport, the
// program that turns the output of go test into few lines and a count.
package tools
