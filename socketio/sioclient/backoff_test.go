package sioclient

import (
	"math"
	"testing"
	"time"
)

// The values are those of the official Backoff with the same random numbers.
func TestDelay(t *testing.T) {
	r := Reconnection{Delay: time.Second, DelayMax: 5 * time.Second, RandomizationFactor: 0.5}
	for _, c := range []struct {
		failed int
		random float64
		want   int
	}{
		{0, 0, 1000}, {0, 0.1, 1050}, {0, 0.25, 875}, {0, 0.99, 1495}, {0, 0.89, 555},
		{1, 0.5, 2500}, {2, 0.4, 3200}, {3, 0.8, 4800}, {3, 0.1, 5000}, {2000, 0.3, 5000},
		// Powers beyond what a float holds: the official Backoff then makes no pause.
		{1100, 0.4, 5000}, {1100, 0, 5000}, {math.MaxInt, 0.25, 5000},
	} {
		if got := r.delay(c.failed, c.random); got != time.Duration(c.want)*time.Millisecond {
			t.Errorf("after %d failures with %v: %v, want %d ms", c.failed, c.random, got, c.want)
		}
	}
}

func TestValidate(t *testing.T) {
	for _, cfg := range []Config{
		{Mailbox: Mailbox{Packets: -1}},
		{Reconnection: Reconnection{Attempts: -1}},
		{Reconnection: Reconnection{RandomizationFactor: 2}},
		{Retries: -1},
	} {
		if _, err := New("http://host", cfg); err == nil {
			t.Errorf("%+v was taken", cfg)
		}
	}
	for _, url := range []string{"://", "host", "ftp://host", "http:///path"} {
		if _, err := New(url, Config{}); err == nil {
			t.Errorf("%s was taken", url)
		}
	}
}
