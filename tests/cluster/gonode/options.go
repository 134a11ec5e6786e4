package main

// options are those of a node; times are in milliseconds, 0 is the default.
type options struct {
	Name              string   `json:"name"`
	Flavour           string   `json:"flavour"`
	Redis             string   `json:"redis"`
	Port              int      `json:"port"`
	Transports        []string `json:"transports"`
	ClusterKey        string   `json:"clusterKey"`
	RequestTimeout    int64    `json:"requestTimeout"`
	Recovery          int64    `json:"recovery"`
	LogPatience       int64    `json:"logPatience"`
	Drain             int64    `json:"drain"`
	PingInterval      int64    `json:"pingInterval"`
	PingTimeout       int64    `json:"pingTimeout"`
	SpecificResponses bool     `json:"specificResponses"`
	ShardedPubSub     bool     `json:"shardedPubSub"`
	StreamCount       int      `json:"streamCount"`
	Plaintext         bool     `json:"plaintext"`
	MaxLen            int      `json:"maxLen"`
}
