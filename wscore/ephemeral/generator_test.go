package ephemeral

import (
	"bytes"
	"encoding/binary"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/mormotvectors"
)

func TestRecordedTokens(t *testing.T) {
	var f struct {
		Vectors []struct {
			Session      uint32
			Token        string
			TokenHex     string `json:"token_hex"`
			Issued       int64  `json:"issued_unix"`
			Expires      int64  `json:"expires_unix"`
			MinimalEpoch int64  `json:"minimal_epoch"`
			Salt         string `json:"crcsalt"`
			Start        uint32 `json:"session_start"`
			Key          string `json:"aes_gcm_key"`
		}
	}
	mormotvectors.Load(t, "cookie", &f)
	if len(f.Vectors) == 0 {
		t.Fatal("no vectors")
	}
	for _, v := range f.Vectors {
		if v.MinimalEpoch != epoch {
			t.Errorf("epoch %d", v.MinimalEpoch)
		}
		salt := binary.BigEndian.Uint32(mormotvectors.Hex(t, v.Salt))
		now := time.Unix(v.Issued+1, 0)
		g := newGenerator(Options{Now: func() time.Time { return now }}, [16]byte(mormotvectors.Hex(t, v.Key)), salt, v.Start)
		g.session = v.Session
		c, err := g.Validate(v.Token)
		if err != nil || c.Session != v.Session || c.Issued.Unix() != v.Issued || c.Expires.Unix() != v.Expires {
			t.Errorf("%s: %+v, %v", v.Token, c, err)
		}
		mormotvectors.Check(t, v.Token, g.seal(v.Session, seconds(c.Expires), seconds(c.Issued), nil), v.TokenHex, "")
	}
}

// What the recorded generator made in turn is what ours makes.
func TestRecordedGenerators(t *testing.T) {
	g := newGenerator(Options{Now: func() time.Time { return time.Unix(1795331817, 0) }},
		[16]byte(mormotvectors.Hex(t, "d2f3c29f3ed88170e35cbb3cca435a2b")), 0xbe513209, 2581718)
	h := newGenerator(Options{Now: func() time.Time { return time.Unix(1795330734, 0) }},
		[16]byte(mormotvectors.Hex(t, "969373edf8f109afe3a7fe42808f1594")), 0xe6f6383a, 7703030)
	for _, tt := range []struct {
		g       *Generator
		minutes time.Duration
		want    string
	}{
		{g, 10, "eljQ39dkJwB1erkSHXi5ErByvIqXxWJIJ3u68k4lL7s"},
		{g, 10, "CrxP-9hkJwB1erkSHXi5Eq7sElLMC-lqFmjquTA81FI"},
		{g, 10, "_qkXFNlkJwB1erkSHXi5EuxdxHq9jVT2DE-PdwzyWms"},
		{g, 10, "B3kzetpkJwB1erkSHXi5EnI9WexbRFMhvCf01y52Mj8"},
		{h, 5, "jgii_veJdQAOdbkS4nO5EniKqzyc3DFuVSac1TyTweM"},
	} {
		if got, _, err := tt.g.Generate(tt.minutes*time.Minute, nil); err != nil || got != tt.want {
			t.Errorf("got %s, %v, want %s", got, err, tt.want)
		}
	}
}

// clock is a Generator's Options with a time that the test moves.
func clock() (o Options, at *time.Time) {
	now := time.Unix(1795330734, 0)
	return Options{Now: func() time.Time { return now }, Lifetime: time.Minute}, &now
}

func TestLifeOfAToken(t *testing.T) {
	o, now := clock()
	g := New(o)
	for _, record := range [][]byte{nil, {1}, bytes.Repeat([]byte("r"), 15), bytes.Repeat([]byte("r"), 16), bytes.Repeat([]byte("x"), MaxRecord)} {
		token, made, err := g.Generate(0, record)
		if err != nil {
			t.Fatal(err)
		}
		c, err := g.Validate(token)
		if err != nil || c.Session != made.Session || !bytes.Equal(c.Record, record) || c.Expires.Sub(c.Issued) != time.Minute {
			t.Errorf("%+v, %v", c, err)
		}
		if record == nil && len(token) != 43 {
			t.Errorf("%d characters", len(token))
		}
		if _, err := New(o).Validate(token); !errors.Is(err, ErrForeign) {
			t.Errorf("another generator: %v", err)
		}
	}
	if _, _, err := g.Generate(0, make([]byte, MaxRecord+1)); !errors.Is(err, ErrRecordSize) {
		t.Errorf("got %v", err)
	}
	token, c, _ := g.Generate(10*time.Second, nil)
	*now = c.Issued.Add(-time.Second)
	if _, err := g.Validate(token); !errors.Is(err, ErrNotYet) {
		t.Errorf("before its time: %v", err)
	}
	*now = c.Expires.Add(-time.Second)
	if _, err := g.Validate(token); err != nil {
		t.Errorf("in its last second: %v", err)
	}
	*now = c.Expires
	if _, err := g.Validate(token); !errors.Is(err, ErrExpired) {
		t.Errorf("at its end: %v", err)
	}
}

func TestEveryBitCounts(t *testing.T) {
	o, _ := clock()
	g := New(o)
	token, _, _ := g.Generate(0, []byte("record"))
	for i := range token {
		for _, c := range "AB-_" {
			bad := token[:i] + string(c) + token[i+1:]
			if _, err := g.Validate(bad); bad != token && err == nil {
				t.Fatalf("%s is valid, made of %s", bad, token)
			}
		}
	}
	for _, bad := range []string{"", "x", token[:42], token + "A", token + "=", token + "\n", strings.Repeat("A", 43), strings.Repeat("A", 5000)} {
		if _, err := g.Validate(bad); err == nil {
			t.Errorf("%.60q is valid", bad)
		}
	}
}

func TestUseAndInvalidate(t *testing.T) {
	o, now := clock()
	g := New(o)
	token, _, _ := g.Generate(0, nil)
	var wg sync.WaitGroup
	var mu sync.Mutex
	used := 0
	for range 20 {
		wg.Go(func() {
			if _, err := g.Use(token); err == nil {
				mu.Lock()
				defer mu.Unlock()
				used++
			} else if !errors.Is(err, ErrRevoked) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if used != 1 {
		t.Errorf("used %d times", used)
	}
	token, c, _ := g.Generate(0, nil)
	g.Invalidate(c)
	if _, err := g.Validate(token); !errors.Is(err, ErrRevoked) {
		t.Errorf("got %v", err)
	}
	*now = now.Add(2 * time.Minute)
	token, _, _ = g.Generate(0, nil)
	if _, err := g.Use(token); err != nil || len(g.revoked) != 1 {
		t.Errorf("%v; %d are remembered", err, len(g.revoked))
	}
}

func TestSaveAndLoad(t *testing.T) {
	o, _ := clock()
	g := New(o)
	good, _, _ := g.Generate(0, []byte("r"))
	used, _, _ := g.Generate(0, nil)
	_, _ = g.Use(used)
	state := g.Save()
	h, err := Load(state, o)
	if err != nil {
		t.Fatal(err)
	}
	if c, err := h.Validate(good); err != nil || string(c.Record) != "r" {
		t.Error(err)
	}
	if _, err := h.Validate(used); !errors.Is(err, ErrRevoked) {
		t.Error(err)
	}
	if _, c, _ := h.Generate(0, nil); c.Session != g.session+1 {
		t.Errorf("session %d after %d", c.Session, g.session)
	}
	for n := range state {
		if _, err := Load(state[:n], o); !errors.Is(err, ErrState) {
			t.Errorf("%d bytes of %d: %v", n, len(state), err)
		}
	}
	state[0]++
	if _, err := Load(state, o); !errors.Is(err, ErrState) {
		t.Error(err)
	}
}

func TestEndOfSessionsAndOfTime(t *testing.T) {
	o, now := clock()
	g := New(o)
	g.session = maxSession
	if _, _, err := g.Generate(0, nil); !errors.Is(err, ErrExhausted) {
		t.Error(err)
	}
	*now = time.Unix(epoch+1<<32-2, 0)
	g = New(o)
	token, c, err := g.Generate(time.Hour, nil)
	if err != nil || c.Expires.Sub(c.Issued) != time.Second {
		t.Errorf("%+v, %v", c, err)
	}
	if _, err := g.Validate(token); err != nil {
		t.Error(err)
	}
}

func TestTokenOf(t *testing.T) {
	for uri, want := range map[string]string{
		"/ws/chat/abc-_.~9": "abc-_.~9", "abc": "abc", "/x?token=abc": "abc", "/x/abc  ": "abc", "/x/": "", "": "", "/x/a b": "b", "/é/x%20y": "20y",
	} {
		if got := TokenOf(uri); got != want {
			t.Errorf("%q: %q, want %q", uri, got, want)
		}
	}
}

// No bytes but those of a generator validate.
func FuzzCookie(f *testing.F) {
	o, _ := clock()
	g := newGenerator(o, [16]byte{1, 2, 3}, 42, 1000)
	own := map[string]bool{}
	for _, record := range [][]byte{nil, []byte("r"), bytes.Repeat([]byte("x"), 100)} {
		token, _, _ := g.Generate(0, record)
		own[token] = true
		f.Add(token)
	}
	f.Fuzz(func(t *testing.T, token string) {
		if _, err := g.Validate(token); (err == nil) != own[token] {
			t.Errorf("%q: %v", token, err)
		}
	})
}

func BenchmarkValidate(b *testing.B) {
	g := New(Options{})
	token, _, _ := g.Generate(0, []byte("user 42"))
	b.ReportAllocs()
	for b.Loop() {
		if _, err := g.Validate(token); err != nil {
			b.Fatal(err)
		}
	}
}
