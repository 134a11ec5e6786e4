package args

import (
	"bytes"
	"encoding/json"
	"errors"

	"github.com/hermod-io/hermod/socketio/event"
)

const (
	internalError = "internal error"
	codeInternal  = "internal"
	codeArgument  = "bad_request"
)

// errorAck is the argument of an error ack.
type errorAck struct {
	Error errorBody `json:"error"`
}

type errorBody struct {
	Code    string `json:"code"`
	Message string `json:"message"`
	Data    any    `json:"data,omitzero"`
}

// ErrorAck returns the argument of the ack that a handler's error becomes unless
// the application has another rule: {"error":{"code","message","data"}} with
// the content of an *Error, code "bad_request" for an *ArgError, and "internal"
// without any detail for all else.
func ErrorAck(err error) any {
	var (
		own *Error
		arg *ArgError
	)
	switch {
	case errors.As(err, &own):
		return errorAck{errorBody{own.Code, own.Message, own.Data}}
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
// ack has binary values.
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
	var body struct {
		Code, Message *string
		Data          json.RawMessage
	}
	if json.Unmarshal(got["error"], &body) != nil || body.Code == nil || body.Message == nil {
		return nil
	}
	e := &Error{Code: *body.Code, Message: *body.Message}
	switch {
	case body.Data == nil:
	case len(ack.raw.Attachments) == 0 || ack.json.Decode(body.Data, ack.raw.Attachments, &e.Data) != nil:
		e.Data = body.Data
	}
	return e
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
