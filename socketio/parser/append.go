package parser

import "strconv"

// AppendEvent encodes the arguments of an event, ["name",args...], appending
// the text to dst and the binary values to att. It returns both extended; after
// an error, which is an *ArgError, it returns them as they were.
func AppendEvent(j JSON, dst []byte, att [][]byte, name string, args ...any) (text []byte, attachments [][]byte, err error) {
	text = appendString(append(dst, '['), name)
	return appendElements(j, dst, text, att, args, true)
}

// AppendAck encodes the arguments of an ack, [args...], as AppendEvent does.
func AppendAck(j JSON, dst []byte, att [][]byte, args ...any) (text []byte, attachments [][]byte, err error) {
	return appendElements(j, dst, append(dst, '['), att, args, false)
}

func appendElements(j JSON, dst, text []byte, att [][]byte, args []any, comma bool) ([]byte, [][]byte, error) {
	attachments := att
	for i, v := range args {
		if comma || i > 0 {
			text = append(text, ',')
		}
		var err error
		if text, attachments, err = j.Append(text, attachments, v); err != nil {
			return dst, att, &ArgError{Index: i, Err: err}
		}
	}
	return append(text, ']'), attachments, nil
}

// ArgError is an argument that could not be encoded.
type ArgError struct {
	// Index is its position, without the event name.
	Index int
	// Err is the codec's error.
	Err error
}

// Error implements error.
func (e *ArgError) Error() string {
	return "socketio: argument " + strconv.Itoa(e.Index) + ": " + e.Err.Error()
}

// Unwrap returns Err.
func (e *ArgError) Unwrap() error { return e.Err }
