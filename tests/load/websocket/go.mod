module github.com/hermod-io/hermod/tests/load/websocket

go 1.26.0

require (
	github.com/coder/websocket v1.8.15
	github.com/hermod-io/hermod v0.0.0
	github.com/lxzan/gws v1.8.9
)

require (
	github.com/dolthub/maphash v0.1.0 // indirect
	github.com/klauspost/compress v1.20.3 // indirect
	golang.org/x/net v0.62.0 // indirect
	golang.org/x/time v0.16.0 // indirect
)

replace github.com/hermod-io/hermod => ../../..
