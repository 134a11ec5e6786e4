package metrics

import (
	"context"
	"net/http"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/server/internal/nodes"
	"github.com/hermod-io/hermod/socketio"
)

// Metrics is what is told. A nil one counts nothing. Its methods may be called from any
// goroutine.
type Metrics struct {
	registry *prometheus.Registry
	refused  *prometheus.CounterVec
}

// Sources are what the figures are of.
type Sources struct {
	SocketIO *socketio.Server
	// Namespaces are those that the program has; of others nothing is told.
	Namespaces []string
	// Nodes are the other nodes; nil is none.
	Nodes *nodes.Nodes
	// Plain is how many plain WebSockets there are; nil: none are served.
	Plain func() int
	// Expiry is the end of the certificate in use; nil without TLS.
	Expiry func() time.Time
}

// New returns a Metrics that knows of the process alone, and of who is refused.
func New() *Metrics {
	m := &Metrics{registry: prometheus.NewRegistry(), refused: prometheus.NewCounterVec(prometheus.CounterOpts{
		Name: "hermod_connections_refused_total", Help: "Requests to connect, or of a session, that were refused, plain WebSockets included.",
	}, []string{"reason"})}
	for _, reason := range refusals {
		m.refused.WithLabelValues(reason)
	}
	m.registry.MustRegister(m.refused, collectors.NewGoCollector(), collectors.NewBuildInfoCollector(),
		collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

// Refused counts a refusal.
func (m *Metrics) Refused(e *engineio.ConnectionError) {
	if m != nil {
		m.refused.WithLabelValues(refusal(e)).Inc()
	}
}

// Watch adds what s tells. It is to be called once, before anything else is registered
// with s.SocketIO and before that serves.
func (m *Metrics) Watch(s Sources) {
	if m == nil {
		return
	}
	m.registry.MustRegister(&reader{s.read})
	w := newSockets()
	m.registry.MustRegister(w.open, w.connected, w.disconnected)
	for _, name := range s.Namespaces {
		w.watch(s.SocketIO.Of(name))
	}
}

// Handler answers with all figures, in the text format unless another one is asked for.
func (m *Metrics) Handler(log promhttp.Logger) http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{
		ErrorLog: log, ErrorHandling: promhttp.ContinueOnError, MaxRequestsInFlight: 4,
		OfferedCompressions: []promhttp.Compression{promhttp.Identity, promhttp.Gzip},
	})
}

// sockets are the counts of Socket.IO sockets, by namespace.
type sockets struct {
	open                    *prometheus.GaugeVec
	connected, disconnected *prometheus.CounterVec
}

func newSockets() *sockets {
	return &sockets{
		open: prometheus.NewGaugeVec(prometheus.GaugeOpts{
			Name: "hermod_sockets", Help: "Sockets in the namespace, now.",
		}, []string{"namespace"}),
		connected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hermod_sockets_connected_total", Help: "Sockets that joined the namespace.",
		}, []string{"namespace"}),
		disconnected: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "hermod_sockets_disconnected_total", Help: "Sockets that left the namespace, by reason.",
		}, []string{"namespace", "reason"}),
	}
}

// watch counts the sockets of n.
func (w *sockets) watch(n *socketio.Namespace) {
	open, connected := w.open.WithLabelValues(n.Name()), w.connected.WithLabelValues(n.Name())
	left := make(map[socketio.Reason]prometheus.Counter, len(reasons))
	for _, r := range reasons {
		left[r] = w.disconnected.WithLabelValues(n.Name(), string(r))
	}
	n.OnConnect(func(context.Context, *socketio.Socket) error {
		open.Inc()
		connected.Inc()
		return nil
	})
	n.OnDisconnect(func(_ *socketio.Socket, r socketio.Reason) {
		open.Dec()
		if c := left[r]; c != nil {
			c.Inc()
		}
	})
}
