package metrics

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/hermod-io/hermod/adapters/cluster"
	"github.com/hermod-io/hermod/adapters/redisadapter"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/server/internal/nodes"
	"github.com/hermod-io/hermod/socketio"
)

// snapshot is what was found at one time. What is nil is not told.
type snapshot struct {
	engine engineio.Stats
	sio    socketio.Stats
	rooms  map[string]int // by namespace
	plain  *int
	nodes  *nodes.Stats
	expiry *time.Time
}

// read looks at all sources.
func (s *Sources) read() *snapshot {
	found := &snapshot{engine: s.SocketIO.Engine().Stats(), sio: s.SocketIO.Stats(), rooms: make(map[string]int, len(s.Namespaces)), nodes: s.Nodes.Stats()}
	for _, name := range s.Namespaces {
		found.rooms[name] = s.SocketIO.Of(name).LocalRooms()
	}
	if s.Plain != nil {
		found.plain = new(s.Plain())
	}
	if s.Expiry != nil {
		found.expiry = new(s.Expiry())
	}
	return found
}

// say tells a value, with those of the labels.
type say func(value float64, labels ...string)

// figure is a metric that is taken from a snapshot.
type figure struct {
	desc *prometheus.Desc
	kind prometheus.ValueType
	tell func(f *snapshot, say say)
}

func counter(name, help string, tell func(*snapshot, say), labels ...string) figure {
	return figure{prometheus.NewDesc("hermod_"+name, help, labels, nil), prometheus.CounterValue, tell}
}

func gauge(name, help string, tell func(*snapshot, say), labels ...string) figure {
	return figure{prometheus.NewDesc("hermod_"+name, help, labels, nil), prometheus.GaugeValue, tell}
}

// redis tells one of the adapter's counts, where there is an adapter.
func redis(count func(*redisadapter.Stats) int64) func(*snapshot, say) {
	return func(f *snapshot, say say) {
		if f.nodes != nil {
			say(float64(count(&f.nodes.Redis)))
		}
	}
}

// router is the same for the one that relays requests.
func router(tell func(*cluster.RouterStats, say)) func(*snapshot, say) {
	return func(f *snapshot, say say) {
		if f.nodes != nil && f.nodes.Router != nil {
			tell(f.nodes.Router, say)
		}
	}
}

// reader is a prometheus.Collector of all figures: they are read together.
type reader struct{ read func() *snapshot }

// Describe implements prometheus.Collector.
func (r *reader) Describe(to chan<- *prometheus.Desc) {
	for _, f := range figures {
		to <- f.desc
	}
}

// Collect implements prometheus.Collector.
func (r *reader) Collect(to chan<- prometheus.Metric) {
	found := r.read()
	for _, f := range figures {
		f.tell(found, func(v float64, labels ...string) { to <- prometheus.MustNewConstMetric(f.desc, f.kind, v, labels...) })
	}
}

func bit(b bool) float64 {
	if b {
		return 1
	}
	return 0
}
