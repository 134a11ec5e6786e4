package wscore

import (
	"bytes"
	"slices"
	"strconv"
	"testing"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// A queue keeps its order from the room it has of its own over the lent one to the
// heap, and what is lent to the next one holds nothing of it.
func TestQueueGrows(t *testing.T) {
	var p pools
	for _, n := range []int{1, 2, 3, 16, 17, 40} {
		var o outgoing
		var want []byte
		for i := range n {
			b := []byte(strconv.Itoa(i) + ",")
			want = append(want, b...)
			o.bytes, o.packets = o.bytes+len(b), o.packets+1
			o.push(&p, segment{b: b, n: 1})
		}
		q, more := o.queue, o.queue.more
		if lent := more != nil; lent != (n > len(q.room)) {
			t.Errorf("%d segments: more is lent: %t", n, lent)
		}
		var got []byte
		for written := 0; written < len(want); { // in uneven steps
			v := o.vec(new(vector))
			step := min(3, len(want)-written)
			got = append(got, bytes.Join(v.pieces, nil)[:step]...)
			o.wrote(step)
			written += step
		}
		if !bytes.Equal(got, want) || o.bytes != 0 || o.packets != 0 || !o.empty() {
			t.Errorf("%d segments: wrote %q, want %q; %d bytes and %d packets are left", n, got, want, o.bytes, o.packets)
		}
		o.push(&p, segment{b: want})
		o.drop(&p)
		for i, s := range q.room {
			if s.b != nil {
				t.Errorf("%d segments: the own room holds %q at %d", n, s.b, i)
			}
		}
		if q.more != nil {
			t.Errorf("%d segments: a queue that was given back keeps more", n)
		}
		if more != nil {
			for i, s := range more {
				if s.b != nil {
					t.Errorf("%d segments: what was lent holds %q at %d", n, s.b, i)
				}
			}
		}
	}
}

// When ten thousand connections had a short answer each to send at a time, because
// all had asked twice at once, each borrowed 4 KB for it.
func TestFirstArenaIsSmall(t *testing.T) {
	for _, c := range []struct {
		unit, n int
		want    []int // the arenas
	}{
		{80, 1, []int{bufpool.Tiny}},
		{80, 12, []int{bufpool.Tiny}},
		{80, 13, []int{bufpool.Tiny, bufpool.Small}},
		{80, 12 + 51, []int{bufpool.Tiny, bufpool.Small}},
		{80, 12 + 52, []int{bufpool.Tiny, bufpool.Small, bufpool.Small}},
		{bufpool.Tiny + 1, 3, []int{bufpool.Small}},
		{bufpool.Small, 2, []int{bufpool.Small, bufpool.Small}},
	} {
		header := 4
		if c.unit < 126 {
			header = 2
		}
		for name, add := range map[string]func(o *outgoing, p *pools, data []byte){
			"append": func(o *outgoing, p *pools, data []byte) {
				o.append(p, c.unit, []Message{{Op: OpBinary, Data: data}}, false)
			},
			"appendFrames": func(o *outgoing, p *pools, data []byte) {
				o.appendFrames(p, encode(nil, []Message{{Op: OpBinary, Data: data}}, false), 1)
			},
		} {
			var o outgoing
			var p pools
			var want []byte
			for i := range c.n {
				data := bytes.Repeat([]byte{byte(i)}, c.unit-header)
				want = encode(want, []Message{{Op: OpBinary, Data: data}}, false)
				add(&o, &p, data)
			}
			var got []byte
			var arenas []int
			for _, s := range o.queue.segments {
				got = append(got, s.b...)
				arenas = append(arenas, len(s.arena.Bytes()))
			}
			if !slices.Equal(arenas, c.want) || !bytes.Equal(got, want) {
				t.Errorf("%s: %d units of %d bytes are in arenas of %v, want %v; in order: %t", name, c.n, c.unit, arenas, c.want, bytes.Equal(got, want))
			}
			o.drop(&p)
		}
	}
}
