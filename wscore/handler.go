package wscore

import (
	"context"
	"errors"
	"iter"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/hermod-io/hermod/internal/httplist"
	"github.com/hermod-io/hermod/internal/loglimit"
	"github.com/hermod-io/hermod/internal/shrink"
)

// Handler accepts upgrades for the protocols of a list and runs a Process for
// each connection. It is an http.Handler. The zero value is not usable, see
// NewHandler. RFC 6455 section 4.2.
type Handler struct {
	srv      *Server
	list     *ProtocolList
	settings ProcessSettings
	refusals *loglimit.Limiter // of lines about refused upgrades

	mu     sync.Mutex // guards what follows
	procs  shrink.Map[int64, *Process]
	resume resumer
	closed bool
	empty  chan struct{} // closed when the last process is gone; nil if nobody waits
}

// NewHandler returns a Handler. list is shared: what is added to it later is
// negotiated too. settings is copied.
func NewHandler(list *ProtocolList, settings ProcessSettings) *Handler {
	return &Handler{srv: NewServer(settings.Conn), list: list, settings: settings, refusals: loglimit.New()}
}

// ServeHTTP upgrades the request or refuses it: as [Server.Accept] does, and
// with 400 (no such protocol), 406 (mORMot's key exchange, whose wire uses the
// same key and nonce in both directions), 503 (shutting down), or the status of
// ProcessSettings.Admit, ProtocolSpec.Check and ProcessSettings.OnUpgrade. With 429
// and 503 goes a Retry-After, of a second if w has none. Ten refusals at once and
// ten a second are logged at most; the next line tells how many were not. RFC 6455 section 4.2.2.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	u, spec, err := h.negotiate(r)
	var leave func()
	if err == nil {
		leave, err = h.admit(r, u, spec)
	}
	if err != nil {
		refuse(w, err)
		h.logRefusal(r, err)
		return
	}
	begun := false
	defer func() {
		if !begun { // also when New ends the goroutine
			leave()
		}
	}()
	token := h.identify(u, r)
	extra := http.Header{"Sec-WebSocket-Connection-ID": {strconv.FormatInt(u.ID, 10)}}
	if token != "" {
		extra["Sec-WebSocket-Resume"] = []string{token}
	}
	conn, aerr := h.srv.takeOver(w, r, u.Subprotocol, extra)
	if aerr != nil {
		return
	}
	u.Header = nil
	p := newProcess(conn, &h.settings, *u, h.ended(leave))
	p.build(spec)
	if !h.register(p, token) {
		_ = p.CloseNow()
	}
	begun = true
	p.start()
}

// negotiate checks the upgrade and chooses the protocol.
func (h *Handler) negotiate(r *http.Request) (*Upgrade, *ProtocolSpec, *HandshakeError) {
	if err := h.srv.check(r); err != nil {
		return nil, nil, err
	}
	if offersECDHE(r) {
		return nil, nil, &HandshakeError{http.StatusNotAcceptable,
			"mORMot's ECDHE key exchange is not supported: it uses the same key and nonce in both directions; use TLS or Noise"}
	}
	spec, name, ok := h.list.choose(r)
	switch {
	case h.shut():
		return nil, nil, &HandshakeError{http.StatusServiceUnavailable, "shutting down"}
	case !ok:
		return nil, nil, &HandshakeError{http.StatusBadRequest, "no such protocol"}
	}
	u := &Upgrade{
		URI:         strings.TrimPrefix(r.RequestURI, "/"),
		Subprotocol: name,
		BearerToken: bearer(r.Header),
		RemoteAddr:  ClientAddr(r, h.settings.TrustedProxies),
		Secure:      r.TLS != nil,
		Header:      r.Header,
	}
	return u, &spec, nil
}

// admit asks the application. What it returns is to be called, once, when the process
// has ended, or when there is none after all; of a refused one it was.
func (h *Handler) admit(r *http.Request, u *Upgrade, spec *ProtocolSpec) (func(), *HandshakeError) {
	leave := func() {}
	if h.settings.Admit != nil {
		entered, err := h.settings.Admit(r)
		if err != nil {
			return nil, vetoed(err)
		}
		if entered != nil {
			leave = entered
		}
	}
	admitted := false
	defer func() {
		if !admitted { // also when a check panics
			leave()
		}
	}()
	for _, check := range []func(*Upgrade) error{spec.Check, h.settings.OnUpgrade} {
		if check == nil {
			continue
		}
		if err := check(u); err != nil {
			return nil, vetoed(err)
		}
	}
	admitted = true
	return leave, nil
}

func vetoed(err error) *HandshakeError {
	var he *HandshakeError
	if !errors.As(err, &he) {
		return &HandshakeError{http.StatusForbidden, err.Error()}
	}
	if he.Status < 300 || he.Status > 599 { // none that refuses
		return &HandshakeError{http.StatusForbidden, he.Msg}
	}
	return he
}

// offersECDHE looks for the extension of mORMot's key exchange.
func offersECDHE(r *http.Request) bool {
	return httplist.Find(r.Header["Sec-Websocket-Extensions"], func(e string) bool {
		name, _, _ := strings.Cut(e, ";")
		return strings.EqualFold(strings.TrimSpace(name), "synhk")
	}) != ""
}

// bearer is the token of RFC 6750, or "".
func bearer(h http.Header) string {
	scheme, token, _ := strings.Cut(h.Get("Authorization"), " ")
	if !strings.EqualFold(scheme, "Bearer") {
		return ""
	}
	return strings.TrimSpace(token)
}

func (h *Handler) shut() bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.closed
}

// register makes p one of the handler's, unless that is being shut down. A
// process whose id it takes over is closed.
func (h *Handler) register(p *Process, token string) bool {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.closed {
		return false
	}
	old := h.procs.Get(p.ID())
	h.procs.Set(p.ID(), p)
	h.resume.add(token, p)
	if p.upgrade.token != "" {
		p.arrived = func() { h.arrived(p) }
	}
	if old != nil {
		_ = old.conn.Close(ClosePolicy, "resumed by another connection")
	}
	return true
}

// arrived is told when the peer of a resumed process has spoken.
func (h *Handler) arrived(p *Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.resume.confirm(p)
}

// ended is what a process tells that it has ended. Who waits for forget finds that
// leave was called.
func (h *Handler) ended(leave func()) func(*Process, error) {
	return func(p *Process, _ error) {
		leave()
		h.forget(p)
	}
}

// forget takes out a process that has ended.
func (h *Handler) forget(p *Process) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.procs.Get(p.ID()) == p {
		h.procs.Delete(p.ID())
		h.resume.lost(p, h.settings.resumeWindow())
	}
	if h.procs.Len() == 0 && h.empty != nil {
		close(h.empty)
		h.empty = nil
	}
}

// Lookup finds a connection by its id. mORMot: IsActiveWebSocket.
func (h *Handler) Lookup(id int64) (*Process, bool) {
	h.mu.Lock()
	defer h.mu.Unlock()
	p := h.procs.Get(id)
	return p, p != nil
}

// Len is the number of connections. mORMot: WebSocketConnections.
func (h *Handler) Len() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.procs.Len()
}

// Processes are the connections there are when the iteration begins.
func (h *Handler) Processes() iter.Seq[*Process] {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Values(slices.Collect(h.procs.Values()))
}

// some are the connections of ids that exist.
func (h *Handler) some(ids []int64) iter.Seq[*Process] {
	return func(yield func(*Process) bool) {
		for _, id := range ids {
			if p, ok := h.Lookup(id); ok && !yield(p) {
				return
			}
		}
	}
}

// Broadcast sends a message (OpText or OpBinary) to all connections and returns
// how many took it. It is encoded once, but for protocols with a Coder. A
// connection whose OnOpen was not called yet is passed over, as in all broadcasts.
// mORMot: WebSocketBroadcast.
func (h *Handler) Broadcast(op Opcode, data []byte) int { return broadcast(h.Processes(), op, data) }

// BroadcastTo is Broadcast for the connections of ids; unknown ones are passed over.
// mORMot: WebSocketBroadcast.
func (h *Handler) BroadcastTo(ids []int64, op Opcode, data []byte) int {
	return broadcast(h.some(ids), op, data)
}

func broadcast(ps iter.Seq[*Process], op Opcode, data []byte) int {
	if op != OpText && op != OpBinary {
		return 0
	}
	m := NewPrepared(Message{Op: op, Data: data})
	return count(ps, func(p *Process) error { return p.SendPrepared(m) })
}

// BroadcastRaw sends the same bytes to all connections, without their Coders,
// and returns how many took them. mORMot: WebSocketBroadcast.
func (h *Handler) BroadcastRaw(m *Prepared) int {
	return count(h.Processes(), func(p *Process) error { return p.sendRaw(m) })
}

// BroadcastRawTo is BroadcastRaw for the connections of ids; unknown ones are passed over.
// mORMot: WebSocketBroadcast.
func (h *Handler) BroadcastRawTo(ids []int64, m *Prepared) int {
	return count(h.some(ids), func(p *Process) error { return p.sendRaw(m) })
}

func count(ps iter.Seq[*Process], send func(*Process) error) (n int) {
	for p := range ps {
		if p.opened.Load() && send(p) == nil {
			n++
		}
	}
	return n
}

// Shutdown refuses further upgrades, closes all connections (1001) and waits
// until they have ended and their callbacks returned. When ctx ends first they
// are dropped, and the error is ctx's cause. RFC 6455 section 7.3.
func (h *Handler) Shutdown(ctx context.Context) error {
	for p := range h.close() {
		_ = p.Close(CloseGoingAway, "")
	}
	h.mu.Lock()
	empty := h.empty
	if h.procs.Len() > 0 && empty == nil {
		empty = make(chan struct{})
		h.empty = empty
	}
	h.mu.Unlock()
	if empty != nil {
		select {
		case <-empty:
		case <-ctx.Done():
			_ = h.srv.Close(ctx)
			return context.Cause(ctx)
		}
	}
	return h.srv.Close(ctx)
}

// close refuses what comes from now on, and returns what is there.
func (h *Handler) close() iter.Seq[*Process] {
	h.mu.Lock()
	h.closed = true
	h.mu.Unlock()
	return h.Processes()
}
