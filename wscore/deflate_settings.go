package wscore

// Deflate configures permessage-deflate, the compression of messages (RFC
// 7692). The zero value compresses messages of 1 KiB and more, without context
// takeover in either direction: nothing is kept between messages, and what
// messages have in common cannot be guessed from their lengths. A Deflate is
// read only; one may serve many Settings.
type Deflate struct {
	// Takeover lets messages refer to those before them, in each direction the
	// peer agrees to. A connection then keeps the last Dictionary bytes it
	// sent and the last 1<<PeerWindow it received. Do not set it where secrets
	// and text of an attacker travel on the same connection: the lengths tell.
	Takeover bool
	// Threshold is the smallest payload that is compressed, in bytes; 0 means
	// 1024, negative every one. A message that does not become smaller is sent
	// as it is.
	Threshold int
	// Dictionary is how many of the bytes sent last later messages may refer
	// to, with Takeover; 0 means 1024, at most 8192, negative none.
	Dictionary int
	// PeerWindow is, with Takeover, the base-2 logarithm of the window asked of
	// the peer, 8 to 15; 0 means 12, that is 4 KiB. A peer that cannot
	// limit its window is told not to take over.
	PeerWindow int
	// Level is the effort, 1 to 9; 0 means 1. Level 1 needs no working memory;
	// above it, up to 1 MB is taken from a pool while a message is compressed.
	Level int
}

const (
	maxDictionary = 8 << 10 // what the stateless compressor can refer to
	minWindowBits = 8
	maxWindowBits = 15
	maxWindow     = 1 << maxWindowBits
)

func (d *Deflate) threshold() int { return max(orDefault(d.Threshold, 1024), 0) }

func (d *Deflate) level() int { return min(max(d.Level, 1), 9) }

// dictionary is the size of our dictionary; 0 is no takeover of ours.
func (d *Deflate) dictionary() int {
	if !d.Takeover {
		return 0
	}
	return min(max(orDefault(d.Dictionary, 1024), 0), maxDictionary)
}

func (d *Deflate) peerWindow() uint8 {
	return uint8(min(max(orDefault(d.PeerWindow, 12), minWindowBits), maxWindowBits))
}
