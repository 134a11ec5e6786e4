package certtest

import (
	"crypto/tls"
	"testing"
)

func TestWrite(t *testing.T) {
	c := Write(t, t.TempDir())
	pair, err := tls.LoadX509KeyPair(c.Cert, c.Key)
	if err != nil {
		t.Fatal(err)
	}
	if !pair.Leaf.Equal(c.Leaf) {
		t.Error("the file has another certificate")
	}
}
