// Package certtest makes certificates for tests: [Write], and [Make] for programs that measure,
// put one into two files, as a server program reads them.
//
//	c := certtest.Write(t, t.TempDir())
//	start("-tls-cert", c.Cert, "-tls-key", c.Key)
//	client := &http.Client{Transport: &http.Transport{TLSClientConfig: c.Client()}}
//
// Limits: it is self-signed, for localhost and 127.0.0.1, and lasts for a week.
package certtest
