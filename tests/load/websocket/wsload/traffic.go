package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
	"time"
)

// echo keeps flight messages under way on each connection of p for d, checks
// every answer, waits for the last one and returns how many there were.
func echo(p *poll, m *message, flight int, d time.Duration) (messages int, err error) {
	var out []byte
	send := func(c *conn, n int) error {
		out = out[:0]
		for range n {
			out = m.appendNumber(out, c.sent)
			c.sent++
		}
		return c.write(out)
	}
	for _, c := range p.conns {
		c.sent, c.received = 0, 0
		if err := send(c, flight); err != nil {
			return messages, err
		}
	}
	end := time.Now().Add(d)
	open, stop := flight*len(p.conns), false
	for open > 0 {
		err := p.wait(func(c *conn, got []byte) error {
			before := c.received
			if err := c.feed(got, func(first byte, payload []byte) error {
				err := m.check(first, payload, c.received)
				c.received++
				return err
			}); err != nil {
				return err
			}
			n := int(c.received - before)
			messages += n
			if stop || n == 0 {
				open -= n
				return nil
			}
			return send(c, n)
		})
		if err != nil {
			return messages, err
		}
		stop = stop || !time.Now().Before(end)
	}
	return messages, nil
}

// fan has the first connection send a message rounds times, each to come back
// on every connection before the next, and returns the number of deliveries.
func fan(p *poll, m *message, rounds int) (deliveries int, err error) {
	for _, c := range p.conns {
		c.received = 0
	}
	for i := range uint64(rounds) {
		if err := p.conns[0].write(m.appendNumber(nil, i)); err != nil {
			return deliveries, err
		}
		for open := len(p.conns); open > 0; {
			if err := p.wait(func(c *conn, got []byte) error {
				return c.feed(got, func(first byte, payload []byte) error {
					if c.received != i {
						return fmt.Errorf("message %d came twice", i)
					}
					c.received++
					open--
					deliveries++
					return m.check(first, payload, i)
				})
			}); err != nil {
				return deliveries, err
			}
		}
	}
	return deliveries, nil
}

// echoOnce sends a message on each connection in turn and checks the answer.
func echoOnce(conns []*conn, m *message) error {
	buf := make([]byte, 4096)
	for i, c := range conns {
		if err := c.ask(m.appendNumber(nil, uint64(i)), buf, func(first byte, payload []byte) error {
			return m.check(first, payload, uint64(i))
		}); err != nil {
			return fmt.Errorf("connection %d: %w", i, err)
		}
	}
	return nil
}

// ask sends a frame and waits for the one that answers it.
func (c *conn) ask(frame, buf []byte, check func(first byte, payload []byte) error) error {
	if err := c.write(frame); err != nil {
		return err
	}
	for done := false; !done; {
		n, err := read(c.fd, buf)
		if err != nil {
			return err
		}
		if n == 0 {
			return io.ErrUnexpectedEOF
		}
		if err := c.feed(buf[:n], func(first byte, payload []byte) error {
			done = true
			return check(first, payload)
		}); err != nil {
			return err
		}
	}
	return nil
}

// words is what texts are made of: like what applications send, of little order.
const words = `{"id":%d,"user":"user-%d","room":"r%d","text":"the quick brown fox %d jumps over the lazy dog","at":%d},`

// texts returns n different texts of size bytes.
func texts(n, size int) []string {
	all := make([]string, n)
	for i := range all {
		var b strings.Builder
		for k := 0; b.Len() < size; k++ {
			x := (i*7919 + k*104729) % 99991
			fmt.Fprintf(&b, words, x, x%977, x%31, x%4099, 1732380000+x)
		}
		all[i] = b.String()[:size]
	}
	return all
}

// echoTexts has every connection echo texts, one after the other. With deflate
// they travel deflated both ways. RFC 7692 section 7.2.
func echoTexts(conns []*conn, texts []string, deflate bool) error {
	frames := make([][]byte, len(texts))
	for i, t := range texts {
		first, payload := byte(textFrame), []byte(t)
		if deflate {
			first, payload = deflatedFrame, deflated(t)
		}
		frames[i] = appendFrame(nil, first, payload)
	}
	buf := make([]byte, 4096)
	for i, c := range conns {
		for k, frame := range frames {
			if err := c.ask(frame, buf, func(first byte, payload []byte) error {
				return checkText(first, payload, texts[:k+1], deflate)
			}); err != nil {
				return fmt.Errorf("connection %d, text %d: %w", i, k, err)
			}
		}
	}
	return nil
}

// deflated returns t without reference to anything before it.
func deflated(t string) []byte {
	var b bytes.Buffer
	w, _ := flate.NewWriter(&b, flate.BestSpeed) // the level is a valid one
	_, _ = io.WriteString(w, t)                  // a bytes.Buffer takes all
	_ = w.Flush()
	return bytes.TrimSuffix(b.Bytes(), []byte{0, 0, 0xff, 0xff})
}

// checkText compares an answer with the last of sent; those before it are what
// it may refer to.
func checkText(first byte, payload []byte, sent []string, deflate bool) error {
	want := sent[len(sent)-1]
	if !deflate {
		if first != textFrame || string(payload) != want {
			return fmt.Errorf("frame %#x with %.40q came back", first, payload)
		}
		return nil
	}
	if first != deflatedFrame {
		return fmt.Errorf("frame %#x came back, want a deflated text", first)
	}
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")),
		[]byte(strings.Join(sent[:len(sent)-1], "")))
	got, err := io.ReadAll(r)
	if err != nil || string(got) != want {
		return fmt.Errorf("deflated text came back as %.40q: %v", got, err)
	}
	return nil
}
