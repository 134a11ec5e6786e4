package engineio

import "github.com/hermod-io/hermod/engineio/packet"

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

// payload appends all that waits as one polling payload, and empties the box.
func (b *outbox) payload(dst []byte) (p []byte, compress bool) {
	for i, u := range b.units {
		if i > 0 {
			dst = append(dst, packet.Separator)
		}
		if u.prepared != nil {
			dst = append(dst, u.prepared.chunk()...)
		} else {
			dst = packet.AppendPayload(dst, u.pkts...)
		}
		compress = compress || !u.noCompress
	}
	*b = outbox{}
	return dst, compress
}
