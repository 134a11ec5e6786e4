//go:build node

package cluster

import (
	"os"
	"testing"

	"github.com/hermod-io/hermod/tests/cluster/internal/nodes"
)

func TestMain(m *testing.M) { os.Exit(nodes.Main(m)) }
