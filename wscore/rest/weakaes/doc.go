// Package weakaes is the pass phrase encryption of mORMot's binary REST frames.
// It is weak, and here for one reason: to speak with mORMot programs that are
// set up with it and cannot be given TLS. Do not choose it for anything new.
//
// What is wrong with it:
//
//   - Nothing is authenticated. Who can change the bytes on the way can flip
//     chosen bits of the plain text (CTR, OFB) or garble blocks; a padding error
//     can be seen from outside.
//   - Recorded frames can be sent again, to either side: the key is the same for
//     every connection and both directions, and there is no counter.
//   - The salt is fixed unless both ends set another, and the derivation costs
//     an attacker a thousand hashes per guess. The older one costs a single hash
//     and has no salt.
//   - A wrong pass phrase shows only at the first frame.
//
// TLS, or the Noise protocol over wscore, has none of these faults.
//
// [DeriveKey] (or [DeriveSha256Weak] for mORMot 1.18) makes a key, [New] a
// [Cipher] of it, whose Seal and Open are one frame each:
//
//	key := weakaes.DeriveKey(password, []byte(weakaes.DefaultSalt), weakaes.DefaultRounds)
//	c, err := weakaes.New(key[:16], weakaes.CTR)
//	wire, err := c.Seal(nil, payload)
//	payload, err := c.Open(nil, wire)
//
// A frame is 16 random bytes, the initialization vector, and the payload in
// the chosen mode of AES with PKCS #7 padding, which is there in all modes.
package weakaes
