package archtest

import (
	"fmt"
	"go/ast"
	"strings"
)

// explained is what checkComments looks at in one file.
type explained struct {
	*source
	faults []string
}

func (e *explained) fault(n ast.Node, format string, args ...any) {
	e.faults = append(e.faults, fmt.Sprintf("%s:%d: %s", e.path, e.line(n.Pos()), fmt.Sprintf(format, args...)))
}

// checkComments finds public names of libraries without a comment of their own,
// fields, methods of interfaces and the constants of a group among them, and
// functions that show a type of a package below internal/, which no user can name.
func checkComments(all []*source) (faults []string) {
	for _, s := range all {
		top, _, _ := strings.Cut(s.path, "/")
		library := top == "wscore" || top == "engineio" || top == "socketio" || top == "adapters"
		if !library || s.test() || strings.Contains(s.path, "/internal/") {
			continue
		}
		e := &explained{source: s}
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				e.function(d)
			case *ast.GenDecl:
				e.group(d)
			}
		}
		faults = append(faults, e.faults...)
	}
	return faults
}

func (e *explained) function(d *ast.FuncDecl) {
	if !d.Name.IsExported() || d.Recv != nil && !ast.IsExported(receiver(d)) {
		return
	}
	if d.Doc == nil {
		e.fault(d, "%s has no comment", d.Name.Name)
	}
	ast.Inspect(d.Type, func(n ast.Node) bool {
		if sel, ok := n.(*ast.SelectorExpr); ok && e.hidden(sel) {
			e.fault(d, "%s shows a type of a package below internal/", d.Name.Name)
		}
		return true
	})
}

// hidden reports whether sel is a name of a package below internal/.
func (e *explained) hidden(sel *ast.SelectorExpr) bool {
	x, ok := sel.X.(*ast.Ident)
	for _, imp := range e.imports() {
		if ok && strings.HasPrefix(imp, module+"/internal/") && e.localName(imp) == x.Name {
			return true
		}
	}
	return false
}

// group looks at a declaration of types, constants or variables. A comment above
// the brackets is not one of what stands between them.
func (e *explained) group(d *ast.GenDecl) {
	alone := d.Doc != nil && !d.Lparen.IsValid()
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			if !spec.Name.IsExported() {
				continue
			}
			if !alone && spec.Doc == nil {
				e.fault(spec, "%s has no comment", spec.Name.Name)
			}
			switch t := spec.Type.(type) {
			case *ast.StructType:
				e.fields(spec.Name.Name, t.Fields)
			case *ast.InterfaceType:
				e.fields(spec.Name.Name, t.Methods)
			}
		case *ast.ValueSpec:
			for _, id := range spec.Names {
				if id.IsExported() && !alone && spec.Doc == nil && spec.Comment == nil {
					e.fault(id, "%s has no comment of its own", id.Name)
				}
			}
		}
	}
}

func (e *explained) fields(of string, list *ast.FieldList) {
	for _, f := range list.List {
		for _, id := range f.Names {
			if id.IsExported() && f.Doc == nil && f.Comment == nil {
				e.fault(id, "%s.%s has no comment", of, id.Name)
			}
		}
	}
}
