package noise_test

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/noise"
	"github.com/hermod-io/hermod/wscore/rest"
)

// REST in both directions runs within, compressed and gathered as without.
func TestRESTWithin(t *testing.T) {
	for name, make := range map[string]func(rest.Options) wscore.ProtocolSpec{"binary": rest.Binary, "json": rest.JSON} {
		t.Run(name, func(t *testing.T) {
			sc, cc := sides(noise.XXpsk3, noise.ChaChaPoly)
			h := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				peer, ok := rest.PeerFromContext(r.Context())
				if !ok {
					http.Error(w, "no peer", 500)
					return
				}
				a, err := peer.Call(r.Context(), rest.Request{URL: "back", ContentType: "text/plain", Content: []byte("who is there?")})
				if err != nil {
					http.Error(w, err.Error(), 500)
					return
				}
				_, _ = w.Write(append(a.Content, strings.Repeat("!", 100_000)...))
			})
			back := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				b, _ := io.ReadAll(r.Body)
				_, _ = w.Write(append(b, " me"...))
			})
			_, u := serve(t, noise.Protect(make(rest.Options{Handler: h, SynLZ: true}), sc), wscore.ProcessSettings{})
			c, p, err := client(t, u, noise.Protect(make(rest.Options{Handler: back, SynLZ: true}), cc))
			if err != nil {
				t.Fatal(err)
			}
			if _, ok := rest.PeerOf(p); !ok {
				t.Fatal("no peer within")
			}
			res, err := (&http.Client{Transport: rest.Transport(c)}).Get("http://any/x")
			if err != nil {
				t.Fatal(err)
			}
			if b, _ := io.ReadAll(res.Body); string(b) != "who is there? me"+strings.Repeat("!", 100_000) {
				t.Errorf("%d: %.100s", res.StatusCode, b)
			}
		})
	}
}
