package cluster

import (
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio/parser"
)

// nobody is a namespace without sockets.
type nobody struct{ adapters.Local }

// refusingLog takes nothing, as a Redis whose memory is full.
type refusingLog struct{ Log }

func (refusingLog) Append(m *Message, refused func()) (string, error) {
	go refused()
	return string(m.Packet.JSON), nil
}

// Broadcasts whose entries were refused were kept for ever, for sessions that are
// restored before the entries come.
func TestSequencerForgetsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		q := &sequencer{rooms: memory.Make(nobody{}, nil), ledger: newLedger(), log: refusingLog{}, patience: time.Second}
		defer q.close()
		for range 1000 {
			p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(`["refused"]`)}}
			if err := q.append(&Message{Packet: p}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		q.mu.Lock()
		defer q.mu.Unlock()
		if len(q.pending) > 0 || len(q.over) > 0 {
			t.Errorf("%d wait, %d are kept", len(q.pending), len(q.over))
		}
	})
}

// silentLog takes everything, and brings nothing back.
type silentLog struct{ Log }

func (silentLog) Append(m *Message, _ func()) (string, error) { return string(m.Packet.JSON), nil }

// While a log took what it was given and could not be read, everything was kept
// for ever. What was given up counts as sent to all when it comes nevertheless.
func TestSequencerKeepsLittle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const most, size = 100 << 10, 1 << 10
		q := &sequencer{rooms: memory.Make(nobody{}, nil), ledger: newLedger(), log: silentLog{}, patience: time.Second, most: most}
		defer q.close()
		text := func(i int) string { return fmt.Sprintf(`["%0*d"]`, size, i) }
		for i := range 1000 {
			p := &parser.Packet{Type: parser.Event, Args: parser.Args{JSON: []byte(text(i))}}
			if err := q.append(&Message{Packet: p}); err != nil {
				t.Fatal(err)
			}
		}
		time.Sleep(2 * time.Second)
		synctest.Wait()
		q.mu.Lock()
		kept := len(q.over)
		q.mu.Unlock()
		if kept == 0 || kept > most/size {
			t.Errorf("%d of 1000 are kept", kept)
		}
		for i, at := range []Offset{{Time: 1}, {Time: 1, Seq: 1}} {
			q.Own(at, text(i))
			if q.ledger.everyone != at {
				t.Errorf("number %d was sent at %v, want %v", i, q.ledger.everyone, at)
			}
		}
		q.Own(Offset{Time: 2}, text(999))
		q.Own(Offset{Time: 2, Seq: 1}, "unknown")
		if q.ledger.everyone != (Offset{Time: 2}) || len(q.over) != 0 || q.bytes != 0 {
			t.Errorf("at the end %v, %d of %d bytes are kept", q.ledger.everyone, len(q.over), q.bytes)
		}
	})
}
