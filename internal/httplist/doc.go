// Package httplist reads headers that are lists.
//
//	upgrade := httplist.Has(r.Header["Connection"], "upgrade")
package httplist
