package sioclient

import (
	"math"
	"time"
)

// maxDoublings is where the delay stops to double: any DelayMax is reached by
// then, and a float holds the product with any Delay.
const maxDoublings = 64

// delay is how long to wait after so many attempts have failed, by the formula
// of the official client. random is in [0, 1).
func (r *Reconnection) delay(failed int, random float64) time.Duration {
	ms := float64(r.Delay.Milliseconds()) * math.Pow(2, float64(min(failed, maxDoublings)))
	deviation := math.Floor(random * r.RandomizationFactor * ms)
	if int(random*10)&1 == 0 {
		ms -= deviation
	} else {
		ms += deviation
	}
	return time.Duration(min(ms, float64(r.DelayMax.Milliseconds()))) * time.Millisecond
}
