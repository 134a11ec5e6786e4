package adaptertest

import (
	"fmt"
	"slices"

	"github.com/hermod-io/hermod/socketio/parser"
)

func serverSideCases() []testCase {
	return []testCase{
		{name: "ServerSideEmit", body: serverSideEmit},
		{name: "ServerSideEmitWithAnswers", body: serverSideAnswers},
	}
}

// awaitServerSide waits until node i has heard count events of other nodes, and
// returns the last one.
func (c *cluster) awaitServerSide(i, count int) serverSide {
	c.t.Helper()
	c.news.await(c.t, func() bool { return len(c.locals[i].serverSideEvents()) == count }, "node %d has %d events of others", i, count)
	return c.locals[i].serverSideEvents()[count-1]
}

func serverSideEmit(c *cluster) {
	c.add(0)
	args := parser.Args{JSON: []byte(`["hello",1,{"a":"ü"}]`)}
	if err := c.nodes[0].ServerSideEmit(c.ctx, args, nil); err != nil {
		c.t.Fatalf("ServerSideEmit: %v", err)
	}
	for i := range c.nodes[1:] {
		if e := c.awaitServerSide(i+1, 1); e.args != string(args.JSON) || e.reply != nil {
			c.t.Errorf("node %d heard %+v", i+1, e)
		}
	}
	c.settle()
	if heard := c.locals[0].serverSideEvents(); len(heard) != 0 {
		c.t.Errorf("the sender heard its own event: %+v", heard)
	}
}

func serverSideAnswers(c *cluster) {
	r, done := new(replies), make(chan error, 1)
	var want []string
	go func() { // ends with the answers, or c.ctx
		done <- c.nodes[0].ServerSideEmit(c.ctx, parser.Args{JSON: []byte(`["ask"]`)}, r.each)
	}()
	for i := range c.nodes[1:] {
		answer := fmt.Sprintf(`["node %d"]`, i+1)
		want = append(want, answer)
		e := c.awaitServerSide(i+1, 1)
		if e.reply == nil {
			c.t.Fatalf("node %d is not asked to answer", i+1)
		}
		e.reply(parser.Args{JSON: []byte(answer)})
	}
	if err := c.finish(done, "ServerSideEmit"); err != nil {
		c.t.Errorf("ServerSideEmit: %v", err)
	}
	if got := r.end(); !slices.Equal(got, want) {
		c.t.Errorf("answers %q, want %q", got, want)
	}
	if heard := c.locals[0].serverSideEvents(); len(heard) != 0 {
		c.t.Errorf("the sender heard its own event: %+v", heard)
	}
}
