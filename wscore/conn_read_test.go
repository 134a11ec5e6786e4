package wscore

import (
	"io"
	"slices"
	"testing"

	"github.com/hermod-io/hermod/internal/bufpool"
)

// rooms is a stream that notes how much room each read has, and reads what it is
// told to.
type rooms struct {
	io.WriteCloser
	given []int
	next  int
}

func (r *rooms) Read(p []byte) (int, error) {
	r.given = append(r.given, len(p))
	return r.next, nil
}

// An idle connection over TLS kept 16 KB for what might come.
func TestReadingHoldsLittle(t *testing.T) {
	s := new(rooms)
	c := NewServer(Settings{}).NewConn(s)
	for _, n := range []int{5, 80, bufpool.Tiny, bufpool.Medium, 5, 3000, bufpool.Tiny - 1, 5, 5} {
		s.next = n
		if !c.readOnce(0) {
			t.Fatal("nothing was read")
		}
		bufpool.Put(c.buf)
		c.buf = nil
	}
	const tiny, medium = bufpool.Tiny, bufpool.Medium
	if want := []int{tiny, tiny, tiny, medium, medium, medium, medium, medium, tiny}; !slices.Equal(s.given, want) {
		t.Errorf("reads had room for %v, want %v", s.given, want)
	}
}
