package rest

import (
	"net/http"
	"strings"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// Options are the knobs of one protocol. The zero value is ready to use.
type Options struct {
	// Handler serves the requests of the peer; nil answers 404 to all of them. It may
	// be called from several goroutines, see the package's "Order". The request's
	// context ends with the connection.
	Handler http.Handler
	// URI is the path it is mounted on, "" any; see wscore.ProtocolSpec.
	URI string
	// AnswerTimeout bounds the wait for an answer where the caller's context has no
	// deadline; 0 means 30 s, less than 2 s means 2 s.
	AnswerTimeout time.Duration
	// MaxCalls is how many of our calls may wait for their answer on a connection;
	// 0 means 256. One more fails with ErrTooManyCalls.
	MaxCalls int
	// MaxRequests is how many requests of the peer may be handled at a time on a
	// connection; 0 means 64. One more is answered 503.
	MaxRequests int
	// MaxWaiting is how many requests that are handled in order may wait for that on
	// a connection; 0 means 1024. Together they may hold as many bytes as four
	// messages of the largest size (wscore.Settings.MaxMessage). One more is answered
	// 503; if it wants no answer it is dropped. Both are counted as Stats.Refused.
	MaxWaiting int

	// What follows is of Binary alone.

	// SynLZ compresses frames; both sides must agree on it. Frames that stand for
	// more than MaxMessage of wscore.Settings close the connection.
	SynLZ bool
	// SynLZThreshold is the smallest frame that is compressed, in bytes; 0 means 450,
	// negative every one. What is compressed already, by its type and first bytes, is
	// stored as it is.
	SynLZThreshold int
	// NoLocalCompress stores what goes to or comes from this machine as it is.
	NoLocalCompress bool
	// WeakAES encrypts frames as old mORMot peers do. It is weak: nothing tells that
	// a frame was changed or played again. Use TLS, or package noise, between peers
	// that can. Both sides must agree on it.
	WeakAES Cipher
	// NoLocalEncrypt leaves that out between processes on one machine; both sides
	// must agree on it. Behind a proxy on this machine everybody is on it, who needs no
	// key then, unless it is one of wscore.ProcessSettings.TrustedProxies.
	NoLocalEncrypt bool
}

// Cipher encrypts frames; *weakaes.Cipher is one. All connections of the Options use
// it, each from several goroutines.
type Cipher interface {
	// Seal appends the frame that travels for plain to dst and returns the result, as
	// append does. It keeps neither slice. Its error is that of the call.
	Seal(dst, plain []byte) ([]byte, error)
	// Open appends what was sealed to dst, likewise. Its error closes the connection.
	Open(dst, sealed []byte) ([]byte, error)
}

func (o *Options) answerTimeout() time.Duration {
	if o.AnswerTimeout == 0 {
		return 30 * time.Second
	}
	return max(o.AnswerTimeout, 2*time.Second)
}

func (o *Options) maxCalls() int {
	if o.MaxCalls <= 0 {
		return 256
	}
	return min(o.MaxCalls, maxSequence/2) // numbers are left
}

func (o *Options) maxRequests() int {
	if o.MaxRequests <= 0 {
		return 64
	}
	return o.MaxRequests
}

func (o *Options) maxWaiting() int {
	if o.MaxWaiting <= 0 {
		return 1024
	}
	return o.MaxWaiting
}

func (o *Options) synLZThreshold() int {
	if o.SynLZThreshold == 0 {
		return 450
	}
	return max(o.SynLZThreshold, 0)
}

// JSON is the sub-protocol synopsejson: text frames, one call at a time.
func JSON(o Options) wscore.ProtocolSpec {
	o.SynLZ, o.WeakAES = false, nil
	return wscore.ProtocolSpec{Names: []string{"synopsejson"}, URI: o.URI, New: func(p *wscore.Process) wscore.Protocol {
		return newPeer(p, &o, jsonFormat{}, false)
	}}
}

// Binary is the sub-protocols synopsebin, whose calls are numbered, and the
// older synopsebinary, one call at a time.
func Binary(o Options) wscore.ProtocolSpec {
	return wscore.ProtocolSpec{Names: []string{"synopsebin", "synopsebinary"}, URI: o.URI, New: func(p *wscore.Process) wscore.Protocol {
		return newPeer(p, &o, binaryFormat{}, !strings.EqualFold(p.Upgrade().Subprotocol, "synopsebinary"))
	}}
}
