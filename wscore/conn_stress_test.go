package wscore_test

import (
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/internal/testnet"
	"github.com/hermod-io/hermod/wscore"
)

// Several goroutines send in every way there is, over a narrow stream: each one's
// messages arrive whole, once and in its order, whatever is compressed.
func TestManySendersManyWays(t *testing.T) {
	for name, d := range map[string]*wscore.Deflate{"plain": nil, "deflate": {Threshold: 100}, "takeover": {Takeover: true, Threshold: 100}} {
		for _, later := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " ", later), func(t *testing.T) { manySenders(t, d, later) })
		}
	}
}

const senders, perSender = 5, 60

func manySenders(t *testing.T, d *wscore.Deflate, later bool) {
	s := wscore.Settings{Deflate: d, Queue: wscore.Queue{Bytes: 1 << 20}}
	synctest.Test(t, func(t *testing.T) {
		a, b := testnet.Pipe(testnet.Options{Capacity: 3000})
		srv, dialer := wscore.NewServer(s), wscore.NewDialer(s)
		server, client := srv.NewConn(b), dialer.NewConn(a)
		if d != nil {
			wscore.Agree(server, client)
		}
		var wg sync.WaitGroup
		for who := range senders {
			wg.Go(func() { sendManyWays(t, client, who, later) })
		}
		next := make([]int, senders)
		for range senders * perSender {
			_, got, err := server.Read(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			var who, n, size int
			if _, err := fmt.Sscanf(string(got), "%d %d %d ", &who, &n, &size); err != nil || n != next[who] || string(got) != message(who, n, size) {
				t.Fatalf("sender %d: got %.40q of %d bytes, message %d is next", who, got, len(got), next[who])
			}
			next[who]++
		}
		wg.Wait()
		closeWithin(t, dialer.Close)
		closeWithin(t, srv.Close)
	})
}

func message(who, n, size int) string {
	head := fmt.Sprintf("%d %d %d ", who, n, size)
	return head + strings.Repeat(fmt.Sprintf("%d-%d,", who, n), size)
}

func sendManyWays(t *testing.T, c *wscore.Conn, who int, later bool) {
	var f wscore.SendFlags
	if later {
		f = wscore.Later
	}
	for n := range perSender {
		text := message(who, n, rand.IntN(500))
		var err error
		switch rand.IntN(4) {
		case 0:
			err = c.Send(wscore.OpText, []byte(text))
		case 1:
			err = c.SendMessages(f, wscore.Message{Op: wscore.OpText, Prefix: []byte(text[:3]), Data: []byte(text[3:]), Plain: n%2 == 0})
		case 2:
			err = c.SendPrepared(wscore.NewPrepared(wscore.Message{Op: wscore.OpBinary, Data: []byte(text)}), f)
		default:
			var w io.WriteCloser
			if w, err = c.NextWriter(t.Context(), wscore.OpText); err == nil {
				_, werr := io.WriteString(w, text)
				err = errors.Join(werr, c.Ping(nil), w.Close())
			}
		}
		if err != nil {
			t.Errorf("sender %d, message %d: %v", who, n, err)
			return
		}
	}
}
