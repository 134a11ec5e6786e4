package wscore

// Prepared is an immutable unit of messages, encoded at most once per wire form
// and shared by all connections it is sent on. It is safe for concurrent use.
type Prepared struct {
	n     int    // messages
	plain []byte // their frames
}

// NewPrepared returns a unit of msgs; their bytes are copied.
func NewPrepared(msgs ...Message) *Prepared {
	size := 0
	for i := range msgs {
		n := len(msgs[i].Prefix) + len(msgs[i].Data)
		size += headerLen(n) + n
	}
	return &Prepared{n: len(msgs), plain: encode(make([]byte, 0, size), msgs)}
}

// frames returns the frames without compression.
func (p *Prepared) frames() []byte { return p.plain }
