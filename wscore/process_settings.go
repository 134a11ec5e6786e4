package wscore

import (
	"log/slog"
	"net/http"
	"net/netip"
	"time"
)

// ProcessSettings are the knobs of processes. The zero value is ready to use.
// mORMot: TWebSocketProcessSettings.
type ProcessSettings struct {
	// Conn are those of the connections below: limits, queue, origins, deflate,
	// log. Its Subprotocols and AnySubprotocol are not used; the ProtocolSpecs name them.
	Conn Settings
	// HeartbeatDelay is how long nothing (not even a part of a message) may be received before a ping is sent;
	// 0 means 20 s on a server and off on a client, negative off.
	HeartbeatDelay time.Duration
	// PongTimeout is how long anything of the peer is awaited after a ping; 0 means 10 s,
	// negative for ever: pings are sent, and need no answer.
	PongTimeout time.Duration
	// MaxInvalidHeartbeats is how many pings in a row may stay without any sign of
	// the peer before the connection is dropped; 0 means 5, negative any number.
	MaxInvalidHeartbeats int
	// MaxReadPause is for how long silence does not count because a callback of this side
	// (OnOpen, OnMessage, …) keeps the reader from reading; 0 means 1 minute, negative
	// for ever. Silence counts anew when the callback has returned.
	MaxReadPause time.Duration
	// SendDelay is how long SendLater gathers; 0 means 10 ms, negative not at all.
	SendDelay time.Duration
	// ResumeWindow is how long the id of a lost connection can be resumed; 0 means
	// 2 minutes, negative never. The client's token is good for once, but until the
	// client has spoken on the new connection, whose answer may be lost. Servers only.
	ResumeWindow time.Duration
	// TrustedProxies are those whose word about the client's address counts
	// (Forwarded, X-Forwarded-For, X-Real-IP). When these headers disagree one of
	// them is forged, and the address is unknown. If there are any proxies, a unix
	// socket is trusted too. Servers only.
	TrustedProxies []netip.Prefix
	// Admit, if set, is asked about an upgrade before ProtocolSpec.Check and OnUpgrade,
	// to bound how many there are: what it returns is called once, when the upgrade has
	// been refused after all, or when the connection has ended and its callbacks have
	// returned; nil is nothing to call. An error refuses, as that of
	// ProtocolSpec.Check. Several goroutines call it at a time. Servers only.
	Admit func(r *http.Request) (leave func(), err error)
	// OnUpgrade has the last word before an upgrade is answered; see
	// ProtocolSpec.Check. Servers only.
	OnUpgrade func(u *Upgrade) error
	// OnConnect is called once for each connection, before the protocol's OnOpen and
	// on the same goroutine. A panic in it is logged.
	OnConnect func(p *Process)
	// OnDisconnect is called once, last, after the protocol's OnClose; err is the
	// *CloseError that was given to that. A panic in it is logged.
	OnDisconnect func(p *Process, err error)
	// BeforeMessage sees each message before the protocol; true keeps it from it.
	// data is lent.
	BeforeMessage func(p *Process, op Opcode, data []byte) (handled bool)
	// AfterMessage is called when the protocol has handled a message. data is lent.
	AfterMessage func(p *Process, op Opcode, data []byte)
	// BeforeSend sees each message that is sent, in order, before the Coder does. It
	// must not call p. data is lent.
	BeforeSend func(p *Process, op Opcode, data []byte)
	// NotifyAllFrames hands control frames to a ControlObserver.
	NotifyAllFrames bool
	// LogDetails adds lines at debug level to Conn.Log.
	LogDetails LogDetail
}

// LogDetail is a set of what is logged beyond connections and errors.
// mORMot: TWebSocketProcessSettings.LogDetails.
type LogDetail uint8

// What can be logged. Payloads are cut to 64 bytes. mORMot:
// TWebSocketProcessSettings.LogDetails.
const (
	LogHeartbeats LogDetail = 1 << iota // pings and pongs
	LogText                             // text messages
	LogBinary                           // binary messages
	LogCallbacks                        // what protocols say of calls in either direction
)

// LogFull is what shows all that travels.
// mORMot: TWebSocketProcessSettings.SetFullLog.
const LogFull = LogHeartbeats | LogText | LogBinary

const logged = 64 // bytes of a payload

func (s *ProcessSettings) heartbeatDelay(client bool) time.Duration {
	if client {
		return s.HeartbeatDelay
	}
	return orDefault(s.HeartbeatDelay, 20*time.Second)
}

func (s *ProcessSettings) pongTimeout() time.Duration {
	return orDefault(s.PongTimeout, 10*time.Second)
}

func (s *ProcessSettings) maxReadPause() time.Duration {
	return orDefault(s.MaxReadPause, time.Minute)
}

func (s *ProcessSettings) sendDelay() time.Duration {
	return orDefault(s.SendDelay, 10*time.Millisecond)
}

func (s *ProcessSettings) resumeWindow() time.Duration {
	return orDefault(s.ResumeWindow, 2*time.Minute)
}

func (s *ProcessSettings) maxInvalidHeartbeats() int { return orDefault(s.MaxInvalidHeartbeats, 5) }

func (s *ProcessSettings) logger() *slog.Logger {
	if s.Conn.Log == nil {
		return slog.New(slog.DiscardHandler)
	}
	return s.Conn.Log
}
