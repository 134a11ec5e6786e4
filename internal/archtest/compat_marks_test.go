package archtest

import (
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var (
	markLine = regexp.MustCompile(`^\s*// compat: (.+?)\s*$`)
	goTest   = regexp.MustCompile(`^func ((?:Test|Example|Fuzz)\w+)`)
	jsTest   = regexp.MustCompile("^\\s*test\\((['\"`])(.*)")
	// Some numbers stand in the titles of the tests themselves.
	titleMark = regexp.MustCompile(`^(?:3\.\d\d|5\.7\.\d+)\b|CVE-\d{4}-\d+|GHSA(?:-\w{4}){3}`)
)

// collectMarks returns the tests by the names that they bear, in the order of
// their files.
func collectMarks(t *testing.T, root string) map[string][]string {
	t.Helper()
	marks := map[string][]string{}
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		switch {
		case d.IsDir() && path != root && (name == "node_modules" || name == "testdata" || strings.HasPrefix(name, ".")):
			return filepath.SkipDir
		case d.IsDir(), !strings.HasSuffix(name, "_test.go") && !strings.HasSuffix(name, ".test.mjs"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		return addMarks(marks, filepath.ToSlash(rel), string(text))
	})
	if err != nil {
		t.Fatal(err)
	}
	return marks
}

// addMarks reads the marks of one file. A mark belongs to the test that begins
// below its comment, or below the loop that makes it.
func addMarks(marks map[string][]string, file, text string) error {
	var pending []string
	line := 0
	for l := range strings.Lines(text) {
		line++
		l = strings.TrimRight(l, "\n")
		if m := markLine.FindStringSubmatch(l); m != nil {
			pending = append(pending, m[1])
			continue
		}
		if begin := strings.TrimSpace(l); len(pending) > 0 && (strings.HasPrefix(begin, "//") || strings.HasPrefix(begin, "for (")) {
			continue
		}
		test, title := testOf(file, l)
		if test == "" && len(pending) > 0 {
			return fmt.Errorf("%s:%d: the mark %q stands above no test", file, line, pending[0])
		}
		for _, name := range slices.Concat(pending, titleMark.FindAllString(title, -1)) {
			if !slices.Contains(marks[name], test) {
				marks[name] = append(marks[name], test)
			}
		}
		pending = nil
	}
	if len(pending) > 0 {
		return fmt.Errorf("%s: the mark %q stands above no test", file, pending[0])
	}
	return nil
}

// testOf names the test that begins on a line: by package and function, or by
// file and title, which is returned alone too.
func testOf(file, line string) (name, title string) {
	if strings.HasSuffix(file, ".go") {
		if m := goTest.FindStringSubmatch(line); m != nil {
			return fmt.Sprintf("`%s.%s`", strings.TrimPrefix(filepath.ToSlash(filepath.Dir(file)), "./"), m[1]), ""
		}
		return "", ""
	}
	m := jsTest.FindStringSubmatch(line)
	if m == nil {
		return "", ""
	}
	title, _, _ = strings.Cut(m[2], m[1]+",")
	return fmt.Sprintf("%s: %s", strings.TrimSuffix(filepath.Base(file), ".test.mjs"), title), title
}

// The guard sees a name without a test, an unknown mark, a mark above no test,
// and a table that is not up to date.
func TestCompatibilityGuard(t *testing.T) {
	rows, err := readCompat("== One\na | socketio.Server.Of |\nb | | none, because it is made up\nc | |\n")
	if err != nil {
		t.Fatal(err)
	}
	marks := map[string][]string{}
	goFile := "package x\n\n// TestX shows it.\n//\n// compat: a\n// compat: d\nfunc TestX(t *testing.T) {\n"
	jsFile := "  // compat: a\n  test(`CVE-2020-1 and more (${kind})`, async () => {\n"
	for file, text := range map[string]string{"x/x_test.go": goFile, "y.test.mjs": jsFile} {
		if err := addMarks(marks, file, text); err != nil {
			t.Fatal(err)
		}
	}
	if got := slices.Sorted(maps.Keys(marks)); !slices.Equal(got, []string{"CVE-2020-1", "a", "d"}) {
		t.Errorf("marks %v", got)
	}
	problems := compatProblems(rows, marks)
	want := []string{"c: no test", `mark "CVE-2020-1" of y: CVE-2020-1 and more (${kind})`, "mark \"d\" of `x.TestX`"}
	if len(problems) != len(want) {
		t.Fatalf("problems %q", problems)
	}
	for i := range want {
		if !strings.HasPrefix(problems[i], want[i]) {
			t.Errorf("problem %q, want %q", problems[i], want[i])
		}
	}
	if err := addMarks(marks, "z_test.go", "// compat: a\n\nfunc TestZ(t *testing.T) {\n"); err == nil {
		t.Error("a mark above no test is not noticed")
	}
	if _, err := readCompat("== One\na | |\na | |\n"); err == nil {
		t.Error("a name that stands twice is not noticed")
	}
	table := compatTables(rows, marks)
	doc := "x\n" + compatBegin + "old\n" + compatEnd + "y\n"
	fresh, err := replaceGenerated(doc, table)
	if err != nil || fresh == doc || !strings.Contains(fresh, "| a | `socketio.Server.Of` | ") {
		t.Errorf("%v %q", err, fresh)
	}
	if again, _ := replaceGenerated(fresh, table); again != fresh {
		t.Error("generating twice is not the same as once")
	}
	if _, err := replaceGenerated("no lines", table); err == nil {
		t.Error("a document without the lines is not noticed")
	}
}
