package wscore

import (
	"testing"
	"time"

	"github.com/hermod-io/hermod/internal/testnet"
)

// PongTimeout below zero is no deadline. It was one of no length: a ping at every
// tick of the wheel, and the end of whoever is half a second away.
func TestHeartbeatWithoutDeadline(t *testing.T) {
	s := ProcessSettings{HeartbeatDelay: 20 * time.Second, PongTimeout: -1, MaxInvalidHeartbeats: 2}
	flowing(t, s, testnet.Options{}, func(f *flow) {
		f.pass(21 * time.Second)
		f.want(OpPing, "", "after the delay")
		f.pass(10 * time.Second)
		f.wantSilence("the next comes after the delay")
		f.pass(11 * time.Second)
		f.want(OpPing, "", "again after the delay")
		f.pass(10 * time.Minute)
		f.wantOpen("none need be answered")
	})
}
