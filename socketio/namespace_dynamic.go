package socketio

import (
	"context"
	"fmt"
	"iter"
	"log/slog"
	"regexp"
	"strconv"
	"strings"
)

// parent is what makes namespaces of names that nobody has named yet, its
// children, as clients ask for them.
type parent struct {
	ns       *Namespace     // what is registered there is what children begin with
	match    *regexp.Regexp // nil: ask
	ask      func(ctx context.Context, name string, h *Handshake) (bool, error)
	children map[*Namespace]struct{} // guarded by Server.mu
}

// OfPattern returns the parent of the namespaces whose names have the form of
// pattern. "{id}" in it stands for one or more characters but no slash,
// "{rest...}" at its end for one or more of any; Namespace.Param has them. All
// else means itself; a slash in front may be left out.
//
// A parent is no namespace that a client can join. A CONNECT for a name that
// there is no namespace of asks the parents in the order in which they were
// made, those of OfPattern, OfRegexp and OfFunc alike; the first one that wants
// the name makes a child, which begins with what was registered on the parent
// until then: middlewares, handlers and hooks. Of with such a name makes the
// child as well. An operation on the parent (Emit, To, SocketsJoin, …) acts on
// each child that this node has; FetchSockets, Rooms and ServerSideEmit are
// ErrParent, since other nodes may have others.
//
// It panics if pattern is malformed: a name in braces that is no identifier, or
// twice the same. JS: of(/regex/).
func (srv *Server) OfPattern(pattern string) *Namespace {
	if !strings.HasPrefix(pattern, "/") {
		pattern = "/" + pattern
	}
	re, err := compilePattern(pattern)
	if err != nil {
		panic("socketio: OfPattern: " + err.Error())
	}
	return srv.addParent(pattern, &parent{match: re})
}

// OfRegexp returns the parent of the namespaces whose names re matches
// somewhere, as a JavaScript test does; begin it with "^" and end it with "$" to
// mean the whole name, whose first character is a slash. Its named groups are
// what Namespace.Param returns. See OfPattern for parents. JS: of(/regex/).
func (srv *Server) OfRegexp(re *regexp.Regexp) *Namespace {
	return srv.addParent(re.String(), &parent{match: re})
}

// OfFunc returns the parent of the namespaces that f wants; see OfPattern. f is
// asked with the name and how the client connected, its CONNECT payload
// included, for each CONNECT to a name that there is no namespace of (yet). It
// runs where middlewares run: it may block, ctx ends with the connection, and
// nobody else waits. An error counts as false and is logged; the next parent is
// asked. Once a child exists f is not asked: who may join it is the business of
// the parent's middlewares. JS: of(function).
func (srv *Server) OfFunc(f func(ctx context.Context, name string, h *Handshake) (bool, error)) *Namespace {
	return srv.addParent("", &parent{ask: f})
}

// addParent registers p under a name for people.
func (srv *Server) addParent(name string, p *parent) *Namespace {
	p.children = make(map[*Namespace]struct{})
	srv.mu.Lock()
	defer srv.mu.Unlock()
	if name == "" {
		name = "/_" + strconv.Itoa(len(srv.parents)) // as there
	}
	n := bareNamespace(srv, name)
	n.family = p
	n.adapter = &parentAdapter{srv, p}
	p.ns = n
	srv.parents = append(srv.parents[:len(srv.parents):len(srv.parents)], p)
	return n
}

// compilePattern returns what a pattern of OfPattern matches.
func compilePattern(pattern string) (*regexp.Regexp, error) {
	var re strings.Builder
	re.WriteString("^")
	seen := map[string]bool{}
	for rest := pattern; rest != ""; {
		open := strings.IndexByte(rest, '{')
		if open < 0 {
			re.WriteString(regexp.QuoteMeta(rest))
			break
		}
		re.WriteString(regexp.QuoteMeta(rest[:open]))
		name, after, ok := strings.Cut(rest[open+1:], "}")
		name, all := strings.CutSuffix(name, "...")
		switch {
		case !ok:
			return nil, fmt.Errorf("%q: a brace is not closed", pattern)
		case !identifier.MatchString(name):
			return nil, fmt.Errorf("%q: %q is no name", pattern, name)
		case seen[name]:
			return nil, fmt.Errorf("%q: {%s} twice", pattern, name)
		case all && after != "":
			return nil, fmt.Errorf("%q: {%s...} is not at the end", pattern, name)
		}
		seen[name] = true
		if all {
			re.WriteString("(?P<" + name + ">(?s:.+))")
		} else {
			re.WriteString("(?P<" + name + ">[^/]+)")
		}
		rest = after
	}
	re.WriteString("$")
	return regexp.Compile(re.String())
}

var identifier = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// matching returns the first parent whose pattern or expression matches. It
// needs mu for reading.
func (srv *Server) matching(name string) *parent {
	for _, p := range srv.parents {
		if p.match != nil && p.match.MatchString(name) {
			return p
		}
	}
	return nil
}

// offer asks the parents, in their order, who wants the namespace that s is to
// join; nil if nobody does. It may block.
func (srv *Server) offer(s *Socket) *parent {
	srv.mu.RLock()
	all := srv.parents
	srv.mu.RUnlock()
	for _, p := range all {
		if p.match != nil {
			if p.match.MatchString(s.ns.name) {
				return p
			}
			continue
		}
		if s.state.Load() != statePending {
			return nil
		}
		ok, err := p.wants(s)
		if err != nil {
			srv.logParent(s.ns.name, p, err)
			continue
		}
		if ok {
			return p
		}
	}
	return nil
}

// wants asks a function; a panic becomes an error.
func (p *parent) wants(s *Socket) (ok bool, err error) {
	defer s.ns.srv.recovered(&err)
	return p.ask(s.Context(), s.ns.name, s.Handshake())
}

// logParent writes a line about a function that did not want a namespace.
func (srv *Server) logParent(name string, p *parent, err error) {
	level, attrs := failure(err)
	if srv.logs(level) {
		attrs = append(attrs, slog.String("nsp", name), slog.String("parent", p.ns.name))
		srv.cfg.Log.LogAttrs(context.Background(), level, "no namespace", attrs...)
	}
}

// Parent is the parent of a child that OfPattern, OfRegexp or OfFunc made the
// way for; nil for every other namespace.
func (n *Namespace) Parent() *Namespace {
	if n.family == nil || n.family.ns == n {
		return nil
	}
	return n.family.ns
}

// Param returns what the name of a child has in the place of {key} in its
// parent's pattern, or of the group of that name in its expression; "" if there
// is no such place.
func (n *Namespace) Param(key string) string {
	if n.family == nil || n.family.match == nil || n.family.ns == n {
		return ""
	}
	i := n.family.match.SubexpIndex(key)
	if i < 0 {
		return ""
	}
	if found := n.family.match.FindStringSubmatch(n.name); found != nil {
		return found[i]
	}
	return ""
}

// Param is Namespace.Param of the socket's namespace.
func (s *Socket) Param(key string) string { return s.ns.Param(key) }

// isParent reports whether n is no namespace of its own.
func (n *Namespace) isParent() bool { return n.family != nil && n.family.ns == n }

// children are those of a parent that this node has.
func (srv *Server) children(p *parent) []*Namespace {
	srv.mu.RLock()
	defer srv.mu.RUnlock()
	all := make([]*Namespace, 0, len(p.children))
	for n := range p.children {
		all = append(all, n)
	}
	return all
}

// Children iterates over the children of a parent that this node has, in no
// order; it is a snapshot. A namespace that is no parent has none.
func (n *Namespace) Children() iter.Seq[*Namespace] {
	return func(yield func(*Namespace) bool) {
		if !n.isParent() {
			return
		}
		for _, child := range n.srv.children(n.family) {
			child.open()
			if !yield(child) {
				return
			}
		}
	}
}
