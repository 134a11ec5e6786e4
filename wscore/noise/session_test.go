package noise

import (
	"bytes"
	"encoding/hex"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/hermod-io/hermod/wscore"
)

// vector is one of testdata/vectors.txt.
type vector map[string]string

func vectors(t *testing.T) (list []vector) {
	b, err := os.ReadFile("testdata/vectors.txt")
	if err != nil {
		t.Fatal(err)
	}
	for block := range strings.SplitSeq(string(b), "\n\n") {
		v := vector{}
		for line := range strings.Lines(block) {
			if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
				v[name] = value
			}
		}
		if len(v) > 0 {
			list = append(list, v)
		}
	}
	return list
}

func (v vector) bytes(t *testing.T, name string) []byte {
	b, err := hex.DecodeString(v[name])
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func (v vector) key(t *testing.T, name string) (k Key) {
	if v[name] != "" {
		var err error
		if k, err = NewKey(v.bytes(t, name)); err != nil {
			t.Fatal(err)
		}
	}
	return k
}

var patternNames = map[string]Pattern{"NK": NK, "XX": XX, "NKpsk0": NKpsk0, "NKpsk2": NKpsk2, "XXpsk0": XXpsk0, "XXpsk3": XXpsk3}

// Every pattern and suite says what the published vectors say.
func TestPublishedVectors(t *testing.T) {
	list := vectors(t)
	if len(list) != 24 {
		t.Fatalf("%d vectors", len(list))
	}
	for _, v := range list {
		t.Run(v["handshake"], func(t *testing.T) {
			parts := strings.Split(v["handshake"], "_")
			c := Config{Pattern: patternNames[parts[1]], PSK: v.bytes(t, "preshared_key"), Prologue: v.bytes(t, "prologue")}
			if parts[3] == "AESGCM" {
				c.Suite = AESGCM
			}
			client, server := c, c
			client.Key, server.Key = v.key(t, "init_static"), v.key(t, "resp_static")
			client.PeerKey = server.Key.Public
			ce, se := v.key(t, "gen_init_ephemeral"), v.key(t, "gen_resp_ephemeral")
			a, err := newSession(&client, true, "", &ce)
			if err != nil {
				t.Fatal(err)
			}
			b, err := newSession(&server, false, "", &se)
			if err != nil {
				t.Fatal(err)
			}
			from, to := a, b
			n := 0
			for ; !a.done() || !b.done(); n++ {
				msg, err := from.write()
				if err != nil {
					t.Fatal(err)
				}
				if want := v.bytes(t, "msg_"+string(rune('0'+n))+"_ciphertext"); !bytes.Equal(msg, want) {
					t.Fatalf("message %d: %x, want %x", n, msg, want)
				}
				if err := to.read(msg); err != nil {
					t.Fatal(err)
				}
				from, to = to, from
			}
			if !bytes.Equal(a.hash, b.hash) || len(a.hash) == 0 {
				t.Error("the hashes differ")
			}
			for from = a; v["msg_"+string(rune('0'+n))+"_payload"] != ""; n++ {
				msg, err := from.send.Encrypt(nil, nil, v.bytes(t, "msg_"+string(rune('0'+n))+"_payload"))
				if want := v.bytes(t, "msg_"+string(rune('0'+n))+"_ciphertext"); err != nil || !bytes.Equal(msg, want) {
					t.Fatalf("message %d: %x, want %x, %v", n, msg, want, err)
				}
				from = map[*session]*session{a: b, b: a}[from]
			}
		})
	}
}

// joined are two sessions whose handshake is done.
func joined(tb testing.TB, c Config) (client, server *session) {
	tb.Helper()
	key := GenerateKey()
	cc, sc := c, c
	cc.PeerKey, sc.Key = key.Public, key
	client, err := newSession(&cc, true, "x", nil)
	if err != nil {
		tb.Fatal(err)
	}
	if server, err = newSession(&sc, false, "x", nil); err != nil {
		tb.Fatal(err)
	}
	m1, err := client.write()
	if err != nil {
		tb.Fatal(err)
	}
	if err := server.read(m1); err != nil {
		tb.Fatal(err)
	}
	m2, err := server.write()
	if err != nil {
		tb.Fatal(err)
	}
	if err := client.read(m2); err != nil {
		tb.Fatal(err)
	}
	return client, server
}

// A key of zeros, which no handshake lets through, would not have been judged.
func TestEveryPeerIsJudged(t *testing.T) {
	judged := 0
	g := &guard{s: &session{peer: make([]byte, 32)}, c: &Config{Pattern: XX, Verify: func(*wscore.Process, PublicKey) error {
		judged++
		return ErrPeerRefused
	}}}
	if err := g.verify(); !errors.Is(err, ErrPeerRefused) || judged != 1 {
		t.Errorf("%v, judged %d times", err, judged)
	}
}

func TestSealAndOpen(t *testing.T) {
	for _, padding := range []int{0, 1, 64, 1000} {
		a, b := joined(t, Config{Padding: padding})
		for _, n := range []int{0, 1, 63, 1000, maxPiece - 10, maxPiece, maxPiece + 1, 300_000} {
			for _, op := range []wscore.Opcode{wscore.OpText, wscore.OpBinary} {
				data := bytes.Repeat([]byte("d"), n)
				msg, err := a.seal(op, data)
				if err != nil {
					t.Fatal(err)
				}
				if plain := len(msg) - 18*((len(msg)+65536)/65537); padding > 1 && plain%padding != 0 {
					t.Errorf("padding %d, %d bytes: %d on the wire", padding, n, plain)
				}
				gotOp, got, err := b.open(bytes.Clone(msg))
				if err != nil || gotOp != op || !bytes.Equal(got, data) {
					t.Fatalf("padding %d, %d bytes: got %d, %d bytes, %v", padding, n, gotOp, len(got), err)
				}
			}
		}
	}
}

// The keys change on the way, in both directions alike.
func TestRekey(t *testing.T) {
	a, b := joined(t, Config{Suite: AESGCM})
	first := a.send.UnsafeKey()
	for i := range rekeyEvery + 10 {
		if changed := a.send.UnsafeKey() != first; changed != (i >= rekeyEvery) || b.recv.UnsafeKey() != a.send.UnsafeKey() {
			t.Fatalf("message %d: changed %v, the same on both sides %v", i, changed, b.recv.UnsafeKey() == a.send.UnsafeKey())
		}
		msg, err := a.seal(wscore.OpText, []byte("x"))
		if err != nil {
			t.Fatal(err)
		}
		if _, got, err := b.open(msg); err != nil || string(got) != "x" {
			t.Fatalf("message %d: %q, %v", i, got, err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, change := range map[string]func(first, second []byte) [][]byte{
		"every bit":  func(m, _ []byte) [][]byte { m[len(m)/2] ^= 1; return [][]byte{m} },
		"the length": func(m, _ []byte) [][]byte { m[1]++; return [][]byte{m} },
		"the tag":    func(m, _ []byte) [][]byte { m[len(m)-1] ^= 0x80; return [][]byte{m} },
		"truncated":  func(m, _ []byte) [][]byte { return [][]byte{m[:len(m)-1]} },
		"a byte":     func(m, _ []byte) [][]byte { return [][]byte{m[:1]} },
		"nothing":    func(_, _ []byte) [][]byte { return [][]byte{{}} },
		"an end cut": func(m, _ []byte) [][]byte { return [][]byte{append(m, 0)} },
		"repeated":   func(m, _ []byte) [][]byte { return [][]byte{m, m} },
		"reordered":  func(m, n []byte) [][]byte { return [][]byte{n, m} },
		"left out":   func(_, n []byte) [][]byte { return [][]byte{n} },
		"joined":     func(m, n []byte) [][]byte { return [][]byte{append(m, n...), n} },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := joined(t, Config{})
			m, _ := a.seal(wscore.OpText, []byte("first message"))
			first := bytes.Clone(m)
			second, _ := a.seal(wscore.OpText, []byte("second"))
			var err error
			for _, msg := range change(first, bytes.Clone(second)) {
				_, _, err = b.open(bytes.Clone(msg))
			}
			if !errors.Is(err, ErrMessage) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func FuzzHandshake(f *testing.F) {
	key := GenerateKey()
	server := Config{Key: key}
	client := Config{PeerKey: key.Public}
	a, _ := newSession(&client, true, "x", nil)
	good, _ := a.write()
	f.Add(good)
	f.Add(make([]byte, 48))
	f.Fuzz(func(t *testing.T, msg []byte) {
		b, err := newSession(&server, false, "x", nil)
		if err != nil {
			t.Fatal(err)
		}
		if err := b.read(msg); err == nil && !bytes.Equal(msg, good) {
			t.Errorf("%x is a handshake", msg)
		}
	})
}

func FuzzOpen(f *testing.F) {
	a, _ := joined(f, Config{})
	m, _ := a.seal(wscore.OpText, []byte("x"))
	f.Add(bytes.Clone(m))
	_, b := joined(f, Config{}) // of another connection
	f.Fuzz(func(t *testing.T, msg []byte) {
		b.broken = false // nothing was opened: it is as it was
		if _, _, err := b.open(msg); err == nil || b.got > 0 {
			t.Errorf("%x opens", msg)
		}
		if op, data, err := unwrap(msg); err == nil && (len(data) >= len(msg) || op != wscore.OpText && op != wscore.OpBinary) {
			t.Errorf("%x is %d, %x", msg, op, data)
		}
	})
}

func BenchmarkSealOpen1K(b *testing.B) {
	client, server := joined(b, Config{})
	data := make([]byte, 1000)
	b.SetBytes(int64(len(data)))
	b.ReportAllocs()
	for b.Loop() {
		msg, err := client.seal(wscore.OpBinary, data)
		if err != nil {
			b.Fatal(err)
		}
		if _, _, err := server.open(msg); err != nil {
			b.Fatal(err)
		}
	}
}
