package archtest

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// guards are all the rules, by name.
var guards = map[string]func([]*source) []string{
	"floors":    checkFloors,
	"modules":   checkModules,
	"libraries": checkLibraries,
	"init":      checkInit,
	"lengths":   checkLengths,
	"skips":     checkSkips,
	"sleeps":    checkSleeps,
	"docs":      checkDocs,
	"comments":  checkComments,
}

func TestProject(t *testing.T) {
	all := tree(t)
	if len(all) < 50 {
		t.Fatalf("only %d files were found", len(all))
	}
	for name, check := range guards {
		t.Run(name, func(t *testing.T) {
			faults := check(all)
			slices.Sort(faults)
			for _, f := range faults {
				t.Error(f)
			}
		})
	}
}

func TestDependenciesDocument(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "..", "docs", "dependencies.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range checkDependencies(string(doc)) {
		t.Error(f)
	}
	row := "| github.com/rs/cors | wscore | x |\n"
	if f := strings.Join(checkDependencies(row), "\n"); !strings.Contains(f, "github.com/rs/cors stands for") || !strings.Contains(f, "no row for github.com/gorilla/mux") {
		t.Errorf("a wrong and a missing row were not found: %s", f)
	}
}
