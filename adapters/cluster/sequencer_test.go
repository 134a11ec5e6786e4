package cluster

import (
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
