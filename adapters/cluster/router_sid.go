package cluster

import (
	"crypto/hkdf"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash"
	"sync"
)

// The parts of a sid: 15 bytes, the 20 characters of base64url that sids always
// have.
//
//	4  the node's id, drawn at random when it starts. Of 256 living nodes two
//	   have the same with a probability of 1 in 130,000.
//	7  random: what tells the sessions of a node apart. The engine refuses the
//	   handshake that draws one in use (1 in 72 thousand million with a million
//	   sessions on one node).
//	4  the first bytes of HMAC-SHA256 over the eleven others, with a key that is
//	   derived from the cluster's.
//
// Who does not know the key has to guess 88 bits to meet a given session, and
// 32 to have a message sent in vain: the server is asked each time, so there is
// no guessing at home. docs/adr/0004-any-node.md has the reasons.
const (
	sidNode   = 4
	sidRandom = 7
	sidMAC    = 4
	sidBytes  = sidNode + sidRandom + sidMAC
	sidChars  = (sidBytes*8 + 5) / 6
	minKey    = 16
)

var errShortKey = errors.New("cluster: RouterConfig.Key has less than 16 bytes")

// sidMaker makes and checks sids. All nodes of a cluster have the same key.
type sidMaker struct{ macs sync.Pool }

func newSIDMaker(key []byte) (*sidMaker, error) {
	if len(key) < minKey {
		return nil, errShortKey
	}
	sub, err := hkdf.Key(sha256.New, key, nil, "hermod router sid 1", sha256.Size)
	if err != nil {
		return nil, err
	}
	return &sidMaker{sync.Pool{New: func() any { return hmac.New(sha256.New, sub) }}}, nil
}

// sign writes the authenticator of b into its end.
func (m *sidMaker) sign(b *[sidBytes]byte) {
	h := m.macs.Get().(hash.Hash)
	defer m.macs.Put(h)
	h.Reset()
	h.Write(b[:sidNode+sidRandom])
	var sum [sha256.Size]byte
	copy(b[sidNode+sidRandom:], h.Sum(sum[:0]))
}

// make returns a new sid of a node.
func (m *sidMaker) make(node NodeID) string {
	var b [sidBytes]byte
	binary.BigEndian.PutUint32(b[:], uint32(node))
	_, _ = rand.Read(b[sidNode : sidNode+sidRandom]) // never fails
	m.sign(&b)
	return base64.RawURLEncoding.EncodeToString(b[:])
}

// node is the node that made sid; ok is false if none of the cluster did.
func (m *sidMaker) node(sid string) (node NodeID, ok bool) {
	if len(sid) != sidChars {
		return 0, false
	}
	var b [sidBytes]byte
	if n, err := base64.RawURLEncoding.Decode(b[:], []byte(sid)); err != nil || n != sidBytes {
		return 0, false
	}
	want := b
	m.sign(&want)
	if !hmac.Equal(b[:], want[:]) {
		return 0, false
	}
	return NodeID(binary.BigEndian.Uint32(b[:])), true
}
