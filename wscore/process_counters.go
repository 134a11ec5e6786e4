package wscore

import "sync/atomic"

// Counters are the statistics of a connection. Control frames do not count.
// mORMot: TWebSocketProtocol.FramesInCount.
type Counters struct {
	FramesIn, FramesOut int64 // messages, whole ones
	BytesIn, BytesOut   int64 // of their payloads, as the protocol sees them
	WireIn, WireOut     int64 // of payloads that travelled, after the Coder and permessage-deflate
}

// RatioIn is what travelled of what was received, in percent: 100 without
// compression, and when there was nothing.
// mORMot: TWebSocketProtocol.FramesInCompression.
func (c Counters) RatioIn() int { return ratio(c.WireIn, c.BytesIn) }

// RatioOut is RatioIn for what was sent.
// mORMot: TWebSocketProtocol.FramesOutCompression.
func (c Counters) RatioOut() int { return ratio(c.WireOut, c.BytesOut) }

func ratio(wire, plain int64) int {
	if plain == 0 {
		return 100
	}
	return int(wire * 100 / plain)
}

type counters struct {
	framesIn, framesOut, bytesIn, bytesOut, wireIn, wireOut atomic.Int64
}

func (c *counters) received(plain, wire int) {
	c.framesIn.Add(1)
	c.bytesIn.Add(int64(plain))
	c.wireIn.Add(int64(wire))
}

func (c *counters) sent(plain, wire int) {
	c.framesOut.Add(1)
	c.bytesOut.Add(int64(plain))
	c.wireOut.Add(int64(wire))
}

func (c *counters) sentPrepared(m *Prepared) {
	c.framesOut.Add(int64(m.frames))
	c.bytesOut.Add(int64(m.payload))
	c.wireOut.Add(int64(m.payload))
}

// Counters are the statistics so far. mORMot: TWebSocketProtocol.FramesInCount.
func (p *Process) Counters() Counters {
	c := Counters{
		FramesIn: p.counters.framesIn.Load(), FramesOut: p.counters.framesOut.Load(),
		BytesIn: p.counters.bytesIn.Load(), BytesOut: p.counters.bytesOut.Load(),
		WireIn: p.counters.wireIn.Load(), WireOut: p.counters.wireOut.Load(),
	}
	if z := p.conn.deflates(); z != nil {
		c.WireIn -= z.savedIn.Load()
		c.WireOut -= z.savedOut.Load()
	}
	return c
}
