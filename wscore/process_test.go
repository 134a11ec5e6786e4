package wscore

import (
	"bytes"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// flow is a Process on a connection in memory, and the raw peer it talks to.
type flow struct {
	*peer
	p     *Process
	heard *spoken
	gone  int
}

// spoken is a protocol that notes what it is told.
type spoken struct {
	p       *Process
	atClose func()     // called by OnClose; may be nil
	mu      sync.Mutex // guards what follows
	events  []string
}

func (s *spoken) note(f string, args ...any) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.events = append(s.events, fmt.Sprintf(f, args...))
}

func (s *spoken) OnOpen()                       { s.note("open %v", s.p.State()) }
func (s *spoken) OnMessage(op Opcode, d []byte) { s.note("message %s", d) }
func (s *spoken) OnControl(op Opcode, d []byte) { s.note("control %d %s", op, d) }
func (s *spoken) OnClose(err error) {
	s.note("close %v", s.p.State())
	if s.atClose != nil {
		s.atClose()
	}
}

// flowing runs f in a bubble with a running Process.
func flowing(t *testing.T, s ProcessSettings, o testnet.Options, f func(f *flow)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		fl := &flow{peer: newPeer(t, s.Conn, o), heard: &spoken{}}
		fl.p = newProcess(fl.conn, &s, Upgrade{ID: 7}, func(*Process, error) { fl.gone++ })
		fl.heard.p = fl.p
		fl.p.build(&ProtocolSpec{New: func(*Process) Protocol { return fl.heard }})
		fl.p.start()
		synctest.Wait()
		f(fl)
		_ = fl.nc.Close()
		if err := fl.srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
		synctest.Wait()
		if fl.gone != 1 || fl.srv.wheel.Len() != 0 || fl.p.State() != StateDestroy {
			t.Errorf("told of the end %d times, %d timers, state %v", fl.gone, fl.srv.wheel.Len(), fl.p.State())
		}
	})
}

func (f *flow) wantEvents(want ...string) {
	f.t.Helper()
	synctest.Wait()
	f.heard.mu.Lock()
	defer f.heard.mu.Unlock()
	if !slices.Equal(f.heard.events, want) {
		f.t.Errorf("the protocol was told %q, want %q", f.heard.events, want)
	}
}

func TestProcessCallbacksOnce(t *testing.T) {
	var log []string
	s := ProcessSettings{NotifyAllFrames: true,
		OnConnect: func(p *Process) { log = append(log, "connect"); panic("harms nobody") },
		OnDisconnect: func(p *Process, err error) {
			log = append(log, fmt.Sprint("disconnect ", errors.Is(err, net.ErrClosed)))
			panic("harms nobody")
		},
		BeforeMessage: func(p *Process, op Opcode, d []byte) bool {
			log = append(log, "before "+string(d))
			return string(d) == "hidden"
		},
		AfterMessage: func(p *Process, op Opcode, d []byte) { log = append(log, "after "+string(d)) },
		BeforeSend:   func(p *Process, op Opcode, d []byte) { log = append(log, "send "+string(d)) },
	}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		f.write(text("one"), text("hidden"), clientFrame(true, OpPing, []byte("p")))
		_ = f.p.Send(OpText, []byte("out"))
		if f.p.State() != StateRun || f.p.Err() != nil {
			t.Errorf("state %v, %v", f.p.State(), f.p.Err())
		}
		f.write(closeFrame(4001, "bye"))
		f.wantEvents("open run", "message one", "control 9 p", "control 8 \x0f\xa1bye")
		_ = f.nc.Close()
		f.wantEvents("open run", "message one", "control 9 p", "control 8 \x0f\xa1bye", "close close")
		if f.p.Err() == nil || f.p.Send(OpText, nil) == nil || f.p.SendLater(OpText, nil) == nil {
			t.Error("it goes on after the end")
		}
	})
	want := []string{"connect", "before one", "after one", "before hidden", "send out", "disconnect true"}
	if !slices.Equal(log, want) {
		t.Errorf("hooks: %q", log)
	}
}

func TestSendDelayGathersInOrder(t *testing.T) {
	flowing(t, ProcessSettings{SendDelay: 50 * time.Millisecond}, testnet.Options{}, func(f *flow) {
		for _, s := range []string{"1", "2", "3"} {
			if err := f.p.SendLater(OpText, []byte(s)); err != nil {
				t.Fatal(err)
			}
		}
		f.pass(40 * time.Millisecond)
		f.wantSilence("it is gathered")
		f.write(text("a peer that talks does not put it off"))
		f.pass(11 * time.Millisecond)
		for _, s := range []string{"1", "2", "3"} {
			f.want(OpText, s, "after the delay")
		}
		_ = f.p.SendLater(OpText, []byte("4"))
		_ = f.p.Send(OpText, []byte("5"))
		f.want(OpText, "4", "what was gathered goes first")
		f.want(OpText, "5", "then what is sent at once")
		_ = f.p.SendLater(OpBinary, []byte("6"))
		if err := f.p.Flush(); err != nil {
			t.Error(err)
		}
		f.want(OpBinary, "6", "by Flush")
		_ = f.p.SendLater(OpText, []byte("7"))
		_ = f.p.Close(CloseNormal, "")
		f.want(OpText, "7", "nothing is lost by Close")
		f.wantClose(CloseNormal, "then it closes")
	})
}

// What is gathered is bounded: beyond half of the queue it is sent.
func TestGatheringIsBounded(t *testing.T) {
	s := ProcessSettings{SendDelay: time.Hour, Conn: Settings{Queue: Queue{Bytes: 10_000}}}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		for range 6 {
			if err := f.p.SendLater(OpText, make([]byte, 1000)); err != nil {
				t.Fatal(err)
			}
		}
		for range 5 {
			f.want(OpText, string(make([]byte, 1000)), "half of the queue is full")
		}
		f.wantSilence("the sixth is gathered")
		_ = f.p.SendLater(OpBinary, nil)
		if f.p.SendLater(OpPing, nil) == nil || f.p.Send(OpClose, nil) == nil {
			t.Error("a control frame is a message")
		}
	})
	flowing(t, ProcessSettings{SendDelay: -1}, testnet.Options{}, func(f *flow) {
		_ = f.p.SendLater(OpText, []byte("now"))
		f.want(OpText, "now", "without a delay")
	})
}

func TestHeartbeat(t *testing.T) {
	s := ProcessSettings{HeartbeatDelay: 20 * time.Second, PongTimeout: 10 * time.Second, MaxInvalidHeartbeats: 3}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		f.pass(19 * time.Second)
		f.wantSilence("before the delay")
		f.write(text("x"))
		f.pass(19 * time.Second)
		f.wantSilence("what the peer said counts")
		f.pass(2 * time.Second)
		f.want(OpPing, "", "after the delay")
		f.write(clientFrame(true, OpPong, nil))
		f.pass(15 * time.Second)
		f.wantSilence("it was answered")
		f.pass(6 * time.Second)
		f.want(OpPing, "", "again after the delay")
		f.pass(11 * time.Second)
		f.want(OpPing, "", "no pong: again")
		f.write(clientFrame(true, OpPong, nil))
		f.pass(31 * time.Second) // a sign resets the count
		f.want(OpPing, "", "the first of three")
		f.pass(11 * time.Second)
		f.want(OpPing, "", "the second")
		f.wantEvents("open run", "message x")
		f.pass(22 * time.Second)
		f.want(OpPing, "", "the third")
		f.pass(11 * time.Second)
		f.wantLost("no sign of the peer")
		if !errors.Is(f.p.Err(), ErrNoPong) {
			t.Errorf("it ended with %v", f.p.Err())
		}
	})
}

// Pings of a peer that answers come at the delay, though more patience is had
// with one that does not.
func TestHeartbeatFasterThanPatience(t *testing.T) {
	s := ProcessSettings{HeartbeatDelay: time.Second, PongTimeout: 10 * time.Second, MaxInvalidHeartbeats: 2}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		for range 5 {
			f.pass(1500 * time.Millisecond)
			f.want(OpPing, "", "after the delay")
			f.write(clientFrame(true, OpPong, nil))
		}
		f.pass(1500 * time.Millisecond)
		f.want(OpPing, "", "not answered")
		f.pass(9 * time.Second)
		f.wantSilence("patience")
		f.pass(1500 * time.Millisecond)
		f.want(OpPing, "", "the second")
		f.pass(11 * time.Second)
		f.wantLost("no sign of the peer")
	})
}

func TestHeartbeatOff(t *testing.T) {
	flowing(t, ProcessSettings{HeartbeatDelay: -1}, testnet.Options{}, func(f *flow) {
		f.pass(time.Hour)
		f.wantSilence("heartbeats are off")
	})
	flowing(t, ProcessSettings{MaxInvalidHeartbeats: -1}, testnet.Options{}, func(f *flow) {
		f.pass(10 * time.Minute)
		f.wantOpen("any number may stay unanswered")
		if f.p.State() != StateRun {
			t.Errorf("state %v", f.p.State())
		}
	})
}

// coded is a protocol with a Coder that doubles what it sends and halves what it
// receives, and keeps messages that begin with '#' to itself.
type coded struct{ spoken }

func (c *coded) Encode(op Opcode, d []byte) (Opcode, []byte, error) {
	if string(d) == "bad" {
		return 0, nil, errors.New("not this")
	}
	return OpBinary, append(bytes.Clone(d), d...), nil
}

func (c *coded) Decode(op Opcode, d []byte) (Opcode, []byte, error) {
	switch {
	case len(d) > 0 && d[0] == '#':
		return 0, nil, ErrConsumed
	case len(d)%2 != 0:
		return 0, nil, &CloseError{Code: 4005, Err: errors.New("odd")}
	}
	return OpText, d[:len(d)/2], nil
}

func (c *coded) Gather(msgs []Message) []Message {
	var all []byte
	for _, m := range msgs {
		all = append(all, m.Data...)
	}
	return []Message{{Op: OpText, Data: all}}
}

func TestCoderAndCounters(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ProcessSettings{}
		fl := newPeer(t, s.Conn, testnet.Options{})
		p := newProcess(fl.conn, &s, Upgrade{}, nil)
		c := &coded{}
		c.p = p
		p.build(&ProtocolSpec{New: func(*Process) Protocol { return c }})
		p.start()
		synctest.Wait()
		if n := p.Counters(); n.RatioIn() != 100 || n.RatioOut() != 100 {
			t.Errorf("%+v", n)
		}
		_ = p.Send(OpText, []byte("ab"))
		fl.want(OpBinary, "abab", "encoded")
		_ = p.SendLater(OpText, []byte("c"))
		_ = p.SendLater(OpText, []byte("d"))
		_ = p.Flush()
		fl.want(OpBinary, "cdcd", "gathered, then encoded")
		if p.Send(OpText, []byte("bad")) == nil {
			t.Error("an error of Encode is kept")
		}
		_ = p.SendPrepared(NewPrepared(Message{Op: OpText, Data: []byte("p")}))
		fl.want(OpBinary, "pp", "a prepared message is encoded too")
		_ = p.SendRaw(OpText, []byte("raw"))
		fl.want(OpText, "raw", "as it is")
		fl.write(text("xyxy"), text("#own"), text("zz"))
		if n := p.Counters(); n != (Counters{3, 4, 3, 8, 10, 13}) || n.RatioIn() != 333 || n.RatioOut() != 162 {
			t.Errorf("%+v", n)
		}
		if got := c.events; !slices.Equal(got, []string{"open run", "message xy", "message z"}) {
			t.Errorf("told %q", got)
		}
		fl.write(text("odd"))
		fl.wantClose(4005, "an error of Decode")
		if p.LastError() == nil {
			t.Error("it was not noted")
		}
		_ = fl.nc.Close()
		if err := fl.srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

func TestLogDetails(t *testing.T) {
	for detail, want := range map[LogDetail][]string{
		0:             nil,
		LogText:       {"received 1 in", "sent 1 out"},
		LogBinary:     {"received 2 bin"},
		LogHeartbeats: {"received 9 "},
		LogFull:       {"received 1 in", "received 2 bin", "received 9 ", "sent 1 out"},
	} {
		var buf bytes.Buffer
		log := slog.New(slog.NewTextHandler(&buf, &slog.HandlerOptions{Level: slog.LevelDebug}))
		flowing(t, ProcessSettings{Conn: Settings{Log: log}, LogDetails: detail}, testnet.Options{}, func(f *flow) {
			f.write(text("in"), clientFrame(true, OpBinary, []byte("bin")), clientFrame(true, OpPing, nil))
			_ = f.p.Send(OpText, []byte("out"))
			synctest.Wait()
		})
		var got []string
		for line := range strings.Lines(buf.String()) {
			if strings.Contains(line, "level=DEBUG") {
				_, line, _ = strings.Cut(line, `msg="wscore: `)
				what, rest, _ := strings.Cut(line, `"`)
				var op int
				_, _ = fmt.Sscanf(rest, " id=7 op=%d", &op)
				_, data, _ := strings.Cut(rest, "data=")
				got = append(got, fmt.Sprintf("%s %d %s", what, op, strings.Trim(data, "\"\n")))
			}
		}
		if !slices.Equal(got, want) {
			t.Errorf("%d: logged %q, want %q", detail, got, want)
		}
	}
}

// closing closes the connection as soon as it hears of a ping.
type closing struct{ *spoken }

func (c closing) OnControl(op Opcode, _ []byte) {
	if op == OpPing {
		_ = c.p.Close(CloseNormal, "")
	}
}

// The answer to a ping is on its way before the protocol hears of it.
func TestPongBeforeOnControl(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := ProcessSettings{NotifyAllFrames: true}
		fl := newPeer(t, s.Conn, testnet.Options{})
		p := newProcess(fl.conn, &s, Upgrade{}, nil)
		p.build(&ProtocolSpec{New: func(*Process) Protocol { return closing{&spoken{p: p}} }})
		p.start()
		fl.write(clientFrame(true, OpPing, []byte("hm")))
		fl.want(OpPong, "hm", "first the pong")
		fl.wantClose(CloseNormal, "then what the protocol does")
		_ = fl.nc.Close()
		if err := fl.srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

// Whoever is told of the end and ends the goroutine keeps nobody else from being told.
func TestGoexitAtTheEnd(t *testing.T) {
	told := 0
	s := ProcessSettings{OnDisconnect: func(*Process, error) { told++; runtime.Goexit() }}
	flowing(t, s, testnet.Options{}, func(f *flow) { f.heard.atClose = runtime.Goexit })
	if told != 1 {
		t.Errorf("OnDisconnect was called %d times", told)
	}
}
