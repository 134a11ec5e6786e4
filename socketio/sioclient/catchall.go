package sioclient

import "slices"

// catchAll and overhearer are registrations of OnAny and OnAnyOutgoing; their
// addresses tell them apart.
type (
	catchAll   struct{ h Handler }
	overhearer struct{ f func(*Socket, *Event) }
)

// without returns list without one element, in memory of its own.
func without[T comparable](list []T, one T) []T {
	return slices.DeleteFunc(slices.Clone(list), func(v T) bool { return v == one })
}

// OnAny adds a handler of every event, which runs before that of the event. off
// removes it. JS: onAny, offAny(f).
func (s *Socket) OnAny(h Handler) (off func()) {
	c := &catchAll{h}
	s.change(func(t *table) { t.onAny = append(t.onAny, c) })
	return func() { s.change(func(t *table) { t.onAny = without(t.onAny, c) }) }
}

// PrependAny is OnAny in front of the handlers of every event there are. JS:
// prependAny.
func (s *Socket) PrependAny(h Handler) (off func()) {
	c := &catchAll{h}
	s.change(func(t *table) { t.onAny = append([]*catchAll{c}, t.onAny...) })
	return func() { s.change(func(t *table) { t.onAny = without(t.onAny, c) }) }
}

// OffAny removes all handlers of every event. JS: offAny().
func (s *Socket) OffAny() { s.change(func(t *table) { t.onAny = nil }) }

// ListenersAny returns the handlers of every event, in their order. JS:
// listenersAny.
func (s *Socket) ListenersAny() (all []Handler) {
	for _, c := range s.table.Load().onAny {
		all = append(all, c.h)
	}
	return all
}

// OnAnyOutgoing adds a function that is told of every event that is emitted,
// also of one that has to wait for a connection, by the goroutine that emits it.
// off removes it. JS: onAnyOutgoing, offAnyOutgoing(f).
func (s *Socket) OnAnyOutgoing(f func(s *Socket, e *Event)) (off func()) {
	o := &overhearer{f}
	s.change(func(t *table) { t.onAnyOutgoing = append(t.onAnyOutgoing, o) })
	return func() { s.change(func(t *table) { t.onAnyOutgoing = without(t.onAnyOutgoing, o) }) }
}

// PrependAnyOutgoing is OnAnyOutgoing in front of the functions there are. JS:
// prependAnyOutgoing.
func (s *Socket) PrependAnyOutgoing(f func(s *Socket, e *Event)) (off func()) {
	o := &overhearer{f}
	s.change(func(t *table) { t.onAnyOutgoing = append([]*overhearer{o}, t.onAnyOutgoing...) })
	return func() { s.change(func(t *table) { t.onAnyOutgoing = without(t.onAnyOutgoing, o) }) }
}

// OffAnyOutgoing removes all functions of OnAnyOutgoing. JS: offAnyOutgoing().
func (s *Socket) OffAnyOutgoing() { s.change(func(t *table) { t.onAnyOutgoing = nil }) }

// ListenersAnyOutgoing returns the functions of OnAnyOutgoing, in their order. JS:
// listenersAnyOutgoing.
func (s *Socket) ListenersAnyOutgoing() (all []func(s *Socket, e *Event)) {
	for _, o := range s.table.Load().onAnyOutgoing {
		all = append(all, o.f)
	}
	return all
}
