// Package formquery reads the query of a URL as browsers and Node do, where net/url
// passes over what is not encoded as it should be.
//
//	for name, value := range formquery.Pairs(r.URL.RawQuery) {
//	}
package formquery
