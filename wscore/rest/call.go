package rest

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/hermod-io/hermod/wscore"
)

// Mode says how a request is sent by [Peer.Notify].
type Mode uint8

const (
	// BlockWithAnswer waits for the answer.
	BlockWithAnswer Mode = iota
	// BlockWithoutAnswer asks for no answer; the request joins the send queue before
	// Notify returns.
	BlockWithoutAnswer
	// NonBlocking asks for no answer, and gathers the request with others for the
	// SendDelay of the process.
	NonBlocking
)

// StatusReconnect is the status of a call that needs a new connection.
const StatusReconnect = 666

// The causes of a CallError, beside a *wscore.CloseError (errors.Is
// net.ErrClosed), wscore.ErrQueueFull and the error of a context.
var (
	// ErrNoPeer: Notify was given the id of no connection on which REST runs. 404.
	ErrNoPeer = errors.New("rest: no such connection")
	// ErrNotConnected: the Client of a Transport has no connection at present. StatusReconnect.
	ErrNotConnected = errors.New("rest: not connected")
	// ErrTooManyCalls: Options.MaxCalls of them wait already. 503.
	ErrTooManyCalls = errors.New("rest: too many calls wait for their answer")
	// ErrAnswerMissing: a call before this one was given up, and its answer, which has
	// no number, may still come. StatusReconnect.
	ErrAnswerMissing = errors.New("rest: the answer to an earlier call has not come")
	// ErrBadAnswer: the answer is malformed. 404.
	ErrBadAnswer = errors.New("rest: answer cannot be read")
	// ErrAnswerTimeout: Options.AnswerTimeout is over. 404.
	ErrAnswerTimeout = fmt.Errorf("rest: no answer in time: %w", context.DeadlineExceeded)
)

// CallError is why a call has no answer. Status is what mORMot reports for it:
// 404 where the request could not be sent, or no answer came, StatusReconnect
// where there is no connection, or its answers can no longer be told apart; 503
// where there are too many calls.
type CallError struct {
	Status int   // of HTTP, or StatusReconnect
	Err    error // the cause
}

// Error returns the status and the text of the cause.
func (e *CallError) Error() string {
	return fmt.Sprintf("rest: call failed (%d): %v", e.Status, e.Err)
}

// Unwrap returns Err.
func (e *CallError) Unwrap() error { return e.Err }

// Call sends a request and waits for its answer: until ctx ends, or for
// Options.AnswerTimeout if it has no deadline, or until the connection ends. The
// error is a *CallError. A late answer is dropped. Where answers carry no number
// calls wait for each other, and for the answer to one that was given up; if that
// does not come either the error is ErrAnswerMissing, and the connection is best
// made anew. There a handler may call back, but what that call leads to must not
// call in turn: it would wait for the first to end.
func (r *Peer) Call(ctx context.Context, req Request) (*Answer, error) {
	req.NoAnswer = false
	if _, ok := ctx.Deadline(); !ok {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, r.o.answerTimeout(), ErrAnswerTimeout)
		defer cancel()
	}
	if ctx.Err() != nil {
		return nil, &CallError{http.StatusNotFound, context.Cause(ctx)}
	}
	n, got, err := r.begin(ctx)
	if err != nil {
		return nil, err
	}
	if !r.sequenced {
		defer func() { r.alone <- struct{}{} }()
	}
	head := "request"
	if r.sequenced {
		head = sequenced('r', n)
	}
	if err := r.send(r.format.append(nil, req.message(head), 4), false); err != nil {
		r.giveUp(n, false)
		return nil, &CallError{http.StatusNotFound, err}
	}
	select {
	case a := <-got:
		return a.answer()
	case <-ctx.Done():
		r.giveUp(n, true)
		select {
		case a := <-got: // it came meanwhile
			return a.answer()
		default:
		}
		return nil, &CallError{http.StatusNotFound, context.Cause(ctx)}
	}
}

func (a reply) answer() (*Answer, error) {
	if a.err != nil {
		if errors.Is(a.err, errFrame) {
			a.err = ErrBadAnswer
		}
		return nil, &CallError{http.StatusNotFound, a.err}
	}
	ans, err := a.m.answer()
	if err != nil {
		return nil, &CallError{http.StatusNotFound, ErrBadAnswer}
	}
	return ans, nil
}

// maxSequence is the last number of a call.
const maxSequence = 1<<24 - 1

// begin finds a place for a call; n is its number, 0 where there are none. Not
// sequenced, the caller gives alone's token back.
func (r *Peer) begin(ctx context.Context) (n uint32, got chan reply, err error) {
	if !r.sequenced {
		if err := r.turn(ctx); err != nil {
			return 0, nil, err
		}
	}
	if n, got, err = r.enter(); err != nil && !r.sequenced {
		r.alone <- struct{}{}
	}
	return n, got, err
}

// turn waits until no other call is under way, and the answer to one that was
// given up has come: answers carry no number, it would be taken for ours. With a
// nil error the caller has alone's token.
func (r *Peer) turn(ctx context.Context) error {
	if !r.waitTurn() {
		return &CallError{http.StatusServiceUnavailable, ErrTooManyCalls}
	}
	defer r.endWait()
	select {
	case <-r.alone:
	case <-ctx.Done():
		return &CallError{http.StatusNotFound, context.Cause(ctx)}
	case <-r.ctx.Done():
		return &CallError{StatusReconnect, context.Cause(r.ctx)}
	}
	r.mu.Lock()
	late := r.late
	r.mu.Unlock()
	if late == nil {
		return nil
	}
	select {
	case <-late:
		return nil
	case <-ctx.Done():
		r.alone <- struct{}{}
		return &CallError{StatusReconnect, fmt.Errorf("%w: %w", ErrAnswerMissing, context.Cause(ctx))}
	case <-r.ctx.Done():
		r.alone <- struct{}{}
		return &CallError{StatusReconnect, context.Cause(r.ctx)}
	}
}

// waitTurn counts a call that waits for its turn; false if there are too many.
func (r *Peer) waitTurn() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.turns >= r.o.maxCalls() {
		return false
	}
	r.turns++
	return true
}

func (r *Peer) endWait() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.turns--
}

// enter notes a call that is to be sent.
func (r *Peer) enter() (n uint32, got chan reply, err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	switch {
	case r.ctx.Err() != nil:
		return 0, nil, &CallError{StatusReconnect, context.Cause(r.ctx)}
	case len(r.calls) >= r.o.maxCalls():
		return 0, nil, &CallError{http.StatusServiceUnavailable, ErrTooManyCalls}
	}
	got = make(chan reply, 1)
	if r.sequenced {
		n = r.number()
	}
	r.calls[n] = got
	return n, got, nil
}

// number is the next free number of a call. mu is held.
func (r *Peer) number() uint32 {
	for {
		if r.last++; r.last > maxSequence {
			r.last = 1
		}
		if r.calls[r.last] == nil {
			return r.last
		}
	}
}

// giveUp ends the wait of a call. sent tells that an answer may still come.
func (r *Peer) giveUp(n uint32, sent bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.calls[n] != nil {
		delete(r.calls, n)
		if sent && !r.sequenced {
			r.late = make(chan struct{})
		}
	}
}

// Notify sends a request as mode says; without an answer to wait for, the Answer
// is 200 as soon as it is queued. See [Peer.Call].
func (r *Peer) Notify(ctx context.Context, req Request, mode Mode) (*Answer, error) {
	if mode == BlockWithAnswer {
		return r.Call(ctx, req)
	}
	if err := ctx.Err(); err != nil {
		return nil, &CallError{http.StatusNotFound, context.Cause(ctx)}
	}
	if r.ctx.Err() != nil {
		return nil, &CallError{StatusReconnect, context.Cause(r.ctx)}
	}
	req.NoAnswer = true
	head := "request"
	if r.sequenced {
		r.mu.Lock()
		head = sequenced('r', r.number())
		r.mu.Unlock()
	}
	if err := r.send(r.format.append(nil, req.message(head), 4), mode == NonBlocking); err != nil {
		return nil, &CallError{http.StatusNotFound, err}
	}
	return &Answer{Status: http.StatusOK}, nil
}

// Notify is [Peer.Notify] to a connection of h, by its id; ErrNoPeer if there is
// none, or REST does not run on it.
func Notify(ctx context.Context, h *wscore.Handler, id int64, req Request, mode Mode) (*Answer, error) {
	p, _ := h.Lookup(id)
	r, ok := PeerOf(p)
	if !ok {
		return nil, &CallError{http.StatusNotFound, ErrNoPeer}
	}
	return r.Notify(ctx, req, mode)
}
