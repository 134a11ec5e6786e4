package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/hermod-io/hermod"

// source is one parsed Go file of ours.
type source struct {
	path string // from the root of the module, with slashes
	set  *token.FileSet
	file *ast.File
}

func parse(t *testing.T, name string, text any) *source {
	t.Helper()
	set := token.NewFileSet()
	file, err := parser.ParseFile(set, filepath.FromSlash(name), text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return &source{name, set, file}
}

func (s *source) dir() string { return path.Dir(s.path) }

// test reports whether the file is built for tests alone.
func (s *source) test() bool {
	return strings.HasSuffix(s.path, "_test.go") || strings.HasPrefix(s.path, "tests/")
}

func (s *source) line(p token.Pos) int { return s.set.Position(p).Line }

func (s *source) imports() []string {
	var list []string
	for _, spec := range s.file.Imports {
		p, _ := strconv.Unquote(spec.Path.Value)
		list = append(list, p)
	}
	return list
}

// localName returns the name by which the file calls an imported package, ""
// if it does not import it.
func (s *source) localName(importPath string) string {
	for _, spec := range s.file.Imports {
		if p, _ := strconv.Unquote(spec.Path.Value); p == importPath {
			if spec.Name != nil {
				return spec.Name.Name
			}
			return path.Base(importPath)
		}
	}
	return ""
}

// uses calls f for each selector name.Sel in the file whose package is given.
func (s *source) uses(importPath string, f func(sel *ast.Ident)) {
	name := s.localName(importPath)
	if name == "" {
		return
	}
	ast.Inspect(s.file, func(n ast.Node) bool {
		if e, ok := n.(*ast.SelectorExpr); ok {
			if x, ok := e.X.(*ast.Ident); ok && x.Name == name {
				f(e.Sel)
			}
		}
		return true
	})
}

// covers reports whether one of the patterns names the package.
func covers(patterns []string, dir string) bool {
	for _, p := range patterns {
		below, tree := strings.CutSuffix(p, "...")
		if p == dir || tree && (below == "" || strings.HasPrefix(dir+"/", below)) {
			return true
		}
	}
	return false
}

// tree parses all Go files of the module, nested modules aside.
func tree(t *testing.T) []*source {
	t.Helper()
	root := filepath.Join("..", "..")
	var all []*source
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, _ := filepath.Rel(root, name)
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			_, err := os.Stat(filepath.Join(name, "go.mod"))
			if rel != "." && (err == nil || strings.HasPrefix(d.Name(), ".") || d.Name() == "node_modules" || d.Name() == "testdata") {
				return filepath.SkipDir
			}
			return nil
		}
		if strings.HasSuffix(name, ".go") {
			text, err := os.ReadFile(name)
			if err != nil {
				return err
			}
			all = append(all, parse(t, rel, text))
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}
