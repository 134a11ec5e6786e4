package link

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"log/slog"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/redistest"
)

// refuser is a server that refuses the first commands that write, as one that is
// loading its data, and takes those that follow.
type refuser struct {
	l     net.Listener
	conns sync.WaitGroup

	mu     sync.Mutex // guards what follows
	refuse int        // how many are refused; below zero: all
	seen   int        // commands that write
	taken  []string   // the last argument of each that was taken
}

func newRefuser(t testing.TB, refuse int) *refuser {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	r := &refuser{l: l, refuse: refuse}
	r.conns.Go(r.accept) // until the listener is closed
	t.Cleanup(func() {
		_ = l.Close()
		r.conns.Wait()
	})
	return r
}

func (r *refuser) accept() {
	for {
		c, err := r.l.Accept()
		if err != nil {
			return
		}
		r.conns.Go(func() { r.serve(c) }) // until the connection is closed
	}
}

func (r *refuser) serve(c net.Conn) {
	defer func() { _ = c.Close() }()
	in := bufio.NewReader(c)
	for {
		words, err := readCommand(in)
		if err != nil {
			return
		}
		if _, err := io.WriteString(c, r.answer(words)); err != nil {
			return
		}
	}
}

// readCommand reads an array of bulk strings.
func readCommand(in *bufio.Reader) (words []string, err error) {
	number := func() int {
		line, failed := in.ReadString('\n')
		if failed != nil {
			err = failed
			return 0
		}
		n, failed := strconv.Atoi(strings.TrimSpace(line[1:]))
		err = failed
		return n
	}
	for n := number(); err == nil && len(words) < n; {
		word := make([]byte, number()+2)
		if err == nil {
			_, err = io.ReadFull(in, word)
		}
		words = append(words, strings.TrimSpace(string(word)))
	}
	return words, err
}

func (r *refuser) answer(words []string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch strings.ToUpper(words[0]) {
	case "XADD", "PUBLISH":
		if r.seen++; r.refuse < 0 || r.seen <= r.refuse {
			return "-LOADING the dataset in memory\r\n"
		}
		r.taken = append(r.taken, words[len(words)-1])
		return ":1\r\n"
	case "PING", "SELECT":
		return "+OK\r\n"
	}
	return "-ERR unknown command\r\n"
}

func (r *refuser) state() (seen int, taken []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.seen, r.taken
}

// A server that goes over from refusing to taking in the middle of a batch does
// not get what it refused behind what it took: that was the order 5 to 9, 0 to 4
// of a stream, and of a channel 0 to 4 were dropped.
func TestRefusedInOrder(t *testing.T) {
	t.Parallel()
	r := newRefuser(t, 25)
	ready := make(chan struct{})
	client := redis.NewClient(&redis.Options{Addr: r.l.Addr().String(), Dialer: func(ctx context.Context, network, addr string) (net.Conn, error) {
		<-ready
		return new(net.Dialer).DialContext(ctx, network, addr)
	}})
	defer func() { _ = client.Close() }()
	w := newWriter(t, client, Config{})
	const n = 10
	for i := range n {
		if err := w.Append(xadd("s", strconv.Itoa(i))); err != nil {
			t.Fatal(err)
		}
	}
	for i := range n {
		publish(t, w, "c", strconv.Itoa(n+i))
	}
	close(ready)
	answered(t, w)
	_, taken := r.state()
	var stream, channel []string
	for _, v := range taken {
		if len(v) == 1 {
			stream = append(stream, v)
		} else {
			channel = append(channel, "1"+v)
		}
	}
	wantRising(t, stream, n)
	wantIncreasing(t, channel)
	if s := w.Stats(); len(channel) != n || s.Dropped != 0 || s.Refused != 0 || s.Published != 2*n {
		t.Errorf("%d messages, %+v: want all, nothing dropped", len(channel), s)
	}
}

// While it is being closed, too, a Writer asks a server that refuses only now and
// then: it sent thousands of commands a second.
func TestCloseWhileRefused(t *testing.T) {
	t.Parallel()
	r := newRefuser(t, -1)
	w, err := NewWriter(through(t, r.l.Addr().String()), Config{})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.Append(xadd("s", "0")); err != nil {
		t.Fatal(err)
	}
	redistest.Until(t, "a refusal", func() bool { seen, _ := r.state(); return seen > 0 })
	ctx, cancel := context.WithTimeout(context.Background(), 500*time.Millisecond)
	defer cancel()
	if err := w.Close(ctx); err != ErrClosed {
		t.Errorf("Close: %v, want ErrClosed", err)
	}
	if seen, _ := r.state(); seen > 30 {
		t.Errorf("the command was sent %d times", seen)
	}
}

// A Redis that takes no writes for the moment gets them when it does, in order.
func TestWritesLater(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	for _, c := range []struct{ setting, bad, good, code string }{
		{"maxmemory", "1", "0", "OOM"},
		{"min-replicas-to-write", "1", "0", "NOREPLICAS"},
	} {
		w := newWriter(t, r.Client(), Config{})
		r.Do("config", "set", c.setting, c.bad)
		for i := range 100 {
			if err := w.Append(xadd(c.code, strconv.Itoa(i))); err != nil {
				t.Fatal(err)
			}
		}
		redistest.Until(t, c.code, func() bool { return strings.Contains(r.Text("info", "errorstats"), "errorstat_"+c.code) })
		r.Do("config", "set", c.setting, c.good)
		answered(t, w)
		wantRising(t, stream(t, r, c.code), 100)
		if s := w.Stats(); s.Refused != 0 || s.Dropped != 0 {
			t.Errorf("%s: %+v, want nothing refused or dropped", c.code, s)
		}
	}
}

// What Redis refuses for good is said, with the reason, but not for each command.
func TestRefusalIsLogged(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	r.Do("acl", "setuser", "default", "resetchannels")
	var log lines
	w := newWriter(t, r.Client(), Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	for range 100 {
		publish(t, w, "c", "x")
		answered(t, w)
	}
	text := log.text()
	if !strings.Contains(text, "commands are refused") || !strings.Contains(text, "NOPERM") {
		t.Errorf("the log does not say that commands are refused:\n%s", text)
	}
	if n := strings.Count(text, "refused"); n > 50 {
		t.Errorf("%d times in the log", n)
	}
	if s := w.Stats(); s.Refused != 100 {
		t.Errorf("%+v, want 100 refused", s)
	}
}

// lines is a log that can be read while it is written.
type lines struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

func (l *lines) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}
