package engineio

import (
	"slices"
	"strings"
	"testing"
)

// Names in a query may be written as values may, as the official server reads them.
// URL Standard, "application/x-www-form-urlencoded parsing".
func TestEncodedNames(t *testing.T) {
	for raw, want := range map[string]query{
		"%45IO=4&t%72ansport=polling&s%69d=a%20b+c":    {eio: "4", transport: "polling", sid: "a b c"},
		"EIO=3&%45%49%4f=4":                            {eio: "4"},
		"%62%36%34=1&%6A=2":                            {base64: true, jsonp: true, index: "2"},
		"EIO%3D4=5&+EIO=4&EIO%zz=4&EIO%=4&%2545IO=4":   {},
		"transport%26sid=x&%00sid=x&sid%00=x&%ff%fe=x": {},
		"%": {},
	} {
		if got := parseQuery(raw); got != want {
			t.Errorf("%s: %+v, want %+v", raw, got, want)
		}
	}
	scenario(t, Config{}, func(w *world) {
		if res := w.request("GET", "%45IO=4&%74ransport=polling", ""); res.status != 200 || !strings.HasPrefix(res.body, `0{"sid":`) {
			w.t.Errorf("a handshake: %+v", res)
		}
	})
}

// Handshake.Query passes over nothing of the query, whatever net/url thinks of it.
func TestHandshakeQuery(t *testing.T) {
	scenario(t, Config{}, func(w *world) {
		if res := w.request("GET", pollingQuery+"&token=50%&semi;colon=1;2&twice=1&twice=2", ""); res.status != 200 {
			w.t.Fatalf("%+v", res)
		}
		q := w.h.session(0).Handshake().Query()
		if q.Get("EIO") != "4" || q.Get("token") != "50%" || q.Get("semi;colon") != "1;2" || !slices.Equal(q["twice"], []string{"1", "2"}) {
			w.t.Errorf("%v", q)
		}
	})
	if q := (&Handshake{}).Query(); len(q) != 0 {
		t.Errorf("without a URL: %v", q)
	}
}
