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
	for i, v := range values {
		e.values[i].b = v
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

func (f *Form) put(e *entry) {
	cmd, values := e.cmd, e.values
	cmd.SetErr(nil)
	cmd.SetVal(nil)
	clear(values)
	*e = entry{form: f, cmd: cmd, values: values}
	f.pool.Put(e)
}
