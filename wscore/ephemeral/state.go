package ephemeral

import (
	"encoding/binary"
	"errors"
	"maps"
	"slices"
)

// ErrState is what Load says of bytes that Save did not make.
var ErrState = errors.New("ephemeral: malformed state")

const (
	stateVersion = 1
	stateHeader  = 1 + 16 + 4 + 4 + 4 + 4
)

// Save returns the state of the generator, by which Load makes one that goes on
// where it was: its key, what it counts, and what is revoked. Keep it as secret as a
// key; who has it can make tokens.
func (g *Generator) Save() []byte {
	g.mu.Lock()
	defer g.mu.Unlock()
	b := append([]byte{stateVersion}, g.key[:]...)
	for _, n := range []uint32{g.salt, g.start, g.session, uint32(len(g.revoked))} {
		b = binary.LittleEndian.AppendUint32(b, n)
	}
	for _, s := range slices.Sorted(maps.Keys(g.revoked)) {
		b = binary.LittleEndian.AppendUint32(binary.LittleEndian.AppendUint32(b, s), g.revoked[s])
	}
	return b
}

// Load returns a generator of a saved state. Of two that were loaded from the
// same state only one may generate: they would count alike. state is not kept. The
// error is [ErrState].
func Load(state []byte, o Options) (*Generator, error) {
	if len(state) < stateHeader || state[0] != stateVersion {
		return nil, ErrState
	}
	number := func(i int) uint32 { return binary.LittleEndian.Uint32(state[17+4*i:]) }
	n := number(3)
	if uint64(len(state)) != stateHeader+8*uint64(n) || number(2) < number(1) || number(2) > maxSession {
		return nil, ErrState
	}
	g := newGenerator(o, [16]byte(state[1:17]), number(0), number(1))
	g.session = number(2)
	for rest := state[stateHeader:]; len(rest) > 0; rest = rest[8:] {
		g.revoked[binary.LittleEndian.Uint32(rest)] = binary.LittleEndian.Uint32(rest[4:])
	}
	return g, nil
}
