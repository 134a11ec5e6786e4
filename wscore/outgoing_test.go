package wscore

import (
	"bytes"
	"strconv"
	"testing"
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
