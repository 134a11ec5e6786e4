package socketio_test

import (
	"context"
	"log/slog"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/siotest"
)

// What other nodes send to a namespace whose handler is slow was kept without a
// bound. What is too much is dropped, and said once; later there is room again.
func TestServerSideFull(t *testing.T) {
	siotest.Run(t, func(t *testing.T) {
		var log strings.Builder
		cfg := siotest.Config{}
		cfg.Server.Log = slog.New(slog.NewTextHandler(&log, nil))
		handled, last, release := 0, 0, make(chan struct{})
		nodes := siotest.ServeCluster(t, 2, func(srv *socketio.Server) {
			srv.OnServerSide("e", func(_ context.Context, e *socketio.Event) error {
				<-release
				handled++
				return e.Decode(0, &last)
			})
		}, cfg)
		emit := func(from, to int) {
			for i := from; i < to; i++ {
				if err := nodes[0].IO().ServerSideEmit(t.Context(), "e", i); err != nil {
					t.Fatal(err)
				}
			}
			synctest.Wait()
		}
		const most = 4096
		emit(0, 1)
		emit(1, most+10)
		close(release)
		synctest.Wait()
		if handled != 1+most || last != most {
			t.Errorf("%d events handled, the last is %d; want %d and %d", handled, last, 1+most, most)
		}
		if n := strings.Count(log.String(), "dropped"); n != 1 {
			t.Errorf("it is said %d times:\n%s", n, &log)
		}
		emit(-1, 0)
		if handled != 2+most || last != -1 {
			t.Errorf("an event later: %d handled, the last is %d", handled, last)
		}
	})
}
