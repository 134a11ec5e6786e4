package rest

import (
	"bytes"
	"encoding/binary"
	"encoding/json"
	"testing"

	"github.com/hermod-io/hermod/internal/alloctest"
	"github.com/hermod-io/hermod/internal/mormotvectors"
)

func TestVaruintVectors(t *testing.T) {
	var f struct {
		Vectors []struct {
			Value uint64
			Hex   string
		}
	}
	mormotvectors.Load(t, "varuint32", &f)
	for _, v := range f.Vectors {
		want := mormotvectors.Hex(t, v.Hex)
		if got := binary.AppendUvarint(nil, v.Value); !bytes.Equal(got, want) {
			t.Errorf("%d: got %x, want %x", v.Value, got, want)
		}
		if n, k := uvarint32(want); n != v.Value || k != len(want) {
			t.Errorf("%x: got %d of %d bytes", want, n, k)
		}
	}
}

type messageVector struct {
	Kind, Protocol       string
	Method, URL, Headers string
	ContentType          string
	BodyDesc             string `json:"body"`
	BodyHexText          string `json:"body_hex"`
	NoAnswer             bool
	Status               int
	RequestHead          string `json:"request_head"`
	AnswerHead           string `json:"answer_head"`
	PayloadLen           int    `json:"payload_len"`
	PayloadHex           string `json:"payload_hex"`
	PayloadSHA256        string `json:"payload_sha256"`
	Head                 string
	DecodedOK            bool   `json:"decoded_ok"`
	DecodedNoAnswer      bool   `json:"decoded_noanswer"`
	DecodedMethod        string `json:"decoded_method"`
	DecodedURL           string `json:"decoded_url"`
	DecodedHeaders       string `json:"decoded_headers"`
	DecodedContentType   string `json:"decoded_contenttype"`
	DecodedBodyHex       string `json:"decoded_body_hex"`
	DecodedStatus        int    `json:"decoded_status"`
}

func (v *messageVector) format() format {
	if v.Protocol == "synopsejson" {
		return jsonFormat{}
	}
	return binaryFormat{}
}

func (v *messageVector) requestHead() string {
	if v.Protocol == "synopsebin" {
		return sequenced('r', 1)
	}
	return "request"
}

func messageVectors(t *testing.T, kind string) (list []messageVector) {
	var f struct{ Vectors []messageVector }
	mormotvectors.Load(t, "messages", &f)
	for _, v := range f.Vectors {
		if v.Kind == kind {
			list = append(list, v)
		}
	}
	if len(list) == 0 {
		t.Fatal("no vectors")
	}
	return list
}

// checkPayload compares what we encode with the recording. Of synopsejson that
// was made after the reference's decoder had written zeros over the separators
// and unescaped strings in place: there, the length and what is not zero counts.
func checkPayload(t *testing.T, v *messageVector, got []byte) {
	t.Helper()
	if len(got) != v.PayloadLen {
		t.Errorf("%+v\n%d bytes, want %d: %.200q", v, len(got), v.PayloadLen, got)
		return
	}
	if v.Protocol != "synopsejson" {
		mormotvectors.Check(t, v.Kind+" "+v.Protocol, got, v.PayloadHex, v.PayloadSHA256)
		return
	}
	if bytes.ContainsRune(got, '\\') {
		return
	}
	for i, c := range mormotvectors.Hex(t, v.PayloadHex) {
		if c != 0 && c != got[i] {
			t.Errorf("%+v\ngot %q: byte %d is %q, want %q", v, got, i, got[i], c)
			return
		}
	}
}

// claimsJSON reports whether content is said to be JSON and is not. The reference
// then sends a frame that no peer can read.
func claimsJSON(contentType string, content []byte) bool {
	return (contentType == "" || isJSON(contentType)) && len(content) > 0 && !json.Valid(content)
}

func TestRequestVectors(t *testing.T) {
	for _, v := range messageVectors(t, "request") {
		body := mormotvectors.Expand(t, v.BodyDesc, v.BodyHexText)
		r := Request{v.Method, v.URL, v.Headers, v.NoAnswer, v.ContentType, body}
		got := v.format().append(nil, r.message(v.requestHead()), 4)
		if v.Protocol == "synopsejson" && claimsJSON(v.ContentType, body) {
			if !json.Valid(got) {
				t.Errorf("content that is no JSON breaks the frame: %s", got)
			}
			continue
		}
		if v.Protocol != "synopsejson" || string(body) != "\x00" { // of which the reference makes an empty string
			checkPayload(t, &v, got)
		}
		m, err := v.format().parse(got)
		if err != nil || m.head != v.requestHead() || answerHead(m.head) != v.AnswerHead {
			t.Errorf("%.100q: head %q, %v", got, m.head, err)
			continue
		}
		back := m.request()
		if back.Method != v.DecodedMethod || back.URL != v.DecodedURL || back.Header != v.DecodedHeaders ||
			back.NoAnswer != v.DecodedNoAnswer || !bytes.Equal(trim(back.Content), trim(body)) {
			t.Errorf("%.100q: got %+v", got, back)
		}
		if len(body) > 0 && back.ContentType != v.DecodedContentType {
			t.Errorf("%.100q: content type %q, want %q", got, back.ContentType, v.DecodedContentType)
		}
	}
}

// trim takes the blanks off that JSON may have around it.
func trim(b []byte) []byte { return bytes.Trim(b, " ") }

func TestAnswerVectors(t *testing.T) {
	for _, v := range messageVectors(t, "answer") {
		body := mormotvectors.Expand(t, v.BodyDesc, v.BodyHexText)
		a := Answer{v.Status, v.Headers, v.ContentType, body}
		got := v.format().append(nil, a.message(answerHead(v.RequestHead)), 2)
		if v.Protocol == "synopsejson" && claimsJSON(v.ContentType, body) {
			continue
		}
		checkPayload(t, &v, got)
		m, err := v.format().parse(got)
		if err != nil {
			t.Errorf("%.100q: %v", got, err)
			continue
		}
		back, err := m.answer()
		if err != nil || back.Status != v.DecodedStatus || back.Header != v.DecodedHeaders || !bytes.Equal(back.Content, body) {
			t.Errorf("%.100q: got %+v, %v", got, back, err)
		}
	}
}

func TestDecodeVectors(t *testing.T) {
	for _, v := range messageVectors(t, "decode_request") {
		in := mormotvectors.Hex(t, v.PayloadHex)
		m, err := v.format().parse(in)
		if ok := err == nil && isRequest(m.head); ok != v.DecodedOK {
			t.Errorf("%q: %v, want %v", in, err, v.DecodedOK)
			continue
		}
		if !v.DecodedOK {
			continue
		}
		r := m.request()
		want := bytes.TrimRight(mormotvectors.Hex(t, v.DecodedBodyHex), " ")
		if string(want) == `""` { // the reference hands the two quotes on
			want = nil
		}
		if m.head != v.Head || r.Method != v.DecodedMethod || r.URL != v.DecodedURL || r.Header != v.DecodedHeaders ||
			r.NoAnswer != v.DecodedNoAnswer || !bytes.Equal(r.Content, want) {
			t.Errorf("%q: got %q %+v, want %+v", in, m.head, r, v)
		}
		if len(want) > 0 && r.ContentType != v.DecodedContentType {
			t.Errorf("%q: content type %q, want %q", in, r.ContentType, v.DecodedContentType)
		}
	}
	for _, v := range messageVectors(t, "decode_answer") {
		in := mormotvectors.Hex(t, v.PayloadHex)
		m, err := v.format().parse(in)
		var a *Answer
		if err == nil {
			a, err = m.answer()
		}
		if err != nil {
			a = &Answer{Status: 404} // what the caller is told
		}
		want := mormotvectors.Hex(t, v.DecodedBodyHex)
		if string(want) == `""` {
			want = nil
		}
		if a.Status != v.DecodedStatus || a.Header != v.DecodedHeaders || !bytes.Equal(a.Content, want) {
			t.Errorf("%q: got %+v, %v, want %+v", in, a, err, v)
		}
	}
}

// What a call costs in memory on the wire's side is what it keeps: the frame, and
// the strings of the message.
func TestCodecAllocs(t *testing.T) {
	r := Request{"GET", "some/thing?id=1", "X-A: 1", false, "text/plain", []byte("content")}
	for _, tt := range []struct {
		f              format
		append, decode float64
	}{{jsonFormat{}, 0, 7}, {binaryFormat{}, 0, 5}} {
		m := r.message(sequenced('r', 1))
		frame := tt.f.append(nil, m, 4)
		buf := make([]byte, 0, 2*len(frame))
		if n := alloctest.PerRun(100, func() { buf = tt.f.append(buf[:0], m, 4) }); n > tt.append {
			t.Errorf("%T: append allocates %v times", tt.f, n)
		}
		if n := alloctest.PerRun(100, func() { _, _ = tt.f.parse(frame) }); n > tt.decode {
			t.Errorf("%T: parse allocates %v times", tt.f, n)
		}
	}
}
