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
	handlers      map[string]*registered
	latest        *addition // what On has set since
	additions     int       // how many
	onAny         []*catchAll
	onAnyOutgoing []*overhearer
	around        []func(Handler) Handler
	inherited     map[string]*registered // the namespace's, within around; nil without
	nobody        Handler                // what is within around when there is no handler
}

// addition is a call of On, after others. Programs that have their handlers per socket
// make many of them before the first event, so that one must not cost as much as all.
type addition struct {
	before *addition
	name   string
	h      Handler // nil gives the event back to the namespace
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
		if made.additions > len(made.handlers)+maxAdditions {
			made = made.bound(s.ns.settled()) // no event does it
		}
		if s.own.CompareAndSwap(old, made) {
			return
		}
	}
}

// maxAdditions is how many calls of On may wait for the next event, beside one for each
// handler there is.
const maxAdditions = 64

// all returns the handlers, what On has set since included, without the middlewares.
func (o *overrides) all() map[string]Handler {
	all := make(map[string]Handler, len(o.handlers)+o.additions)
	for name, r := range o.handlers {
		all[name] = r.h
	}
	calls := make([]*addition, 0, o.additions)
	for a := o.latest; a != nil; a = a.before {
		calls = append(calls, a)
	}
	for _, a := range slices.Backward(calls) {
		if all[a.name] = a.h; a.h == nil {
			delete(all, a.name)
		}
	}
	return all
}

// bound returns o with the middlewares of t, which is settled, and its own around its handlers.
func (o *overrides) bound(t *table) *overrides {
	made := *o
	made.of, made.inherited, made.nobody = t, nil, nil
	made.latest, made.additions = nil, 0
	wrap := func(h Handler) Handler {
		for _, mw := range slices.Backward(o.around) {
			h = mw(h)
		}
		return t.wrap(h)
	}
	all := o.all()
	made.handlers = make(map[string]*registered, len(all))
	for name, h := range all {
		made.handlers[name] = &registered{name, h, wrap(h)}
	}
	if o.around != nil {
		made.inherited = make(map[string]*registered, len(t.handlers.all))
		for name, r := range t.handlers.all {
			made.inherited[name] = &registered{name, r.h, wrap(r.h)}
		}
		made.nobody = wrap(ignore)
	}
	return &made
}

// On sets the handler of an event for this socket, in place of the namespace's;
// nil gives it back to the namespace. It holds for events that have not begun
// to be handled.
func (s *Socket) On(event string, h Handler) {
	s.change(func(o *overrides) {
		o.latest = &addition{o.latest, event, h}
		o.additions++
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
