//go:build linux

package main

import (
	"bytes"
	"compress/flate"
	"fmt"
	"io"
	"strings"
)

// deflateIDs is how many different messages are compressed beforehand; all
// clients send the same.
const deflateIDs = 500

// deflater holds messages that were compressed beforehand, each for itself, and
// inflates what comes back.
type deflater struct {
	frames  map[int][]byte // by id
	inflate io.ReadCloser
	in      bytes.Reader
	text    []byte
}

// tail ends a compressed message. RFC 7692 section 7.2.2; the second half is an
// empty last block, so that the reader sees an end.
const tail = "\x00\x00\xff\xff\x01\x00\x00\xff\xff"

func newDeflater() (*deflater, error) {
	d := &deflater{frames: map[int][]byte{}, inflate: flate.NewReader(strings.NewReader(""))}
	m, err := newMessage("deflate", 16, 0, true)
	if err != nil {
		return nil, err
	}
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.BestSpeed)
	if err != nil {
		return nil, err
	}
	for id := firstID; id < firstID+deflateIDs; id++ {
		out.Reset()
		w.Reset(&out)
		if _, err := w.Write(m.build(nil, id, uint32(id))); err != nil {
			return nil, err
		}
		if err := w.Flush(); err != nil {
			return nil, err
		}
		d.frames[id] = appendFrame(nil, textFrame|deflated, bytes.TrimSuffix(out.Bytes(), []byte(tail[:4])))
	}
	return d, nil
}

// open inflates a message; the text holds until the next call.
func (d *deflater) open(first byte, p []byte) ([]byte, error) {
	if first != textFrame|deflated {
		return nil, fmt.Errorf("frame %#x came back, want a deflated text", first)
	}
	d.in.Reset(p)
	err := d.inflate.(flate.Resetter).Reset(io.MultiReader(&d.in, strings.NewReader(tail)), nil)
	if err != nil {
		return nil, err
	}
	d.text = d.text[:0]
	for {
		if cap(d.text)-len(d.text) < 512 {
			d.text = append(make([]byte, 0, 2*cap(d.text)+4096), d.text...)
		}
		n, err := d.inflate.Read(d.text[len(d.text):cap(d.text)])
		d.text = d.text[:len(d.text)+n]
		if err == io.EOF {
			return d.text, nil
		}
		if err != nil {
			return nil, fmt.Errorf("inflating: %w", err)
		}
	}
}
