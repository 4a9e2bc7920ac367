package ostoys3_test

import (
	"fmt"
	"go/ast"
	"slices"
	"strings"
)

// endless are the functions that take no context and may not end: an overlay can refer to
// a server that does not answer, a file can be a pipe, a template can loop.
func endless() []string {
	return []string{
		module + "/render.Kustomize", module + "/plugin/kube/cluster.Connect",
		"github.com/aws/aws-sdk-go-v2/config.LoadDefaultConfig", "os.ReadFile",
	}
}

// leavable asks that the first signal leaves what may not end: it is called by
// interrupt.Run. The method Objects is the one that renders a chart.
func leavable(s source) []string {
	if !under(s.dir(), "plugin") && !under(s.dir(), "cmd") {
		return nil
	}
	packages := map[ast.Node]bool{}
	var found []ast.Node
	s.uses(func(n ast.Node, name string) {
		packages[n] = true
		if slices.Contains(endless(), name) {
			found = append(found, n)
		}
	})
	var runs []*ast.CallExpr
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		call, ok := n.(*ast.CallExpr)
		if !ok {
			return true
		}
		if spelled(call.Fun) == "interrupt.Run" {
			runs = append(runs, call)
		}
		if method, ok := call.Fun.(*ast.SelectorExpr); ok && method.Sel.Name == "Objects" && !packages[method] {
			found = append(found, method)
		}
		return true
	})
	var complaints []string
	for _, n := range found {
		if !slices.ContainsFunc(runs, func(run *ast.CallExpr) bool { return run.Lparen < n.Pos() && n.End() <= run.Rparen }) {
			name := strings.TrimPrefix(spelled(n.(ast.Expr)), ".")
			complaints = append(complaints, fmt.Sprintf("%s: %s takes no context and may not end: call it by interrupt.Run", s.at(n), name))
		}
	}
	return complaints
}
