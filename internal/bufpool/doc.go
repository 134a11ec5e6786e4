// Package bufpool lends byte buffers of four sizes, so that a connection holds
// one only while it has data.
//
//	buf := bufpool.Get(16 << 10)
//	n, err := conn.Read(buf.Bytes())
//	…
//	bufpool.Put(buf)
//
// The name to know is [Buffer]. Built with the tag poison, Put overwrites every
// buffer with 0xDB, so that a test sees bytes which somebody kept although they
// were only lent.
package bufpool
