//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
)

// separator stands between the packets of a polling body. Engine.IO v4, "HTTP long-polling".
const separator = 0x1e

// poller is a Socket.IO client over long-polling, with a connection for what
// it sends and one for what it waits for.
type poller struct {
	r        *run
	id       int
	sid      string
	get, put *httpConn
	poll     []byte   // the request that waits
	head     []byte   // of the last POST
	length   int      // of its body
	buf      []byte   // of push
	later    [][]byte // packets that wait until the last ones have been taken
	echo     *echoer
	in       bool // the main namespace is joined
	// packet gets each packet; the default, opening, is replaced when joined.
	packet func(p []byte) error
	// joined is told that the main namespace is joined.
	joined func() error
	// opened, if any, is told of the session.
	opened func() error
	// paused keeps it from polling again; drained is told when nothing waits any more.
	paused  bool
	drained func() error
}

// dialPoller begins a client over long-polling.
func (r *run) dialPoller(id int, joined func() error) (p *poller, err error) {
	p = &poller{r: r, id: id, joined: joined}
	p.packet = p.opening
	if p.get, err = r.dialHTTP(p.polled); err != nil {
		return nil, err
	}
	if p.put, err = r.dialHTTP(p.taken); err != nil {
		return nil, err
	}
	p.poll = p.requestHead("GET", "")
	p.wait()
	return p, nil
}

// requestHead is a whole request without a body, or the head of one with.
func (p *poller) requestHead(method, more string) []byte {
	sid := ""
	if p.sid != "" {
		sid = "&sid=" + p.sid
	}
	return []byte(method + " /socket.io/?EIO=4&transport=polling" + sid + " HTTP/1.1\r\nHost: " + p.r.o.addr +
		"\r\nAccept: */*\r\nConnection: keep-alive\r\n" + more + "\r\n")
}

// wait polls.
func (p *poller) wait() {
	p.get.busy = true
	p.get.conn.send(func(dst []byte) []byte { return append(dst, p.poll...) })
}

// polled handles the answer to a poll.
func (p *poller) polled(body []byte) error {
	for len(body) > 0 && !p.get.conn.closed {
		one := body
		if i := bytes.IndexByte(body, separator); i >= 0 {
			one, body = body[:i], body[i+1:]
		} else {
			body = nil
		}
		if err := p.handle(one); err != nil {
			return fmt.Errorf("client %d over polling: %w", p.id, err)
		}
	}
	if p.get.conn.closed {
		return nil
	}
	if p.paused {
		return p.rest()
	}
	p.wait()
	return nil
}

// handle handles a packet. Engine.IO: 0 open, 2 ping, 4 message, 6 noop.
func (p *poller) handle(one []byte) error {
	switch string(one) {
	case "2":
		p.r.pings++
		p.post([]byte("3"))
		return nil
	case "6":
		return nil
	}
	return p.packet(one)
}

// opening handles what comes until the namespace is joined.
func (p *poller) opening(one []byte) error {
	switch {
	case p.sid == "" && bytes.HasPrefix(one, []byte("0{")):
		var hello struct{ Sid string }
		if err := json.Unmarshal(one[1:], &hello); err != nil || hello.Sid == "" {
			return fmt.Errorf("the session begins with %.100q: %w", one, err)
		}
		p.sid = hello.Sid
		p.poll = p.requestHead("GET", "")
		p.post([]byte("40"))
		if p.opened != nil {
			return p.opened()
		}
		return nil
	case bytes.HasPrefix(one, []byte("40{")):
		p.in = true
		p.packet = func(one []byte) error { return fmt.Errorf("unasked packet %.80q", one) }
		return p.joined()
	}
	return fmt.Errorf("unexpected packet %.80q", one)
}

// post sends a packet, or leaves it until the last one has been taken.
func (p *poller) post(packet []byte) {
	if p.put.busy {
		p.later = append(p.later, bytes.Clone(packet))
		return
	}
	p.put.busy = true
	if len(packet) != p.length {
		p.length = len(packet)
		p.head = p.requestHead("POST", "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: "+strconv.Itoa(len(packet))+"\r\n")
	}
	p.put.conn.send(func(dst []byte) []byte { return append(append(dst, p.head...), packet...) })
}

// taken handles the answer to a POST.
func (p *poller) taken(body []byte) error {
	if string(body) != "ok" {
		return fmt.Errorf("a POST was answered with %.80q", body)
	}
	if len(p.later) > 0 {
		all := bytes.Join(p.later, []byte{separator})
		p.later = nil
		p.post(all)
		return nil
	}
	return p.rest()
}

// rest tells that nothing is under way, once that is wanted and true.
func (p *poller) rest() error {
	if !p.paused || p.get.busy || p.put.busy || p.drained == nil {
		return nil
	}
	f := p.drained
	p.drained = nil
	return f()
}

func (p *poller) echoes() *echoer                { return p.echo }
func (p *poller) push(f func(dst []byte) []byte) { p.buf = f(p.buf[:0]); p.post(p.buf) }

// dialPolling connects the clients of the scenario echo over long-polling.
func (r *run) dialPolling() (all []pipe, err error) {
	ready := 0
	for i := range r.o.clients {
		m, err := newMessage(r.o.payload, r.o.size, i, true)
		if err != nil {
			return nil, err
		}
		var p *poller
		p, err = r.dialPoller(i, func() error {
			ready++
			p.packet = func(one []byte) error {
				at, slot, err := p.echo.receive(textFrame, one)
				if err == nil && at != 0 {
					r.answered(p, at, slot)
				}
				return err
			}
			return nil
		})
		if err != nil {
			return nil, err
		}
		p.echo = newEchoer(m, r.o.window)
		all = append(all, p)
	}
	return all, r.l.until("connecting over polling", patience, func() bool { return ready == r.o.clients })
}

// upgrade is the polling side of a client that goes on over a WebSocket.
type upgrade struct {
	sid    string
	poller *poller
	ws     *client
	probe  bool // the answer to the probe has come
	done   func(c *client) error
}

// dialUpgrade connects as the official client does: the session and the
// namespace over polling, meanwhile a probe over a WebSocket, and the switch as
// soon as nothing is under way over polling. Engine.IO v4, "Upgrade".
func (r *run) dialUpgrade(id int, done func(c *client) error) error {
	u := &upgrade{done: done}
	began := r.now()
	p, err := r.dialPoller(id, func() error { return nil })
	if err != nil {
		return err
	}
	u.poller = p
	p.opened = func() error {
		u.sid = p.sid
		ws, err := r.dial(id, nil)
		if err != nil {
			return err
		}
		ws.upgrade, ws.began, u.ws = u, began, ws
		return nil
	}
	return nil
}

// probed handles the answer to the probe.
func (u *upgrade) probed(packet string) error {
	if packet != "3probe" || u.probe {
		return fmt.Errorf("the probe was answered with %.80q", packet)
	}
	u.probe = true
	u.poller.paused = true
	u.poller.drained = u.finish
	return u.poller.rest()
}

// finish switches to the WebSocket, where the namespace may still have to answer.
func (u *upgrade) finish() error {
	c := u.ws
	u.poller.get.drop()
	u.poller.put.drop()
	c.text("5")
	c.stage = joining
	c.joined = u.done
	if u.poller.in {
		c.stage = joined
		return u.done(c)
	}
	return nil
}
