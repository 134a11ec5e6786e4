package socketio_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/socketio/siotest"
)

type span struct {
	event.Args
	From, To int
}

const (
	spread event.Request[span, int]       = "spread"
	reload event.Message[string]          = "reload"
	load   event.Request[string, float64] = "load"
)

// TestGather: each client of two nodes answers in its way; one cannot, one says
// something else, one nothing.
func TestGather(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		nodes := siotest.ServeCluster(t, 2, nil, siotest.Config{})
		answer := func(node int, h sioclient.Handler) {
			nodes[node].Connect(t, "/", sioclient.Config{}).On("spread", h)
		}
		answer(0, sioclient.Reply(func(_ context.Context, _ *sioclient.Socket, in span) (int, error) { return in.To - in.From, nil }))
		answer(1, sioclient.Reply(func(context.Context, *sioclient.Socket, span) (int, error) {
			return 0, &sioclient.Error{Code: "no", Message: "never"}
		}))
		answer(1, sioclient.Reply(func(context.Context, *sioclient.Socket, span) (string, error) { return "three", nil }))

		got, err := socketio.Gather(t.Context(), nodes[0].IO(), spread, span{From: 4, To: 7})
		if err != nil || len(got) != 3 {
			t.Fatalf("%+v, %v", got, err)
		}
		kind := func(a socketio.Answer[int]) int {
			var refused *socketio.Error
			var wrong *socketio.ArgError
			switch {
			case errors.As(a.Err, &refused):
				return 1
			case errors.As(a.Err, &wrong):
				return 2
			}
			return 0
		}
		slices.SortFunc(got, func(a, b socketio.Answer[int]) int { return cmp.Compare(kind(a), kind(b)) })
		if got[0].Value != 3 || got[0].Err != nil {
			t.Errorf("%+v", got[0])
		}
		if kind(got[1]) != 1 || kind(got[2]) != 2 {
			t.Errorf("%+v", got[1:])
		}

		nodes[0].Connect(t, "/", sioclient.Config{}) // has no handler
		got, err = socketio.Gather(t.Context(), nodes[1].IO().Of("/").Timeout(time.Second), spread, span{})
		var missing *socketio.AckError
		if !errors.As(err, &missing) || missing.Missing != 1 || len(got) != 3 {
			t.Errorf("%+v, %v", got, err)
		}
	})
}

// TestTypedServerSide: nodes tell and ask one another, in order.
// compat: namespace.serverSideEmit
// compat: namespace.serverSideEmitWithAck
func TestTypedServerSide(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		var heard []string
		all := make(chan struct{})
		nodes := siotest.ServeCluster(t, 3, func(srv *socketio.Server) {
			socketio.HandleServerSideRequest(srv, load, func(_ context.Context, of string) (float64, error) {
				if of != "cpu" {
					return 0, &socketio.Error{Code: "unknown", Message: of}
				}
				return 0.5, nil
			})
		}, siotest.Config{})
		socketio.HandleServerSideMessage(nodes[2].IO().Of("/"), reload, func(_ context.Context, what string) error {
			if heard = append(heard, what); len(heard) == 3 {
				close(all)
			}
			return nil
		})
		for _, what := range []string{"a", "b", "c"} {
			if err := reload.Emit(nodes[0].IO().ServerSide(), what); err != nil {
				t.Fatal(err)
			}
		}
		<-all
		if !slices.Equal(heard, []string{"a", "b", "c"}) {
			t.Errorf("heard %q", heard)
		}
		for of, want := range map[string]string{"cpu": "", "disk": "unknown"} {
			got, err := socketio.Gather(t.Context(), nodes[0].IO().Of("/").ServerSide(), load, of)
			if err != nil || len(got) != 2 {
				t.Fatalf("%s: %+v, %v", of, got, err)
			}
			for _, a := range got {
				var refused *socketio.Error
				if errors.As(a.Err, &refused) != (want != "") || refused != nil && refused.Code != want || want == "" && a.Value != 0.5 {
					t.Errorf("%s: %+v", of, a)
				}
			}
		}
	})
}
