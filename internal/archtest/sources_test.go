package archtest

import (
	"go/ast"
	"maps"
	"path/filepath"
	"regexp"
	"slices"
	"testing"
)

// wscoreOwn are the public names of wscore that neither an RFC nor mORMot knows.
// All others say in their comment where they come from.
var wscoreOwn = []string{
	"CloseError.Error", "CloseError.Is", "CloseError.Unwrap", "HandshakeError.Error", "State.String",
	"Conn.Buffered", "Conn.CountAs", "Conn.ReadOn", "Conn.RemoteAddr", "Conn.RunNext", "Conn.Stalled",
	"Handler.Processes",
	"NewClient", "NewDialer", "NewHandler", "NewPrepared", "NewServer",
	"Process.Conn", "Process.Done", "Process.Flush", "Process.ID", "Process.IsClient", "Process.Logger", "Process.Logs",
	"Gatherer", "OnFull", "Queue", "Readier", "Runner", "SendFlags", "Sequential",
	"Disconnect", "DropNewest", "ErrConnected", "ErrConsumed", "ErrQueueFull", "Later", "Moved", "Must", "Plain",
}

var citation = regexp.MustCompile(`RFC\s\d{4}|mORMot`)

// Every public name of wscore says from which paragraph of an RFC or which part
// of mORMot it comes, unless it is of neither.
func TestWscoreNamesCiteTheirSource(t *testing.T) {
	files, err := filepath.Glob(filepath.Join("..", "..", "wscore", "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no files: %v", err)
	}
	cites := map[string]bool{}
	for _, name := range files {
		if s := parse(t, filepath.ToSlash(name), nil); !s.test() {
			citations(s.file, cites)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cites)) {
		switch own := slices.Contains(wscoreOwn, name); {
		case !cites[name] && !own:
			t.Errorf("%s: its comment names no section of an RFC, nor what it is in mORMot", name)
		case cites[name] && own:
			t.Errorf("%s cites its source: take it out of the list", name)
		}
	}
	for _, name := range wscoreOwn {
		if _, ok := cites[name]; !ok {
			t.Errorf("%s is in the list, but there is no such name", name)
		}
	}
}

// citations notes for each exported name of a file whether its comment, or that
// of its group, cites a source.
func citations(f *ast.File, cites map[string]bool) {
	note := func(name string, docs ...*ast.CommentGroup) {
		for _, d := range docs {
			cites[name] = cites[name] || citation.MatchString(d.Text())
		}
	}
	for _, d := range f.Decls {
		switch d := d.(type) {
		case *ast.FuncDecl:
			if name := exportedFunc(d); name != "" {
				note(name, d.Doc)
			}
		case *ast.GenDecl:
			for _, spec := range d.Specs {
				switch spec := spec.(type) {
				case *ast.TypeSpec:
					if spec.Name.IsExported() {
						note(spec.Name.Name, d.Doc, spec.Doc)
					}
				case *ast.ValueSpec:
					for _, id := range spec.Names {
						if id.IsExported() {
							note(id.Name, d.Doc, spec.Doc, spec.Comment)
						}
					}
				}
			}
		}
	}
}

// exportedFunc is the name of an exported function, or of a method of an
// exported type with the type before it; "" for others.
func exportedFunc(d *ast.FuncDecl) string {
	if !d.Name.IsExported() {
		return ""
	}
	if d.Recv == nil {
		return d.Name.Name
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	if id, ok := t.(*ast.Ident); ok && id.IsExported() {
		return id.Name + "." + d.Name.Name
	}
	return ""
}
