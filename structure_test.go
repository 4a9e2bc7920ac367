// Package ostoys3_test keeps the architecture of this module: which package may
// import which, where each big dependency may be used, and what no package
// below main may do. The rules are tables, to be read as documentation; each
// rule is shown to fail on a small source of its own. It runs nothing of the
// project and looks at no test file.
package ostoys3_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/oc-ostoy-s3/oc-ostoy-s3"

// source is one parsed Go file that is not a test.
type source struct {
	path   string // from the module's root, with slashes
	fset   *token.FileSet
	syntax *ast.File
}

// rule looks at one file and says what is wrong with it, if anything.
type rule func(source) []string

// rules are all that look at one file at a time.
func rules() map[string]rule {
	return map[string]rule{
		"imports run one way":              direction,
		"dependencies stay in their rooms": rooms,
		"never imported":                   forbidden,
		"no init":                          noInit,
		"only main decides":                onlyMain,
		"render is pure":                   pureRender,
		"no package-level state":           noState,
		"kinds stand in one table":         oneTable,
		"one way out":                      oneWayOut,
		"one cleaner":                      oneCleaner,
		"commands are quoted":              noJoinedCommands,
		"advice closes its quotes":         closedAdvice,
		"advice stays whole":               wholeAdvice,
		"what may not end can be left":     leavable,
	}
}

func TestStructure(t *testing.T) {
	files := moduleFiles(t)
	for name, check := range rules() {
		t.Run(name, func(t *testing.T) {
			for _, f := range files {
				for _, complaint := range check(f) {
					t.Errorf("%s: %s", f.path, complaint)
				}
			}
		})
	}
	t.Run("helm is one file's work", func(t *testing.T) {
		for _, complaint := range oneHelmFile(files) {
			t.Error(complaint)
		}
	})
	t.Run("every package says what it is for", func(t *testing.T) {
		for _, complaint := range packageComments(files) {
			t.Error(complaint)
		}
	})
}

// moduleFiles parses every file of the module that goes into an executable. The
// folder test is a module of its own.
func moduleFiles(t *testing.T) []source {
	t.Helper()
	var files []source
	fset := token.NewFileSet()
	err := filepath.WalkDir(".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && name != "." && (slices.Contains([]string{"test", "bin", "dist", "testdata"}, d.Name()) || strings.HasPrefix(d.Name(), ".")):
			return filepath.SkipDir
		case d.IsDir() || !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go"):
			return nil
		}
		syntax, err := parser.ParseFile(fset, name, nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			return err
		}
		files = append(files, source{path: filepath.ToSlash(name), fset: fset, syntax: syntax})
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(files) == 0 {
		t.Fatal("found no Go files: the rules would hold for anything")
	}
	return files
}

// dir is the package's folder: its import path without the module's.
func (s source) dir() string { return path.Dir(s.path) }

// isMain reports whether this is the main.go of an executable, the one place
// that may touch the process.
func (s source) isMain() bool {
	return s.syntax.Name.Name == "main" && path.Base(s.path) == "main.go"
}

// imports lists the import paths of the file.
func (s source) imports() []string {
	var list []string
	for _, spec := range s.syntax.Imports {
		name, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			panic(err) // the parser has read it as a string
		}
		list = append(list, name)
	}
	return list
}

// at is the line of a node.
func (s source) at(n ast.Node) string {
	return "line " + strconv.Itoa(s.fset.Position(n.Pos()).Line)
}

// uses calls visit with every mention of a name of another package, such as
// os.Exit, spelled by import path: "os.Exit", "math/rand.Int".
func (s source) uses(visit func(n ast.Node, name string)) {
	packages := map[string]string{}
	for i, imported := range s.imports() {
		local := path.Base(imported)
		if alias := s.syntax.Imports[i].Name; alias != nil {
			local = alias.Name
		}
		packages[local] = imported
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		selector, ok := n.(*ast.SelectorExpr)
		if !ok {
			return true
		}
		if x, ok := selector.X.(*ast.Ident); ok && packages[x.Name] != "" {
			visit(selector, packages[x.Name]+"."+selector.Sel.Name)
		}
		return true
	})
}

// packageComments asks every package for one comment on its package clause.
func packageComments(files []source) []string {
	described := map[string]bool{}
	for _, f := range files {
		described[f.dir()] = described[f.dir()] || f.syntax.Doc != nil
	}
	var complaints []string
	for dir, ok := range described {
		if !ok {
			complaints = append(complaints, dir+": no package comment: say what the package is for and what it never does")
		}
	}
	slices.Sort(complaints)
	return complaints
}
