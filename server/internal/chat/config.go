package chat

import "time"

// Config bounds the chat; zero values have the defaults named here.
type Config struct {
	// History is how many messages of each room are remembered; 0 means 50.
	History int
	// MaxFile is the size of the largest file in bytes; 0 means 512 KiB. A
	// message must also fit the server's MaxHTTPBufferSize.
	MaxFile int
	// MaxText is the length of the longest text in bytes; 0 means 8 KiB.
	MaxText int
	// MaxRooms is how many rooms there may be; 0 means 500.
	MaxRooms int
	// RoomBytes and TotalBytes bound the content that is remembered, of each
	// room and of all; 0 means 4 MiB and 64 MiB. The oldest is forgotten first.
	RoomBytes, TotalBytes int
	// Linger is how long a room without people is remembered; 0 means 10
	// minutes, negative means not at all.
	Linger time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// settled returns c with the defaults filled in.
func (c Config) settled() Config {
	def := func(p *int, v int) {
		if *p == 0 {
			*p = v
		}
	}
	def(&c.History, 50)
	def(&c.MaxFile, 512<<10)
	def(&c.MaxText, 8<<10)
	def(&c.MaxRooms, 500)
	def(&c.RoomBytes, 4<<20)
	def(&c.TotalBytes, 64<<20)
	if c.Linger == 0 {
		c.Linger = 10 * time.Minute
	}
	if c.Now == nil {
		c.Now = time.Now
	}
	return c
}
