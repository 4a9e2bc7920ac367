package ostoys3_test

import (
	"go/ast"
	"go/token"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// commandMakers are the packages that make commands and scripts of values, with their
// own tests of what a value can do in there. Everywhere else advice.Command does it.
func commandMakers() []string {
	return []string{"plugin/advice", "plugin/shell", "plugin/rolecode", "plugin/manual"}
}

var (
	someCommand = regexp.MustCompile(`(^|[^\w./-])(oc|kubectl|aws|rosa|helm) [a-z]`)
	someVerb    = regexp.MustCompile(`%[-+# 0-9.*\[\]]*[a-zA-Z]`)
)

// noJoinedCommands finds texts with a command in them that are joined with a value, by +
// or by a format: the value, which somebody else may have written, would not be quoted.
func noJoinedCommands(s source) []string {
	if slices.ContainsFunc(commandMakers(), func(dir string) bool { return under(s.dir(), dir) }) {
		return nil
	}
	var complaints []string
	complain := func(n ast.Node, text string) {
		complaints = append(complaints, s.at(n)+": "+strconv.Quote(text)+": a command with a value in it is made by advice.Command")
	}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op != token.ADD {
				return true
			}
			operands := joined(n)
			for _, text := range literals(operands) {
				if len(literals(operands)) < len(operands) && someCommand.MatchString(text) {
					complain(n, text)
				}
			}
		case *ast.BasicLit:
			for _, text := range literals([]ast.Expr{n}) {
				if someCommand.MatchString(text) && someVerb.MatchString(strings.ReplaceAll(text, "%%", "")) {
					complain(n, text)
				}
			}
		}
		return true
	})
	slices.Sort(complaints)
	return slices.Compact(complaints)
}

// joined are the operands of a chain of +.
func joined(e ast.Expr) []ast.Expr {
	switch e := e.(type) {
	case *ast.ParenExpr:
		return joined(e.X)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			return append(joined(e.X), joined(e.Y)...)
		}
	}
	return []ast.Expr{e}
}

// literals are the texts among expressions.
func literals(all []ast.Expr) []string {
	var texts []string
	for _, e := range all {
		if literal, ok := e.(*ast.BasicLit); ok && literal.Kind == token.STRING {
			if text, err := strconv.Unquote(literal.Value); err == nil {
				texts = append(texts, text)
			}
		}
	}
	return texts
}
