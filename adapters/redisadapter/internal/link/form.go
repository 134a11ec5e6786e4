package link

import (
	"sync"

	"github.com/redis/go-redis/v9"
)

// Form is a command that is sent often, with the same arguments but for some. Make
// it with [Writer.NewForm]; it may be used from any goroutine.
type Form struct {
	w       *Writer
	key     string
	args    []any
	varying int
	size    int64 // of what is the same
	wire    int64
	pool    sync.Pool // of entries; the put is in Writer.finish

	batch     []any // the command for several; nil: they are never joined
	batchWire int64 // without the batch
}

// NewForm returns a command with Retry, see [Command], for the key. Each of args is
// a string, or nil for what is given later.
func (w *Writer) NewForm(key string, args ...any) *Form {
	f := &Form{w: w, key: key, args: args, size: overhead, wire: array(len(args))}
	for _, a := range args {
		if text, ok := a.(string); ok {
			f.size += int64(len(text))
			f.wire += bulk(len(text))
		} else {
			f.varying++
		}
	}
	return f
}

// Join has what waits, with Config.Batches, go as one command with these arguments,
// of which one is nil: there the batch is, which has the values of each command in
// their order. It is called before the first Append.
func (f *Form) Join(args ...any) {
	f.batch, f.batchWire = args, array(len(args))
	for _, a := range args {
		if text, ok := a.(string); ok {
			f.batchWire += bulk(len(text))
		}
	}
}

// Append appends the command with values for the arguments that were nil, in their
// order, which belong to the Writer from then on. It never waits. The errors are
// those of [Writer.Append].
func (f *Form) Append(values ...[]byte) error { return f.AppendDone(nil, values...) }

// AppendDone is Append with a function that is called at the end, see Command.Done.
func (f *Form) AppendDone(done func(reply any, err error), values ...[]byte) error {
	if len(values) != f.varying {
		return ErrArgument
	}
	e, _ := f.pool.Get().(*entry)
	if e == nil {
		e = f.newEntry()
	}
	e.key, e.retry, e.size, e.wire, e.done = f.key, true, f.size, f.wire, done
	e.joins = f.w.c.Batches && f.batch != nil
	for i, v := range values {
		e.values[i].b = v
		e.joins = e.joins && len(v) > 0
		e.size += int64(len(v))
		e.wire += bulk(len(v))
	}
	return f.w.append(e)
}

func (f *Form) newEntry() *entry {
	e := &entry{form: f, values: make([]blob, f.varying)}
	args, next := make([]any, len(f.args)), 0
	for i, a := range f.args {
		if args[i] = a; a == nil {
			args[i] = &e.values[next]
			next++
		}
	}
	e.cmd = redis.NewCmd(background, args...)
	return e
}

// batchCmd returns the command of a batch that begins with e.
func (e *entry) batchCmd() *redis.Cmd {
	if e.spare != nil {
		return e.spare
	}
	args := make([]any, len(e.form.batch))
	for i, a := range e.form.batch {
		if args[i] = a; a == nil {
			args[i] = &e.payload
		}
	}
	return redis.NewCmd(background, args...)
}

func (f *Form) put(e *entry) {
	cmd, spare, values := e.cmd, e.spare, e.values
	cmd.SetErr(nil)
	cmd.SetVal(nil)
	if e.joined > 0 {
		cmd, spare = spare, cmd
	}
	clear(values)
	*e = entry{form: f, cmd: cmd, spare: spare, values: values}
	f.pool.Put(e)
}
