package adaptertest

import (
	"iter"
	"sync"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// local is the fake of a namespace on one node.
type local struct {
	name     string
	news     *signal
	recovery adapters.Recovery

	mu        sync.Mutex // guards what follows
	delivered int        // calls of Deliver
	open      int        // calls of DeliverAck whose stop was not called
	twice     []string   // members that one packet was delivered to twice
	events    []serverSide
	expired   []adapters.Session
	onAsk     func(m *member, answer func(string)) // answers while DeliverAck runs, if set
}

// serverSide is an event that another node sent.
type serverSide struct {
	args  string
	reply func(parser.Args)
}

var _ adapters.Local = (*local)(nil)

func (l *local) Name() string { return l.name }

func (l *local) Deliver(p *parser.Packet, f adapters.Flags, to iter.Seq[adapters.Member]) (n int) {
	l.mu.Lock()
	l.delivered++
	l.mu.Unlock()
	for range to { // an adapter must stand a look at the first one
		break
	}
	l.each(p, f, to, func(*member) { n++ })
	l.news.fire()
	return n
}

// each delivers p to the members of to and hands those that took it to f.
func (l *local) each(p *parser.Packet, flags adapters.Flags, to iter.Seq[adapters.Member], f func(*member)) {
	seen := map[adapters.Member]bool{}
	for am := range to {
		m := am.(*member)
		if seen[m] {
			l.mu.Lock()
			l.twice = append(l.twice, m.id)
			l.mu.Unlock()
		}
		seen[m] = true
		if m.take(delivery{string(p.JSON), flags}) {
			f(m)
		}
	}
}

func (l *local) DeliverAck(p *parser.Packet, f adapters.Flags, to iter.Seq[adapters.Member], each func(adapters.Member, parser.Args)) (n int, stop func()) {
	l.mu.Lock()
	l.open++
	onAsk := l.onAsk
	l.mu.Unlock()
	l.each(p, f, to, func(m *member) {
		n++
		if onAsk != nil {
			onAsk(m, func(json string) { each(m, parser.Args{JSON: []byte(json)}) })
			return
		}
		m.mu.Lock()
		m.asks = append(m.asks, func(args parser.Args) { each(m, args) })
		m.mu.Unlock()
	})
	l.news.fire()
	return n, func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.open--
	}
}

func (l *local) ServerSideEvent(args parser.Args, reply func(parser.Args)) {
	l.mu.Lock()
	l.events = append(l.events, serverSide{string(args.JSON), reply})
	l.mu.Unlock()
	l.news.fire()
}

// Recovery is off, but in the cases about it.
func (l *local) Recovery() adapters.Recovery { return l.recovery }

func (l *local) SessionExpired(s adapters.Session) {
	l.mu.Lock()
	l.expired = append(l.expired, s)
	l.mu.Unlock()
	l.news.fire()
}

// expirations returns the sessions that ran out so far.
func (l *local) expirations() []adapters.Session {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]adapters.Session(nil), l.expired...)
}

// serverSideEvents returns the events of other nodes so far.
func (l *local) serverSideEvents() []serverSide {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]serverSide(nil), l.events...)
}

// unstopped returns how many acks are still remembered.
func (l *local) unstopped() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.open
}

// repeated returns the members that one packet was delivered to twice.
func (l *local) repeated() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.twice...)
}

func (l *local) answerAtOnce(f func(m *member, answer func(string))) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.onAsk = f
}
