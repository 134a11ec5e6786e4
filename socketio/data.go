package socketio

import (
	"maps"
	"sync"

	"github.com/hermod-io/hermod/socketio/parser"
)

// Data is what the application attaches to a socket. It is safe for concurrent
// use. Other nodes see it, encoded as JSON, in RemoteSocket.Info, with bytes as
// {"type":"Buffer","data":[1,2]}; a value that cannot be encoded hides all of
// them there.
type Data struct {
	json parser.JSON // nil is the default

	mu      sync.RWMutex // guards what follows
	values  map[string]any
	changed func() // of the socket, when recovery is on; does not block
}

// Get returns the value of key, and whether there is one.
func (d *Data) Get(key string) (any, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	v, ok := d.values[key]
	return v, ok
}

// Set sets the value of key. It should be of a type that JSON can hold.
func (d *Data) Set(key string, v any) {
	d.change(func() {
		if d.values == nil {
			d.values = make(map[string]any)
		}
		d.values[key] = v
	})
}

// change runs f and tells the socket.
func (d *Data) change(f func()) {
	d.mu.Lock()
	f()
	tell := d.changed
	d.mu.Unlock()
	if tell != nil {
		tell()
	}
}

// belongTo makes d that of another socket.
func (d *Data) belongTo(s *Socket) *Data {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.changed = s.dataChanged
	return d
}

// Delete removes key.
func (d *Data) Delete(key string) {
	d.change(func() { delete(d.values, key) })
}

// All returns a copy of the keys and values.
func (d *Data) All() map[string]any {
	d.mu.RLock()
	defer d.mu.RUnlock()
	return maps.Clone(d.values)
}

// MarshalJSON encodes the values as one object. The error is that of Config.JSON.
func (d *Data) MarshalJSON() ([]byte, error) {
	c, all := d.json, d.All()
	if c == nil {
		c = parser.DefaultJSON()
	}
	if all == nil {
		all = map[string]any{}
	}
	text, bytes, err := c.Append(nil, nil, all)
	if err != nil || len(bytes) == 0 {
		return text, err
	}
	return parser.Args{JSON: text, Attachments: bytes}.AppendJSON(nil, parser.AppendBuffer), nil
}

// Key gives typed access to one value of a Socket's Data. Make it once with
// NewKey; it may be copied.
type Key[T any] struct{ name string }

// NewKey returns the Key of that name.
func NewKey[T any](name string) Key[T] { return Key[T]{name} }

// Get returns the value of s; ok is false if it has none of type T.
func (k Key[T]) Get(s *Socket) (v T, ok bool) {
	d := s.data.Load()
	if d == nil {
		return v, false
	}
	x, _ := d.Get(k.name)
	v, ok = x.(T)
	return v, ok
}

// Set sets the value of s.
func (k Key[T]) Set(s *Socket, v T) { s.Data().Set(k.name, v) }
