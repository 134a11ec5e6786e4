//go:build unix

package nodes

// Freeze stops the node where it is (SIGSTOP): its connections stay open and
// nothing answers. It goes on at Thaw, or when the test ends.
func (n *Node) Freeze() { n.process.Pause() }

// Thaw lets a frozen node go on.
func (n *Node) Thaw() { n.process.Resume() }
