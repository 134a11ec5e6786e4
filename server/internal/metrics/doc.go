// Package metrics tells Prometheus of the program: who is connected, who was refused or
// left and why, what the limits and queues did, how the other nodes are reached, and the
// process itself.
//
//	m := metrics.New()
//	cfg.Engine.OnConnectionError = m.Refused
//	sio, err := socketio.New(cfg)
//	m.Watch(metrics.Sources{SocketIO: sio, Namespaces: []string{"/"}})
//	mux.Handle("GET /metrics", m.Handler(log))
//
// The type to know is [Metrics].
//
// Most is read when it is asked for; the rest is counted when somebody connects, leaves or
// is refused. No message costs anything. All values of labels are known beforehand, so
// that no client can add series.
package metrics
