package report

// Shares are those of the messages whose latency is reported: so many of them had
// no greater one.
var Shares = []float64{0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.995, 0.999, 0.9995, 0.9999}

// Result is one run: a line of JSON. Times are in seconds unless the name says
// otherwise, memory is in bytes, shares are of one core.
type Result struct {
	Server   string `json:"server"`
	Label    string `json:"label"`
	Scenario string `json:"scenario"`
	Round    int    `json:"round"`
	// Error is why the run failed; "" means it did not.
	Error string `json:"error,omitempty"`

	Clients int     `json:"clients"`
	Count   int64   `json:"count"` // messages, deliveries, connections or cycles that were checked while measured
	Seconds float64 `json:"seconds"`
	PerSec  float64 `json:"per_second"`
	// CPU is the server's processor time for each that was counted, in microseconds.
	CPU float64 `json:"cpu_us"`

	// ServerBusy is the server's share of its core, ServerWait how much of the
	// time it was ready to run and had no core; the same for the generator.
	ServerBusy float64 `json:"server_busy"`
	ServerWait float64 `json:"server_wait"`
	GenBusy    float64 `json:"generator_busy"`
	GenWait    float64 `json:"generator_wait"`
	// Steal is what the host took, in cores.
	Steal float64 `json:"steal"`

	// Latencies in microseconds; on a schedule from the time that was due.
	P50  float64 `json:"p50_us,omitempty"`
	P99  float64 `json:"p99_us,omitempty"`
	P999 float64 `json:"p999_us,omitempty"`
	Max  float64 `json:"max_us,omitempty"`
	// Latency has the latencies of Shares, of a run on a schedule.
	Latency []float64 `json:"latency_us,omitempty"`

	// Sent99 is how late the generator was: 99 % of the messages on a schedule left
	// within so many microseconds of when they were due. It is part of the latencies.
	Sent99 float64 `json:"sent_p99_us,omitempty"`

	// GC is the share of garbage collection in the server's processor time.
	GC float64 `json:"gc,omitempty"`

	// Resident memory: of the fresh server; at the base that the scenario
	// defines; the most, or with all clients; at the end after a garbage collection.
	RSSFresh int64 `json:"rss_fresh,omitempty"`
	RSSBase  int64 `json:"rss_base,omitempty"`
	RSSPeak  int64 `json:"rss_peak,omitempty"`
	RSSEnd   int64 `json:"rss_end,omitempty"`
	// PerClient is RSSEnd above RSSBase for each client, in bytes.
	PerClient float64 `json:"per_client,omitempty"`
	// Left is the number of clients that the server still has at the end of a
	// scenario that looks at it; the generator's own connection is one of them.
	Left int `json:"left,omitempty"`
	// Pings is the number of heartbeats that were answered.
	Pings int64 `json:"pings,omitempty"`
}
