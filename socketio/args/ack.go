package args

import "errors"

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

// InternalError is the text that stands for an error whose own text is not for
// the peer.
const InternalError = internalError
