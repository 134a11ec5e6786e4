package raw

import (
	"bytes"
	"compress/flate"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Zip deflates and inflates the messages of one connection. RFC 7692 section 7.2.
type Zip struct {
	takeIn, takeOut bool // context takeover, by the peer and by us
	windowIn        int  // the peer's window in bytes
	w               *flate.Writer
	out             bytes.Buffer
	dict            []byte // the last of what was inflated
}

// NewZip returns what an agreed header says, as seen from the client or the server.
func NewZip(agreed string, client bool) (*Zip, error) {
	name, params, _ := strings.Cut(agreed, ";")
	if strings.TrimSpace(name) != "permessage-deflate" {
		return nil, fmt.Errorf("agreed is %q", agreed)
	}
	server := side{true, 15}
	other := side{true, 15}
	for p := range strings.SplitSeq(params, ";") {
		k, v, _ := strings.Cut(strings.TrimSpace(p), "=")
		var err error
		switch k {
		case "server_no_context_takeover":
			server.takeover = false
		case "client_no_context_takeover":
			other.takeover = false
		case "server_max_window_bits":
			server.bits, err = strconv.Atoi(v)
		case "client_max_window_bits":
			other.bits, err = strconv.Atoi(v)
		case "":
		default:
			err = errors.New("unknown")
		}
		if err != nil {
			return nil, fmt.Errorf("agreed is %q: %w", agreed, err)
		}
	}
	in, out := server, other
	if !client {
		in, out = other, server
	}
	z := &Zip{takeIn: in.takeover, takeOut: out.takeover, windowIn: 1 << in.bits}
	level := 6
	if out.bits < 15 {
		level = flate.HuffmanOnly // refers to nothing, so it keeps to any window
	}
	var err error
	z.w, err = flate.NewWriter(&z.out, level)
	return z, err
}

type side struct {
	takeover bool
	bits     int
}

// Deflate returns data as the payload of a message. It is valid until the next call.
func (z *Zip) Deflate(data []byte) ([]byte, error) {
	z.out.Reset()
	if !z.takeOut {
		z.w.Reset(&z.out)
	}
	if _, err := z.w.Write(data); err != nil {
		return nil, err
	}
	if err := z.w.Flush(); err != nil {
		return nil, err
	}
	return bytes.TrimSuffix(z.out.Bytes(), []byte{0, 0, 0xff, 0xff}), nil
}

// Inflate returns the data of a message. References beyond the peer's window
// into earlier messages do not resolve.
func (z *Zip) Inflate(payload []byte) ([]byte, error) {
	r := flate.NewReaderDict(io.MultiReader(bytes.NewReader(payload), strings.NewReader("\x00\x00\xff\xff\x01\x00\x00\xff\xff")), z.dict)
	data, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if z.takeIn {
		z.dict = append(z.dict, data...)
		z.dict = bytes.Clone(z.dict[max(0, len(z.dict)-z.windowIn):])
	}
	return data, nil
}
