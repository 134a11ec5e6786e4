//go:build linux

package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// waiter is a client over long-polling that is idle: it joins the main namespace,
// then a GET of it waits. Like a browser it has one connection for what it waits
// for and one for what it sends, which the server may close when it is not used.
type waiter struct {
	r        *run
	id       int
	sid      string
	get, put *httpConn
	in       bool // the main namespace is joined
	// joined is told that the main namespace is joined and the next GET sent.
	joined func() error
}

// dialWaiter begins one.
func (r *run) dialWaiter(id int, joined func() error) (w *waiter, err error) {
	w = &waiter{r: r, id: id, joined: joined}
	if w.get, err = r.dialHTTP(w.answered); err != nil {
		return nil, err
	}
	w.poll()
	return w, nil
}

// request sends a request, or the head of one.
func (w *waiter) request(h *httpConn, method, more string) {
	sid := ""
	if w.sid != "" {
		sid = "&sid=" + w.sid
	}
	o := &w.r.o
	h.busy = true
	h.conn.send(func(dst []byte) []byte {
		dst = append(dst, method+" /socket.io/?EIO=4&transport=polling&t="+strconv.FormatInt(w.r.now(), 36)+sid+
			" HTTP/1.1\r\nHost: "+o.addr+"\r\nConnection: keep-alive\r\nAccept: */*\r\n"...)
		if o.browser {
			dst = append(dst, "Referer: http://"+o.addr+"/\r\n"+browserHeaders()...)
		}
		return append(append(dst, more...), "\r\n"...)
	})
}

func (w *waiter) poll() { w.request(w.get, "GET", "") }

// post sends a packet.
func (w *waiter) post(packet string) (err error) {
	if w.put == nil || w.put.busy || w.put.conn.closed {
		if w.put, err = w.r.dialHTTP(w.taken); err != nil {
			return err
		}
	}
	w.put.again = func() error { return w.post(packet) }
	w.request(w.put, "POST", "Content-Type: text/plain;charset=UTF-8\r\nContent-Length: "+strconv.Itoa(len(packet))+"\r\n")
	w.put.conn.send(func(dst []byte) []byte { return append(dst, packet...) })
	return nil
}

// taken handles the answer to a POST.
func (w *waiter) taken(body []byte) error {
	if string(body) != "ok" {
		return w.fault("a POST was answered with", body)
	}
	return nil
}

// answered handles the answer to a GET.
func (w *waiter) answered(body []byte) error {
	switch {
	case w.sid == "" && bytes.HasPrefix(body, []byte("0{")):
		var hello struct{ Sid string }
		if err := json.Unmarshal(body[1:], &hello); err != nil || hello.Sid == "" {
			return w.fault("the session begins with", body)
		}
		w.sid = hello.Sid
		if err := w.post("40"); err != nil {
			return err
		}
		w.poll()
		return nil
	case w.sid != "" && !w.in && bytes.HasPrefix(body, []byte("40{")):
		w.in = true
		w.poll()
		return w.joined()
	case w.in && string(body) == "2":
		w.r.pings++
		if err := w.post("3"); err != nil {
			return err
		}
		w.poll()
		return nil
	}
	return w.fault("a GET was answered with", body)
}

func (w *waiter) fault(what string, body []byte) error {
	return fmt.Errorf("idle client %d over polling: %s %.80q", w.id, what, body)
}

// dialWaiters connects those of the scenario idle, o.ramp at a time.
func (r *run) dialWaiters() error {
	begun, ready := 0, 0
	err := r.l.until(fmt.Sprintf("connecting %d clients over polling", r.o.clients), 2*patience, func() bool {
		for ; begun < r.o.clients && begun-ready < r.o.ramp; begun++ {
			began := r.now()
			if _, err := r.dialWaiter(begun, func() error { ready++; r.counted(1, began); return nil }); err != nil {
				r.failed = err
				return true
			}
		}
		return ready == r.o.clients
	})
	return errors.Join(r.failed, err)
}

// browserHeaders are those of browser, with its cookies.
func browserHeaders() string {
	return browser + strings.Repeat("c2Vzc2lvbi1pZC1vZi1hLXVzZXI", 6) + "; csrf=" + strings.Repeat("7d1f0b5a", 6) + "; last=1732380000\r\n"
}
