//go:build poison

package bufpool

// Poisoned reports whether the program was built with the tag poison.
const Poisoned = true

// Poison is the byte that poisoned buffers are full of.
const Poison = 0xDB

func poison(b []byte) {
	for i := range b {
		b[i] = Poison
	}
}
