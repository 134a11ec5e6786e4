package parser

import (
	"encoding"
	"errors"
	"math"
	"reflect"
	"time"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
)

// class says how much of the library a type needs.
type class uint8

const (
	// classPlain: neither binary values nor floats nor interfaces within.
	classPlain class = iota
	// classExact: []byte, any, time.Duration, and when encoding float64 and
	// float32, for which functions of exactly these types are enough.
	classExact
	// classSpecial: named types of these kinds, or interfaces with methods; a
	// function is asked about every value.
	classSpecial
)

var (
	bytesType   = reflect.TypeFor[[]byte]()
	anyType     = reflect.TypeFor[any]()
	float64Type = reflect.TypeFor[float64]()
	float32Type = reflect.TypeFor[float32]()

	durationType = reflect.TypeFor[time.Duration]()
)

// The methods by which a type encodes or decodes itself.
var (
	marshalMethods = []reflect.Type{
		reflect.TypeFor[json.Marshaler](), reflect.TypeFor[encoding.TextAppender](), reflect.TypeFor[encoding.TextMarshaler](),
	}
	unmarshalMethods = []reflect.Type{
		reflect.TypeFor[json.Unmarshaler](), reflect.TypeFor[encoding.TextUnmarshaler](),
	}
	marshalerTo     = reflect.TypeFor[json.MarshalerTo]()
	unmarshalerFrom = reflect.TypeFor[json.UnmarshalerFrom]()
)

func (c *codec) encodeClassOf(t reflect.Type) class {
	if v, ok := c.encodeClass.Load(t); ok {
		return v.(class)
	}
	a := analysis{encode: true, opaque: marshalMethods, streamed: marshalerTo, seen: map[reflect.Type]bool{}}
	a.visit(t)
	c.encodeClass.Store(t, a.class)
	return a.class
}

func (c *codec) decodeClassOf(t reflect.Type) class {
	if v, ok := c.decodeClass.Load(t); ok {
		return v.(class)
	}
	a := analysis{opaque: unmarshalMethods, streamed: unmarshalerFrom, seen: map[reflect.Type]bool{}}
	a.visit(t)
	c.decodeClass.Store(t, a.class)
	return a.class
}

// analysis finds the class of a type by walking over what it is made of.
type analysis struct {
	encode   bool
	opaque   []reflect.Type
	streamed reflect.Type
	seen     map[reflect.Type]bool
	class    class
}

func (a *analysis) needs(c class) { a.class = max(a.class, c) }

func (a *analysis) visit(t reflect.Type) {
	if a.class == classSpecial || a.seen[t] {
		return
	}
	a.seen[t] = true
	if implements(t, a.streamed) {
		a.needs(classSpecial)
		return
	}
	if t.Kind() != reflect.Interface && hasMethods(t, a.opaque) {
		return
	}
	switch t.Kind() {
	case reflect.Int64:
		if t == durationType {
			a.needs(classExact)
		}
	case reflect.Float32, reflect.Float64:
		switch {
		case !a.encode:
		case t == float64Type || t == float32Type:
			a.needs(classExact)
		default:
			a.needs(classSpecial)
		}
	case reflect.Interface:
		if t == anyType {
			a.needs(classExact)
			return
		}
		a.needs(classSpecial)
	case reflect.Slice:
		switch {
		case t == bytesType:
			a.needs(classExact)
		case isBytes(t):
			a.needs(classSpecial)
		default:
			a.visit(t.Elem())
		}
	case reflect.Map:
		a.visit(t.Key())
		a.visit(t.Elem())
	case reflect.Array, reflect.Pointer:
		a.visit(t.Elem())
	case reflect.Struct:
		for f := range t.Fields() {
			if f.IsExported() || f.Anonymous {
				a.visit(f.Type)
			}
		}
	}
}

// isBytes reports whether t is a slice of bytes under whatever name.
func isBytes(t reflect.Type) bool {
	return t.Kind() == reflect.Slice && t.Elem() == bytesType.Elem()
}

func implements(t, iface reflect.Type) bool {
	return t.Implements(iface) || t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(iface)
}

func hasMethods(t reflect.Type, ifaces []reflect.Type) bool {
	for _, iface := range ifaces {
		if implements(t, iface) {
			return true
		}
	}
	return false
}

func newEncodeState(c *codec) *encodeState {
	s := &encodeState{codec: c}
	exact := json.JoinMarshalers(
		json.MarshalToFunc(s.bytes),
		json.MarshalToFunc(s.any),
		json.MarshalToFunc(encodeFloat[float64]),
		json.MarshalToFunc(encodeFloat[float32]),
		json.MarshalToFunc(encodeDuration),
	)
	special := json.MarshalToFunc(func(enc *jsontext.Encoder, p any) error {
		switch p := p.(type) {
		case *[]byte:
			return s.bytes(enc, *p)
		case *float64:
			return encodeFloat(enc, *p)
		case *any:
			return s.any(enc, p)
		case *time.Duration:
			return encodeDuration(enc, *p)
		case *string, *bool, *int:
			return errors.ErrUnsupported
		}
		switch v := reflect.ValueOf(p).Elem(); v.Kind() {
		case reflect.Float32, reflect.Float64:
			if !hasMethods(v.Type(), marshalMethods) {
				return encodeFloat(enc, v.Float())
			}
		case reflect.Slice:
			if isBytes(v.Type()) && !hasMethods(v.Type(), marshalMethods) && !implements(v.Type(), marshalerTo) {
				return s.bytes(enc, v.Bytes())
			}
		}
		return errors.ErrUnsupported
	})
	s.exact = []json.Options{json.JoinOptions(encodeOptions(), json.WithMarshalers(exact))}
	s.special = []json.Options{json.JoinOptions(encodeOptions(), json.WithMarshalers(special))}
	return s
}

// bytes writes a placeholder for b.
func (s *encodeState) bytes(enc *jsontext.Encoder, b []byte) error {
	if b == nil {
		return enc.WriteToken(jsontext.Null)
	}
	var room [64]byte
	err := enc.WriteValue(appendPlaceholder(room[:0], len(s.att)))
	s.att = append(s.att, b)
	return err
}

// any writes what an interface holds without the library, as far as possible.
func (s *encodeState) any(enc *jsontext.Encoder, p *any) error {
	text, att, err := s.codec.append(s.scratch[:0], s.att, *p, s.depth+enc.StackDepth())
	if err != nil {
		return err
	}
	s.scratch, s.att = text, att
	return enc.WriteValue(text)
}

// encodeFloat writes the floats that JSON cannot hold; the library writes the
// others, and all that are keys of a map.
func encodeFloat[F float32 | float64](enc *jsontext.Encoder, f F) error {
	v := float64(f)
	negZero := v == 0 && math.Signbit(v)
	if !negZero && !math.IsNaN(v) && !math.IsInf(v, 0) {
		return errors.ErrUnsupported
	}
	if isKey(enc) {
		return errors.ErrUnsupported
	}
	if negZero {
		return enc.WriteToken(jsontext.Int(0))
	}
	return enc.WriteToken(jsontext.Null)
}

// encodeDuration writes nanoseconds, as encoding/json does; the library has no
// form for a duration.
func encodeDuration(enc *jsontext.Encoder, d time.Duration) error {
	if isKey(enc) {
		return errors.ErrUnsupported
	}
	return enc.WriteToken(jsontext.Int(int64(d)))
}

func decodeDuration(dec *jsontext.Decoder, d *time.Duration) error {
	return json.UnmarshalDecode(dec, (*int64)(d))
}

// isKey reports that a member name is to be written.
func isKey(enc *jsontext.Encoder) bool {
	kind, n := enc.StackIndex(enc.StackDepth())
	return kind == '{' && n%2 == 0
}

func newDecodeState() *decodeState {
	s := new(decodeState)
	exact := json.JoinUnmarshalers(
		json.UnmarshalFromFunc(s.bytes),
		json.UnmarshalFromFunc(s.any),
		json.UnmarshalFromFunc(decodeDuration),
	)
	special := json.UnmarshalFromFunc(func(dec *jsontext.Decoder, p any) error {
		v := reflect.ValueOf(p).Elem()
		if !isBytes(v.Type()) || hasMethods(v.Type(), unmarshalMethods) || implements(v.Type(), unmarshalerFrom) {
			return errors.ErrUnsupported
		}
		var b []byte
		err := s.bytes(dec, &b)
		if err == nil {
			v.SetBytes(b)
		}
		return err
	})
	s.exact = []json.Options{json.JoinOptions(decodeOptions(), json.WithUnmarshalers(exact))}
	s.special = []json.Options{json.JoinOptions(decodeOptions(), json.WithUnmarshalers(json.JoinUnmarshalers(exact, special)))}
	return s
}

// bytes decodes a placeholder; the library decodes the rest (null, base64).
func (s *decodeState) bytes(dec *jsontext.Decoder, p *[]byte) error {
	if len(s.att) == 0 || dec.PeekKind() != '{' {
		return errors.ErrUnsupported
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	n := placeholderNum(raw)
	if n < 0 || n >= len(s.att) {
		return errNotBinary
	}
	*p = s.att[n]
	return nil
}

// any decodes into an interface without the library.
func (s *decodeState) any(dec *jsontext.Decoder, p *any) error {
	if !replaceable(*p) {
		return errors.ErrUnsupported
	}
	raw, err := dec.ReadValue()
	if err != nil {
		return err
	}
	*p, err = decodeAny(raw, s.att)
	return err
}

// replaceable reports that decoding into an interface that holds v replaces v.
// A pointer is decoded into instead.
func replaceable(v any) bool {
	switch v.(type) {
	case nil, string, float64, bool, []byte, []any, map[string]any:
		return true
	}
	return reflect.TypeOf(v).Kind() != reflect.Pointer
}

var errNotBinary = errors.New("not a placeholder of a binary value")
