package link

import (
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/redistest"
)

// Slots as Redis computes them.
func TestKeySlot(t *testing.T) {
	if c := crc16("123456789"); c != 0x31c3 {
		t.Errorf("the CRC of the specification's example is %#x", c)
	}
	for _, same := range [][2]string{
		{"{user1000}.following", "user1000"}, {"foo{bar}{zap}", "bar"}, {"foo{{bar}}zap", "{bar"}, {"a{b", "a{b"},
	} {
		if keySlot(same[0]) != crc16(same[1])%slots {
			t.Errorf("%q is not in the slot of %q", same[0], same[1])
		}
	}
	if keySlot("foo{}bar") != crc16("foo{}bar")%slots {
		t.Error("an empty tag is one")
	}
	r := redistest.Start(t, redistest.Options{Args: []string{"--cluster-enabled", "yes"}})
	for _, k := range []string{"", "foo", "{}", "{a}b", "x{y}z{w}", "socket.io#/#", "\xff\x00"} {
		if n := r.Do("cluster", "keyslot", k); n != int64(keySlot(k)) {
			t.Errorf("%q: slot %d, Redis says %v", k, keySlot(k), n)
		}
	}
}

// connected is a connection of w's that has greeted.
func connected(t *testing.T, w *Writer) *session {
	t.Helper()
	sess, err := w.top.connect(w.ctx, "", nil)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sess.close)
	if err := sess.client.Ping(background).Err(); err != nil {
		t.Fatal(err)
	}
	return sess
}

// The number of bytes of a command on the wire is known exactly: what was
// written is told from what was not by it.
func TestWireLength(t *testing.T) {
	t.Parallel()
	r := redistest.Start(t, redistest.Options{})
	w := newWriter(t, r.Client(), Config{})
	sess := connected(t, w)
	big := strings.Repeat("x", 200_000)
	list := []*entry{w.pool.get(verbPublish, "k", "c", nil), w.pool.get(verbSPublish, "k", "channel-0123", []byte(big))}
	for _, args := range [][]any{
		{"SET", "k", "v"}, {"SET", "k", []byte(big)}, {"PING"}, {"SET", "k", ""}, {"SET", "k", []byte("123456789")},
		{"XADD", "s", "MAXLEN", "~", "10000", "*", "a", "1", "b", "2", "c", "3"},
	} {
		e, err := newEntry(Command{Key: "k", Args: args})
		if err != nil {
			t.Fatal(err)
		}
		list = append(list, e)
	}
	form := w.NewForm("s", "XADD", "s", "*", "v", nil, nil, "x")
	list = append(list, form.newEntry())
	last := list[len(list)-1]
	last.wire = form.wire + bulk(2) + bulk(len(big))
	last.values[0].b, last.values[1].b = []byte("ab"), []byte(big)
	for _, e := range list {
		for _, ask := range []string{"", "somebody"} {
			e.ask = ask
			before := sess.conn.written.Load()
			pipe := sess.client.Pipeline()
			if ask != "" {
				_ = pipe.Process(background, redis.NewStatusCmd(background, "asking"))
			}
			_ = pipe.Process(background, e.cmd)
			_, _ = pipe.Exec(background) // ASKING is refused here
			if n := sess.conn.written.Load() - before; n != e.length() {
				t.Errorf("%.60v, ask %q: %d bytes are written, %d expected", e.cmd.Args(), ask, n, e.length())
			}
		}
	}
}

// MOVED and ASK in all their forms.
func TestRedirection(t *testing.T) {
	for _, c := range []struct {
		text string
		slot uint16
		addr string
		ask  bool
		ok   bool
	}{
		{"MOVED 3999 127.0.0.1:6381", 3999, "127.0.0.1:6381", false, true},
		{"ASK 16383 host.example:1", 16383, "host.example:1", true, true},
		{"MOVED 1 :6381", 1, "10.0.0.1:6381", false, true},
		{"MOVED 1 ?:6381", 1, "10.0.0.1:6381", false, true},
		{"MOVED 1 ::1:6381", 1, "[::1]:6381", false, true},
		{"MOVED 1 [::1]:6381", 1, "[::1]:6381", false, true},
		{"MOVED 16384 a:1", 0, "", false, false},
		{"MOVED x a:1", 0, "", false, false},
		{"MOVED 1", 0, "", false, false},
		{"MOVEDON 1 a:1", 0, "", false, false},
		{"ERR MOVED 1 a:1", 0, "", false, false},
	} {
		slot, addr, ask, ok := redirection(errors.New(c.text), "10.0.0.1:7000")
		if slot != c.slot || addr != c.addr || ask != c.ask || ok != c.ok {
			t.Errorf("%q: %d %q %v %v", c.text, slot, addr, ask, ok)
		}
	}
}

// CLIENT INFO of several versions.
func TestParseIdentity(t *testing.T) {
	for text, want := range map[string]identity{
		"id=7 addr=127.0.0.1:4 laddr=127.0.0.1:5 fd=8 name=x": {"7", "127.0.0.1:4"},
		"":          {},
		"id=7 fd=8": {},
	} {
		if got := parseIdentity(text); got != want {
			t.Errorf("%q: %v", text, got)
		}
	}
}

// The first attempt after a failure comes within 50 ms, later ones within a
// second.
func TestBackoff(t *testing.T) {
	for range 100 {
		var b backoff
		for i := range 70 {
			d := b.next()
			most := min(time.Second, 50*time.Millisecond<<min(i, 10))
			if d < most/2 || d > most {
				t.Fatalf("delay %d is %v, want %v to %v", i, d, most/2, most)
			}
		}
	}
}

// Clients of other types are refused.
func TestUnknownClient(t *testing.T) {
	ring := redis.NewRing(&redis.RingOptions{Addrs: map[string]string{"a": "127.0.0.1:1"}})
	defer func() { _ = ring.Close() }()
	if _, err := New(ring, Config{}); err == nil {
		t.Error("a Ring is taken")
	}
}

// stale reports whether a connection was ended.
func stale(c net.Conn) bool {
	ended, _ := look(c)
	return ended
}

// An end of the other side is seen without reading, also below TLS or what
// else wraps a connection; data that waits is none.
func TestStale(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = c.Close() }()
	s, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	if stale(c) {
		t.Error("a fresh connection is stale")
	}
	if err := c.SetReadDeadline(time.Unix(1, 0)); err != nil { // that of an answer long ago
		t.Fatal(err)
	}
	if stale(c) {
		t.Error("a connection that was idle for long is stale")
	}
	if err := c.SetReadDeadline(time.Time{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Write([]byte("x")); err != nil {
		t.Fatal(err)
	}
	if stale(wrapped{c}) {
		t.Error("a connection with data is stale")
	}
	if _, err := c.Read(make([]byte, 1)); err != nil {
		t.Fatal(err)
	}
	_ = s.Close()
	redistest.Until(t, "the end is seen", func() bool { return stale(wrapped{c}) })
	_ = c.Close()
	if !stale(c) {
		t.Error("a closed connection is not stale")
	}
	a, b := net.Pipe()
	defer func() { _ = b.Close() }()
	_ = a.Close()
	if stale(a) {
		t.Error("what cannot be looked at is stale")
	}
}

// wrapped is a connection as tls.Conn is one.
type wrapped struct{ inner net.Conn }

func (w wrapped) NetConn() net.Conn { return w.inner }

func (w wrapped) Read(p []byte) (int, error)         { return w.inner.Read(p) }
func (w wrapped) Write(p []byte) (int, error)        { return w.inner.Write(p) }
func (w wrapped) Close() error                       { return w.inner.Close() }
func (w wrapped) LocalAddr() net.Addr                { return w.inner.LocalAddr() }
func (w wrapped) RemoteAddr() net.Addr               { return w.inner.RemoteAddr() }
func (w wrapped) SetDeadline(t time.Time) error      { return w.inner.SetDeadline(t) }
func (w wrapped) SetReadDeadline(t time.Time) error  { return w.inner.SetReadDeadline(t) }
func (w wrapped) SetWriteDeadline(t time.Time) error { return w.inner.SetWriteDeadline(t) }
