package cluster

import (
	"bytes"
	"net/http"
	"reflect"
	"testing"
)

// frames are one of each kind, with every field that it has.
func frames() []relayFrame {
	req := &relayRequest{sid: "AAAABBBBCCCCDDDDEEEE", method: "POST", uri: "/engine.io/?a=b", host: "h", remote: "127.0.0.1:1", tlsName: "n", tlsProto: "h2",
		major: 2, minor: 0, tlsVersion: 0x304, cipher: 0x1301, length: -1}
	header := http.Header{"A": {"1", "2"}, "Bb": {""}}
	return []relayFrame{
		{kind: frameHello, n: 1<<63 + 5, flags: flagAsk},
		{kind: frameBye},
		{kind: framePing, n: 1},
		{kind: framePong, n: 1 << 40},
		{kind: frameGap},
		{kind: frameOpen, stream: 3, flags: flagFin | flagTLS, req: req, header: header, data: []byte("body")},
		{kind: frameAnswer, stream: 1 << 50, flags: flagConfirm, status: 200, header: header, data: []byte("ok")},
		{kind: frameTaken, stream: 2},
		{kind: frameData, stream: 2, flags: flagFin, data: []byte{0, 255}},
		{kind: frameCredit, stream: 2, n: 131072},
		{kind: frameDone, stream: 4},
		{kind: frameEnd, stream: 4},
		{kind: frameReset, stream: 4, n: resetGap},
	}
}

// decode takes a message apart.
func decode(b []byte) (h relayHead, list []relayFrame, err error) {
	rd := relayReader{b: b}
	if h, err = rd.head(); err != nil {
		return h, nil, err
	}
	for {
		f, more, err := rd.next()
		if err != nil || !more {
			return h, list, err
		}
		list = append(list, f)
	}
}

// What is written is read again, and nothing of it can be missing.
func TestRouterWire(t *testing.T) {
	head := relayHead{from: 0xdeadbeef, link: 3, n: 1 << 33}
	b := head.append(nil)
	whole := map[int]bool{len(b): true}
	for _, f := range frames() {
		b = f.append(b)
		whole[len(b)] = true
	}
	h, list, err := decode(b)
	if err != nil || h != head || !reflect.DeepEqual(list, frames()) {
		t.Errorf("%v %+v\n got %+v\nwant %+v", err, h, list, frames())
	}
	for n := range b {
		if _, _, err := decode(b[:n]); (err == nil) != whole[n] {
			t.Errorf("the first %d bytes: %v", n, err)
		}
	}
	b[0]++
	if _, _, err := decode(b); err != errRelayVersion {
		t.Errorf("another version: %v", err)
	}
}

// Whatever arrives, no decoder panics, and what it takes can be written and read
// again.
func FuzzRouterWire(f *testing.F) {
	head := relayHead{1, 2, 3}
	all := head.append(nil)
	for _, fr := range frames() {
		f.Add(fr.append(head.append(nil)))
		all = fr.append(all)
	}
	f.Add(all)
	f.Add([]byte{1, 0, 0, 0, 0, 0, 0, byte(frameAnswer), 2, 0, 1, 255, 255, 255, 255, 15})
	f.Fuzz(func(t *testing.T, b []byte) {
		keep := bytes.Clone(b)
		h, list, err := decode(b)
		if !bytes.Equal(keep, b) {
			t.Fatal("the message was changed")
		}
		if err != nil {
			return
		}
		again := h.append(nil)
		for i := range list {
			again = list[i].append(again)
		}
		h2, list2, err := decode(again)
		if err != nil || h2 != h || len(list2) != len(list) {
			t.Fatalf("%v: %+v and %+v", err, list, list2)
		}
		for i := range list {
			if !bytes.Equal(list[i].data, list2[i].data) || list[i].n != list2[i].n || !reflect.DeepEqual(list[i].req, list2[i].req) {
				t.Fatalf("%+v and %+v", list[i], list2[i])
			}
		}
	})
}

func TestRouterSID(t *testing.T) {
	m, err := newSIDMaker(bytes.Repeat([]byte{1}, minKey))
	if err != nil {
		t.Fatal(err)
	}
	other, err := newSIDMaker(bytes.Repeat([]byte{2}, minKey))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	for range 1000 {
		sid := m.make(0xa1b2c3d4)
		if len(sid) != 20 || seen[sid] {
			t.Fatalf("sid %q", sid)
		}
		seen[sid] = true
		if node, ok := m.node(sid); !ok || node != 0xa1b2c3d4 {
			t.Fatalf("%q is of %v, %v", sid, node, ok)
		}
		if _, ok := other.node(sid); ok {
			t.Fatalf("%q is taken with another key", sid)
		}
	}
}

func TestAbsentIsBounded(t *testing.T) {
	var a absent
	m, err := newSIDMaker(make([]byte, minKey))
	if err != nil {
		t.Fatal(err)
	}
	first := m.make(1)
	a.add(first)
	if !a.has(first) {
		t.Error("the last one is forgotten")
	}
	for range 3 * maxAbsent {
		a.add(m.make(1))
	}
	if n := len(a.new) + len(a.old); n > 2*maxAbsent || a.has(first) {
		t.Errorf("%d are remembered", n)
	}
}
