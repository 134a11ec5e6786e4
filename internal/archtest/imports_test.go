package archtest

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// checkFloors finds imports among our own packages that the table does not
// allow. Test files may import what they like.
func checkFloors(all []*source) (faults []string) {
	for _, s := range all {
		if s.test() {
			continue
		}
		allowed, ok := floor(s.dir())
		if !ok {
			faults = append(faults, fmt.Sprintf("%s: package %s has no line in the table of floors", s.path, s.dir()))
			continue
		}
		for _, imp := range s.imports() {
			ours, ok := strings.CutPrefix(imp, module+"/")
			// What lies below the folder of a program is its own affair.
			own := covers([]string{"server/...", "examples/..."}, s.dir()) &&
				strings.HasPrefix(ours, strings.SplitN(s.path, "/", 2)[0]+"/")
			if ok && !own && !covers(allowed, ours) {
				faults = append(faults, fmt.Sprintf("%s: %s may not import %s", s.path, s.dir(), ours))
			}
		}
	}
	return faults
}

func floor(dir string) (allowed []string, ok bool) {
	if allowed, ok = floors[dir]; ok {
		return allowed, true
	}
	for pattern, allowed := range floors {
		if covers([]string{pattern}, dir) {
			return allowed, true
		}
	}
	return nil, false
}

// checkModules finds uses of modules of others where the table has none.
func checkModules(all []*source) (faults []string) {
	for _, s := range all {
		for _, imp := range s.imports() {
			if first, _, _ := strings.Cut(imp, "/"); !strings.Contains(first, ".") {
				continue // the standard library
			}
			if imp == module || strings.HasPrefix(imp, module+"/") {
				continue
			}
			folders, ok := moduleOf(imp)
			switch {
			case !ok:
				faults = append(faults, fmt.Sprintf("%s: %s belongs to no module of the table", s.path, imp))
			case s.test() || allowedIn(folders, s.dir()):
			default:
				faults = append(faults, fmt.Sprintf("%s: %s is only for %s", s.path, imp, strings.Join(folders, ", ")))
			}
		}
	}
	return faults
}

// moduleOf returns where the module may be used that a package is part of.
func moduleOf(imp string) (folders []string, ok bool) {
	for _, table := range []map[string][]string{modules, later} {
		for m, folders := range table {
			if imp == m || strings.HasPrefix(imp, m+"/") {
				return folders, true
			}
		}
	}
	return nil, false
}

// allowedIn reports whether dir is one of the folders; server and examples
// stand for all that is below them.
func allowedIn(folders []string, dir string) bool {
	for _, f := range folders {
		if f == dir || (f == "server" || f == "examples") && strings.HasPrefix(dir, f+"/") {
			return true
		}
	}
	return false
}

// checkDependencies compares the table of docs/dependencies.md with ours.
func checkDependencies(doc string) (faults []string) {
	seen := map[string]bool{}
	for line := range strings.Lines(doc) {
		cells := strings.Split(line, "|")
		if len(cells) < 3 || !strings.Contains(strings.SplitN(cells[1], "/", 2)[0], ".") {
			continue
		}
		m, where := strings.TrimSpace(cells[1]), strings.TrimSpace(cells[2])
		seen[m] = true
		if want := strings.Join(modules[m], ", "); where != want {
			faults = append(faults, fmt.Sprintf("docs/dependencies.md: %s stands for %q, the table of archtest says %q", m, where, want))
		}
	}
	for m := range modules {
		if !seen[m] {
			faults = append(faults, "docs/dependencies.md: no row for "+m)
		}
	}
	return faults
}

// TestModulesAreRequired: the table has no module that go.mod does not.
func TestModulesAreRequired(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "go.mod"))
	if err != nil {
		t.Fatal(err)
	}
	for path := range modules {
		if !regexp.MustCompile(`(?m)^\s+` + regexp.QuoteMeta(path) + `(/v\d+)? v`).Match(text) {
			t.Errorf("%s is not in go.mod", path)
		}
	}
}
