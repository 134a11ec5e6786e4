package engineio

import (
	"slices"

	"github.com/hermod-io/hermod/engineio/packet"
)

// outbox holds what waits for a GET. Its session's mu guards it.
type outbox struct {
	units          []unit
	bytes, packets int
}

// unit is what is sent as one: packets of a Send, or a Prepared.
type unit struct {
	pkts       []packet.Packet
	prepared   *Prepared
	noCompress bool
}

// binary reports whether there are bytes in it.
func (u *unit) binary() bool {
	if u.prepared != nil {
		return u.prepared.binary
	}
	return slices.ContainsFunc(u.pkts, isBinary)
}

func isBinary(p packet.Packet) bool { return p.Binary }

func (b *outbox) empty() bool { return len(b.units) == 0 }

// admit decides whether a unit may join.
func (b *outbox) admit(q Queue, size, n int, f SendFlags) error {
	limitB, limitP := q.Bytes, q.Packets
	if f&Must != 0 {
		limitB, limitP = limitB+limitB/4, limitP+limitP/4
	}
	if b.packets > 0 && (b.bytes+size > limitB || b.packets+n > limitP) {
		return ErrQueueFull
	}
	b.bytes += size
	b.packets += n
	return nil
}

// take empties the box, and reports whether any of it is worth compressing.
func (b *outbox) take() (units []unit, compress bool) {
	units = b.units
	for i := range units {
		compress = compress || !units[i].noCompress
	}
	*b = outbox{}
	return units, compress
}
