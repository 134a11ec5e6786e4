package ephemeral

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"math"
	"slices"
	"strings"
	"sync"
	"time"
)

// Why a token is refused. A peer should not be told which it was.
var (
	ErrMalformed = errors.New("ephemeral: malformed token")            // not of the form of a token
	ErrForeign   = errors.New("ephemeral: token of another generator") // or one that was changed
	ErrExpired   = errors.New("ephemeral: token has expired")          // its lifetime is over
	ErrNotYet    = errors.New("ephemeral: token is of the future")     // issued after Options.Now
	ErrRevoked   = errors.New("ephemeral: token was used or revoked")  // by Use or Invalidate
)

// Why there is no token.
var (
	ErrRecordSize = errors.New("ephemeral: record too long")             // above MaxRecord
	ErrExhausted  = errors.New("ephemeral: no session numbers are left") // make a new Generator
)

// MaxRecord is the longest record of a token, in bytes.
const MaxRecord = 2048 - 2

const (
	epoch       = 1481187020 // mORMot's, 2016-12-08, in seconds of Unix time
	headerSize  = 32
	maxSession  = 1<<31 - 1
	defaultLife = 31 * 24 * time.Hour
	maxToken    = headerSize + 2048
)

// Options are the knobs of a Generator. The zero value is ready to use.
type Options struct {
	// Lifetime is that of tokens for which none is named; 0 means 31 days.
	Lifetime time.Duration
	// Now is the clock; nil is time.Now.
	Now func() time.Time
}

func (o *Options) now() time.Time {
	if o.Now == nil {
		return time.Now()
	}
	return o.Now()
}

// Cookie is what a token stands for.
type Cookie struct {
	Session uint32    // counts the tokens of a generator, from a random number on
	Issued  time.Time // in whole seconds, as the next
	Expires time.Time // from then on the token is not valid
	Record  []byte    // what was given to Generate, as a copy; nil if nothing
}

// Generator makes tokens and validates them. It is safe for concurrent use. The
// zero value is not usable, see New and Load.
type Generator struct {
	o    Options
	key  [16]byte
	salt uint32
	aead cipher.AEAD

	mu      sync.Mutex        // guards what follows
	start   uint32            // sessions are above it
	session uint32            // the last one
	revoked map[uint32]uint32 // expiry by session
	purged  uint32            // when expired ones were last forgotten
}

// New returns a Generator with a random key.
func New(o Options) *Generator {
	var b [16 + 4 + 4]byte
	_, _ = rand.Read(b[:]) // never fails
	return newGenerator(o, [16]byte(b[:16]), binary.LittleEndian.Uint32(b[16:]), binary.LittleEndian.Uint32(b[20:])>>9)
}

func newGenerator(o Options, key [16]byte, salt, start uint32) *Generator {
	block, err := aes.NewCipher(key[:])
	if err != nil {
		panic(err) // not with a key of 16 bytes
	}
	aead, err := cipher.NewGCM(block)
	if err != nil {
		panic(err) // not with AES
	}
	return &Generator{o: o, key: key, salt: salt, aead: aead, start: start, session: start, revoked: map[uint32]uint32{}}
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// Generate returns a token that is valid from now on for lifetime (0: that of
// the Options; whole seconds, at least one), and carries record, which may be nil
// and is not kept. Errors: [ErrRecordSize], [ErrExhausted].
func (g *Generator) Generate(lifetime time.Duration, record []byte) (token string, c Cookie, err error) {
	if len(record) > MaxRecord {
		return "", c, ErrRecordSize
	}
	if lifetime <= 0 {
		if lifetime = g.o.Lifetime; lifetime <= 0 {
			lifetime = defaultLife
		}
	}
	issued := seconds(g.o.now())
	expires := uint32(min(uint64(issued)+uint64(max(lifetime/time.Second, 1)), math.MaxUint32))
	g.mu.Lock()
	if g.session == maxSession {
		g.mu.Unlock()
		return "", c, ErrExhausted
	}
	g.session++
	session := g.session
	g.mu.Unlock()
	c = Cookie{session, fromSeconds(issued), fromSeconds(expires), slices.Clone(record)}
	return base64.RawURLEncoding.EncodeToString(g.seal(session, expires, issued, record)), c, nil
}

// seal makes the bytes of a token.
func (g *Generator) seal(session, expires, issued uint32, record []byte) []byte {
	var plain []byte
	if len(record) > 0 {
		plain = append(binary.AppendUvarint(nil, uint64(len(record))), record...)
		plain = append(plain, make([]byte, -len(plain)&15)...)
	}
	b := make([]byte, 16, headerSize+len(plain))
	binary.LittleEndian.PutUint32(b[4:], session)
	binary.LittleEndian.PutUint32(b[8:], expires)
	binary.LittleEndian.PutUint32(b[12:], issued)
	sealed := g.aead.Seal(nil, b[4:16], plain, b[4:16])
	b = append(append(b, sealed[len(plain):]...), sealed[:len(plain)]...) // the tag comes first
	binary.LittleEndian.PutUint32(b, crc32.Update(g.salt, castagnoli, b[4:]))
	return b
}

// Validate returns what a token of this generator stands for. Errors:
// [ErrMalformed], [ErrForeign], [ErrExpired], [ErrNotYet], [ErrRevoked].
func (g *Generator) Validate(token string) (Cookie, error) { return g.validate(token, false) }

// Use is Validate, but a token is good for one Use alone.
func (g *Generator) Use(token string) (Cookie, error) { return g.validate(token, true) }

func (g *Generator) validate(token string, use bool) (c Cookie, err error) {
	b, err := base64.RawURLEncoding.Strict().DecodeString(token)
	if err != nil || strings.ContainsAny(token, "\r\n") /* which the decoder passes over */ ||
		len(b) < headerSize || len(b) > maxToken || len(b)&15 != 0 {
		return c, ErrMalformed
	}
	session, expires, issued := binary.LittleEndian.Uint32(b[4:]), binary.LittleEndian.Uint32(b[8:]), binary.LittleEndian.Uint32(b[12:])
	record, err := g.open(b)
	if err != nil || issued == 0 || expires <= issued {
		return c, ErrForeign
	}
	now := seconds(g.o.now())
	g.mu.Lock()
	defer g.mu.Unlock()
	_, revoked := g.revoked[session]
	switch {
	case session <= g.start || session > g.session:
		return c, ErrForeign
	case issued > now:
		return c, ErrNotYet
	case expires <= now:
		return c, ErrExpired
	case revoked:
		return c, ErrRevoked
	}
	if use {
		g.revoke(session, expires, now)
	}
	return Cookie{session, fromSeconds(issued), fromSeconds(expires), record}, nil
}

// open checks the sum and the tag of a token and returns its record. The sum, whose
// salt is secret, sorts out most of what is not ours at no cost.
func (g *Generator) open(b []byte) ([]byte, error) {
	if binary.LittleEndian.Uint32(b) != crc32.Update(g.salt, castagnoli, b[4:]) {
		return nil, ErrForeign
	}
	sealed := append(slices.Clone(b[headerSize:]), b[16:headerSize]...)
	plain, err := g.aead.Open(nil, b[4:16], sealed, b[4:16])
	if err != nil {
		return nil, ErrForeign
	}
	if len(plain) == 0 {
		return nil, nil
	}
	n, k := binary.Uvarint(plain)
	if k <= 0 || n > uint64(len(plain)-k) {
		return nil, ErrForeign
	}
	return plain[k : k+int(n)], nil
}

// Invalidate makes the token of c invalid: its error is [ErrRevoked] from now on.
func (g *Generator) Invalidate(c Cookie) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.revoke(c.Session, seconds(c.Expires), seconds(g.o.now()))
}

// revoke remembers a token until it expires. mu is held.
func (g *Generator) revoke(session, expires, now uint32) {
	if now >= g.purged+60 || now < g.purged {
		g.purged = now
		for s, e := range g.revoked {
			if e <= now {
				delete(g.revoked, s)
			}
		}
	}
	if expires > now {
		g.revoked[session] = expires
	}
}

// URI returns public + "/" + a token, see Generate.
func (g *Generator) URI(public string, lifetime time.Duration, record []byte) (string, error) {
	token, _, err := g.Generate(lifetime, record)
	return strings.TrimSuffix(public, "/") + "/" + token, err
}

// TokenOf is the token at the end of a URI or query: its longest tail of
// unreserved characters. RFC 3986 section 2.3.
func TokenOf(uri string) string {
	uri = strings.TrimRight(uri, " ")
	i := strings.LastIndexFunc(uri, func(r rune) bool {
		alnum := r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
		return !alnum && !strings.ContainsRune("-._~", r)
	})
	return uri[i+1:]
}

func seconds(t time.Time) uint32 {
	return uint32(min(max(t.Unix()-epoch, 0), math.MaxUint32))
}

func fromSeconds(n uint32) time.Time { return time.Unix(int64(n)+epoch, 0) }
