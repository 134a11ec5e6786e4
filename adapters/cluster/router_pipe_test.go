package cluster_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/engineio"
)

// The upgrade lands on another node; so does a WebSocket of protocol 3.
func TestRouterUpgrade(t *testing.T) {
	upgrades := 0
	sail(t, engineio.Config{OnUpgrade: func(*engineio.Session) { upgrades++ }}, cluster.RouterConfig{}, func(f *fleet) {
		query := f.nodes[0].open(polling4)
		waiting := f.nodes[1].begin(f.Context(), query)
		s := f.nodes[2].sock(strings.Replace(query, "polling", "websocket", 1))
		s.send("2probe")
		s.want("3probe", "the probe's answer")
		f.wantReply(<-waiting, 200, "6", "the waiting request ends")
		s.send("5")
		for range 10 {
			s.send("4hello")
			s.want("4hello", "its echo")
		}
		if upgrades != 1 {
			f.Errorf("%d upgrades", upgrades)
		}
		go func() { _, _ = s.next() }()              // ends with the connection
		time.Sleep(time.Hour + 300*time.Millisecond) // heartbeats pass, at whole seconds
		s.end()
		f.nodes[0].wantLog("the end", "open", "close: transport close")
	})
}

// Large messages pass in both directions.
func TestRouterPipeLarge(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		s := f.upgraded(f.nodes[0], f.nodes[1])
		for _, n := range []int{0, 1, 500, 5000, 40_000, 256 << 10, 999_000} {
			text := "4" + strings.Repeat("x", n)
			s.send(text)
			s.want(text, "its echo")
		}
		s.end()
	})
}

// Each side ends the connection.
func TestRouterPipeEnds(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		s := f.upgraded(f.nodes[0], f.nodes[1])
		_ = s.c.Close(1000, "")
		if got, err := s.next(); err == nil {
			f.Errorf("got %q", got)
		}
		f.nodes[0].wantLog("the client closes", "close: transport close")

		s = f.upgraded(f.nodes[0], f.nodes[1])
		_ = s.nc.Abort()
		f.nodes[0].wantLog("the client is gone", "close: transport error")

		s = f.upgraded(f.nodes[0], f.nodes[1])
		_ = f.nodes[0].log.last().Send(0, engineio.Message{Data: []byte(strings.Repeat("x", 300_000))})
		f.nodes[0].log.last().Close(false)
		s.want("4"+strings.Repeat("x", 300_000), "what was sent before")
		if got, err := s.next(); err == nil {
			f.Errorf("got %q", got)
		}
		f.nodes[0].wantLog("the server closes", "close: forced close")

		s = f.upgraded(f.nodes[0], f.nodes[1])
		f.nodes[1].mail.cut.Store(true)
		f.nodes[2].wantLog("nothing")
		<-f.nodes[0].log.last().Done()
		f.nodes[0].wantLog("the relay is dead", "close: transport error")
		s.end()
	})
}

// A client that does not read: what waits for it is bounded, at both nodes.
func TestRouterPipeStalledClient(t *testing.T) {
	sail(t, engineio.Config{Queue: engineio.Queue{Bytes: 1 << 20}}, cluster.RouterConfig{}, func(f *fleet) {
		s := f.upgraded(f.nodes[0], f.nodes[1])
		session, chunk := f.nodes[0].log.last(), []byte(strings.Repeat("x", 10_000))
		sent := 0
		for session.Send(0, engineio.Message{Data: chunk}) == nil {
			synctest.Wait()
			sent += len(chunk)
			if got := f.nodes[1].router.Stats().Buffered; got > 256<<10 {
				f.Fatalf("%d bytes wait", got)
			}
		}
		if sent > 2<<20 || sent < 1<<20 {
			f.Errorf("%d bytes were taken", sent)
		}
		f.nodes[0].wantLog("its queue is full", "close: transport error")
		time.Sleep(time.Minute)
		if s := f.nodes[1].router.Stats(); s.Streams != 0 || s.Buffered != 0 {
			f.Errorf("%+v", s)
		}
		s.end()
	})
}

// A handler that blocks stops the client, by way of the other node.
func TestRouterPipeStalledServer(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{}, func(f *fleet) {
		block, n := make(chan struct{}), 0
		f.nodes[0].log.onMessage = func(s *engineio.Session, _ bool, data []byte) {
			<-block
			n += len(data)
		}
		s := f.upgraded(f.nodes[0], f.nodes[1])
		const messages, size = 40, 30_000
		for range messages {
			s.send("4" + strings.Repeat("x", size))
			synctest.Wait()
		}
		if got := f.nodes[0].router.Stats().Buffered; got > 256<<10 || got < 200<<10 {
			f.Errorf("%d bytes wait at the owner", got)
		}
		if got, _ := s.c.Buffered(); got < 500_000 {
			f.Errorf("%d bytes wait at the client", got)
		}
		close(block)
		synctest.Wait()
		if n != messages*size {
			f.Errorf("%d bytes arrived", n)
		}
		s.end()
	})
}

// The bound of all streams together.
func TestRouterMaxBuffered(t *testing.T) {
	sail(t, engineio.Config{}, cluster.RouterConfig{MaxBuffered: 100 << 10}, func(f *fleet) {
		s := f.upgraded(f.nodes[0], f.nodes[1])
		_ = f.nodes[0].log.last().Send(0, engineio.Message{Data: make([]byte, 900_000)})
		f.nodes[0].wantLog("too much for a client that does not read", "close: transport error")
		if st := f.nodes[1].router.Stats(); st.Failed == 0 || st.Buffered != 0 {
			f.Errorf("%+v", st)
		}
		s.end()
	})
}
