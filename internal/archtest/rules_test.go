package archtest

import (
	"fmt"
	"go/ast"
	"path"
	"strings"
)

// checkLibraries finds what a library must not do to the program it is part
// of: print, log to a global logger, exit.
func checkLibraries(all []*source) (faults []string) {
	for _, s := range all {
		if s.test() || !covers(libraries, s.dir()) {
			continue
		}
		fault := func(n ast.Node, what string) {
			faults = append(faults, fmt.Sprintf("%s:%d: %s in a library", s.path, s.line(n.Pos()), what))
		}
		s.uses("fmt", func(sel *ast.Ident) {
			if strings.HasPrefix(sel.Name, "Print") {
				fault(sel, "fmt."+sel.Name)
			}
		})
		s.uses("log", func(sel *ast.Ident) { fault(sel, "log."+sel.Name) })
		s.uses("log/slog", func(sel *ast.Ident) {
			switch sel.Name {
			case "Default", "SetDefault", "Debug", "Info", "Warn", "Error", "Log":
				fault(sel, "slog."+sel.Name+", which is the global logger,")
			}
		})
		s.uses("os", func(sel *ast.Ident) {
			switch sel.Name {
			case "Stdout", "Stderr", "Exit":
				fault(sel, "os."+sel.Name)
			}
		})
		ast.Inspect(s.file, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok {
				if f, ok := call.Fun.(*ast.Ident); ok && (f.Name == "print" || f.Name == "println") {
					fault(call, f.Name)
				}
			}
			return true
		})
	}
	return faults
}

// checkInit finds init functions.
func checkInit(all []*source) (faults []string) {
	for _, s := range all {
		for _, d := range s.file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
				faults = append(faults, fmt.Sprintf("%s:%d: an init function", s.path, s.line(f.Pos())))
			}
		}
	}
	return faults
}

// checkLengths finds files and functions that are too long.
func checkLengths(all []*source) (faults []string) {
	for _, s := range all {
		if n := s.set.File(s.file.Pos()).LineCount(); n > maxFile {
			faults = append(faults, fmt.Sprintf("%s: %d lines, at most %d", s.path, n, maxFile))
		}
		for _, d := range s.file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok {
				continue
			}
			most := maxFunction
			if wireSwitches[s.dir()+"."+f.Name.Name] {
				most = maxSwitch
			}
			if n := s.line(f.End()) - s.line(f.Type.Pos()) + 1; n > most {
				faults = append(faults, fmt.Sprintf("%s:%d: %s has %d lines, at most %d", s.path, s.line(f.Pos()), f.Name.Name, n, most))
			}
		}
	}
	return faults
}

// checkSkips finds tests that may be left out: what is missing on a machine is
// a failure that says what to install.
func checkSkips(all []*source) (faults []string) {
	for _, s := range all {
		ast.Inspect(s.file, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			if sel, ok := call.Fun.(*ast.SelectorExpr); ok {
				switch sel.Sel.Name {
				case "Skip", "Skipf", "SkipNow":
					faults = append(faults, fmt.Sprintf("%s:%d: a call of %s", s.path, s.line(sel.Pos()), sel.Sel.Name))
				}
			}
			return true
		})
		s.uses("testing", func(sel *ast.Ident) {
			if sel.Name == "Short" {
				faults = append(faults, fmt.Sprintf("%s:%d: testing.Short", s.path, s.line(sel.Pos())))
			}
		})
	}
	return faults
}

// checkSleeps finds tests that sleep in real time: those in a file that knows
// no bubble.
func checkSleeps(all []*source) (faults []string) {
	for _, s := range all {
		if !s.test() || s.localName("testing/synctest") != "" {
			continue
		}
		s.uses("time", func(sel *ast.Ident) {
			if sel.Name == "Sleep" {
				faults = append(faults, fmt.Sprintf("%s:%d: time.Sleep in a test without testing/synctest", s.path, s.line(sel.Pos())))
			}
		})
	}
	return faults
}

// checkDocs finds packages without a doc.go that says what they are. A program
// may say so in any file.
func checkDocs(all []*source) (faults []string) {
	documented, first := map[string]bool{}, map[string]*source{}
	for _, s := range all {
		if strings.HasSuffix(s.path, "_test.go") {
			continue
		}
		if first[s.dir()] == nil {
			first[s.dir()] = s
		}
		inPlace := path.Base(s.path) == "doc.go" || s.file.Name.Name == "main"
		if inPlace && s.file.Doc != nil {
			documented[s.dir()] = true
		}
	}
	for dir := range first {
		if !documented[dir] {
			faults = append(faults, dir+": no doc.go with a package comment")
		}
	}
	return faults
}
