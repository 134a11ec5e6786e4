package socketio_test

import (
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/socketio"
)

// What other nodes are told of the query is what the official server tells them: the
// last of each name, and nothing passed over. Escapes that are none, and semicolons,
// once hid their pair.
func TestRemoteHandshakeQuery(t *testing.T) {
	srv, err := socketio.New(socketio.Config{})
	if err != nil {
		t.Fatal(err)
	}
	hs := httptest.NewServer(srv)
	defer hs.Close()
	defer func() { _ = srv.Close(t.Context()) }()
	url := hs.URL + "/socket.io/?EIO=4&transport=polling&token=50%&semi;colon=1;2&twice=1&twice=2"
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	_ = res.Body.Close()
	_, after, ok := strings.Cut(string(body), `"sid":"`)
	if err != nil || !ok {
		t.Fatal(err, string(body))
	}
	sid, _, _ := strings.Cut(after, `"`)
	for _, f := range []func() (*http.Response, error){
		func() (*http.Response, error) {
			return http.Post(url+"&sid="+sid, "text/plain;charset=UTF-8", strings.NewReader("40"))
		},
		func() (*http.Response, error) { return http.Get(url + "&sid=" + sid) }, // the answer to CONNECT
	} {
		if res, err = f(); err != nil || res.StatusCode != 200 {
			t.Fatal(err, res)
		}
		_ = res.Body.Close()
	}
	found, err := srv.FetchSockets(t.Context())
	if err != nil || len(found) != 1 {
		t.Fatal(found, err)
	}
	want := map[string]string{"EIO": "4", "transport": "polling", "token": "50%", "semi;colon": "1;2", "twice": "2"}
	if got := found[0].Handshake().Query; !maps.Equal(got, want) {
		t.Errorf("%v, want %v", got, want)
	}
}
