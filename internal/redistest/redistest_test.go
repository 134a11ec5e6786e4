package redistest

import (
	"io"
	"net"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// A server keeps its data over a restart only if it was asked to.
func TestRestart(t *testing.T) {
	s := Start(t, Options{Persist: true})
	s.Do("set", "k", "v")
	s.Kill()
	s.Restart()
	if v := s.Text("get", "k"); v != "v" {
		t.Errorf("after a restart the value is %q", v)
	}
	s.Stop()
	s.RestartEmpty()
	if n := s.Do("dbsize"); n != int64(0) {
		t.Errorf("after an empty restart there are %v keys", n)
	}
}

// What a proxy does to a connection.
func TestProxy(t *testing.T) {
	s := Start(t, Options{})
	p := NewProxy(t, s.Addr())
	c := redis.NewClient(&redis.Options{Addr: p.Addr(), MaxRetries: -1, ReadTimeout: long})
	defer func() { _ = c.Close() }()
	p.Silence()
	answer := make(chan error, 1)
	go func() { answer <- c.Ping(t.Context()).Err() }()
	select {
	case err := <-answer:
		t.Errorf("an answer through a silent proxy: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	p.Delay(time.Millisecond)
	p.Speak()
	if err := <-answer; err != nil {
		t.Errorf("after the silence: %v", err)
	}
	raw, err := net.Dial("tcp", p.Addr())
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = raw.Close() }()
	if _, err := io.WriteString(raw, "PING\r\n"); err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(raw, make([]byte, 7)); err != nil {
		t.Fatal(err)
	}
	p.Cut()
	if _, err := raw.Read(make([]byte, 1)); err == nil || err == io.EOF {
		t.Errorf("after a cut: %v, want a reset", err)
	}
}
