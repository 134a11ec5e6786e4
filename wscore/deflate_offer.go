package wscore

import (
	"errors"
	"strconv"
)

// The names of RFC 7692 section 7.1.
const (
	deflateName      = "permessage-deflate"
	serverNoTakeover = "server_no_context_takeover"
	clientNoTakeover = "client_no_context_takeover"
	serverMaxWindow  = "server_max_window_bits"
	clientMaxWindow  = "client_max_window_bits"
)

// deflateParams is what was agreed upon.
type deflateParams struct {
	serverNoTakeover, clientNoTakeover bool
	serverBits, clientBits             uint8 // base-2 logarithms of the windows, 8 to 15
}

// deflateTerms are the parameters of one offer or response.
type deflateTerms struct {
	serverNoTakeover, clientNoTakeover bool
	serverBits, clientBits             uint8 // 0: no value given
	clientMax                          bool  // client_max_window_bits is there
}

// answer chooses, as a server, among the offers in the values of
// Sec-WebSocket-Extensions the first that can be accepted. An offer with
// anything wrong or unknown in it is declined, and the next one tried. RFC 7692 section 7.1.
func (d *Deflate) answer(headers []string) (p deflateParams, response string, ok bool) {
	splitExtensions(headers, func(element string) bool {
		e, valid := parseExtension(element)
		if !valid || e.name != deflateName {
			return true
		}
		t, err := parseDeflateTerms(e.params)
		if err != nil {
			return true
		}
		p, response, ok = d.accept(t)
		return false
	})
	return p, response, ok
}

// accept makes the response to an offer of a client.
func (d *Deflate) accept(t deflateTerms) (p deflateParams, response string, ok bool) {
	p = deflateParams{t.serverNoTakeover, t.clientNoTakeover, maxWindowBits, maxWindowBits}
	response = deflateName
	if t.serverBits > 0 {
		p.serverBits = t.serverBits
		response += "; " + serverMaxWindow + "=" + strconv.Itoa(int(p.serverBits))
	}
	if d.dictionary() == 0 {
		p.serverNoTakeover = true
	}
	if t.clientBits > 0 {
		p.clientBits = t.clientBits // it keeps to its hint whatever we answer
	}
	if want := d.peerWindow(); !d.Takeover {
		p.clientNoTakeover = true
	} else if !p.clientNoTakeover && p.clientBits > want {
		if t.clientMax {
			p.clientBits = want
			response += "; " + clientMaxWindow + "=" + strconv.Itoa(int(want))
		} else {
			p.clientNoTakeover = true
		}
	}
	if p.serverNoTakeover {
		response += "; " + serverNoTakeover
	}
	if p.clientNoTakeover {
		response += "; " + clientNoTakeover
	}
	return p, response, true
}

// offer is what a client sends in Sec-WebSocket-Extensions.
func (d *Deflate) offer() string {
	first := deflateName + "; " + clientMaxWindow
	if d.dictionary() == 0 {
		first += "; " + clientNoTakeover
	}
	second := first + "; " + serverNoTakeover
	switch bits := d.peerWindow(); {
	case !d.Takeover:
		return second
	case bits == maxWindowBits:
		return first
	default:
		return first + "; " + serverMaxWindow + "=" + strconv.Itoa(int(bits)) + ", " + second
	}
}

var (
	errExtension     = errors.New("wscore: server chose an extension that was not offered")
	errExtensionText = errors.New("wscore: malformed Sec-WebSocket-Extensions")
	errDeflateTerms  = errors.New("wscore: illegal parameters of permessage-deflate")
	errDeflateAnswer = errors.New("wscore: permessage-deflate accepted on terms that were not offered")
)

// accepted checks, as a client, the values of Sec-WebSocket-Extensions in the
// response to offer. ok is false when the server chose no extension. After an
// error the connection is to be failed.
func (d *Deflate) accepted(headers []string) (p deflateParams, ok bool, err error) {
	splitExtensions(headers, func(element string) bool {
		e, valid := parseExtension(element)
		switch {
		case !valid:
			err = errExtensionText
		case ok || e.name != deflateName:
			err = errExtension
		default:
			ok = true
			p, err = d.agree(e.params)
		}
		return err == nil
	})
	return p, ok && err == nil, err
}

// agree checks the parameters of a server's response.
func (d *Deflate) agree(params []extensionParam) (p deflateParams, err error) {
	t, err := parseDeflateTerms(params)
	if err != nil {
		return p, err
	}
	if t.clientMax && t.clientBits == 0 {
		return p, errDeflateTerms // a value is optional in offers alone
	}
	p = deflateParams{t.serverNoTakeover, t.clientNoTakeover, maxWindowBits, maxWindowBits}
	if t.serverBits > 0 {
		p.serverBits = t.serverBits
	}
	if t.clientBits > 0 {
		p.clientBits = t.clientBits
	}
	if !p.serverNoTakeover && (!d.Takeover || p.serverBits > d.peerWindow()) {
		return p, errDeflateAnswer
	}
	if d.dictionary() == 0 {
		p.clientNoTakeover = true
	}
	return p, nil
}

// parseDeflateTerms checks the parameters of an offer or response: each known, at
// most once, with a value exactly where one may be. RFC 7692 section 7.1.
func parseDeflateTerms(params []extensionParam) (t deflateTerms, err error) {
	serverMax := false
	for _, p := range params {
		var twice, bad bool
		switch p.name {
		case serverNoTakeover:
			twice, bad = t.serverNoTakeover, p.valued
			t.serverNoTakeover = true
		case clientNoTakeover:
			twice, bad = t.clientNoTakeover, p.valued
			t.clientNoTakeover = true
		case serverMaxWindow:
			twice = serverMax
			serverMax = true
			t.serverBits = windowBits(p.value)
			bad = t.serverBits == 0
		case clientMaxWindow:
			twice = t.clientMax
			t.clientMax = true
			t.clientBits = windowBits(p.value)
			bad = p.valued && t.clientBits == 0
		default:
			bad = true
		}
		if twice || bad {
			return t, errDeflateTerms
		}
	}
	return t, nil
}

// windowBits is the number from 8 to 15 that s is, without leading zeros; 0 if it is none.
func windowBits(s string) uint8 {
	switch {
	case len(s) == 1 && s[0] >= '8' && s[0] <= '9':
		return s[0] - '0'
	case len(s) == 2 && s[0] == '1' && s[1] >= '0' && s[1] <= '5':
		return 10 + s[1] - '0'
	}
	return 0
}
