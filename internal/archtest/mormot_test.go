package archtest

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// Every public identifier of the mORMot unit has its row in docs/mormot.md, and
// every name of ours that stands there exists.
func TestMormotNames(t *testing.T) {
	root := filepath.Join("..", "..")
	list, err := os.ReadFile(filepath.Join("testdata", "mormot.txt"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := os.ReadFile(filepath.Join(root, "docs", "mormot.md"))
	if err != nil {
		t.Fatal(err)
	}
	rows := map[string]string{}
	for _, m := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (.*) \\|$").FindAllStringSubmatch(string(doc), -1) {
		if _, twice := rows[m[1]]; twice {
			t.Errorf("%s has two rows", m[1])
		}
		rows[m[1]] = m[2]
	}
	names := strings.Fields(string(list))
	for _, name := range names {
		row, ok := rows[name]
		switch ours := goName.FindAllStringSubmatch(row, -1); {
		case !ok:
			t.Errorf("%s has no row", name)
		case len(ours) == 0 && !strings.HasPrefix(row, "dropped, because "):
			t.Errorf("%s: neither a name of ours nor a reason", name)
		default:
			for _, m := range ours {
				if !exported(t, root, m[1]) {
					t.Errorf("%s: there is no %s", name, m[1])
				}
			}
		}
	}
	for name := range rows {
		if !slices.Contains(names, name) {
			t.Errorf("%s is not in the list", name)
		}
	}
}

var goName = regexp.MustCompile("`((?:wscore|rest|chat|noise|ephemeral|weakaes|packet|parser|engineio|eioclient|adapters|socketio|sioclient)\\.[\\w.]+)`")

var folders = map[string]string{
	"wscore": "wscore", "rest": "wscore/rest", "chat": "wscore/chat", "noise": "wscore/noise", "ephemeral": "wscore/ephemeral",
	"weakaes": "wscore/rest/weakaes", "packet": "engineio/packet", "parser": "socketio/parser", "engineio": "engineio", "adapters": "adapters", "socketio": "socketio",
	"eioclient": "engineio/eioclient", "sioclient": "socketio/sioclient",
}

var exports = map[string]map[string]bool{}

// exported reports whether a name like wscore.Conn.Send exists.
func exported(t *testing.T, root, name string) bool {
	pkg, rest, _ := strings.Cut(name, ".")
	if exports[pkg] == nil {
		exports[pkg] = collect(t, filepath.Join(root, folders[pkg]))
	}
	return exports[pkg][rest]
}

// collect lists the exported names of a package: types, functions, methods and
// fields with their type before them, constants and variables. Methods of what
// is embedded count as those of the type.
func collect(t *testing.T, dir string) map[string]bool {
	names := map[string]bool{}
	embedded := map[string][]string{}
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%s: %v", dir, err)
	}
	for _, file := range files {
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range f.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				names[receiver(d)+d.Name.Name] = true
			case *ast.GenDecl:
				collectSpecs(d, names, embedded)
			}
		}
	}
	for outer, list := range embedded {
		for _, inner := range list {
			for name := range names {
				if method, ok := strings.CutPrefix(name, inner+"."); ok {
					names[outer+"."+method] = true
				}
			}
		}
	}
	return names
}

func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	e := d.Recv.List[0].Type
	if star, ok := e.(*ast.StarExpr); ok {
		e = star.X
	}
	switch generic := e.(type) {
	case *ast.IndexExpr:
		e = generic.X
	case *ast.IndexListExpr:
		e = generic.X
	}
	if id, ok := e.(*ast.Ident); ok {
		return id.Name + "."
	}
	return ""
}

func collectSpecs(d *ast.GenDecl, names map[string]bool, embedded map[string][]string) {
	for _, s := range d.Specs {
		switch s := s.(type) {
		case *ast.ValueSpec:
			for _, n := range s.Names {
				names[n.Name] = true
			}
		case *ast.TypeSpec:
			names[s.Name.Name] = true
			var fields *ast.FieldList
			switch typ := s.Type.(type) {
			case *ast.StructType:
				fields = typ.Fields
			case *ast.InterfaceType:
				fields = typ.Methods
			default:
				continue
			}
			for _, f := range fields.List {
				for _, n := range f.Names {
					names[s.Name.Name+"."+n.Name] = true
				}
				if id, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
					embedded[s.Name.Name] = append(embedded[s.Name.Name], id.Name)
				}
			}
		}
	}
}
