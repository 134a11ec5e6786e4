package engineio

import (
	"testing"

	"github.com/rs/cors"
)

// compat: option allowRequest
func TestSameOrigin(t *testing.T) {
	scenario(t, Config{AllowRequest: SameOrigin}, func(w *world) {
		for origin, status := range map[string]int{"http://here.example": 200, "https://HERE.example": 200, "http://evil.example": 403, "null": 403, "http://here.example.evil.example": 403} {
			if res := w.request("GET", pollingQuery, "", "Origin: "+origin); res.status != status {
				w.t.Errorf("%s: %d", origin, res.status)
			}
		}
	})
}

// A script has no Origin: SameOrigin and the configured origins once let any
// page read a session over JSONP, with the cookies of whoever looked at it.
func TestOriginOfScripts(t *testing.T) {
	same := Config{AllowRequest: SameOrigin}
	listed := Config{CORS: &cors.Options{AllowedOrigins: []string{"http://here.example"}}}
	for name, cfg := range map[string]Config{"SameOrigin": same, "CORS": listed} {
		scenario(t, cfg, func(w *world) {
			for _, c := range []struct {
				header string
				status int
			}{
				{"Referer: http://here.example/page", 200},
				{"Referer: http://evil.example/here.example", 403},
				{"Referer: about:blank", 403},
				{"X-None: 1", 403},
				{"Sec-Fetch-Site: same-origin", 200},
				{"Sec-Fetch-Site: cross-site", 403},
				{"Sec-Fetch-Site: cross-site\r\nReferer: http://here.example/", 200}, // as listed
				{"Origin: http://evil.example", 403},
				{"Origin: http://here.example", 200},
			} {
				if res := w.request("GET", jsonpQuery, "", c.header); res.status != c.status {
					t.Errorf("%s, %s: %d, want %d", name, c.header, res.status, c.status)
				}
			}
			if res := w.request("GET", pollingQuery, "", "Referer: http://evil.example/"); res.status != 200 {
				t.Errorf("%s: no script, no answer to read: %d", name, res.status)
			}
		})
	}
	for name, cfg := range map[string]Config{"none": {}, "all": {CORS: &cors.Options{AllowedOrigins: []string{"*"}}}} {
		scenario(t, cfg, func(w *world) {
			if res := w.request("GET", jsonpQuery, "", "Referer: http://other.example/"); res.status != 200 {
				t.Errorf("%s: %d", name, res.status)
			}
		})
	}
}
