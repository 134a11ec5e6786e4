package socketio

import "slices"

// catchAll and overhearer are registrations of OnAny and OnAnyOutgoing; their
// addresses tell them apart.
type (
	catchAll   struct{ h Handler }
	overhearer struct{ f func(*Socket, *Event) }
)

// without returns list without one element; nil when nothing is left.
func without[T comparable](list []T, one T) []T {
	i := slices.Index(list, one)
	switch {
	case i < 0:
		return list
	case len(list) == 1:
		return nil
	}
	return slices.Delete(slices.Clone(list), i, i+1)
}

// overrides are the handlers of one socket. They are immutable, as a table is;
// On and its siblings make new ones.
type overrides struct {
	of            *table // whose middlewares are around them; nil: not done yet, see bound
	handlers      registry[*registered]
	onAny         []*catchAll
	onAnyOutgoing []*overhearer
	around        []func(Handler) Handler
	inherited     map[string]*registered // the namespace's, within around; nil without
	nobody        Handler                // what is within around when there is no handler
}

// overrides returns the socket's for t, or nil if it has none.
func (s *Socket) overrides(t *table) *overrides {
	for {
		old := s.own.Load()
		if old == nil || old.of == t {
			return old
		}
		s.own.CompareAndSwap(old, old.bound(t))
	}
}

// change registers something for the socket.
func (s *Socket) change(f func(*overrides)) {
	for {
		old, made := s.own.Load(), new(overrides)
		if old != nil {
			*made = *old
			made.onAny = slices.Clip(old.onAny)
			made.onAnyOutgoing = slices.Clip(old.onAnyOutgoing)
			made.around = slices.Clip(old.around)
		}
		f(made)
		made.of = nil
		if s.own.CompareAndSwap(old, made) {
			return
		}
	}
}

// bound returns o with the middlewares of t, which is settled, and its own around its
// handlers.
func (o *overrides) bound(t *table) *overrides {
	made := *o
	made.of, made.inherited, made.nobody = t, nil, nil
	wrap := func(h Handler) Handler {
		for _, mw := range slices.Backward(o.around) {
			h = mw(h)
		}
		return t.wrap(h)
	}
	made.handlers = registry[*registered]{all: wrapped(o.handlers.folded().all, wrap)}
	if o.around != nil {
		made.inherited = wrapped(t.handlers.all, wrap)
		made.nobody = wrap(ignore)
	}
	return &made
}

// On sets the handler of an event for this socket, in place of the namespace's;
// nil gives it back to the namespace. It holds for events that have not begun
// to be handled.
func (s *Socket) On(event string, h Handler) {
	s.change(func(o *overrides) {
		if h == nil {
			o.handlers = o.handlers.set(event, nil, true)
			return
		}
		o.handlers = o.handlers.set(event, &registered{name: event, h: h, forgetful: isForgetful(h)}, false)
	})
}

// UseEvent adds a middleware around the handlers of this socket, those of its
// namespace included, within the middlewares of the namespace; see
// Namespace.UseEvent. mw is called again when something is registered. JS:
// socket.use.
func (s *Socket) UseEvent(mw func(next Handler) Handler) {
	s.change(func(o *overrides) { o.around = append(o.around, mw) })
}

// OnAny adds a catch-all of this socket, called after those of the namespace;
// see Namespace.OnAny. off removes it. JS: onAny, offAny(f).
func (s *Socket) OnAny(h Handler) (off func()) {
	c := &catchAll{h}
	s.change(func(o *overrides) { o.onAny = append(o.onAny, c) })
	return func() { s.change(func(o *overrides) { o.onAny = without(o.onAny, c) }) }
}

// PrependAny is OnAny in front of the socket's catch-alls there are.
func (s *Socket) PrependAny(h Handler) (off func()) {
	c := &catchAll{h}
	s.change(func(o *overrides) { o.onAny = append([]*catchAll{c}, o.onAny...) })
	return func() { s.change(func(o *overrides) { o.onAny = without(o.onAny, c) }) }
}

// OffAny removes all catch-alls of this socket. JS: offAny().
func (s *Socket) OffAny() { s.change(func(o *overrides) { o.onAny = nil }) }

// ListenersAny returns the catch-alls of this socket, in their order.
func (s *Socket) ListenersAny() (all []Handler) {
	if own := s.own.Load(); own != nil {
		for _, c := range own.onAny {
			all = append(all, c.h)
		}
	}
	return all
}

// OnAnyOutgoing adds a function that hears what is sent to this socket, after
// those of the namespace; see Namespace.OnAnyOutgoing. off removes it. JS:
// onAnyOutgoing, offAnyOutgoing(f).
func (s *Socket) OnAnyOutgoing(f func(s *Socket, e *Event)) (off func()) {
	h := &overhearer{f}
	s.change(func(o *overrides) { o.onAnyOutgoing = append(o.onAnyOutgoing, h) })
	return func() { s.change(func(o *overrides) { o.onAnyOutgoing = without(o.onAnyOutgoing, h) }) }
}

// PrependAnyOutgoing is OnAnyOutgoing in front of the socket's functions there
// are.
func (s *Socket) PrependAnyOutgoing(f func(s *Socket, e *Event)) (off func()) {
	h := &overhearer{f}
	s.change(func(o *overrides) { o.onAnyOutgoing = append([]*overhearer{h}, o.onAnyOutgoing...) })
	return func() { s.change(func(o *overrides) { o.onAnyOutgoing = without(o.onAnyOutgoing, h) }) }
}

// OffAnyOutgoing removes all functions that OnAnyOutgoing added to this socket.
// JS: offAnyOutgoing().
func (s *Socket) OffAnyOutgoing() { s.change(func(o *overrides) { o.onAnyOutgoing = nil }) }

// ListenersAnyOutgoing returns the functions that OnAnyOutgoing added to this
// socket, in their order.
func (s *Socket) ListenersAnyOutgoing() (all []func(s *Socket, e *Event)) {
	if own := s.own.Load(); own != nil {
		for _, h := range own.onAnyOutgoing {
			all = append(all, h.f)
		}
	}
	return all
}
