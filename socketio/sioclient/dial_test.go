package sioclient_test

import (
	"context"
	"errors"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/hermod-io/hermod/engineio/eioclient"
	"github.com/hermod-io/hermod/socketio/sioclient"
)

// A Dial that fails waits for what it has begun, but not for ever: a function of the
// Config that pays no heed to its context does not hold it up.
func TestDialDoesNotHang(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, transport := range []string{eioclient.Polling, eioclient.WebSocket} {
			release := make(chan struct{})
			cfg := sioclient.Config{Engine: eioclient.Config{Transports: []string{transport}, NetDial: func(context.Context, string, string) (net.Conn, error) {
				<-release
				return nil, errors.New("too late")
			}}}
			ctx, cancel := context.WithTimeout(t.Context(), time.Second)
			heard := make(chan error, 1)
			go func() { // ends with Dial
				_, err := sioclient.Dial(ctx, "http://hermod.test/", cfg)
				heard <- err
			}()
			select {
			case err := <-heard:
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Errorf("%s: error %v", transport, err)
				}
			case <-time.After(time.Minute):
				t.Errorf("%s: Dial hangs", transport)
			}
			close(release)
			cancel()
			synctest.Wait()
		}
	})
}
