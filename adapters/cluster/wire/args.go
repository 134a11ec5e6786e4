package wire

import "github.com/hermod-io/hermod/socketio/parser"

// Args returns v as the data of a packet: its JSON text with placeholders, and its
// binary values, both copies that the caller owns. For the data of an event v is an
// array; of any other value it is the text of that value. Undefined has no text. The
// mapping is that of [parser.AppendMsgpackText]. The error is an [*Error].
func (v Value) Args() (parser.Args, error) {
	if v.Kind() == Undefined {
		return parser.Args{}, nil
	}
	return v.args(make([]byte, 0, len(v.data)+len(v.data)/4+16))
}

// ArgsIn is Args with the text in buf, which is appended to: the text is the
// caller's as before, but may share memory with buf.
func (v Value) ArgsIn(buf []byte) (parser.Args, error) {
	if v.Kind() == Undefined {
		return parser.Args{}, nil
	}
	return v.args(buf)
}

// Ack returns v as the arguments of an ack that has v alone, as the official
// adapters send it; undefined is no argument. Otherwise it is as Args.
func (v Value) Ack() (parser.Args, error) {
	text := append(make([]byte, 0, len(v.data)+len(v.data)/4+16), '[')
	if v.Kind() == Undefined {
		return parser.Args{JSON: append(text, ']')}, nil
	}
	a, err := v.args(text)
	if err != nil {
		return parser.Args{}, err
	}
	a.JSON = append(a.JSON, ']')
	return a, nil
}

// args appends v to text.
func (v Value) args(text []byte) (parser.Args, error) {
	if v.rep == repView && v.d != JSON {
		text, att, _, err := parser.AppendMsgpackText(text, nil, v.d.form(), v.data, maxAttachments)
		if err != nil {
			return parser.Args{}, &Error{v.d, "arguments with too many binary values"}
		}
		return parser.Args{JSON: text, Attachments: att}, nil
	}
	if v.rep == repView {
		return parser.Args{JSON: append(text, v.data...)}, nil
	}
	w := Writer{out: text, texts: true}
	w.Value(v)
	return parser.Args{JSON: w.out, Attachments: w.att}, nil
}
