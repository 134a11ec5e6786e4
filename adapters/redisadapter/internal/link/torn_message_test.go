package link

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/redistest"
)

// speak is a Redis of which a subscriber gets one message whole and a part of the
// next on its first connection, and one more on the others. It ends with the
// connection.
func speak(c net.Conn, part int, first bool) {
	defer func() { _ = c.Close() }() // the client looks at what came before
	in := bufio.NewReader(c)
	for {
		var n int
		if _, err := fmt.Fscanf(in, "*%d\r\n", &n); err != nil {
			return
		}
		var words []string
		for range n {
			var size int
			if _, err := fmt.Fscanf(in, "$%d\r\n", &size); err != nil {
				return
			}
			word := make([]byte, size+2)
			if _, err := io.ReadFull(in, word); err != nil {
				return
			}
			words = append(words, string(word[:size]))
		}
		answer, last := "+OK\r\n", false
		switch strings.ToLower(words[0]) {
		case "hello":
			answer = "-ERR unknown command\r\n"
		case "ping":
			answer = bulks("*", "pong", "")
		case "subscribe":
			answer = "*3\r\n$9\r\nsubscribe\r\n$1\r\nc\r\n:1\r\n"
			if torn := bulks("*", "message", "c", "torn"); first {
				answer += bulks("*", "message", "c", "first") + torn[:part%len(torn)]
				last = true
			} else {
				answer += bulks("*", "message", "c", "next")
			}
		}
		if _, err := io.WriteString(c, answer); err != nil || last {
			return
		}
	}
}

// A connection that breaks anywhere in a message brings what came before it; the
// part is gone with it, and the gap is told.
func TestTornMessage(t *testing.T) {
	t.Parallel()
	whole := len(bulks("*", "message", "c", "torn"))
	for part := range whole {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = l.Close() }()
		go func() { // ends with l
			for first := true; ; first = false {
				c, err := l.Accept()
				if err != nil {
					return
				}
				go speak(c, part, first)
			}
		}()
		client := redis.NewClient(&redis.Options{Addr: l.Addr().String(), Protocol: 2})
		defer func() { _ = client.Close() }()
		var gaps atomic.Int64
		s := newSubscriber(t, client, Config{OnGap: func(time.Time, time.Time) { gaps.Add(1) }})
		var in inbox
		if err := s.Want(Plain, in.handle, "c"); err != nil {
			t.Fatal(err)
		}
		redistest.Until(t, "the message behind the gap", func() bool { return len(in.all()) >= 2 && gaps.Load() > 0 })
		if got := in.all(); !slices.Equal(got, []string{"first", "next"}) || gaps.Load() != 1 {
			t.Errorf("%d bytes of a message: got %q, %d gaps", part, got, gaps.Load())
		}
	}
}
