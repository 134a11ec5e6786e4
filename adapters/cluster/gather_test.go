package cluster

import (
	"errors"
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/socketio/parser"
)

// endOf ends g and takes its error apart.
func endOf(t *testing.T, g *gathering, cause error) (missing, nodes int, because error) {
	t.Helper()
	err := g.end(cause)
	if err == nil {
		return 0, 0, nil
	}
	var partial *adapters.PartialError
	if !errors.As(err, &partial) {
		t.Fatalf("error %v", err)
	}
	return partial.Missing, partial.Nodes, partial.Cause
}

func complete(g *gathering) bool {
	select {
	case <-g.complete:
		return true
	default:
		return false
	}
}

func answer(from string) *Message {
	return &Message{Type: BroadcastAck, From: from, Args: parser.Args{JSON: []byte(`[1]`)}}
}

func counted(from string, n int) *Message {
	return &Message{Type: BroadcastClientCount, From: from, ClientCount: n}
}

var errTest = errors.New("test")

// gatherings are the ways in which acks of two nodes come, or do not.
var gatherings = []struct {
	name     string
	run      func(g *gathering)
	complete bool
	missing  int
	nodes    int
}{
	{"counts before answers", func(g *gathering) {
		g.expect(2)
		g.count(counted("b", 1))
		g.answer("b", answer("b"))
		g.count(counted("c", 0))
	}, true, 0, 0},
	{"answers before counts", func(g *gathering) {
		g.answer("b", answer("b"))
		g.count(counted("b", 1))
		g.count(counted("c", 0))
		g.expect(2)
	}, true, 0, 0},
	{"nodes that cannot be told apart", func(g *gathering) {
		g.expect(2)
		g.count(counted("", 1))
		g.answer("", answer(""))
		g.count(counted("", 1))
		g.answer("", answer(""))
	}, true, 0, 0},
	{"a count that comes twice", func(g *gathering) {
		g.expect(2)
		g.count(counted("b", 0))
		g.count(counted("b", 0))
	}, false, 1, 1},
	{"a socket and a node missing", func(g *gathering) {
		g.expect(2)
		g.count(counted("b", 2))
		g.answer("b", answer("b"))
	}, false, 2, 1},
	{"a silent node is lost", func(g *gathering) {
		g.expect(2)
		g.count(counted("b", 0))
		g.living(1, nil)
	}, true, 1, 1},
	{"a node that told its count is lost", func(g *gathering) {
		g.expect(2)
		g.count(counted("b", 3))
		g.answer("b", answer("b"))
		g.count(counted("c", 0))
		g.living(1, []string{"b"})
	}, true, 2, 1},
	{"a node that has answered is lost, another is awaited", func(g *gathering) {
		g.expect(2)
		g.count(counted("b", 0))
		g.living(1, []string{"b"})
	}, false, 1, 1},
	{"a node more", func(g *gathering) {
		g.expect(1)
		g.living(5, nil)
		g.count(counted("b", 0))
	}, true, 0, 0},
	{"a negative count", func(g *gathering) {
		g.expect(1)
		g.count(counted("b", -3))
	}, true, 0, 0},
}

func TestGatheringOfAcks(t *testing.T) {
	t.Parallel()
	for _, tc := range gatherings {
		t.Run(tc.name, func(t *testing.T) {
			g := newGathering(true, func(*Message) {})
			g.own(0)
			tc.run(g)
			if complete(g) != tc.complete {
				t.Errorf("complete: %v, want %v", !tc.complete, tc.complete)
			}
			cause := errTest
			if tc.complete {
				cause = nil
			}
			missing, nodes, because := endOf(t, g, cause)
			if missing != tc.missing || nodes != tc.nodes {
				t.Errorf("%d answers and %d nodes missing, want %d and %d", missing, nodes, tc.missing, tc.nodes)
			}
			want := errTest
			if tc.complete {
				want = adapters.ErrNodeLost
			}
			if missing > 0 && because != want {
				t.Errorf("because of %v, want %v", because, want)
			}
		})
	}
}

func TestGatheringOfNodes(t *testing.T) {
	t.Parallel()
	var took []string
	g := newGathering(false, func(m *Message) { took = append(took, m.From) })
	g.expect(3)
	g.answer("b", answer("b"))
	g.answer("b", answer("b")) // twice
	if complete(g) {
		t.Fatal("complete with one of three")
	}
	g.answer("c", answer("c"))
	g.living(2, nil) // one of the three is gone; b and c have answered
	if !complete(g) {
		t.Fatal("a lost node is awaited")
	}
	g.answer("d", answer("d"))
	missing, nodes, because := endOf(t, g, nil)
	if missing != 1 || nodes != 1 || because != adapters.ErrNodeLost {
		t.Errorf("%d answers of %d nodes missing because of %v", missing, nodes, because)
	}
	if len(took) != 2 {
		t.Errorf("took %q, want b and c", took)
	}
}
