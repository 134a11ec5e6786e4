package chat_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/internal/mormotvectors"
	"github.com/hermod-io/hermod/wscore"
	"github.com/hermod-io/hermod/wscore/chat"
)

// handshakeProbe is one of probe-server.json.
type handshakeProbe struct {
	Kind, Name, Request, Response string
	Mode                          string `json:"server_mode"`
}

// status and subprotocol of an answer, "" for none.
func (p *handshakeProbe) answer() (status, subprotocol string) {
	head, _, _ := strings.Cut(p.Response, "\r\n\r\n")
	if fields := strings.Fields(head); len(fields) > 1 {
		status = fields[1]
	}
	if _, rest, ok := strings.Cut(head, "\r\nSec-WebSocket-Protocol: "); ok {
		subprotocol, _, _ = strings.Cut(rest, "\r\n")
	}
	return status, subprotocol
}

// strictAnswers are those that differ from what was recorded, and why.
var strictAnswers = map[string]struct{ status, subprotocol, why string }{
	"version-12":        {"426", "", "RFC 6455 section 4.2.2: a version that is not spoken is answered 426, with the one that is"},
	"version-14":        {"426", "", "RFC 6455 section 4.2.2: mORMot takes any version from 13 on"},
	"version-none":      {"426", "", "RFC 6455 section 4.2.2"},
	"method-post":       {"405", "", "RFC 6455 section 4.1: the method is GET; here is no other handler for the URL"},
	"http10":            {"400", "", "RFC 6455 section 4.1: at least HTTP/1.1"},
	"connection-none":   {"426", "", "not an upgrade, and no other handler for the URL"},
	"upgrade-h2c":       {"426", "", "not an upgrade to websocket, and no other handler for the URL"},
	"plain-get":         {"426", "", "not an upgrade, and no other handler for the URL"},
	"proto-two-headers": {"101", "echo", "RFC 6455 section 11.3.4: the header may be sent in several lines; mORMot sees the first"},
	"no-host":           {"400", "", "RFC 6455 section 4.1 and RFC 9112 section 3.2: a request has a Host"},
	"ext-deflate-aes":   {"101", "synopsebin", "RFC 6455 section 9.1: an extension that is not spoken is declined, not refused; with 406 no browser could use an encrypted protocol"},
	"ext-synhk-plain":   {"406", "", "a peer that means to encrypt must not be left to believe that it does"},
	"remoteip-header":   {"101", "synopsejson", "mORMot's server died of the header; ours believes it from trusted proxies alone"},
}

func TestProbedHandshakes(t *testing.T) {
	var f struct{ Probes []handshakeProbe }
	mormotvectors.Load(t, "probe-server", &f)
	list := new(wscore.ProtocolList)
	for _, o := range []chat.Options{{Name: "echo"}, {Name: "meow"}, {Name: "chat", URI: "room"}, {URI: "noproto"}, {Name: "synopsejson"}} {
		list.Add(chat.New(o).Spec())
	}
	for _, uri := range []string{"plain", "aes"} { // stand for those of package rest
		spec := chat.New(chat.Options{URI: uri}).Spec()
		spec.Names = []string{"synopsebin", "synopsebinary"}
		list.Add(spec)
	}
	_, u := serveList(t, list, wscore.ProcessSettings{})
	differs := map[string]bool{}
	for _, p := range f.Probes {
		if p.Kind != "handshake" {
			continue
		}
		t.Run(p.Name+"-"+p.Mode, func(t *testing.T) {
			status, subprotocol := p.answer()
			if row, ok := strictAnswers[p.Name]; ok {
				differs[p.Name] = differs[p.Name] || row.status != status || row.subprotocol != subprotocol
				status, subprotocol = row.status, row.subprotocol
			}
			w := dialWire(t, u)
			if err := w.write([]byte(p.Request)); err != nil {
				t.Fatal(err)
			}
			res, body, err := w.response()
			if err != nil {
				t.Fatal(err)
			}
			if got, _, _ := strings.Cut(res.Status, " "); got != status || res.Header.Get("Sec-Websocket-Protocol") != subprotocol {
				t.Errorf("%s %q %s, want %s %q", res.Status, res.Header.Get("Sec-Websocket-Protocol"), body, status, subprotocol)
			}
			if res.StatusCode == http.StatusSwitchingProtocols && res.Header.Get("Sec-Websocket-Accept") != "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=" {
				t.Errorf("%q", res.Header)
			}
			_ = w.c.Close()
		})
	}
	for name, row := range strictAnswers {
		if !differs[name] || row.why == "" {
			t.Errorf("%s: recorded just so, or without a reason", name)
		}
	}
}
