package bufpool

import "sync"

// The sizes that are pooled.
const (
	Tiny   = 1 << 10
	Small  = 4 << 10
	Medium = 16 << 10
	Large  = 64 << 10
)

// Buffer is a borrowed byte buffer. It is passed around by pointer, so lending
// and giving back allocate nothing. Use Get to have one.
type Buffer struct {
	b []byte
}

// Bytes returns the whole buffer, whose contents are arbitrary. The slice must
// not be used after Put.
func (b *Buffer) Bytes() []byte { return b.b }

var tiny, small, medium, large = newPool(Tiny), newPool(Small), newPool(Medium), newPool(Large)

func newPool(size int) *sync.Pool {
	return &sync.Pool{New: func() any { return &Buffer{make([]byte, size)} }}
}

// pool returns the pool of the smallest buffers that hold size bytes, or nil.
func pool(size int) *sync.Pool {
	switch {
	case size <= Tiny:
		return tiny
	case size <= Small:
		return small
	case size <= Medium:
		return medium
	case size <= Large:
		return large
	}
	return nil
}

// Get returns a buffer of at least size bytes: of the smallest pooled size that
// is enough, or above 64 KB one that is made for the occasion. The caller gives
// it back with Put, from any goroutine; a buffer that is not given back is
// garbage like any other.
func Get(size int) *Buffer {
	if p := pool(size); p != nil {
		return p.Get().(*Buffer)
	}
	return &Buffer{make([]byte, size)}
}

// Put gives a buffer back. The caller must not use it any more, nor any part of
// its bytes. Putting nil does nothing; putting a buffer twice is a bug that
// hands it to two owners.
func Put(b *Buffer) {
	if b == nil {
		return
	}
	poison(b.b)
	if p := pool(len(b.b)); p != nil {
		p.Put(b)
	}
}
