package wscore_test

import (
	"bytes"
	"context"
	"log/slog"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/wscore"
)

// A client that is refused again and again filled the log: a line for each attempt.
func TestHandlerBoundsTheLogOfRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var buf bytes.Buffer
		log := slog.New(slog.NewTextHandler(&buf, nil))
		h := wscore.NewHandler(new(wscore.ProtocolList), wscore.ProcessSettings{Conn: wscore.Settings{Log: log}})
		knock := func(n int) (lines []string) {
			var all sync.WaitGroup
			for range n {
				all.Go(func() { h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest("GET", "/x", nil)) })
			}
			all.Wait()
			for line := range strings.Lines(buf.String()) {
				_, line, _ = strings.Cut(line, "msg=")
				lines = append(lines, strings.TrimSpace(line))
			}
			buf.Reset()
			slices.Sort(lines)
			return lines
		}
		const line = `"wscore: upgrade refused" remote=192.0.2.1:1234 status=426 reason="not an upgrade to websocket" skipped=`
		for _, step := range []struct {
			after time.Duration
			knock int
			want  []string
		}{
			{0, 1000, slices.Repeat([]string{line + "0"}, 10)},
			{99 * time.Millisecond, 5, nil},
			{time.Millisecond, 2, []string{line + "995"}},
			{time.Hour, 11, append(slices.Repeat([]string{line + "0"}, 9), line+"1")},
			{time.Hour, 1, []string{line + "1"}},
		} {
			time.Sleep(step.after)
			if got := knock(step.knock); !slices.Equal(got, step.want) {
				t.Errorf("%d refused after %v: logged %d lines: %q", step.knock, step.after, len(got), got[:min(len(got), 3)])
			}
		}
		if err := h.Shutdown(context.Background()); err != nil {
			t.Error(err)
		}
	})
}
