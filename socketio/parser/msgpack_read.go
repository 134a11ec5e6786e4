package parser

import (
	"encoding/binary"
	"math"
	"strconv"
	"time"

	"github.com/tinylib/msgp/msgp"
)

// unpacker turns MessagePack into JSON text with placeholders. Recursion is
// bounded by maxDepth; nothing is allocated by an announced length.
type unpacker struct {
	in             []byte // what is still to be read
	out            []byte
	att            [][]byte // copies
	maxAttachments int
	form           MsgpackForm
}

// value appends the next value, which lies within depth containers.
func (u *unpacker) value(depth int) *Error {
	switch msgp.NextType(u.in) {
	case msgp.StrType:
		s, err := u.bytes()
		if err != nil {
			return err
		}
		u.out = appendQuoted(u.out, s)
		return nil
	case msgp.MapType:
		return u.object(depth + 1)
	case msgp.ArrayType:
		return u.array(depth + 1)
	case msgp.BinType:
		b, err := u.bytes()
		if err != nil {
			return err
		}
		return u.attach(b)
	case msgp.IntType, msgp.UintType, msgp.Float32Type, msgp.Float64Type:
		n, err := u.number()
		if err != nil {
			return err
		}
		u.out = n.append(u.out)
		return nil
	case msgp.BoolType:
		b, rest, err := msgp.ReadBoolBytes(u.in)
		if err != nil {
			return errMsgpack
		}
		u.in, u.out = rest, strconv.AppendBool(u.out, b)
		return nil
	case msgp.NilType:
		u.in, u.out = u.in[1:], append(u.out, "null"...)
		return nil
	case msgp.InvalidType:
		return errMsgpack
	}
	return u.extension()
}

// bytes reads the next value, a str or a bin. It aliases the message.
func (u *unpacker) bytes() (b []byte, err *Error) {
	// An int of 32 bits does not hold each length that may be announced.
	if c := u.in[0]; (c == str32 || c == bin32) && (len(u.in) < 5 || uint64(binary.BigEndian.Uint32(u.in[1:])) > uint64(len(u.in))) {
		return nil, errMsgpack
	}
	read := msgp.ReadStringZC
	if msgp.NextType(u.in) == msgp.BinType {
		read = msgp.ReadBytesZC
	}
	b, rest, bad := read(u.in)
	if bad != nil {
		return nil, errMsgpack
	}
	u.in = rest
	return b, nil
}

const (
	bin32    = 0xc6
	ext8     = 0xc7
	ext16    = 0xc8
	ext32    = 0xc9
	fixExt1  = 0xd4
	fixExt8  = 0xd7
	fixExt16 = 0xd8
	str32    = 0xdb
)

// attach appends a placeholder for b, and a copy of b to the attachments.
func (u *unpacker) attach(b []byte) *Error {
	if len(u.att) >= u.maxAttachments {
		return errTooMany
	}
	own := make([]byte, len(b))
	copy(own, b)
	u.out = appendPlaceholder(u.out, len(u.att))
	u.att = append(u.att, own)
	return nil
}

func (u *unpacker) array(depth int) *Error {
	n, rest, bad := msgp.ReadArrayHeaderBytes(u.in)
	if bad != nil {
		return errMsgpack
	}
	if depth > maxDepth {
		return errDepth
	}
	u.in, u.out = rest, append(u.out, '[')
	for i := range n {
		if i > 0 {
			u.out = append(u.out, ',')
		}
		if u.undefined() {
			u.out = append(u.out, "null"...)
		} else if err := u.value(depth); err != nil {
			return err
		}
	}
	u.out = append(u.out, ']')
	return nil
}

func (u *unpacker) object(depth int) *Error {
	n, rest, bad := msgp.ReadMapHeaderBytes(u.in)
	if bad != nil {
		return errMsgpack
	}
	if depth > maxDepth {
		return errDepth
	}
	u.in, u.out = rest, append(u.out, '{')
	first := len(u.out)
	for ; n > 0; n-- {
		before := len(u.out)
		if before > first {
			u.out = append(u.out, ',')
		}
		if err := u.key(); err != nil {
			return err
		}
		u.out = append(u.out, ':')
		if u.undefined() {
			u.out = u.out[:before]
		} else if err := u.value(depth); err != nil {
			return err
		}
	}
	u.out = append(u.out, '}')
	return nil
}

// key appends the next value as the name of a member.
func (u *unpacker) key() *Error {
	if u.undefined() {
		u.out = append(u.out, `"undefined"`...)
		return nil
	}
	switch msgp.NextType(u.in) {
	case msgp.StrType, msgp.BinType:
		s, err := u.bytes()
		if err != nil {
			return err
		}
		if string(s) == "_placeholder" {
			// A member of this name is data, not ours: an escape keeps it apart.
			u.out = append(u.out, `"\u005fplaceholder"`...)
			return nil
		}
		u.out = appendQuoted(u.out, s)
	case msgp.IntType, msgp.UintType, msgp.Float32Type, msgp.Float64Type:
		n, err := u.number()
		if err != nil {
			return err
		}
		u.out = append(n.appendText(append(u.out, '"')), '"')
	case msgp.BoolType, msgp.NilType:
		u.out = append(u.out, '"')
		if err := u.value(0); err != nil {
			return err
		}
		u.out = append(u.out, '"')
	case msgp.InvalidType:
		return errMsgpack
	default:
		return errMapKey
	}
	return nil
}

// number is a number of any form: an integer by sign and amount, or a float that
// has a fraction or is too large for them.
type number struct {
	abs      uint64
	negative bool
	float    bool
	f        float64
}

func (u *unpacker) number() (n number, err *Error) {
	var (
		rest []byte
		bad  error
	)
	switch msgp.NextType(u.in) {
	case msgp.UintType:
		n.abs, rest, bad = msgp.ReadUint64Bytes(u.in)
	case msgp.IntType:
		var i int64
		i, rest, bad = msgp.ReadInt64Bytes(u.in)
		n = ofInt(i)
	case msgp.Float32Type:
		var f float32
		f, rest, bad = msgp.ReadFloat32Bytes(u.in)
		n = ofFloat(float64(f))
	case msgp.Float64Type:
		var f float64
		f, rest, bad = msgp.ReadFloat64Bytes(u.in)
		n = ofFloat(f)
	default:
		return n, errMsgpack
	}
	if bad != nil {
		return n, errMsgpack
	}
	u.in = rest
	return n, nil
}

func ofInt(i int64) number {
	if i < 0 {
		return number{abs: -uint64(i), negative: true}
	}
	return number{abs: uint64(i)}
}

// ofFloat keeps integers as such that a float holds exactly.
func ofFloat(f float64) number {
	if f == math.Trunc(f) && math.Abs(f) <= 1<<53 {
		return ofInt(int64(f))
	}
	return number{float: true, f: f}
}

// append appends n as JSON.
func (n number) append(dst []byte) []byte {
	if n.float {
		return appendFloat(dst, n.f, 64)
	}
	if n.negative {
		dst = append(dst, '-')
	}
	return strconv.AppendUint(dst, n.abs, 10)
}

// appendText appends n as JavaScript's String does.
func (n number) appendText(dst []byte) []byte {
	switch {
	case n.float && math.IsNaN(n.f):
		return append(dst, "NaN"...)
	case n.float && math.IsInf(n.f, 1):
		return append(dst, "Infinity"...)
	case n.float && math.IsInf(n.f, -1):
		return append(dst, "-Infinity"...)
	}
	return n.append(dst)
}

// undefined takes the next value if it is notepack.io's form of undefined.
func (u *unpacker) undefined() bool {
	if len(u.in) < 3 || u.in[0] != fixExt1 || u.in[1] != 0 || u.form == MsgpackJS {
		return false
	}
	u.in = u.in[3:]
	return true
}

// extension appends an extension type, by the table at MsgPack.
func (u *unpacker) extension() *Error {
	header, n := u.extensionSize()
	if header == 0 || uint64(len(u.in)) < uint64(header)+n {
		return errMsgpack
	}
	lead, typ := u.in[0], int8(u.in[header-1])
	body := u.in[header : header+int(n)]
	u.in = u.in[header+int(n):]
	if ms, ok := u.timestamp(typ, body); ok {
		u.out = appendDate(u.out, ms)
		return nil
	}
	if u.form == MsgpackJS {
		u.out = strconv.AppendInt(append(u.out, `{"type":`...), int64(typ), 10)
		u.out = append(u.out, `,"data":`...)
		if err := u.attach(body); err != nil {
			return err
		}
		u.out = append(u.out, '}')
		return nil
	}
	switch {
	case typ == 0 && lead == fixExt1: // undefined outside of containers
		u.out = append(u.out, "null"...)
		return nil
	case typ == 0 && lead == fixExt8:
		u.out = appendDate(u.out, int64(binary.BigEndian.Uint64(body)))
		return nil
	case typ == 0 && lead <= ext32: // ArrayBuffer
		return u.attach(body)
	}
	u.out = strconv.AppendInt(append(u.out, '['), int64(typ), 10)
	u.out = append(u.out, ',')
	if err := u.attach(body); err != nil {
		return err
	}
	u.out = append(u.out, ']')
	return nil
}

// extensionSize returns the length of the header, whose last byte is the type,
// and of the body; 0 if the header is not there.
func (u *unpacker) extensionSize() (header int, n uint64) {
	b := u.in
	switch c := b[0]; {
	case c >= fixExt1 && c <= fixExt16 && len(b) >= 2:
		return 2, 1 << (c - fixExt1)
	case c == ext8 && len(b) >= 3:
		return 3, uint64(b[1])
	case c == ext16 && len(b) >= 4:
		return 4, uint64(binary.BigEndian.Uint16(b[1:]))
	case c == ext32 && len(b) >= 6:
		return 6, uint64(binary.BigEndian.Uint32(b[1:]))
	}
	return 0, 0
}

// timestamp reports whether an extension is a date, and which.
func (u *unpacker) timestamp(typ int8, body []byte) (ms int64, ok bool) {
	if typ != -1 || u.form == Notepack2 {
		return 0, false
	}
	return MsgpackTimestamp(body)
}

// MsgpackTimestamp returns the milliseconds since 1970 of the body of a timestamp,
// MessagePack's extension -1, as JavaScript's Date has them. What is out of the
// range of a Date is beyond it here too. ok is false if the body is not 4, 8 or 12
// bytes long.
func MsgpackTimestamp(body []byte) (ms int64, ok bool) {
	var s, ns int64
	switch len(body) {
	case 4:
		s = int64(binary.BigEndian.Uint32(body))
	case 8:
		v := binary.BigEndian.Uint64(body)
		s, ns = int64(v&(1<<34-1)), int64(v>>34)
	case 12:
		s, ns = int64(binary.BigEndian.Uint64(body[4:])), int64(binary.BigEndian.Uint32(body))
	default:
		return 0, false
	}
	if s < -dateLimit/1000 || s > dateLimit/1000 {
		return math.MaxInt64, true // an invalid Date
	}
	if ms = s*1000 + ns/1e6; ms < 0 && ns%1e6 != 0 {
		ms++ // a Date drops the fraction
	}
	return ms, true
}

// dateLimit is the last Date of JavaScript, in milliseconds.
const dateLimit = 8_640_000_000_000_000

// appendDate appends a Date as its toJSON does; ms is since 1970.
func appendDate(dst []byte, ms int64) []byte {
	if ms < -dateLimit || ms > dateLimit {
		return append(dst, "null"...)
	}
	t := time.UnixMilli(ms).UTC()
	dst = append(dst, '"')
	year := t.Year()
	if year < 0 || year > 9999 {
		sign := byte('+')
		if year < 0 {
			sign, year = '-', -year
		}
		dst = append(dst, sign)
		dst = append(dst, strconv.Itoa(1_000_000 + year)[1:]...)
	} else {
		dst = append(dst, strconv.Itoa(10_000 + year)[1:]...)
	}
	return t.AppendFormat(dst, `-01-02T15:04:05.000Z"`)
}
