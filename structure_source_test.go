package ostoys3_test

import (
	"fmt"
	"go/ast"
	"go/token"
	"slices"
	"strings"
)

// mainOnly are the names that only the main.go of an executable may mention,
// and what to do elsewhere.
func mainOnly() map[string]string {
	const (
		exit    = "return an error: the exit code is main's"
		inherit = "take a context from the caller, or nobody can interrupt this"
		streams = "write to the streams you were given"
	)
	return map[string]string{
		"os.Exit": exit, "log.Fatal": exit, "log.Fatalf": exit, "log.Fatalln": exit,
		"k8s.io/klog/v2.Fatal": exit, "k8s.io/klog/v2.Fatalf": exit, "k8s.io/klog/v2.Exit": exit, "k8s.io/klog/v2.Exitf": exit,
		"context.Background": inherit, "context.TODO": inherit,
		"fmt.Print": streams, "fmt.Printf": streams, "fmt.Println": streams,
		"os.Stdin": streams, "os.Stdout": streams, "os.Stderr": streams,
	}
}

// impure are the names that would make render's output depend on anything but
// its input.
func impure() []string {
	return []string{
		"time.Now", "time.Since", "os.Getenv", "os.LookupEnv", "os.Environ", "os.Hostname", "os.Getwd", "os.UserHomeDir",
	}
}

// impureImports are the packages that would do the same.
func impureImports() []string {
	return []string{"crypto/rand", "math/rand", "math/rand/v2", "net", "net/http", "os/exec", "os/user"}
}

// noInit finds init functions: they run before anybody asked for anything.
func noInit(s source) []string {
	var complaints []string
	for _, decl := range s.syntax.Decls {
		if f, ok := decl.(*ast.FuncDecl); ok && f.Recv == nil && f.Name.Name == "init" {
			complaints = append(complaints, s.at(f)+": init(): let the caller construct what it needs")
		}
	}
	return complaints
}

// onlyMain finds what belongs to main elsewhere.
func onlyMain(s source) []string {
	if s.isMain() {
		return nil
	}
	var complaints []string
	names := mainOnly()
	s.uses(func(n ast.Node, name string) {
		if advice, ok := names[name]; ok {
			complaints = append(complaints, fmt.Sprintf("%s: %s: %s", s.at(n), name, advice))
		}
	})
	return complaints
}

// pureRender finds clocks, environments, networks and dice in render and charts.
func pureRender(s source) []string {
	if s.dir() != "render" && s.dir() != "charts" {
		return nil
	}
	var complaints []string
	for _, imported := range s.imports() {
		if slices.Contains(impureImports(), imported) {
			complaints = append(complaints, "imports "+imported+": the same facts and values must give the same bytes")
		}
	}
	s.uses(func(n ast.Node, name string) {
		if slices.Contains(impure(), name) {
			complaints = append(complaints, fmt.Sprintf("%s: %s: the same facts and values must give the same bytes", s.at(n), name))
		}
	})
	return complaints
}

// noState finds package-level variables, except those that nobody can mistake
// for state; see constantLike.
func noState(s source) []string {
	var complaints []string
	for _, decl := range s.syntax.Decls {
		group, ok := decl.(*ast.GenDecl)
		if !ok || group.Tok != token.VAR {
			continue
		}
		for _, spec := range group.Specs {
			v := spec.(*ast.ValueSpec)
			if embeds(group.Doc) || embeds(v.Doc) {
				continue
			}
			for i, name := range v.Names {
				if !s.constantLike(name.Name, valueOf(v, i)) {
					complaints = append(complaints, fmt.Sprintf("%s: var %s: pass it in, or make it a const or a function that returns a fresh one", s.at(name), name.Name))
				}
			}
		}
	}
	return complaints
}

// constantLike reports whether a variable is one only because Go has no
// constants of its type: interface assertions, error sentinels, compiled
// expressions, names of API kinds. main's version is the linker's to set.
func (s source) constantLike(name string, value ast.Expr) bool {
	if name == "_" {
		return true
	}
	switch v := value.(type) {
	case *ast.SelectorExpr: // another package's sentinel, under our name
		return strings.HasPrefix(name, "Err") && strings.HasPrefix(v.Sel.Name, "Err")
	case *ast.CallExpr:
		switch spelled(v.Fun) {
		case "errors.New", "fmt.Errorf":
			return strings.HasPrefix(strings.ToLower(name), "err")
		case "regexp.MustCompile":
			return true
		}
	case *ast.CompositeLit:
		return slices.Contains([]string{
			"schema.GroupVersion", "schema.GroupKind", "schema.GroupResource",
			"schema.GroupVersionKind", "schema.GroupVersionResource",
		}, spelled(v.Type)) || s.dir() == kindsTable && spelled(v.Type) == "Kind"
	case *ast.BasicLit:
		return s.isMain() && name == "version"
	}
	return false
}

// kindsTable is the package of the table of kinds.
const kindsTable = "plugin/kube/kinds"

// oneTable finds kinds and resources that are spelled outside the table of kinds. One
// that is made of what a cluster or an object says is none of those.
func oneTable(s source) []string {
	if s.dir() == kindsTable {
		return nil
	}
	var complaints []string
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		literal, is := n.(*ast.CompositeLit)
		if !is || !slices.Contains([]string{"schema.GroupVersionKind", "schema.GroupVersionResource"}, spelled(literal.Type)) {
			return true
		}
		ast.Inspect(literal, func(n ast.Node) bool {
			if text, is := n.(*ast.BasicLit); is {
				complaints = append(complaints, fmt.Sprintf("%s: %s: the table of kinds is %s", s.at(text), text.Value, kindsTable))
			}
			return true
		})
		return false
	})
	return complaints
}

// embeds reports whether a doc comment holds a go:embed directive.
func embeds(doc *ast.CommentGroup) bool {
	return doc != nil && slices.ContainsFunc(doc.List, func(c *ast.Comment) bool {
		return strings.HasPrefix(c.Text, "//go:embed ")
	})
}

// valueOf is the i-th value of a declaration, nil where there is none.
func valueOf(v *ast.ValueSpec, i int) ast.Expr {
	if i < len(v.Values) {
		return v.Values[i]
	}
	return nil
}

// spelled is a name as it stands in the source: "errors.New".
func spelled(e ast.Expr) string {
	switch x := e.(type) {
	case *ast.Ident:
		return x.Name
	case *ast.SelectorExpr:
		return spelled(x.X) + "." + x.Sel.Name
	}
	return ""
}
