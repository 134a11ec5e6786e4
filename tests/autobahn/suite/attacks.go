package suite

import (
	"bytes"
	"compress/flate"
	"strings"

	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

// What the server of the attack cases allows.
const attackLimit = 1 << 20

// Attack is a case beyond the Autobahn test suite: raw bytes to a server that
// deflates with takeover, takes messages of 1 MiB, and waits half a second for
// the rest of one. The connection must end as in a Case.
type Attack struct {
	Case
	Offer string
	Bytes []byte // sent before Say, as they are
}

func attack(id string, code int, b ...[]byte) Attack {
	return Attack{Case: Case{ID: id, End: End{byPeer, code}}, Bytes: bytes.Join(b, nil)}
}

func (a Attack) deflated() Attack {
	a.Offer = "permessage-deflate; client_max_window_bits"
	return a
}

func head(b0 byte, n uint64, form int) []byte {
	return raw.Header(b0, n, form, true, [4]byte{})
}

// Attacks are the frames that servers have been seen to fall for.
func Attacks() []Attack {
	const zip = raw.RSV1
	all := []Attack{
		attack("A.1 length with the top bit set", 1002, head(bin, 1<<64-1, 64)),
		attack("A.2 length 1<<63", 1002, head(bin, 1<<63, 64)),
		attack("A.3 length 1<<62", 1009, head(bin, 1<<62, 64)),
		attack("A.4 length 1<<63-1, after a fragment: the sum overflows", 1009, head(raw.Bin, 1, 0), []byte{1}, head(last, 1<<63-1, 64)),
		attack("A.5 one byte over the limit is announced", 1009, head(bin, attackLimit+1, 64)),
		attack("A.6 fragments exceed the limit together", 1009, head(raw.Bin, attackLimit/8, 0), make([]byte, attackLimit/8), head(last, attackLimit, 0)),
		attack("A.7 a short length in 16 bits", 1002, head(text, 5, 16)),
		attack("A.8 a short length in 64 bits", 1002, head(text, 5, 64)),
		attack("A.9 a length of 16 bits in 64", 1002, head(bin, 65535, 64)),
		attack("A.10 unmasked text", 1002, raw.Frame{B0: text, Payload: []byte("hi")}.Append(nil, false)),
		attack("A.11 unmasked ping", 1002, raw.Frame{B0: ping}.Append(nil, false)),
		attack("A.12 unmasked close", 1002, raw.Frame{B0: bye}.Append(nil, false)),
		attack("A.13 ping of 126 bytes", 1002, head(ping, 126, 0)),
		attack("A.14 close of 65536 bytes", 1002, head(bye, 65536, 0)),
		attack("A.15 ping of 1<<63 bytes", 1002, head(ping, 1<<63, 64)),
		attack("A.16 fragmented close", 1002, head(raw.Close, 0, 0)),
		attack("A.17 RSV1 without an extension", 1002, head(text|zip, 0, 0)),
		attack("A.18 RSV1 on a ping", 1002, head(ping|zip, 0, 0)).deflated(),
		attack("A.19 RSV1 on a pong", 1002, head(pong|zip, 0, 0)).deflated(),
		attack("A.20 RSV1 on a close", 1002, head(bye|zip, 0, 0)).deflated(),
		attack("A.21 RSV1 on a continuation", 1002, head(raw.Text|zip, 0, 0), head(last|zip, 0, 0)).deflated(),
		attack("A.22 RSV2 with deflate", 1002, head(text|raw.RSV2, 0, 0)).deflated(),
		attack("A.23 RSV3 with deflate", 1002, head(text|raw.RSV3, 0, 0)).deflated(),
		attack("A.24 RSV1 and RSV2 with deflate", 1002, head(text|zip|raw.RSV2, 0, 0)).deflated(),
		attack("A.25 deflated garbage", 1007, head(bin|zip, 4, 0), []byte("\xff\xff\xff\xff")).deflated(),
		attack("A.26 stored block whose lengths disagree", 1007, head(bin|zip, 6, 0), []byte("\x00\x05\x00\x00\x00a")).deflated(),
		attack("A.27 reference before the beginning", 1007, head(bin|zip, 4, 0), []byte("\x02\x01\x01\x00")).deflated(),
		attack("A.28 deflated text that is not UTF-8", 1007, zipped(text, []byte("abc\xff"))).deflated(),
		attack("A.29 bomb: 16 MiB in 16 KiB", 1009, zipped(bin, make([]byte, 16<<20))).deflated(),
		attack("A.30 bomb in a text, in fragments", 1009, cutFrames(raw.Text|zip, squeeze(bytes.Repeat([]byte("a"), 16<<20)), 100)).deflated(),
		attack("A.31 one byte over the limit, inflated", 1009, zipped(bin, make([]byte, attackLimit+1))).deflated(),
		attack("A.32 close code 1015", 1002, maskedClose(1015)),
		attack("A.33 interleaved message", 1002, head(raw.Text, 0, 0), head(raw.Bin, 0, 0)),
		attack("A.34 slowloris: half a header", 1008, head(text, 70000, 0)[:5]),
		attack("A.35 slowloris: half a payload", 1008, append(head(text, 100, 0), "a"...)),
		attack("A.36 slowloris: half a message", 1008, append(head(raw.Text, 1, 0), "a"...)),
	}
	for i, code := range []int{1012, 1013, 1014} {
		id := []string{"A.37 close 1012", "A.38 close 1013", "A.39 close 1014"}[i]
		all = append(all, Attack{Case: Case{ID: id, End: End{said, code}}, Bytes: maskedClose(code)})
	}
	return append(all, endured()...)
}

// endured are what a server must live through.
func endured() []Attack {
	survives := func(id string, hear []raw.Frame, b ...[]byte) Attack {
		return Attack{Case: Case{ID: id, Hear: hear}, Bytes: bytes.Join(b, nil)}
	}
	tiny := strings.Repeat("a", 100000)
	empty := bytes.Join([][]byte{head(raw.Bin, 0, 0), bytes.Repeat(head(raw.Cont, 0, 0), 100000), head(last, 1, 0), []byte("x")}, nil)
	whole := strings.Repeat("b", attackLimit)
	rfc := []raw.Frame{frame(text, "Hello")}
	block := func(s string) []byte { return append(head(text|raw.RSV1, uint64(len(s)), 0), s...) }
	return []Attack{
		survives("B.1 100000 empty fragments", []raw.Frame{frame(bin, "x")}, empty),
		survives("B.2 100000 fragments of one byte", []raw.Frame{frame(text, tiny)}, cutFrames(raw.Text, []byte(tiny), 1)),
		survives("B.3 a message of exactly the limit", []raw.Frame{frame(text, whole)}, head(text, attackLimit, 0), []byte(whole)),
		survives("B.4 RFC 7692 7.2.3.1: a message of one block", rfc, block("\xf2\x48\xcd\xc9\xc9\x07\x00")).deflated(),
		survives("B.5 RFC 7692 7.2.3.1: in two frames", rfc, head(raw.Text|raw.RSV1, 3, 0), []byte("\xf2\x48\xcd"), head(last, 4, 0), []byte("\xc9\xc9\x07\x00")).deflated(),
		survives("B.6 RFC 7692 7.2.3.2: the window is shared", append(rfc, rfc...), block("\xf2\x48\xcd\xc9\xc9\x07\x00"), block("\xf2\x00\x11\x00\x00")).deflated(),
		survives("B.7 RFC 7692 7.2.3.3: a stored block", rfc, block("\x00\x05\x00\xfa\xff\x48\x65\x6c\x6c\x6f\x00")).deflated(),
		survives("B.8 RFC 7692 7.2.3.4: BFINAL, and a message after it", append(rfc, rfc...), block("\xf3\x48\xcd\xc9\xc9\x07\x00\x00"), block("\xf2\x48\xcd\xc9\xc9\x07\x00")).deflated(),
		survives("B.9 RFC 7692 7.2.3.5: two blocks", rfc, block("\xf2\x48\x05\x00\x00\x00\xff\xff\xca\xc9\xc9\x07\x00")).deflated(),
		survives("B.10 RFC 7692 7.2.3.6: an empty block", []raw.Frame{frame(text, "")}, block("\x00")).deflated(),
		survives("B.11 not deflated though agreed", rfc, head(text, 5, 0), []byte("Hello")).deflated(),
	}
}

func maskedClose(code int) []byte {
	return raw.Frame{B0: bye, Payload: raw.Closing(code, "")}.Append(nil, true)
}

// squeeze deflates b as one message.
func squeeze(b []byte) []byte {
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, 6)
	if err == nil {
		_, err = w.Write(b)
	}
	if err == nil {
		err = w.Flush()
	}
	if err != nil {
		panic(err) // a bytes.Buffer takes all
	}
	return bytes.TrimSuffix(out.Bytes(), []byte{0, 0, 0xff, 0xff})
}

func zipped(b0 byte, data []byte) []byte {
	return raw.Frame{B0: b0 | raw.RSV1, Payload: squeeze(data)}.Append(nil, true)
}

// cutFrames is a message in frames of n bytes.
func cutFrames(b0 byte, payload []byte, n int) (b []byte) {
	for _, s := range split(b0, payload, n) {
		b = s.Append(b, true)
	}
	return b
}
