package memory_test

import (
	"testing"

	"github.com/hermod-io/hermod/adapters"
	"github.com/hermod-io/hermod/adapters/adaptertest"
	"github.com/hermod-io/hermod/adapters/memory"
)

func TestSuite(t *testing.T) {
	adaptertest.Run(t, adaptertest.Config{
		New: func(t testing.TB, locals []adapters.Local) []adapters.Adapter {
			a, err := memory.New()(locals[0])
			if err != nil {
				t.Fatal(err)
			}
			return []adapters.Adapter{a}
		},
	})
}
