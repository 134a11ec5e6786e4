package engineio

import (
	"net/http"

	"github.com/rs/cors"
)

// corsOptions fills in what the official server allows by default.
func corsOptions(o cors.Options) cors.Options {
	if o.AllowedMethods == nil {
		o.AllowedMethods = []string{http.MethodGet, http.MethodHead, http.MethodPut, http.MethodPatch, http.MethodPost, http.MethodDelete}
	}
	if o.AllowedHeaders == nil {
		o.AllowedHeaders = []string{"*"} // those that the browser asks for
	}
	return o
}

// CORS puts the configured CORS headers around h, for what a program serves
// beside the sessions. Every OPTIONS request is answered 204 without asking h,
// as the official server does. Without Config.CORS it returns h.
func (srv *Server) CORS(h http.Handler) http.Handler {
	if srv.cors == nil {
		return h
	}
	actual := srv.cors.Handler(h)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodOptions {
			actual.ServeHTTP(w, r)
			return
		}
		srv.cors.HandlerFunc(w, r)
		if r.Header.Get("Access-Control-Request-Method") == "" {
			w.WriteHeader(http.StatusNoContent)
		}
	})
}
