package ostoys3_test

import (
	"go/ast"
	"go/token"
	"slices"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
)

// isAdvice reports whether a name is that of what to do: a field, a variable, a parameter.
func isAdvice(name string) bool {
	return slices.Contains([]string{"Next", "next", "Hint", "hint", "Hints", "hints", "Fix", "fix"}, name)
}

// advisers are the functions whose last argument is what to do.
func advisers() []string {
	return []string{"Fail", "Input", "Refuse", "Warn", "warn", "Try", "refuse", "keep", "leave", "part", "check", "mend"}
}

// advises visits each expression of a file that is what to do.
func (s source) advises(visit func(e ast.Expr)) {
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.KeyValueExpr:
			if isAdvice(lastName(n.Key)) {
				visit(n.Value)
			}
		case *ast.AssignStmt:
			for i, to := range n.Lhs {
				if i < len(n.Rhs) && isAdvice(lastName(to)) {
					visit(n.Rhs[i])
				}
			}
		case *ast.ValueSpec:
			for i, value := range n.Values {
				if i < len(n.Names) && isAdvice(n.Names[i].Name) {
					visit(value)
				}
			}
		case *ast.FuncDecl:
			s.returns(n, visit)
		case *ast.CallExpr:
			if slices.Contains(advisers(), lastName(n.Fun)) && len(n.Args) > 1 {
				visit(n.Args[len(n.Args)-1])
			}
		}
		return true
	})
}

// returns visits what a function gives back as a result that is called what to do.
func (s source) returns(f *ast.FuncDecl, visit func(e ast.Expr)) {
	var names []string
	for n := 0; f.Type.Results != nil && n < len(f.Type.Results.List); n++ {
		for _, name := range f.Type.Results.List[n].Names {
			names = append(names, name.Name)
		}
	}
	ast.Inspect(f, func(n ast.Node) bool {
		result, is := n.(*ast.ReturnStmt)
		for i := 0; is && len(result.Results) == len(names) && i < len(names); i++ {
			if isAdvice(names[i]) {
				visit(result.Results[i])
			}
		}
		_, inner := n.(*ast.FuncLit)
		return !inner
	})
}

// lastName is the name at the end of an expression: Next of told.Next.
func lastName(e ast.Expr) string {
	all := strings.Split(spelled(e), ".")
	return all[len(all)-1]
}

// closedAdvice finds texts in what to do that leave a quotation mark open, and flags whose
// values are not quoted. An apostrophe in one line ends the quotation of a word in the
// next, if somebody copies both.
func closedAdvice(s source) []string {
	if makesCommands(s) {
		return nil
	}
	var complaints []string
	complain := func(n ast.Node, text, what string) {
		complaints = append(complaints, s.at(n)+": "+strconv.Quote(text)+": "+what)
	}
	named := s.namedTexts()
	s.advises(func(e ast.Expr) {
		quoted := quotedIn(e)
		joins(e, func(parts []ast.Expr) {
			for _, text := range between(parts, named) {
				if !quoted(parts[0]) && !shell.Closed(text.text) {
					complain(parts[0], text.text, "in what to do, a sentence has no apostrophe, and advice.Words quotes values")
				}
				if !quoted(parts[0]) && text.behind && openFlag.MatchString(text.text) {
					complain(parts[0], text.text, "the value of a flag in what to do is quoted by advice.Words")
				}
			}
		}, func(literal *ast.BasicLit, alone bool) {
			for _, text := range literals([]ast.Expr{literal}) {
				if !quoted(literal) && strings.Contains(text, "`") {
					complain(literal, text, "in what to do, a shell runs what is between backticks")
				}
				if alone && !quoted(literal) && !shell.Closed(text) {
					complain(literal, text, "in what to do, a sentence has no apostrophe")
				}
				if verbFlag.MatchString(strings.ReplaceAll(text, "%%", "")) {
					complain(literal, text, "the value of a flag in what to do is quoted by advice.Words")
				}
			}
		})
	})
	slices.Sort(complaints)
	return slices.Compact(complaints)
}

// quotedIn reports of what is in an expression whether it is given to package advice or
// shell, which quote it.
func quotedIn(e ast.Expr) func(ast.Node) bool {
	var calls []ast.Node
	ast.Inspect(e, func(n ast.Node) bool {
		if call, is := n.(*ast.CallExpr); is && (strings.HasPrefix(spelled(call.Fun), "advice.") || strings.HasPrefix(spelled(call.Fun), "shell.")) {
			calls = append(calls, n)
		}
		return true
	})
	return func(n ast.Node) bool {
		return slices.ContainsFunc(calls, func(call ast.Node) bool { return call.Pos() <= n.Pos() && n.End() <= call.End() && n != call })
	}
}

// changers are functions that give back a part of a text, or the text changed.
// awserr.RedactLines leaves out lines as a whole.
func changers() []string {
	return []string{
		"strings.Replace", "strings.ReplaceAll", "strings.NewReplacer", "strings.Map", "strings.ToLower", "strings.ToUpper", "strings.Title",
		"strings.Trim", "strings.TrimLeft", "strings.TrimRight", "strings.TrimPrefix", "strings.TrimSuffix", "strings.TrimFunc", "strings.Fields", "strings.Cut", "strings.SplitN",
		"secret.Hide", "awserr.Redact", "plain.Line", "plain.Text", "inLine", "wrap", "strconv.Quote",
	}
}

// wholeAdvice finds where something is changed, hidden, cut or wrapped that is what to do,
// or that package advice made: a quotation mark could go, and make a command of a value.
func wholeAdvice(s source) []string {
	if makesCommands(s) || s.dir() == "plugin/text/ui" { // leaves out whole lines
		return nil
	}
	var complaints []string
	complain := func(n ast.Node, how string) {
		complaints = append(complaints, s.at(n)+": "+how+" of what to do: nothing changes what package advice made")
	}
	for _, decl := range s.syntax.Decls {
		made := adviceIn(decl)
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if name := spelled(n.Fun); slices.Contains(changers(), name) && len(n.Args) > 0 && made(n.Args[0]) {
					complain(n, name)
				}
			case *ast.SliceExpr:
				if made(n.X) {
					complain(n, "a part")
				}
			}
			return true
		})
	}
	return complaints
}

// adviceIn reports of expressions of a declaration whether they are what to do, by their
// names, by what they are made with, or by what was assigned to them.
func adviceIn(decl ast.Decl) func(ast.Expr) bool {
	assigned := map[string]bool{}
	var made func(e ast.Expr) bool
	made = func(e ast.Expr) bool {
		switch e := e.(type) {
		case *ast.ParenExpr:
			return made(e.X)
		case *ast.BinaryExpr:
			return e.Op == token.ADD && (made(e.X) || made(e.Y))
		case *ast.CallExpr:
			of, name, _ := strings.Cut(spelled(e.Fun), ".")
			return of == "advice" && slices.Contains([]string{"Command", "MergePatch", "Pipe", "From", "To", "Words", "NewController", "ControllerFor"}, name) ||
				of == "shell" && slices.Contains([]string{"Word", "Words", "Quote"}, name)
		case *ast.SelectorExpr:
			return isAdvice(e.Sel.Name)
		case *ast.Ident:
			return assigned[e.Name] || e.Name == "next" || e.Name == "hint"
		}
		return false
	}
	ast.Inspect(decl, func(n ast.Node) bool {
		if assign, is := n.(*ast.AssignStmt); is {
			for i, to := range assign.Lhs {
				if name, is := to.(*ast.Ident); is && i < len(assign.Rhs) && made(assign.Rhs[i]) {
					assigned[name.Name] = true
				}
			}
		}
		return true
	})
	return made
}
