package wscore

import (
	"encoding/hex"
	"errors"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// One of the gathered messages that the Coder refuses took those behind it with
// it, and made a Send fail that had nothing to do with it.
func TestRefusedMessageHarmsNoOther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		fl := newPeer(t, Settings{}, testnet.Options{})
		s := ProcessSettings{SendDelay: time.Second}
		p := newProcess(fl.conn, &s, Upgrade{}, nil)
		c := &picky{}
		p.build(&ProtocolSpec{New: func(*Process) Protocol { return c }})
		p.start()
		synctest.Wait()
		later := func() {
			for _, d := range []string{"a", "bad", "b"} {
				if err := p.SendLater(OpText, []byte(d)); err != nil {
					t.Fatal(err)
				}
			}
		}
		later()
		if err := p.Send(OpText, []byte("c")); err != nil {
			t.Errorf("Send answers for another: %v", err)
		}
		for _, d := range []string{"a", "b", "c"} {
			fl.want(OpText, d, "all but the one refused")
		}
		if !errors.Is(p.LastError(), errPicky) {
			t.Errorf("noted %v", p.LastError())
		}
		later()
		if err := p.Flush(); !errors.Is(err, errPicky) {
			t.Errorf("Flush: %v", err)
		}
		for _, d := range []string{"a", "b"} {
			fl.want(OpText, d, "by Flush")
		}
		_ = fl.nc.Close()
		if err := fl.srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
}

var errPicky = errors.New("not this")

// picky is a protocol whose Coder refuses "bad".
type picky struct{}

func (*picky) OnMessage(Opcode, []byte) {}
func (*picky) OnClose(error)            {}
func (*picky) Encode(op Opcode, d []byte) (Opcode, []byte, error) {
	if string(d) == "bad" {
		return 0, nil, errPicky
	}
	return op, d, nil
}
func (*picky) Decode(op Opcode, d []byte) (Opcode, []byte, error) { return op, d, nil }

// BeforeSend was not told of what was prepared, so not of broadcasts either.
func TestBeforeSendSeesPrepared(t *testing.T) {
	var seen []string
	s := ProcessSettings{BeforeSend: func(p *Process, op Opcode, d []byte) { seen = append(seen, string(d)) }}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		_ = f.p.Send(OpText, []byte("1"))
		if err := f.p.SendPrepared(NewPrepared(Message{Op: OpText, Data: []byte("2")}, Message{Op: OpBinary, Data: []byte("3")})); err != nil {
			t.Error(err)
		}
		f.want(OpText, "1", "sent")
		f.want(OpText, "2", "prepared")
		f.want(OpBinary, "3", "prepared")
	})
	if want := []string{"1", "2", "3"}; !slices.Equal(seen, want) {
		t.Errorf("BeforeSend saw %q, want %q", seen, want)
	}
}

// A hook that panics when the timer sends ended the program.
func TestPanicWhileGatheredIsSent(t *testing.T) {
	s := ProcessSettings{SendDelay: time.Second, BeforeSend: func(*Process, Opcode, []byte) { panic("in the timer") }}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		_ = f.p.SendLater(OpText, []byte("x"))
		f.pass(2 * time.Second)
		f.wantClose(CloseInternal, "what was promised cannot be sent")
	})
}

// hexed is a protocol whose Coder makes binary messages of all it is given.
type hexed struct{ picky }

func (*hexed) Encode(_ Opcode, d []byte) (Opcode, []byte, error) {
	return OpBinary, []byte(hex.EncodeToString(d)), nil
}

// A ping among prepared messages was given to the Coder, and came as a message of
// its own, which the peer's could make nothing of; and it counted as one.
func TestPreparedPingIsNoMessage(t *testing.T) {
	ping := NewPrepared(Message{Op: OpText, Data: []byte("1")}, Message{Op: OpPing, Data: []byte("?")})
	for _, proto := range []Protocol{&hexed{}, failing{}} {
		var seen []string
		s := ProcessSettings{HeartbeatDelay: -1, BeforeSend: func(_ *Process, _ Opcode, d []byte) { seen = append(seen, string(d)) }}
		synctest.Test(t, func(t *testing.T) {
			fl := newPeer(t, Settings{}, testnet.Options{})
			p := newProcess(fl.conn, &s, Upgrade{}, nil)
			p.build(&ProtocolSpec{New: func(*Process) Protocol { return proto }})
			p.conn.Serve(fl.rec)
			if err := p.SendPrepared(ping); err != nil {
				t.Error(err)
			}
			if p.coder != nil {
				fl.want(OpBinary, "31", "the message, encoded")
			} else {
				fl.want(OpText, "1", "the message")
			}
			fl.want(OpPing, "?", "the ping as it is")
			if n := p.Counters(); n.FramesOut != 1 || n.BytesOut != 1 || !slices.Equal(seen, []string{"1"}) {
				t.Errorf("counted %+v, seen %q", n, seen)
			}
			fl.finish()
		})
	}
}
