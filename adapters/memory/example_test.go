package memory_test

import (
	"fmt"

	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/socketio"
)

// Without an Adapter a server keeps its rooms in memory, too.
func ExampleNew() {
	srv, err := socketio.New(socketio.Config{Adapter: memory.New()})
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(srv.To("lobby").Emit("news", "nobody is there yet"))
	// Output: <nil>
}
