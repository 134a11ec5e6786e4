// Package certificate has the certificate with which the program serves TLS: it is read
// from two files, and again when they have changed, so that a renewed one needs no
// restart.
//
//	f, err := certificate.Load("cert.pem", "key.pem", log)
//	hs := &http.Server{TLSConfig: f.Config()}
//	err = hs.ServeTLS(l, "", "")
//
// The type to know is [Files].
//
// Limits: one certificate, whatever name a client asks for. Who resumes a session of TLS
// sees no certificate, and so not the new one.
package certificate
