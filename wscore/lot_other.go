//go:build !linux

package wscore

// lot is nothing where connections are not parked.
type lot struct{}

func (c *Conn) canPark() bool { return false }

func (g *group) park(*Conn) bool { return false }

func (g *group) unpark(*Conn) {}

func (c *Conn) readNow() {}
