package wscore

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"

	"github.com/hermod-io/hermod/internal/testnet"
)

// What a peer says means the same however the connection is read, and however
// the bytes are cut.
func TestModesAgree(t *testing.T) {
	for seed := range uint64(300) {
		wire := talk(rand.New(rand.NewPCG(seed, 1)))
		var want string
		for _, mode := range []string{"serve", "read", "stream"} {
			got := hear(t, rand.New(rand.NewPCG(seed, 2)), mode, wire)
			if want == "" {
				want = got
			}
			if got != want {
				t.Fatalf("seed %d, %d bytes: %s tells\n%s\nserve\n%s", seed, len(wire), mode, got, want)
			}
		}
	}
}

const modesLimit = 3000

// talk is what a client sends: messages in fragments with pings between them,
// some of them deflated, and perhaps something wrong.
func talk(r *rand.Rand) (wire []byte) {
	z := newDeflater(&Deflate{Takeover: true}, deflateParams{serverBits: 15, clientBits: 15}, true)
	for range 1 + r.IntN(12) {
		op, data, bits := OpText, sample("json", r.IntN(modesLimit), r.Uint64()), byte(0)
		switch r.IntN(30) {
		case 0:
			op, data = OpBinary, []byte{byte(r.Uint32()), 0xff}
		case 1:
			data = []byte("\xe2\x82\xac and \xf0\x9f\x98\x80")
		case 2:
			data = append(data, 0xe2, 0x82) // cut within a character
		case 3:
			data = bytes.Repeat([]byte("a"), modesLimit+r.IntN(2)) // the limit, or beyond
		}
		if r.IntN(2) == 0 {
			if b, ok := z.compress(nil, nil, data); ok {
				data, bits = b, bitRSV1
				if r.IntN(15) == 0 {
					data[r.IntN(len(data))] ^= 1 << r.IntN(8)
				}
			}
		}
		wire = append(wire, fragments(r, op, bits, data)...)
	}
	if r.IntN(4) == 0 {
		wire[r.IntN(len(wire))] ^= 1 << r.IntN(8)
	}
	return append(wire, closeFrame(CloseGoingAway, "bye")...)
}

// fragments is a message in pieces.
func fragments(r *rand.Rand, op Opcode, bits byte, data []byte) (wire []byte) {
	for {
		n := len(data)
		if r.IntN(3) > 0 {
			n = r.IntN(n + 1)
		}
		fin := n == len(data) && r.IntN(3) > 0
		if fin {
			bits |= bitFin
		}
		wire = appendFrame(wire, bits, op, nil, data[:n], true)
		if fin {
			return wire
		}
		op, bits, data = OpContinuation, 0, data[n:]
		if r.IntN(3) == 0 {
			wire = appendFrame(wire, bitFin, OpPing, nil, []byte("?"), true)
		}
	}
}

// hear lets a connection read wire in the given way, and returns what it tells.
func hear(t *testing.T, r *rand.Rand, mode string, wire []byte) (told string) {
	synctest.Test(t, func(t *testing.T) {
		p := newPeer(t, Settings{MaxMessage: modesLimit, Deflate: &Deflate{Takeover: true, PeerWindow: 15}}, testnet.Options{})
		p.conn.negotiate("", deflateName, deflateParams{serverBits: 15, clientBits: 15})
		reads := rand.New(rand.NewPCG(r.Uint64(), 3)) // the writer has r
		go func() {
			for rest := wire; len(rest) > 0; {
				n := min(1+r.IntN(1+r.IntN(3000)), len(rest))
				if _, err := p.nc.Write(rest[:n]); err != nil {
					return
				}
				rest = rest[n:]
			}
		}()
		go func() { _, _ = io.Copy(io.Discard, p.nc); _ = p.nc.Close() }()
		heard, err := []string(nil), error(nil)
		if mode == "serve" {
			p.conn.Serve(p.rec)
			synctest.Wait()
			heard = p.rec.got()
			_, err = p.rec.closed()
		} else {
			heard, err = p.pullAll(reads, mode == "stream")
		}
		var ce *CloseError
		if !errors.As(err, &ce) {
			t.Fatalf("%s ends with %v", mode, err)
		}
		why := fmt.Sprint(ce.Code)
		if ce.Err != nil && !ce.Remote {
			why = "fault" // of two in one message the stream may come to the other first
		}
		told = fmt.Sprintf("%q %s", heard, why)
		if err := p.srv.Close(t.Context()); err != nil {
			t.Error(err)
		}
	})
	return told
}

// pullAll reads to the end.
func (p *peer) pullAll(r *rand.Rand, stream bool) (heard []string, err error) {
	for {
		var op Opcode
		var data []byte
		if stream {
			var mr io.Reader
			if op, mr, err = p.conn.NextReader(p.t.Context()); err == nil {
				data, err = readInBits(r, mr)
			}
		} else {
			op, data, err = p.conn.Read(p.t.Context())
		}
		if err != nil {
			return slices.Clip(heard), err
		}
		heard = append(heard, fmt.Sprintf("%d %s", op, data))
	}
}

// readInBits is io.ReadAll with buffers of all sizes.
func readInBits(r *rand.Rand, mr io.Reader) (data []byte, err error) {
	for {
		b := make([]byte, 1+r.IntN(1+r.IntN(2000)))
		n, err := mr.Read(b)
		data = append(data, b[:n]...)
		if err == io.EOF {
			return data, nil
		}
		if err != nil {
			return data, err
		}
	}
}
