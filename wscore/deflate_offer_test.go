package wscore

import (
	"strings"
	"testing"
)

const (
	sn  = "server_no_context_takeover"
	cn  = "client_no_context_takeover"
	pmd = "permessage-deflate"
)

// TestDeflateAnswer: what a server answers to offers. RFC 7692 section 7.1.
func TestDeflateAnswer(t *testing.T) {
	plain, takeover := &Deflate{}, &Deflate{Takeover: true}
	none := pmd + "; " + sn + "; " + cn
	for _, c := range []struct {
		d           *Deflate
		offer, want string // headers divided by |; "" is declined
		p           deflateParams
	}{
		{plain, pmd, none, deflateParams{true, true, 15, 15}},
		{plain, pmd + "; client_max_window_bits", none, deflateParams{true, true, 15, 15}},
		{plain, pmd + ";client_max_window_bits=9", none, deflateParams{true, true, 15, 9}},
		{plain, pmd + "; " + sn + "; " + cn, none, deflateParams{true, true, 15, 15}},
		{plain, "\t" + pmd + " ;\tserver_max_window_bits = 10 ", pmd + "; server_max_window_bits=10; " + sn + "; " + cn, deflateParams{true, true, 10, 15}},
		{plain, pmd + `; server_max_window_bits="8"`, pmd + "; server_max_window_bits=8; " + sn + "; " + cn, deflateParams{true, true, 8, 15}},
		{plain, pmd + `; server_max_window_bits="\1\5"`, pmd + "; server_max_window_bits=15; " + sn + "; " + cn, deflateParams{true, true, 15, 15}},
		{takeover, pmd, pmd + "; " + cn, deflateParams{false, true, 15, 15}},
		{takeover, pmd + "; client_max_window_bits", pmd + "; client_max_window_bits=12", deflateParams{false, false, 15, 12}},
		{takeover, pmd + "; client_max_window_bits=15", pmd + "; client_max_window_bits=12", deflateParams{false, false, 15, 12}},
		{takeover, pmd + "; client_max_window_bits=10", pmd, deflateParams{false, false, 15, 10}},
		{takeover, pmd + "; client_max_window_bits; " + cn, pmd + "; " + cn, deflateParams{false, true, 15, 15}},
		{takeover, pmd + "; client_max_window_bits; " + sn, pmd + "; client_max_window_bits=12; " + sn, deflateParams{true, false, 15, 12}},
		{takeover, pmd + "; server_max_window_bits=9", pmd + "; server_max_window_bits=9; " + cn, deflateParams{false, true, 9, 15}},
		{&Deflate{Takeover: true, PeerWindow: 15}, pmd, pmd, deflateParams{false, false, 15, 15}},
		{&Deflate{Takeover: true, PeerWindow: 99}, pmd + "; client_max_window_bits", pmd, deflateParams{false, false, 15, 15}},
		{&Deflate{Takeover: true, PeerWindow: 1}, pmd + "; client_max_window_bits", pmd + "; client_max_window_bits=8", deflateParams{false, false, 15, 8}},
		{&Deflate{Takeover: true, Dictionary: -1}, pmd + "; client_max_window_bits", pmd + "; client_max_window_bits=12; " + sn, deflateParams{true, false, 15, 12}},
		// The first acceptable offer is taken.
		{plain, pmd + "; server_max_window_bits=7, " + pmd + "; server_max_window_bits=11, " + pmd, pmd + "; server_max_window_bits=11; " + sn + "; " + cn, deflateParams{true, true, 11, 15}},
		{plain, "synhk; a=b|" + pmd, none, deflateParams{true, true, 15, 15}},
		{plain, `x-foo; a="; permessage-deflate, \", ` + pmd + `; z", , ` + pmd, none, deflateParams{true, true, 15, 15}},
		{plain, "!bad(|" + pmd + ";|" + pmd, none, deflateParams{true, true, 15, 15}},
	} {
		p, got, ok := c.d.answer(strings.Split(c.offer, "|"))
		if !ok || got != c.want || p != c.p {
			t.Errorf("%+v: offer %q: answer %q %+v %v, want %q %+v", *c.d, c.offer, got, p, ok, c.want, c.p)
		}
	}
}

// TestDeflateDeclined: every offer that must be declined, for both kinds of
// server; and none of them keeps the one after it from being accepted.
func TestDeflateDeclined(t *testing.T) {
	offers := []string{
		"", " , ,", "x-webkit-deflate-frame", "permessage-bzip2", "PERMESSAGE-DEFLATE-", "permessage deflate",
		pmd + ";", pmd + ";;" + sn, pmd + "; =", pmd + "; unknown", pmd + "; unknown=1", pmd + "; (", pmd + "; Server_No_Context_Takeover",
		pmd + "; " + sn + "=", pmd + "; " + sn + "=1", pmd + "; " + sn + "=true", pmd + "; " + cn + `="x"`, pmd + "; " + cn + "=10",
		pmd + "; " + sn + "; " + sn, pmd + "; " + cn + "; " + cn,
		pmd + "; server_max_window_bits=10; server_max_window_bits=10", pmd + "; client_max_window_bits; client_max_window_bits=9",
		pmd + "; client_max_window_bits; client_max_window_bits",
		pmd + "; server_max_window_bits", pmd + "; server_max_window_bits=", pmd + `; server_max_window_bits=""`, pmd + "; client_max_window_bits=",
		pmd + `; server_max_window_bits="10`, pmd + `; server_max_window_bits="10"0`, pmd + `; server_max_window_bits="1 0"`, pmd + `; server_max_window_bits="10\`,
		pmd + "; server_max_window_bits=1 0", pmd + "; server_max_window_bits=10=10",
	}
	for _, bits := range []string{"0", "7", "16", "08", "015", "009", "+9", "-9", "9.0", "1e1", "0x9", "100", "256", "264", "4294967304", "١٢", "99999999999999999999", "a", "9a", "1:"} {
		offers = append(offers, pmd+"; server_max_window_bits="+bits, pmd+"; client_max_window_bits="+bits)
	}
	for _, d := range []*Deflate{{}, {Takeover: true}} {
		for _, offer := range offers {
			if _, response, ok := d.answer([]string{offer}); ok || response != "" {
				t.Errorf("%q was accepted: %q", offer, response)
			}
			if _, _, ok := d.answer([]string{offer, pmd}); !ok {
				t.Errorf("after %q a good offer was declined", offer)
			}
		}
		if _, _, ok := d.answer(nil); ok {
			t.Error("no offer was accepted")
		}
	}
}

// TestDeflateOffer: what a client offers.
func TestDeflateOffer(t *testing.T) {
	const first = pmd + "; client_max_window_bits"
	for _, c := range []struct {
		d    *Deflate
		want string
	}{
		{&Deflate{}, first + "; " + cn + "; " + sn},
		{&Deflate{Takeover: true}, first + "; server_max_window_bits=12, " + first + "; " + sn},
		{&Deflate{Takeover: true, PeerWindow: 15}, first},
		{&Deflate{Takeover: true, PeerWindow: 9, Dictionary: -1}, first + "; " + cn + "; server_max_window_bits=9, " + first + "; " + cn + "; " + sn},
	} {
		if got := c.d.offer(); got != c.want {
			t.Errorf("%+v: offer %q, want %q", *c.d, got, c.want)
		}
	}
}

// TestDeflateAccepted: the responses a client takes and those at which it must
// fail the connection. RFC 7692 sections 5 and 7.1.
func TestDeflateAccepted(t *testing.T) {
	plain, takeover := &Deflate{}, &Deflate{Takeover: true}
	for _, c := range []struct {
		d        *Deflate
		response string // headers divided by |
		err      error
		p        deflateParams // with err == nil; zero is not negotiated
	}{
		{plain, "", nil, deflateParams{}},
		{plain, pmd + "; " + sn, nil, deflateParams{true, true, 15, 15}},
		{plain, pmd + "; " + sn + "; client_max_window_bits=9", nil, deflateParams{true, true, 15, 9}},
		{plain, pmd + "; server_max_window_bits=8; " + sn + "; " + cn, nil, deflateParams{true, true, 8, 15}},
		{takeover, pmd + "; server_max_window_bits=12", nil, deflateParams{false, false, 12, 15}},
		{takeover, pmd + "; server_max_window_bits=9; " + cn, nil, deflateParams{false, true, 9, 15}},
		{takeover, pmd + "; " + sn + "; client_max_window_bits=15", nil, deflateParams{true, false, 15, 15}},
		{takeover, pmd + `; server_max_window_bits="10"`, nil, deflateParams{false, false, 10, 15}},
		{&Deflate{Takeover: true, PeerWindow: 15}, pmd, nil, deflateParams{false, false, 15, 15}},

		{plain, pmd, errDeflateAnswer, deflateParams{}}, // a flag that was offered is accepted by naming it
		{takeover, pmd, errDeflateAnswer, deflateParams{}},
		{takeover, pmd + "; server_max_window_bits=13", errDeflateAnswer, deflateParams{}},
		{plain, pmd + "; " + sn + "; client_max_window_bits", errDeflateTerms, deflateParams{}},
		{plain, pmd + "; " + sn + "; client_max_window_bits=16", errDeflateTerms, deflateParams{}},
		{plain, pmd + "; " + sn + "; server_max_window_bits=08", errDeflateTerms, deflateParams{}},
		{plain, pmd + "; " + sn + "; server_max_window_bits", errDeflateTerms, deflateParams{}},
		{plain, pmd + "; " + sn + "; " + sn, errDeflateTerms, deflateParams{}},
		{plain, pmd + "; " + sn + "=1", errDeflateTerms, deflateParams{}},
		{plain, pmd + "; " + sn + "; what", errDeflateTerms, deflateParams{}},
		{plain, "x-foo", errExtension, deflateParams{}},
		{plain, pmd + "; " + sn + ", x-foo", errExtension, deflateParams{}},
		{plain, pmd + "; " + sn + "|" + pmd + "; " + sn, errExtension, deflateParams{}},
		{plain, pmd + ";", errExtensionText, deflateParams{}},
		{plain, pmd + `; a="`, errExtensionText, deflateParams{}},
	} {
		p, ok, err := c.d.accepted(strings.Split(c.response, "|"))
		if err != c.err || ok != (err == nil && c.response != "") || err == nil && p != c.p {
			t.Errorf("%+v: response %q: %+v, %v, %v; want %+v, %v", *c.d, c.response, p, ok, err, c.p, c.err)
		}
	}
}

// TestDeflateBothSides: whatever the settings, our client takes what our server
// answers, and both mean the same.
func TestDeflateBothSides(t *testing.T) {
	var all []*Deflate
	for _, bits := range []int{0, 8, 11, 15} {
		for _, dict := range []int{0, -1, 8192} {
			all = append(all, &Deflate{}, &Deflate{Takeover: true, PeerWindow: bits, Dictionary: dict})
		}
	}
	for _, server := range all {
		for _, client := range all {
			p, response, ok := server.answer([]string{client.offer()})
			q, agreed, err := client.accepted([]string{response})
			if !ok || !agreed || err != nil {
				t.Fatalf("server %+v, client %+v: %q, %q: %v", *server, *client, client.offer(), response, err)
			}
			q.clientNoTakeover = p.clientNoTakeover // a client may do without although it was not told
			if p != q {
				t.Errorf("server %+v, client %+v: %q means %+v and %+v", *server, *client, response, p, q)
			}
		}
	}
}

// FuzzDeflateOffer: whatever is offered, a response is one that RFC 7692 allows
// and that the client's side can read.
func FuzzDeflateOffer(f *testing.F) {
	f.Add(pmd+"; client_max_window_bits; server_max_window_bits=10", true, 12)
	f.Add(pmd+`; server_max_window_bits="\9", `+pmd, false, 0)
	f.Add(`a;b="c\"d,", `+pmd+"; "+sn+";"+cn, true, 15)
	f.Fuzz(func(t *testing.T, header string, takeover bool, bits int) {
		d := &Deflate{Takeover: takeover, PeerWindow: bits}
		p, response, ok := d.answer([]string{header})
		if !ok {
			return
		}
		if !strings.Contains(header, pmd) {
			t.Fatalf("answer %q to %q", response, header)
		}
		e, valid := parseExtension(response)
		terms, err := parseDeflateTerms(e.params)
		switch {
		case !valid || err != nil || e.name != pmd:
			t.Fatalf("illegal answer %q: %v", response, err)
		case terms.clientMax && (terms.clientBits == 0 || !strings.Contains(header, clientMaxWindow)):
			t.Fatalf("answer %q to %q", response, header)
		case strings.Contains(response, serverMaxWindow) != (terms.serverBits > 0), terms.serverBits > 0 && p.serverBits != terms.serverBits:
			t.Fatalf("answer %q means %+v", response, p)
		case p.serverNoTakeover != terms.serverNoTakeover, p.clientNoTakeover != terms.clientNoTakeover:
			t.Fatalf("answer %q means %+v", response, p)
		case !p.clientNoTakeover && p.clientBits > d.peerWindow():
			t.Fatalf("answer %q lets the client have %d bits", response, p.clientBits)
		}
	})
}
