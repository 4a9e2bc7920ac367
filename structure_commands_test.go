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
// own tests of what a value can do in there, and one that names this tool in the first
// line of its files. Everywhere else advice.Command does it.
func commandMakers() []string {
	return []string{"plugin/advice", "plugin/text/shell", "plugin/aws/rolecode", "plugin/manual", "render/layout"}
}

// aRun names this tool in sentences, and is no command.
const aRun = "another run of oc ostoy-s3"

const commands = `(^|[^\w./-])(oc|kubectl|aws|rosa|helm|argocd|flux|curl) `

var (
	someCommand = regexp.MustCompile(commands + `[a-z-]`)
	someVerb    = regexp.MustCompile(`%[-+# 0-9.*\[\]]*[a-zA-Z]`)
	// openCommand and openFlag want a value behind them.
	openCommand = regexp.MustCompile(commands + `([^;:,()\n]*[ =/'"])?$`)
	openFlag    = regexp.MustCompile(`(^|[\s("'])--[a-z][a-z-]*[ =]['"]?$`)
	verbFlag    = regexp.MustCompile(`(^|[\s("'])--[a-z][a-z-]*[ =]['"]?%`)
)

// noJoinedCommands finds texts with a command in them that are joined with a value, by +,
// +=, strings.Join or a format, or are there to be: the value, which somebody else may
// have written, would not be quoted.
func noJoinedCommands(s source) []string {
	if makesCommands(s) {
		return nil
	}
	var complaints []string
	complain := func(n ast.Node, text string) {
		complaints = append(complaints, s.at(n)+": "+strconv.Quote(text)+": a command with a value in it is made by advice.Command")
	}
	named := s.namedTexts()
	joins(s.syntax, func(parts []ast.Expr) {
		for _, text := range between(parts, named) {
			if someCommand.MatchString(strings.ReplaceAll(text.text, aRun, "")) && (text.before || text.behind) {
				complain(parts[0], text.text)
			}
		}
	}, func(literal *ast.BasicLit, alone bool) {
		for _, text := range literals([]ast.Expr{literal}) {
			verbs := someVerb.MatchString(strings.ReplaceAll(text, "%%", ""))
			if someCommand.MatchString(text) && verbs || alone && openCommand.MatchString(text) {
				complain(literal, text)
			}
		}
	})
	slices.Sort(complaints)
	return slices.Compact(complaints)
}

func makesCommands(s source) bool {
	return slices.ContainsFunc(commandMakers(), func(dir string) bool { return under(s.dir(), dir) })
}

// joins visits what is joined to one text, by + or strings.Join, and each text that the
// source spells; alone reports that it is not joined with anything.
func joins(where ast.Node, join func(parts []ast.Expr), text func(literal *ast.BasicLit, alone bool)) {
	inner := map[ast.Node]bool{}
	ast.Inspect(where, func(n ast.Node) bool {
		var parts []ast.Expr
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if n.Op == token.ADD && !inner[n] {
				parts = joined(n)
				chains(n, func(part ast.Node) { inner[part] = true })
			}
		case *ast.CallExpr:
			if spelled(n.Fun) == "strings.Join" && !slices.Contains(literals(n.Args), "\n") { // else each is a line
				if list, is := n.Args[0].(*ast.CompositeLit); is {
					parts = list.Elts
				}
			}
		case *ast.BasicLit:
			text(n, !inner[n])
		}
		for _, part := range parts {
			inner[part] = true
		}
		if len(parts) > 0 {
			join(parts)
		}
		return true
	})
}

// betweenValues is a text that the source spells, among what it is joined with.
type betweenValues struct {
	text           string
	before, behind bool // whether a value is there
}

// between are the texts among the parts of one, several in a row as one.
func between(parts []ast.Expr, named map[string]string) []betweenValues {
	var all []betweenValues
	value := false
	for n, part := range parts {
		text, is := textOf(part, named)
		switch last := len(all) - 1; {
		case !is && last >= 0 && !value:
			all[last].behind = true
		case is && n > 0 && !value && last >= 0:
			all[last].text += text
		case is:
			all = append(all, betweenValues{text: text, before: value})
		}
		value = !is
	}
	return all
}

// textOf is a text that the source spells, where it stands or under a name.
func textOf(e ast.Expr, named map[string]string) (text string, is bool) {
	switch e := e.(type) {
	case *ast.BasicLit:
		all := literals([]ast.Expr{e})
		return strings.Join(all, ""), len(all) > 0
	case *ast.Ident:
		text, is = named[e.Name]
	}
	return text, is
}

// namedTexts are the constants of a file that are texts. A name that is used twice in a
// file is the longest one.
func (s source) namedTexts() map[string]string {
	named := map[string]string{}
	ast.Inspect(s.syntax, func(n ast.Node) bool {
		spec, is := n.(*ast.ValueSpec)
		for i := 0; is && i < len(spec.Names) && i < len(spec.Values); i++ {
			if text, is := textOf(spec.Values[i], nil); is && len(text) > len(named[spec.Names[i].Name]) {
				named[spec.Names[i].Name] = text
			}
		}
		return true
	})
	return named
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

// chains visits what joined takes apart.
func chains(e ast.Expr, visit func(ast.Node)) {
	visit(e)
	switch e := e.(type) {
	case *ast.ParenExpr:
		chains(e.X, visit)
	case *ast.BinaryExpr:
		if e.Op == token.ADD {
			chains(e.X, visit)
			chains(e.Y, visit)
		}
	}
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
