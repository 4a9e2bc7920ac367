package ostoys3_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
	"testing"
)

// What a reader can hold in the head. The numbers are not the aim: a struct that grows
// over them is usually the shared memory of functions that could return what they find,
// and a type with methods everywhere is a package that has not been cut.
const (
	mostFields   = 12  // of a struct
	mostFiles    = 3   // with methods of one type
	mostFunction = 50  // lines
	mostFile     = 300 // lines
)

// manyFields are the structs with more fields, and why.
func manyFields() map[string]string {
	const (
		flags    = "mirrors the flags of a command"
		document = "is a document: what a file or -o json has"
	)
	return map[string]string{
		"plugin/aws/iam.Client":             "has one operation of IAM in each field",
		"plugin/controller.Instance":        document,
		"plugin/controller/install.Request": flags,
		"plugin/controller/install.result":  document,
		"plugin/install.Request":            flags,
		"plugin/install.result":             document,
		"plugin/kube/apply.Record":          document,
		"plugin/kube/health.State":          document,
		"plugin/status.Report":              document,
		"plugin/status.Row":                 document,
		"plugin/uninstall.Request":          flags,
		"plugin/verify.Report":              document,
	}
}

// small holds every struct, type, function and file against the numbers.
func small(files []source) []string {
	var complaints []string
	methods := map[string][]string{} // the files, by package and type
	for _, f := range files {
		if lines := f.fset.Position(f.syntax.FileEnd).Line; lines > mostFile {
			complaints = append(complaints, fmt.Sprintf("%s has %d lines: %d are enough", f.path, lines, mostFile))
		}
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				if lines := f.lines(n); lines > mostFunction {
					complaints = append(complaints, fmt.Sprintf("%s: %s: %s has %d lines: %d are enough", f.path, f.at(n), n.Name.Name, lines, mostFunction))
				}
				if of := f.dir() + "." + receiver(n); n.Recv != nil && !slices.Contains(methods[of], f.path) {
					methods[of] = append(methods[of], f.path)
				}
			case *ast.TypeSpec:
				if s, ok := n.Type.(*ast.StructType); ok && s.Fields.NumFields() > mostFields && manyFields()[f.dir()+"."+n.Name.Name] == "" {
					complaints = append(complaints, fmt.Sprintf("%s: %s: struct %s has %d fields: %d are enough", f.path, f.at(n), n.Name.Name, s.Fields.NumFields(), mostFields))
				}
			}
			return true
		})
	}
	for of, in := range methods {
		if len(in) > mostFiles {
			complaints = append(complaints, fmt.Sprintf("%s has methods in %d files: %d are enough: %s", of, len(in), mostFiles, strings.Join(in, ", ")))
		}
	}
	slices.Sort(complaints)
	return complaints
}

// lines is how long a node is.
func (s source) lines(n ast.Node) int {
	return s.fset.Position(n.End()).Line - s.fset.Position(n.Pos()).Line + 1
}

// receiver is the type of a method, "" for a function.
func receiver(f *ast.FuncDecl) string {
	if f.Recv == nil {
		return ""
	}
	of := f.Recv.List[0].Type
	for {
		switch x := of.(type) {
		case *ast.StarExpr:
			of = x.X
		case *ast.IndexExpr:
			of = x.X
		case *ast.IndexListExpr:
			of = x.X
		case *ast.Ident:
			return x.Name
		default:
			return ""
		}
	}
}

// unneeded are the exceptions that nothing needs any more.
func unneeded(files []source) []string {
	needed := map[string]bool{}
	for _, f := range files {
		ast.Inspect(f.syntax, func(n ast.Node) bool {
			if t, ok := n.(*ast.TypeSpec); ok {
				s, ok := t.Type.(*ast.StructType)
				needed[f.dir()+"."+t.Name.Name] = ok && s.Fields.NumFields() > mostFields
			}
			return true
		})
	}
	var complaints []string
	for name := range manyFields() {
		if !needed[name] {
			complaints = append(complaints, name+" is in the list of structs with many fields and is not one")
		}
	}
	return complaints
}

func TestSizes(t *testing.T) {
	files := moduleFiles(t)
	for _, complaint := range append(small(files), unneeded(files)...) {
		t.Error(complaint)
	}
}

// TestSizesFire gives each number something that is over it, and something at it.
func TestSizesFire(t *testing.T) {
	fields := func(n int) string { return "type T struct {" + strings.Repeat("_ int\n", n) + "}\n" }
	body := func(n int) string { return "func f() {\n" + strings.Repeat("_ = 1\n", n) + "}\n" }
	method := func(at string) source { return parse(t, at, "package x\nfunc (t *T[K]) m() {}\n") }
	for name, c := range map[string]struct {
		files []source
		want  string // empty: no complaint
	}{
		"13 fields":                    {[]source{parse(t, "plugin/x/a.go", "package x\n"+fields(13))}, "struct T has 13 fields"},
		"12 fields":                    {[]source{parse(t, "plugin/x/a.go", "package x\n"+fields(12))}, ""},
		"13 fields of a request":       {[]source{parse(t, "plugin/install/a.go", "package install\n"+strings.Replace(fields(13), "T", "Request", 1))}, ""},
		"51 lines of a function":       {[]source{parse(t, "plugin/x/a.go", "package x\n"+body(49))}, "f has 51 lines"},
		"50 lines of a function":       {[]source{parse(t, "plugin/x/a.go", "package x\n"+body(48))}, ""},
		"301 lines of a file":          {[]source{parse(t, "plugin/x/a.go", "package x\n"+strings.Repeat("// a\n", 299)+"var _ = 1")}, "has 301 lines"},
		"300 lines of a file":          {[]source{parse(t, "plugin/x/a.go", "package x\n"+strings.Repeat("// a\n", 298)+"var _ = 1")}, ""},
		"methods in four files":        {[]source{method("plugin/x/a.go"), method("plugin/x/b.go"), method("plugin/x/c.go"), method("plugin/x/d.go")}, "plugin/x.T has methods in 4 files"},
		"methods in three files":       {[]source{method("plugin/x/a.go"), method("plugin/x/b.go"), method("plugin/x/c.go")}, ""},
		"the same name in a neighbour": {[]source{method("plugin/x/a.go"), method("plugin/x/b.go"), method("plugin/x/c.go"), method("plugin/y/d.go")}, ""},
	} {
		got := strings.Join(small(c.files), "\n")
		if (c.want == "") != (got == "") || !strings.Contains(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
