// Package rest is REST over one WebSocket connection, in both directions, as
// mORMot 2 speaks it.
package rest
