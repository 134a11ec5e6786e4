package testnet

import "io"

// Flood writes text again and again until a write fails, as one does whose
// connection is cut, and reads nothing. The channel is closed then.
func Flood(w io.Writer, text string) (cut <-chan struct{}) {
	failed := make(chan struct{})
	go func() { // ends with w
		defer close(failed)
		for err := error(nil); err == nil; {
			_, err = io.WriteString(w, text)
		}
	}()
	return failed
}
