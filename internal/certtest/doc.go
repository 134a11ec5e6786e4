// Package certtest makes certificates for tests: [Write] puts one into two files, as a
// server program reads them.
//
//	c := certtest.Write(t, t.TempDir())
//	start("-tls-cert", c.Cert, "-tls-key", c.Key)
//	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c.Client()}}
//
// Limits: it is self-signed, for localhost and 127.0.0.1, and lasts for an hour.
package certtest
