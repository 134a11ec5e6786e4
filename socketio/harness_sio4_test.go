package socketio_test

import (
	"encoding/base64"
	"net/http"
	"regexp"
	"strconv"
	"strings"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
)

// dialect is how a peer speaks Engine.IO: protocol 4, or protocol 3 with what
// polling carries as text. Bytes are written "b\x04…" then, as they travel.
type dialect struct{ old bool }

func (d dialect) version() string {
	if d.old {
		return "EIO=3&b64=1"
	}
	return "EIO=4"
}

func (d dialect) request() string {
	if d.old {
		return strings.Replace(upgradeRequest, "EIO=4", "EIO=3", 1)
	}
	return upgradeRequest
}

func (d dialect) payload(m message) string {
	if !d.old {
		return payload(m)
	}
	var b strings.Builder
	for s := range strings.SplitSeq(string(m), "\x1e") {
		if raw, ok := strings.CutPrefix(s, "b\x04"); ok {
			s = "b4" + base64.StdEncoding.EncodeToString([]byte(raw))
		}
		b.WriteString(strconv.Itoa(len(s)) + ":" + s)
	}
	return b.String()
}

func (d dialect) do(client *http.Client, req *http.Request) (ms []message, err error) {
	if !d.old || req.Method == http.MethodPost {
		return do(client, req)
	}
	body, err := fetch(client, req)
	for body != "" {
		length, rest, _ := strings.Cut(body, ":")
		n, err := strconv.Atoi(length)
		if err != nil {
			return nil, err
		}
		s := rest[:n]
		body = rest[n:]
		if b, ok := strings.CutPrefix(s, "b4"); ok {
			raw, err := base64.StdEncoding.DecodeString(b)
			if err != nil {
				return nil, err
			}
			s = "b\x04" + string(raw)
		}
		ms = append(ms, message(s))
	}
	return ms, err
}

// oldConfig lets clients of protocol 4 in.
var oldConfig = socketio.Config{Engine: engineio.Config{AllowEIO3: true}}

// openOld connects a client of protocol 4, and returns it with its engine's id.
func (r *rig) openOld() (p *peer, sid string) {
	r.Helper()
	r.dialect.old = true
	defer func() { r.dialect.old = false }()
	p = &peer{r: r, received: make(chan message, 1<<12)}
	if r.transport == engineio.Polling {
		r.openPolling(p)
	} else {
		r.openWebSocket(p)
	}
	r.peers = append(r.peers, p)
	open := p.wantMatch(`^0\{"sid"`, "the handshake")
	return p, regexp.MustCompile(`"sid":"([^"]*)"`).FindStringSubmatch(string(open))[1]
}

// old is an openOld that has joined the main namespace.
func (r *rig) old() (p *peer, sid string) {
	r.Helper()
	p, sid = r.openOld()
	p.want("40", "the main namespace is joined without a CONNECT, the answer has no payload")
	p.sid = sid
	return p, sid
}
