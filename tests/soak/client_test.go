package main

import (
	"context"
	"net"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// mute is a peer that never answers; lost ends its questions.
type mute struct {
	peer
	lost chan struct{}
}

func (m *mute) ask(ctx context.Context, _ string, _ note, _ []byte) (note, error) {
	select {
	case <-ctx.Done():
		return note{}, context.Cause(ctx)
	case <-m.lost:
		return note{}, net.ErrClosed
	}
}

// Once a run that was starved of time complained of questions which had waited two
// minutes for a connection, and had it for a second.
func TestOverdue(t *testing.T) {
	drop := leaves("transport close")
	long := func(*ledger) { time.Sleep(callTimeout - time.Second) } // in a bubble
	for name, x := range map[string]struct {
		steps []step
		want  bool // a complaint
	}{
		"no connection":            {steps: []step{long, long, long}},
		"a connection at last":     {steps: []step{long, long, joins(), long}},
		"and no answer":            {steps: []step{long, long, joins(), long, long}, want: true},
		"connections, all short":   {steps: []step{joins(), long, drop, joins(), long, drop, joins(), long}},
		"one that lasts":           {steps: []step{joins(), long, drop, joins(), long, long}, want: true},
		"one from before":          {steps: []step{joins(), long, long}, want: true},
		"lost with the connection": {steps: []step{joins(), long}},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := new(faults)
				m := &mute{lost: make(chan struct{})}
				c := &client{ledger: newLedger("client", false, 0, f)}
				done := make(chan struct{})
				go func() { // ends with lost
					c.question(t.Context(), m, evCall, note{N: 1})
					close(done)
				}()
				for _, s := range x.steps {
					s(c.ledger)
					synctest.Wait()
				}
				if got := f.count() > 0; got != x.want {
					t.Errorf("complaints: %q", f.all())
				}
				if x.want && !strings.Contains(f.all()[0], errOverdue.Error()) {
					t.Errorf("complaint: %q", f.all())
				}
				close(m.lost)
				<-done
			})
		})
	}
}

// Who asks for a limited time complains himself.
func TestQuestionWithADeadline(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := new(faults)
		c := &client{ledger: newLedger("client", false, 0, f), peer: &mute{}}
		joins()(c.ledger)
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		if c.question(ctx, c.peer, evTotal, note{N: 1}) || f.count() > 0 {
			t.Errorf("complaints: %q", f.all())
		}
	})
}
