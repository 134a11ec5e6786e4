package wscore

import (
	"net/http"
	"slices"
	"strings"
	"sync"
)

// ProtocolSpec says by what names and on what path an application protocol is
// negotiated, and makes its instances. RFC 6455 section 1.9.
type ProtocolSpec struct {
	// Names are its subprotocol names, in the order in which a client offers them;
	// a server compares them without regard to case. None: it is chosen by URI
	// alone, and no subprotocol is spoken of.
	Names []string
	// URI is the path it is served on, with or without the leading slash and
	// without query, in whatever case; "" is any path, which needs a name.
	URI string
	// Check may refuse an upgrade before it is answered. The status is that of a
	// *HandshakeError, 403 for any other error, and the error's text is the body. It may leave something for New in
	// Upgrade.Value. Nil accepts. Servers call it, several goroutines at a time.
	Check func(u *Upgrade) error
	// New makes the instance for one connection. It is called before anything is
	// sent or received. Required.
	New func(p *Process) Protocol
}

// Opener is a Protocol that is told when its connection runs. RFC 6455 section 4.
type Opener interface {
	// OnOpen is called once, before the first OnMessage and on the same goroutine,
	// so it must not wait for an answer of the peer.
	OnOpen()
}

// ControlObserver is a Protocol that is also told of pings, pongs and the peer's
// close frame, if ProcessSettings.NotifyAllFrames is set.
// mORMot: TWebSocketProcessSettings.NotifyAllFrames.
type ControlObserver interface {
	// OnControl is told of a frame that was received: OpPing, OpPong or OpClose.
	// It is called like OnMessage; the answer is not its business. data is lent until
	// it returns.
	OnControl(op Opcode, data []byte)
}

// Coder is a Protocol that transforms what travels, by compression or
// encryption. What its methods return is used before their next call, so its
// memory may be theirs. RFC 6455 section 5.8.
type Coder interface {
	// Encode returns what is sent for a message of the Protocol. It is called in the
	// order of sending, one call at a time, and must not call the Process. data is
	// lent, but may be returned. Its error is that of the send.
	Encode(op Opcode, data []byte) (Opcode, []byte, error)
	// Decode returns the message that is handed to OnMessage for one that was
	// received. It is called in the order of reception, on the goroutine of
	// OnMessage. data is lent, but may be returned. An error closes the connection
	// (with the code of a *CloseError in it, else 1007), but for [ErrConsumed].
	Decode(op Opcode, data []byte) (Opcode, []byte, error)
}

// Sequential is a Coder none of whose messages may be lost once it is encoded,
// because those that follow count on it. The send queue is asked for room before,
// so that one which DropNewest refuses was not encoded.
type Sequential interface {
	Coder
	// Sequential is never called.
	Sequential()
}

// Readier is a Protocol that is of use only later than its connection.
// [Client.Connect] waits for it.
type Readier interface {
	// Ready returns a channel, always the same, that is closed when the Protocol is
	// of use.
	Ready() <-chan struct{}
}

// Gatherer is a Protocol that joins messages which were gathered during
// SendDelay into fewer ones, before they are encoded.
type Gatherer interface {
	// Gather returns what is sent in place of msgs, of which there are two or more,
	// and which it may change and keep. It must not call the Process.
	Gather(msgs []Message) []Message
}

// ProtocolList is what a server can negotiate. The zero value is empty. It is
// safe for concurrent use. mORMot: TWebSocketProtocolList.
type ProtocolList struct {
	mu    sync.RWMutex // guards what follows
	specs []ProtocolSpec
}

// Add appends s and reports true, or false if it could never be reached: one of
// its names is taken on every path or on the same one, or without names its URI
// is taken. It panics without New, or with neither name nor URI.
// mORMot: TWebSocketProtocolList.Add.
func (l *ProtocolList) Add(s ProtocolSpec) bool {
	s.mustBeUsable()
	l.mu.Lock()
	defer l.mu.Unlock()
	if slices.ContainsFunc(l.specs, s.hiddenBy) {
		return false
	}
	l.specs = append(l.specs, s)
	return true
}

// AddOnce is Add, but replaces what would hide s.
// mORMot: TWebSocketProtocolList.AddOnce.
func (l *ProtocolList) AddOnce(s ProtocolSpec) {
	s.mustBeUsable()
	l.mu.Lock()
	defer l.mu.Unlock()
	l.specs = append(slices.DeleteFunc(l.specs, s.hiddenBy), s)
}

// Remove removes what was added with that name ("": without names) and URI, and
// reports whether there was any. Connections live on.
// mORMot: TWebSocketProtocolList.Remove.
func (l *ProtocolList) Remove(name, uri string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	n := len(l.specs)
	l.specs = slices.DeleteFunc(l.specs, func(s ProtocolSpec) bool {
		named := s.named(name)
		return (named || name == "" && len(s.Names) == 0) && samePath(s.URI, uri)
	})
	return len(l.specs) < n
}

// Len is the number of protocols. mORMot: TWebSocketProtocolList.Count.
func (l *ProtocolList) Len() int {
	l.mu.RLock()
	defer l.mu.RUnlock()
	return len(l.specs)
}

func (s *ProtocolSpec) mustBeUsable() {
	switch {
	case s.New == nil:
		panic("wscore: ProtocolSpec without New")
	case len(s.Names) == 0 && s.URI == "":
		panic("wscore: ProtocolSpec with neither name nor URI")
	}
}

// hiddenBy reports whether an upgrade that s could serve always goes to other.
func (s *ProtocolSpec) hiddenBy(other ProtocolSpec) bool {
	if len(s.Names) == 0 {
		return len(other.Names) == 0 && samePath(s.URI, other.URI)
	}
	return (other.URI == "" || samePath(s.URI, other.URI)) && slices.ContainsFunc(s.Names, other.named)
}

func (s *ProtocolSpec) named(name string) bool {
	return slices.ContainsFunc(s.Names, func(n string) bool { return strings.EqualFold(n, name) })
}

// samePath compares paths as the negotiation does.
func samePath(a, b string) bool {
	return strings.EqualFold(strings.TrimPrefix(a, "/"), strings.TrimPrefix(b, "/"))
}

// choose finds the protocol for an upgrade: by the names that the client offers,
// in its order, or by the path alone if it offers none. name is in the client's
// spelling.
func (l *ProtocolList) choose(r *http.Request) (s ProtocolSpec, name string, ok bool) {
	l.mu.RLock()
	defer l.mu.RUnlock()
	header := r.Header.Values("Sec-Websocket-Protocol")
	if len(header) == 0 {
		s, ok = l.unnamed(r.URL.Path)
		return s, "", ok
	}
	for _, h := range header {
		for name := range strings.SplitSeq(h, ",") {
			name = strings.TrimSpace(name)
			if s, ok := l.named(name, r.URL.Path); ok {
				return s, name, true
			}
		}
	}
	return s, "", false
}

// unnamed finds the protocol of a path; the caller holds mu.
func (l *ProtocolList) unnamed(path string) (s ProtocolSpec, ok bool) {
	for _, s := range l.specs {
		if s.URI != "" && samePath(s.URI, path) {
			return s, true
		}
	}
	return s, false
}

// named finds the protocol of a name at a path; the caller holds mu.
func (l *ProtocolList) named(name, path string) (s ProtocolSpec, ok bool) {
	if !isToken(name) {
		return s, false
	}
	for _, s := range l.specs {
		if (s.URI == "" || samePath(s.URI, path)) && s.named(name) {
			return s, true
		}
	}
	return s, false
}
