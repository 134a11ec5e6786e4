package suite

import (
	"fmt"
	"time"

	"github.com/hermod-io/hermod/tests/autobahn/internal/raw"
)

// Case is one row: what is sent, and exactly what must come back.
type Case struct {
	ID   string
	Say  []Say
	Hear []raw.Frame
	End  End
	Zip  *Deflated // a case of permessage-deflate; then Say and Hear are empty
}

// Say is a frame that is sent, masked if a client sends it.
type Say struct {
	raw.Frame
	Part  int // so many bytes of the frame only; 0 is all
	Chop  int // written in pieces of so many bytes; 0 is together with the next
	After int // not before so many frames were heard
}

// End says how the connection ends after what was heard.
type End struct {
	kind int
	code int
}

const (
	byUs   = iota // this side closes (1000), the peer answers
	byPeer        // the peer fails the connection with the code
	said          // Say has a close frame, which is answered with the code
	open          // the RFC leaves it open; the connection ends
)

// Run plays the case. Nothing but what the case says may be heard, the close
// frames must match, and TCP must be closed.
func Run(c *raw.Conn, k Case) error {
	defer func() { _ = c.Close() }()
	if k.Zip != nil {
		return k.Zip.run(c)
	}
	heard := make([]chan struct{}, len(k.Hear)+1)
	for i := range heard {
		heard[i] = make(chan struct{})
	}
	close(heard[0])
	quit, written := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(written)
		speak(c, k.Say, heard, quit)
	}()
	for i, f := range k.Hear {
		if err := c.Want(f.B0, f.Payload); err != nil {
			close(quit)
			_ = c.Close()
			<-written
			return fmt.Errorf("frame %d: %w", i+1, err)
		}
		close(heard[i+1])
	}
	<-written
	switch k.End.kind {
	case byPeer:
		return c.WantClose(k.End.code)
	case said:
		return c.Answered(k.End.code)
	case open:
		return untilGone(c)
	}
	return c.Goodbye()
}

// speak sends what a case says. What the peer no longer reads is no matter:
// what it answers is judged.
func speak(c *raw.Conn, say []Say, heard []chan struct{}, quit chan struct{}) {
	var b []byte
	for _, s := range say {
		if s.After > 0 {
			if _, err := c.Write(b); err != nil {
				return
			}
			b = b[:0]
			select {
			case <-heard[s.After]:
			case <-quit:
				return
			}
		}
		start := len(b)
		b = s.Append(b, c.Client)
		if s.Part > 0 {
			b = b[:start+s.Part+len(raw.Header(0, uint64(len(s.Payload)), 0, c.Client, [4]byte{}))]
		}
		if s.Chop == 0 {
			continue
		}
		for len(b) > 0 {
			n := min(s.Chop, len(b))
			if _, err := c.Write(b[:n]); err != nil {
				return
			}
			b = b[n:]
		}
	}
	_, _ = c.Write(b)
}

// untilGone reads on until the stream ends, one way or another, within the patience.
func untilGone(c *raw.Conn) error {
	for {
		f, err := c.Next()
		if err != nil {
			if e, ok := err.(interface{ Timeout() bool }); ok && e.Timeout() {
				return fmt.Errorf("still open after %v", raw.Patience)
			}
			return nil
		}
		if f.B0 == raw.Fin|raw.Close {
			_ = c.SetDeadline(time.Now().Add(raw.Patience))
			return c.Gone()
		}
	}
}

func say(b0 byte, payload string) Say { return Say{Frame: raw.Frame{B0: b0, Payload: []byte(payload)}} }

func frame(b0 byte, payload string) raw.Frame { return raw.Frame{B0: b0, Payload: []byte(payload)} }

func (s Say) chop(n int) Say  { s.Chop = n; return s }
func (s Say) after(n int) Say { s.After = n; return s }
func (s Say) part(n int) Say  { s.Part = n; return s }

// chopped sends all of say in pieces of n bytes.
func chopped(n int, say ...Say) []Say {
	for i := range say {
		say[i].Chop = n
	}
	return say
}

// split cuts a message into frames of size bytes; 0 is one frame.
func split(op byte, payload []byte, size int) (frames []Say) {
	for size > 0 && len(payload) > size {
		frames = append(frames, Say{Frame: raw.Frame{B0: op, Payload: payload[:size]}})
		op, payload = op&0xf0&^raw.RSV1, payload[size:]
	}
	return append(frames, Say{Frame: raw.Frame{B0: op | raw.Fin, Payload: payload}})
}

// failing is a case that the peer must end with the code.
func failing(id string, code int, hear []raw.Frame, say ...Say) Case {
	return Case{ID: id, Say: say, Hear: hear, End: End{byPeer, code}}
}

// fine is a case that this side ends.
func fine(id string, hear []raw.Frame, say ...Say) Case { return Case{ID: id, Say: say, Hear: hear} }
