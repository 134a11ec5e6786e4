package wscore

// maxBatch is how many connections a flusher writes to in one go.
const maxBatch = 16

// batch is what a flusher writes in one go. A system call leaves little of what
// the processor has in its caches, so that each connection would have to be fetched
// anew before its call and after it. Therefore all are made ready, then the calls
// are made one behind the other, then all are accounted for.
type batch struct {
	conns [maxBatch]*Conn
	vecs  [maxBatch]vector // what they write
	n     int              // how many write
	calls calls
}

func (p *pools) batch() *batch {
	if b, ok := p.batches.Get().(*batch); ok {
		return b
	}
	return new(batch)
}

func (p *pools) putBatch(b *batch) { p.batches.Put(b) }

// flush writes what waits on the first n of b.conns, and forgets them.
func (b *batch) flush(n int) {
	b.n = 0
	for _, c := range b.conns[:n] {
		if c.claim(&b.vecs[b.n]) {
			b.conns[b.n] = c
			b.n++
		}
	}
	b.write()
	for i := range b.n {
		b.conns[i].settle(&b.vecs[i])
		b.vecs[i].forget()
	}
	clear(b.conns[:n])
}
