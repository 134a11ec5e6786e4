// Package ctxend tells why a context ended, by one error that is both of what
// package context says:
//
//	case <-ctx.Done():
//		return ctxend.Err(ctx) // context.Canceled, and the cause
package ctxend
