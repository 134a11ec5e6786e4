package wscore

import (
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// PongTimeout below zero is no deadline. It was one of no length: a ping at every
// tick of the wheel, and the end of whoever is half a second away.
func TestHeartbeatWithoutDeadline(t *testing.T) {
	s := ProcessSettings{HeartbeatDelay: 20 * time.Second, PongTimeout: -1, MaxInvalidHeartbeats: 2}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		f.pass(21 * time.Second)
		f.want(OpPing, "", "after the delay")
		f.pass(10 * time.Second)
		f.wantSilence("the next comes after the delay")
		f.pass(11 * time.Second)
		f.want(OpPing, "", "again after the delay")
		f.pass(10 * time.Minute)
		f.wantOpen("none need be answered")
	})
}

// A large message on a slow link is life: its bytes count before it is whole.
func TestHeartbeatDuringALongMessage(t *testing.T) {
	s := ProcessSettings{HeartbeatDelay: 20 * time.Second, PongTimeout: 10 * time.Second, MaxInvalidHeartbeats: 2}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		frame := text(strings.Repeat("x", 1000))
		for len(frame) > 100 {
			f.write(frame[:100])
			frame = frame[100:]
			f.pass(19 * time.Second)
			f.wantSilence("bytes come")
		}
		f.write(frame)
		f.pass(time.Second)
		f.wantOpen("the message came")
		f.wantEvents("open run", "message "+strings.Repeat("x", 1000))
		frame = text("never ended")
		f.write(frame[:5])
		f.pass(21 * time.Second)
		f.want(OpPing, "", "no more bytes")
		f.pass(22 * time.Second)
		f.want(OpPing, "", "again")
		f.wantLost("no sign of the peer")
	})
}

// blocking is a protocol that handles a message until it is told to go on.
type blocking struct {
	opening bool
	release chan struct{}
}

func (b *blocking) OnOpen() {
	if b.opening {
		<-b.release
	}
}
func (b *blocking) OnMessage(Opcode, []byte) { <-b.release }
func (b *blocking) OnClose(error)            {}

// blocked runs f in a bubble with a Process whose protocol blocks, in OnOpen or in
// the handling of a message.
func blocked(t *testing.T, s ProcessSettings, f func(f *flow, release chan struct{})) {
	for _, opening := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			fl := &flow{peer: newPeer(t, s.Conn, testnet.Options{})}
			fl.p = newProcess(fl.conn, &s, Upgrade{ID: 7}, nil)
			b := &blocking{opening, make(chan struct{})}
			fl.p.build(&ProtocolSpec{New: func(*Process) Protocol { return b }})
			fl.p.start()
			if !opening {
				fl.write(text("long work"))
			}
			f(fl, b.release)
			_ = fl.nc.Close()
			if err := fl.srv.Close(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
}

// While a handler of ours keeps the reader from reading, no peer can be heard: its
// silence is not counted, for as long as MaxReadPause. Pings go on.
func TestHeartbeatWhileAHandlerBlocks(t *testing.T) {
	s := ProcessSettings{HeartbeatDelay: 20 * time.Second, PongTimeout: 10 * time.Second, MaxInvalidHeartbeats: 2, MaxReadPause: 5 * time.Minute}
	blocked(t, s, func(f *flow, release chan struct{}) {
		for range 14 { // 280 s
			f.pass(20*time.Second + 200*time.Millisecond)
			f.want(OpPing, "", "pings go on")
			f.write(clientFrame(true, OpPong, nil))
		}
		if f.p.Err() != nil {
			f.t.Fatal("it ended: ", f.p.Err())
		}
		close(release)
		f.pass(10 * time.Second)
		f.wantSilence("the pongs were read")
		f.pass(11 * time.Second)
		f.want(OpPing, "", "and silence is counted again")
		f.pass(11 * time.Second)
		f.want(OpPing, "", "the second")
		f.pass(11 * time.Second)
		f.wantLost("no sign of the peer")
		if !errors.Is(f.p.Err(), ErrNoPong) {
			f.t.Errorf("it ended with %v", f.p.Err())
		}
	})
}

// A handler that blocks for longer than MaxReadPause ends the connection: a peer
// that is gone would be kept for ever.
func TestHeartbeatReadPauseIsBounded(t *testing.T) {
	s := ProcessSettings{HeartbeatDelay: 20 * time.Second, PongTimeout: 10 * time.Second, MaxInvalidHeartbeats: 2}
	blocked(t, s, func(f *flow, release chan struct{}) {
		f.pass(60 * time.Second) // the default
		if f.p.State() != StateRun {
			f.t.Error("it ended within the pause")
		}
		f.pass(45 * time.Second)
		if f.p.State() == StateRun {
			f.t.Error("it goes on after the pause")
		}
		close(release)
		f.pass(time.Second)
		if !errors.Is(f.p.Err(), ErrNoPong) {
			f.t.Errorf("it ended with %v", f.p.Err())
		}
	})
	s.MaxReadPause = -1
	blocked(t, s, func(f *flow, release chan struct{}) {
		f.pass(time.Hour)
		if f.p.State() != StateRun {
			f.t.Error("it ended though the pause has no bound")
		}
		close(release)
	})
}
