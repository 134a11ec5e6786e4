package routes

import (
	"io"
	"net/http"
	"time"
)

// promptBodies has the connection of a request fail whose body does not come
// within timeout. Where nobody reads it the HTTP server does, before the answer
// leaves. http.Server.ReadTimeout would be for each request, also for a polling
// GET that waits.
func promptBodies(next http.Handler, timeout time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ContentLength != 0 {
			rc := http.NewResponseController(w)
			if rc.SetReadDeadline(time.Now().Add(timeout)) == nil {
				r.Body = &promptBody{r.Body, rc}
			}
		}
		next.ServeHTTP(w, r)
	})
}

// promptBody lifts the deadline when the body has come: from then on the
// server reads to see whether the client is there.
type promptBody struct {
	io.ReadCloser
	rc *http.ResponseController
}

// Read implements io.Reader.
func (b *promptBody) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if err == io.EOF {
		_ = b.rc.SetReadDeadline(time.Time{})
	}
	return n, err
}
