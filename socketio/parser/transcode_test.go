package parser

import (
	"bytes"
	"encoding/hex"
	"errors"
	"math"
	"testing"
)

// The forms of MessagePack differ in integers that JavaScript does not hold
// exactly, and in how extensions are read.
func TestMsgpackForms(t *testing.T) {
	write := func(form MsgpackForm, text string) string {
		return hex.EncodeToString(AppendMsgpack(nil, form, Args{JSON: []byte(text)}))
	}
	for _, c := range []struct{ text, notepack, js string }{
		{"9007199254740991", "cf001fffffffffffff", "cf001fffffffffffff"},
		{"9007199254740992", "cf0020000000000000", "cb4340000000000000"},
		{"9007199254740993", "cf0020000000000001", "cf0020000000000001"},
		{"-9007199254740992", "d3ffe0000000000000", "cbc340000000000000"},
		{"-9007199254740993", "d3ffdfffffffffffff", "d3ffdfffffffffffff"},
		{"9223372036854776000", "cf80000000000000c0", "cb43e0000000000000"}, // as JavaScript prints 2^63
		{"18446744073709551615", "cfffffffffffffffff", "cfffffffffffffffff"},
		{"1e16", "cf002386f26fc10000", "cb4341c37937e08000"},
		{"1e300", "cb7e37e43c8800759c", "cb7e37e43c8800759c"},
		{"-1e300", "cbfe37e43c8800759c", "cbfe37e43c8800759c"},
		{"1.5", "cb3ff8000000000000", "cb3ff8000000000000"},
		{"1.0", "01", "01"},
	} {
		for form, want := range map[MsgpackForm]string{Notepack2: c.notepack, Notepack3: c.notepack, MsgpackJS: c.js} {
			if got := write(form, c.text); got != want {
				t.Errorf("%s in form %d: %s, want %s", c.text, form, got, want)
			}
		}
	}
	const bin = `{"_placeholder":true,"num":0}`
	for _, c := range []struct{ wire, two, three, js string }{
		{"d40000", `null`, `null`, `{"type":0,"data":` + bin + `}`},
		{"91d40000", `[null]`, `[null]`, `[{"type":0,"data":` + bin + `}]`},
		{"81a161d40000", `{}`, `{}`, `{"a":{"type":0,"data":` + bin + `}}`},
		{"d7000000018bcfe56800", `"2023-11-14T22:13:20.000Z"`, `"2023-11-14T22:13:20.000Z"`, `{"type":0,"data":` + bin + `}`},
		{"c7010001", bin, bin, `{"type":0,"data":` + bin + `}`},
		{"d6ff6553f100", `[-1,` + bin + `]`, `"2023-11-14T22:13:20.000Z"`, `"2023-11-14T22:13:20.000Z"`},
		{"d7ff1d5353006553f100", `[-1,` + bin + `]`, `"2023-11-14T22:13:20.123Z"`, `"2023-11-14T22:13:20.123Z"`},
		{"c70cff1dcd6500fffffffffffffffe", `[-1,` + bin + `]`, `"1969-12-31T23:59:58.500Z"`, `"1969-12-31T23:59:58.500Z"`},
		{"d4ff00", `[-1,` + bin + `]`, `[-1,` + bin + `]`, `{"type":-1,"data":` + bin + `}`},
	} {
		for form, want := range map[MsgpackForm]string{Notepack2: c.two, Notepack3: c.three, MsgpackJS: c.js} {
			text, att, rest, err := AppendMsgpackText([]byte("pre"), nil, form, append(unhex(t, c.wire), 7, 8), 1)
			if err != nil || string(text) != "pre"+want || len(rest) != 2 || (len(att) == 1) != bytes.Contains(text, []byte("_placeholder")) {
				t.Errorf("%s in form %d: %s %q %x, %v; want %s", c.wire, form, text, att, rest, err, want)
			}
		}
	}
}

// After an error nothing is appended.
func TestAppendMsgpackTextError(t *testing.T) {
	for in, want := range map[string]*Error{"": errMsgpack, "93c40101": errMsgpack, "92c400c400": errTooMany, "c1": errMsgpack} {
		text, att, _, err := AppendMsgpackText([]byte("["), [][]byte{nil}, MsgpackJS, unhex(t, in), 2)
		if string(text) != "[" || len(att) != 1 || !errors.Is(err, want) {
			t.Errorf("%s: %s %q, %v", in, text, att, err)
		}
	}
}

func TestMsgpackTimestamp(t *testing.T) {
	for body, want := range map[string]int64{
		"00000000": 0, "ffffffff": 4294967295000, "ee2e1f03ffffffff": 17179869183999, "3b9ac9fffffffffffffffffe": -1000,
		"000000017fffffffffffffff": math.MaxInt64, "00000000ffe151d1f5fd8c00": math.MaxInt64,
	} {
		if ms, ok := MsgpackTimestamp(unhex(t, body)); !ok || ms != want {
			t.Errorf("%s is %d, %v", body, ms, ok)
		}
	}
	for _, body := range []string{"", "00", "0000000000", "00000000000000000000000000"} {
		if ms, ok := MsgpackTimestamp(unhex(t, body)); ok {
			t.Errorf("%s is %d", body, ms)
		}
	}
}

func TestArgsAppendJSON(t *testing.T) {
	mark := func(dst, b []byte) []byte { return append(append(append(dst, '<'), b...), '>') }
	const zero = `{"_placeholder":true,"num":0}`
	for _, c := range []struct {
		text string
		att  [][]byte
		want string
	}{
		{`["e",` + zero + `]`, nil, `["e",` + zero + `]`},
		{`["e",` + zero + `,{"a":[` + zero + `,{"_placeholder":true,"num":1}]}]`, [][]byte{[]byte("a"), nil}, `["e",<a>,{"a":[<a>,<>]}]`},
		{`["{\"_placeholder\":true,\"num\":0}",{"_placeholder":true,"num":7}]`, [][]byte{nil}, `["{\"_placeholder\":true,\"num\":0}",{"_placeholder":true,"num":7}]`},
		{`["e",` + zero + `,"half`, [][]byte{nil}, `["e",<>,"half`},
		{``, [][]byte{nil}, ``},
	} {
		if got := (Args{JSON: []byte(c.text), Attachments: c.att}).AppendJSON([]byte("pre"), mark); string(got) != "pre"+c.want {
			t.Errorf("%s: %s", c.text, got)
		}
	}
}

func TestArgsFirst(t *testing.T) {
	att := [][]byte{[]byte("x")}
	for _, c := range []struct {
		text, want string
		binary     bool
	}{
		{`[]`, ``, false}, {``, ``, false}, {`{"a":1}`, ``, false},
		{`[1,{"_placeholder":true,"num":0}]`, `1`, false},
		{`["{\"_placeholder\":true,\"num\":0}"]`, `"{\"_placeholder\":true,\"num\":0}"`, false},
		{`[[{"_placeholder":true,"num":0}],1]`, `[{"_placeholder":true,"num":0}]`, true},
	} {
		first, ok := (Args{JSON: []byte(c.text), Attachments: att}).First()
		if string(first.JSON) != c.want || ok != (c.want != "") || (first.Attachments != nil) != c.binary {
			t.Errorf("%s: %s %q %v", c.text, first.JSON, first.Attachments, ok)
		}
	}
}

// The small exported pieces.
func TestTextPieces(t *testing.T) {
	if end, err := SkipJSON([]byte(` [1,{"a":"]"}] 2`), 0); end != 14 || err != nil {
		t.Errorf("skipped to %d, %v", end, err)
	}
	var e *Error
	if end, err := SkipJSON([]byte(`12[1,`), 2); end != 2 || !errors.As(err, &e) {
		t.Errorf("skipped to %d, %v", end, err)
	}
	got := AppendUnquoted(nil, []byte(`"a\u0041\n"`))
	got = AppendString(append(got, ' '), "\x00\"")
	got = AppendFloat(append(got, ' '), 1e21)
	got = AppendDate(append(got, ' '), 0)
	if want := "aA\n \"\\u0000\\\"\" 1e+21 \"1970-01-01T00:00:00.000Z\""; string(got) != want {
		t.Errorf("got %s, want %s", got, want)
	}
}
