package socketio

import (
	"context"
	"sync"
	"time"

	"github.com/hermod-io/hermod/internal/usercode"
)

// The stages of a namespace.
const (
	// stageNamed: clients ask for it, and it is not clear yet whether there is
	// one of that name.
	stageNamed stage = iota
	// stageOwn: Of made it; it stays.
	stageOwn
	// stageChild: a parent made it.
	stageChild
	// stageRemoved: it was an empty child. Its adapter is being closed.
	stageRemoved
)

type stage uint8

// life is how a namespace comes into being and goes. What is not said otherwise
// is guarded by Server.mu.
type life struct {
	stage stage
	users int             // Sockets that hold it, pending ones included
	after <-chan struct{} // closed when the adapter of an earlier one of this name was; nil without one
	gone  chan struct{}   // closed when its own was; made with stageRemoved

	opening sync.Once     // makes the adapter; guards itself
	ready   chan struct{} // closed when the hooks of OnNewNamespace have returned; never changed
}

var errInvalidNamespace = &Error{Message: "Invalid namespace"}

// acquire returns the namespace that a CONNECT is for, or an error if it is
// clear already that there is none. held says that it lasts until release. It is
// called on the receiving goroutine and does not block.
func (srv *Server) acquire(name string) (n *Namespace, held bool, err error) {
	srv.mu.RLock()
	n = srv.namespaces[name]
	own, nobody := n != nil && n.stage == stageOwn, len(srv.parents) == 0
	srv.mu.RUnlock()
	switch most := srv.cfg.Limits.NamespaceNameLength; {
	case own:
		return n, false, nil
	case n == nil && nobody:
		return nil, false, errInvalidNamespace
	case n == nil && most > 0 && len(name) > most:
		return nil, false, srv.exceeded(limitName)
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	n = srv.named(name)
	if n.stage == stageOwn {
		return n, false, nil
	}
	n.users++
	return n, true, nil
}

// named returns the namespace of that name, made if there is none. It needs mu.
func (srv *Server) named(name string) *Namespace {
	old := srv.namespaces[name]
	if old != nil && old.stage != stageRemoved {
		return old
	}
	n := bareNamespace(srv, name)
	if old != nil {
		n.after = old.gone
	}
	srv.namespaces[name] = n
	return n
}

// settle waits until the namespace of a Socket that asks for it is ready, or
// makes it, if a parent wants to. It runs where middlewares run.
func (s *Socket) settle() error {
	n, srv := s.ns, s.ns.srv
	if s.held && srv.stageOf(n) == stageNamed {
		p := srv.offer(s)
		if p == nil {
			return errInvalidNamespace
		}
		if err := srv.adopt(n, p); err != nil {
			return err
		}
	}
	n.open()
	<-n.ready
	s.settled = true
	return nil
}

func (srv *Server) stageOf(n *Namespace) stage {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	return n.stage
}

// adopt makes n a child of p, unless somebody was faster.
func (srv *Server) adopt(n *Namespace, p *parent) error {
	srv.mu.Lock()
	if n.stage != stageNamed {
		srv.mu.Unlock()
		return nil
	}
	if most := srv.cfg.Limits.DynamicNamespaces; most > 0 && srv.dynamic >= most {
		srv.mu.Unlock()
		return srv.exceeded(limitDynamic)
	}
	srv.bear(n, p)
	srv.mu.Unlock()
	var err error
	func() {
		defer close(n.ready)
		defer srv.recovered(&err)
		n.open()
		n.announce(srv.newNamespaceHooks())
	}()
	if err != nil {
		srv.logParent(n.name, p, err)
	}
	return nil
}

// bear gives n its place: with p, or without one if p is nil. It needs mu.
func (srv *Server) bear(n *Namespace, p *parent) {
	n.stage = stageOwn
	if p != nil {
		n.stage, n.family = stageChild, p
		p.children[n] = struct{}{}
		srv.dynamic++
	}
}

// announce calls the hooks of OnNewNamespace.
func (n *Namespace) announce(hooks []func(*Namespace)) {
	for _, f := range hooks {
		f(n)
	}
}

// open gives a namespace that has its place its adapter and what its parent
// has registered. Whoever needs it calls it; the first one does the work and
// the others wait.
func (n *Namespace) open() {
	n.opening.Do(func() {
		if n.after != nil {
			<-n.after
		}
		if n.family != nil {
			n.table.Store(n.family.ns.settled()) // so that no child does it for itself
		}
		n.adapter = brokenAdapter{usercode.Exited} // until makeAdapter has returned
		if err := n.makeAdapter(); err != nil {
			n.logHook("no adapter", err)
			n.adapter, n.recoverer = brokenAdapter{err}, nil
		}
		n.watchRooms()
	})
}

// makeAdapter calls the factory; a panic becomes an error.
func (n *Namespace) makeAdapter() (err error) {
	defer n.srv.recovered(&err)
	n.adapter, err = n.srv.cfg.Adapter((*local)(n))
	if err == nil && n.srv.cfg.Recovery != nil {
		n.recoverer, err = recoverer(n.adapter)
	}
	return err
}

// place returns the namespace that Of is to return, and whether it was made.
func (srv *Server) place(name string) (n *Namespace, made bool) {
	srv.mu.RLock()
	n = srv.namespaces[name]
	there := n != nil && (n.stage == stageOwn || n.stage == stageChild)
	srv.mu.RUnlock()
	if there {
		return n, false
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if n = srv.named(name); n.stage != stageNamed {
		return n, false
	}
	srv.bear(n, srv.matching(name))
	return n, true
}

// removeTimeout is how long the adapter of a namespace that nobody is in may
// take to close.
const removeTimeout = 5 * time.Second

// release takes back an acquire. A name that came to nothing is forgotten; a
// child that nobody is in any more is removed, if Config says so. It runs where
// middlewares run, or before anybody else has seen the Socket.
func (srv *Server) release(n *Namespace) {
	srv.mu.Lock()
	n.users--
	switch {
	case n.users > 0:
	case n.stage == stageNamed:
		if !n.followsOne() {
			delete(srv.namespaces, n.name)
		}
	case n.stage == stageChild && srv.cfg.CleanupEmptyChildNamespaces:
		n.stage, n.gone = stageRemoved, make(chan struct{})
		delete(n.family.children, n)
		srv.dynamic--
		srv.workers.spawn(func() { srv.bury(n) })
	}
	srv.mu.Unlock()
}

// followsOne reports whether an earlier namespace of that name is still being
// closed: the next one must know. It needs mu.
func (n *Namespace) followsOne() bool {
	if n.after == nil {
		return false
	}
	select {
	case <-n.after:
		return false
	default:
		return true
	}
}

// bury closes the adapter of a removed child; one of the same name that was
// made meanwhile waits for it.
func (srv *Server) bury(n *Namespace) {
	n.open()
	ctx, cancel := context.WithTimeout(context.Background(), removeTimeout)
	defer cancel()
	if err := n.adapter.Close(ctx); err != nil {
		srv.logParent(n.name, n.family, err)
	}
	srv.mu.Lock()
	defer srv.mu.Unlock()
	close(n.gone)
	if now := srv.namespaces[n.name]; now == n || now != nil && now.stage == stageNamed && now.users == 0 {
		delete(srv.namespaces, n.name)
	}
}

// letGo releases the namespace of a Socket that is done with it, once. The
// worker calls it.
func (s *Socket) letGo() {
	if s.held {
		s.held = false
		s.ns.srv.release(s.ns)
	}
}
