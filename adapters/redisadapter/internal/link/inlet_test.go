package link

import (
	"errors"
	"fmt"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/redistest"
)

// scripted is a connection that brings a text, so many bytes at once.
type scripted struct {
	net.Conn
	text string
	step int
	most int // asked for by one Read
}

func (c *scripted) Read(p []byte) (int, error) {
	c.most = max(c.most, len(p))
	if c.text == "" {
		return 0, io.EOF
	}
	n := copy(p, c.text[:min(c.step, len(c.text))])
	c.text = c.text[n:]
	return n, nil
}

func (*scripted) SetReadDeadline(time.Time) error { return nil }

// bulks is an item of bulk strings.
func bulks(lead string, parts ...string) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s%d\r\n", lead, len(parts))
	for _, p := range parts {
		fmt.Fprintf(&b, "$%d\r\n%s\r\n", len(p), p)
	}
	return b.String()
}

// items reads all that a connection brings, in words.
func items(t *testing.T, c *scripted) (list []string) {
	t.Helper()
	in := &inlet{conn: c, silence: time.Minute}
	for {
		p, ok, err := in.next()
		switch {
		case err == io.EOF && in.r == in.w:
			return list
		case err != nil:
			t.Fatal(err)
		case ok:
			list = append(list, fmt.Sprintf("%s %s %s", p.pattern, p.channel, p.payload))
			continue
		}
		var line []byte // an item of one line
		for piece := make([]byte, 3); !strings.HasSuffix(string(line), "\n"); {
			n, err := in.Read(piece)
			if err != nil {
				t.Fatal(err)
			}
			line = append(line, piece[:n]...)
		}
		list = append(list, string(line))
	}
}

// Messages are taken whole, however they come, and what is between them is left
// to go-redis to the byte.
func TestInlet(t *testing.T) {
	long := strings.Repeat("0123456789", 30_000) // more than the buffer
	for _, lead := range []string{"*", ">"} {
		text := bulks(lead, "message", "c", "a\r\nb") + "+PONG\r\n" + bulks(lead, "smessage", "s", "") +
			bulks(lead, "pmessage", "p*", "p1", "x") + "-ERR no\r\n" + bulks(lead, "message", "c", long) +
			bulks(lead, "message", "", "$3\r\n") + ":7\r\n"
		want := []string{" c a\r\nb", "+PONG\r\n", " s ", "p* p1 x", "-ERR no\r\n", " c " + long, "  $3\r\n", ":7\r\n"}
		for _, step := range []int{1, 2, 3, 7, 100, 1 << 20} {
			if got := items(t, &scripted{text: text, step: step}); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s in steps of %d: %.300q", lead, step, got)
			}
		}
	}
}

// What only begins like a message is left to go-redis, which judges it.
func TestInletLeavesWhatIsNoMessage(t *testing.T) {
	for _, text := range []string{
		bulks(">", "subscribe", "c")[:20], "*3\r\n$7\r\nmessagf\r\n", "*3\r\n$7\r\nmessage\r\n:1\r\n", "*3\r\n$7\r\nmessage\r\n$-1\r\n",
		"*3\r\n$7\r\nmessage\r\n$1\r\ncc\r\n", "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n*1\r\n", "*3\r\n$7\r\nmessage\r\n$1234567890\r\n",
		"*3\r\n$7\r\nmessage\r\n$\r\n", "*3\r\n$7\r\nmessage\r\n$1x\r\n", ">4\r\n$8\r\npmessage\r\n+p\r\n", "$7\r\nmessage\r\n", "\r\n",
	} {
		in := &inlet{conn: &scripted{text: text, step: 5}}
		if p, ok, err := in.next(); ok || err != nil {
			t.Errorf("%q: %q, %v", text, p, err)
		}
		if left, _ := io.ReadAll(in); string(left) != text {
			t.Errorf("%q: %q is left", text, left)
		}
	}
	for _, text := range []string{"", "*", ">3\r\n$7\r\nmess", "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$5\r\nabc"} {
		in := &inlet{conn: &scripted{text: text, step: 5}}
		if _, ok, err := in.next(); ok || !errors.Is(err, io.EOF) {
			t.Errorf("%q, which is a part of a message: %v, %v", text, ok, err)
		}
	}
}

// A length is not believed before the bytes are there, and memory for a long
// message is given back.
func TestInletMemory(t *testing.T) {
	c := &scripted{text: "*3\r\n$7\r\nmessage\r\n$1\r\nc\r\n$500000000\r\nabc", step: 10}
	in := &inlet{conn: c}
	if _, _, err := in.next(); err != io.EOF || len(in.buf) > 2*inletBytes {
		t.Errorf("%d bytes are made for a length that was announced, %v", len(in.buf), err)
	}
	c.text, c.step = bulks("*", "message", "c", strings.Repeat("x", 1<<20))+bulks("*", "message", "c", "y"), 1<<30
	in = &inlet{conn: c}
	for range 2 {
		if _, ok, err := in.next(); !ok || err != nil {
			t.Fatal(ok, err)
		}
	}
	if _, _, err := in.next(); err != io.EOF || len(in.buf) != inletBytes {
		t.Errorf("%d bytes are kept, %v", len(in.buf), err)
	}
}

func FuzzInlet(f *testing.F) {
	f.Add(bulks("*", "message", "c", "x")+"+PONG\r\n", 3)
	f.Add(bulks(">", "pmessage", "p*", "p", ""), 1)
	f.Fuzz(func(t *testing.T, text string, step int) {
		in := &inlet{conn: &scripted{text: text, step: max(1, step)}}
		read := 0
		for {
			p, ok, err := in.next()
			if ok {
				read += len(p.pattern) + len(p.channel) + len(p.payload)
				continue
			}
			if n, _ := io.Copy(io.Discard, io.LimitReader(in, 1)); err != nil || n == 0 {
				break
			}
			read++
		}
		if read > len(text) {
			t.Errorf("%d bytes of %d", read, len(text))
		}
	})
}

// Reading a message costs no allocation, and with RESP 2 it is as with RESP 3.
func TestReceiveAllocates(t *testing.T) {
	for _, protocol := range []int{2, 3} {
		r := redistest.Start(t, redistest.Options{})
		client := redis.NewClient(&redis.Options{Addr: r.Addr(), Protocol: protocol})
		defer func() { _ = client.Close() }()
		s := newSubscriber(t, client, Config{})
		const n = 1000
		done := make(chan struct{})
		count := 0
		subscribe(t, s, Sharded, func(Message) {
			if count++; count%n == 0 {
				done <- struct{}{}
			}
		}, "c")
		text := make([]string, n)
		for i := range text {
			text[i] = bulks("*", "spublish", "c", strconv.Itoa(i))
		}
		raw, err := net.Dial("tcp", r.Addr())
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = raw.Close() }()
		go func() { _, _ = io.Copy(io.Discard, raw) }() // until it is closed
		all := []byte(strings.Join(text, ""))
		each := alloctest.PerRun(5, func() {
			if _, err := raw.Write(all); err != nil {
				t.Fatal(err)
			}
			<-done
		}) / n
		if each > 0.1 {
			t.Errorf("RESP %d: %.2f allocations for a message", protocol, each)
		}
	}
}
