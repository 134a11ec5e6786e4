package socketio_test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	// What the snippets use: a change of these packages runs the test again.
	_ "github.com/hermod-io/hermod/adapters/memory"
	_ "github.com/hermod-io/hermod/socketio/sioclient"
)

const snippetsHead = `package snippets

import (
	"context"
	"crypto/rand"
	"errors"
	"log"
	"log/slog"
	"net/http"
	"regexp"
	"time"

	"github.com/hermod-io/hermod/adapters/memory"
	"github.com/hermod-io/hermod/engineio"
	"github.com/hermod-io/hermod/socketio"
	"github.com/hermod-io/hermod/socketio/event"
	"github.com/hermod-io/hermod/socketio/parser"
	"github.com/hermod-io/hermod/socketio/sioclient"
	"github.com/hermod-io/hermod/wscore"
	"github.com/rs/cors"
)
`

// TestFromNodeCompiles: every Go snippet of docs/from-node.md compiles.
func TestFromNodeCompiles(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "docs", "from-node.md"))
	if err != nil {
		t.Fatal(err)
	}
	out, err := compileSnippets(t, string(doc))
	if err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	broken := strings.Replace(string(doc), "s.Broadcast().Emit(", "s.Broadcast().Emitt(", 1)
	if out, err := compileSnippets(t, broken); err == nil || !strings.Contains(out, "Emitt") {
		t.Errorf("a snippet with a wrong name: %v\n%s", err, out)
	}
}

// compileSnippets builds a package of this module that is on no disk: a
// function for each snippet.
func compileSnippets(t *testing.T, doc string) (output string, err error) {
	t.Helper()
	snippets := regexp.MustCompile("(?ms)^```go\n(.*?)^```$").FindAllStringSubmatchIndex(doc, -1)
	if len(snippets) < 15 {
		t.Fatalf("only %d snippets", len(snippets))
	}
	var b strings.Builder
	b.WriteString(snippetsHead)
	for i, at := range snippets {
		line := 1 + strings.Count(doc[:at[2]], "\n")
		fmt.Fprintf(&b, "\nfunc _%d(ctx context.Context, srv *socketio.Server, n *socketio.Namespace, s *socketio.Socket, mux *http.ServeMux, logger *slog.Logger) {\n//line from-node.md:%d\n%s}\n",
			i, line, doc[at[2]:at[3]])
	}
	dir := t.TempDir()
	file := filepath.Join(dir, "snippets.go")
	if err := os.WriteFile(file, []byte(b.String()), 0o666); err != nil {
		t.Fatal(err)
	}
	target, err := filepath.Abs(filepath.Join("snippets", "snippets.go"))
	if err != nil {
		t.Fatal(err)
	}
	overlay, err := json.Marshal(map[string]map[string]string{"Replace": {target: file}})
	if err != nil {
		t.Fatal(err)
	}
	list := filepath.Join(dir, "overlay.json")
	if err := os.WriteFile(list, overlay, 0o666); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("go", "build", "-overlay", list, "./snippets")
	text, err := cmd.CombinedOutput()
	return string(text), err
}
