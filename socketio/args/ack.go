package args

import (
	"bytes"
	"encoding/json"
	"errors"
	"maps"

	"github.com/hermod-io/hermod/socketio/event"
)

const (
	internalError = "internal error"
	codeInternal  = "internal"
	codeArgument  = "bad_request"
)

// errorAck is the argument of an error ack.
type errorAck struct {
	Error any `json:"error"` // an errorBody, or a map of more
}

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitzero"`
}

// The members of an errorBody.
const (
	memberCode    = "code"
	memberMessage = "message"
	memberData    = "data"
)

// body is the content of e.
func (e *Error) body() any {
	if len(e.More) == 0 {
		return errorBody{e.Code, e.Message, e.Data}
	}
	all := maps.Clone(e.More)
	all[memberCode], all[memberMessage] = e.Code, e.Message
	if delete(all, memberData); e.Data != nil {
		all[memberData] = e.Data
	}
	return all
}

// ErrorAck returns the argument of the ack that a handler's error becomes unless
// the application has another rule: {"error":{"code","message","data"}} with
// the content of an *Error, More included, code "bad_request" for an *ArgError, and "internal"
// without any detail for all else.
func ErrorAck(err error) any {
	var (
		own *Error
		arg *ArgError
	)
	switch {
	case errors.As(err, &own):
		return errorAck{own.body()}
	case errors.As(err, &arg):
		return errorAck{errorBody{Code: codeArgument, Message: arg.brief()}}
	}
	return errorAck{errorBody{Code: codeInternal, Message: internalError}}
}

// AnswerError acks with what answer makes of err, the error of a handler, and
// returns err; nil stands for [ErrorAck]. Where the application's part of that fails
// the ack says no more than that there was an error, and what failed is joined to
// err. ack returns nil when nobody waits for it any more; guarded calls a function
// and makes an error of its panic.
func AnswerError(err error, answer func(error) any, ack func(value any) error, guarded func(func() error) error) error {
	if answer == nil {
		answer = ErrorAck
	}
	failed := guarded(func() error { return ack(answer(err)) })
	if failed == nil {
		return err
	}
	_ = guarded(func() error { return ack(ErrorAck(nil)) }) // a codec may fail with this, too
	return errors.Join(err, failed)
}

// InternalError is the text that stands for an error whose own text is not for
// the peer.
const InternalError = internalError

// ErrorOf returns the error that an ack stands for, which has the form of
// [ErrorAck], or nil for one that is an answer. Its Data is a json.RawMessage, nil
// where there is none, and what the codec makes of it, see [Args.Values], where the
// ack has binary values; so are the values of More.
func ErrorOf(ack Args) *Error {
	const blank = " \t\r\n"
	raw := ack.Raw(0)
	inner, ok := bytes.CutPrefix(bytes.TrimLeft(raw, blank), []byte("{"))
	if !ok || !bytes.HasPrefix(bytes.TrimLeft(inner, blank), []byte(`"error"`)) || ack.Len() != 1 {
		return nil // as nearly all are
	}
	var got map[string]json.RawMessage
	if json.Unmarshal(raw, &got) != nil || len(got) != 1 {
		return nil
	}
	var body map[string]json.RawMessage
	if json.Unmarshal(got["error"], &body) != nil {
		return nil
	}
	code, hasCode := text(body[memberCode])
	message, hasMessage := text(body[memberMessage])
	if !hasCode || !hasMessage {
		return nil
	}
	e := &Error{Code: code, Message: message}
	for name, raw := range body {
		switch name {
		case memberCode, memberMessage:
		case memberData:
			e.Data = ack.value(raw)
		default:
			if e.More == nil {
				e.More = make(map[string]any)
			}
			e.More[name] = ack.value(raw)
		}
	}
	return e
}

// text is a JSON string; ok is false for all else.
func text(raw json.RawMessage) (s string, ok bool) {
	var v *string
	if raw == nil || json.Unmarshal(raw, &v) != nil || v == nil {
		return "", false
	}
	return *v, true
}

// value is raw, or what the codec makes of it where there are binary values.
func (a Args) value(raw json.RawMessage) (v any) {
	if len(a.raw.Attachments) == 0 || a.json.Decode(raw, a.raw.Attachments, &v) != nil {
		return raw
	}
	return v
}

// Answer decodes an ack into what [event.Targets] makes of reply. err, that of the
// wait for it, is returned if there is one. An ack that stands for an error, see
// [ErrorOf], is that error. In both cases reply stays as it is.
func Answer(ack Args, err error, reply any) error {
	if err != nil {
		return err
	}
	if e := ErrorOf(ack); e != nil {
		return e
	}
	return ack.Scan(event.Targets(reply)...)
}
