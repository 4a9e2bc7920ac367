package ostoys3_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// triedTable has a line for each command that is advised and that changes something:
// "file:function: command", a tab, and what shows that the command helps where it is
// printed:
//
//	fault CHECK: WORDS   a fault of test/check, which runs what the check advises and looks again
//	test PACKAGE.TEST    a test that runs it in the state that printed it; a scene of its
//	                     table follows after a slash
//	reason WORDS         why no test can, one of unstaged
const triedTable = "testdata/advice.txt"

// unstaged are the reasons for which no test runs an advised command.
func unstaged() []string {
	return []string{
		"a part: the function that prints the command is in this table",
		"a person: a browser, an editor, another shell or a choice is needed",
		"filled in: a person writes a value into the command first",
		"another admin: somebody who owns the other object, cluster or account acts",
		"no state: the emulated cluster or AWS cannot be brought into the state that prints it",
		"not run yet: only its words are tested",
	}
}

// site is a place that makes a command which the user is to type.
type site struct {
	key string // "file:function: command"
	at  string
}

// changersOf are the sites of a file whose commands change something.
func changersOf(s source) []site {
	var all []site
	for _, decl := range s.syntax.Decls {
		within := declared(decl)
		add := func(n ast.Node, command string) {
			if command != "" && !onlyLooks(command) {
				all = append(all, site{s.path + ":" + within + ": " + command, s.path + ": " + s.at(n)})
			}
		}
		inside := map[ast.Node]bool{}
		ast.Inspect(decl, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CallExpr:
				if command, is := s.commandOf(n); is {
					add(n, command)
					ast.Inspect(n.Args[0], func(n ast.Node) bool { inside[n] = true; return true })
				}
			case *ast.BasicLit:
				for _, command := range spelledCommands(n) {
					if !inside[n] && advisesInText(s) {
						add(n, command)
					}
				}
			}
			return true
		})
	}
	return all
}

// declared is the name of a function, or of what else is declared.
func declared(decl ast.Decl) string {
	if f, is := decl.(*ast.FuncDecl); is {
		return f.Name.Name
	}
	group, _ := decl.(*ast.GenDecl)
	for _, spec := range group.Specs {
		switch spec := spec.(type) {
		case *ast.ValueSpec:
			return spec.Names[0].Name
		case *ast.TypeSpec:
			return spec.Name.Name
		}
	}
	return ""
}

// commandOf is the command that a call makes, without its flags and objects.
func (s source) commandOf(call *ast.CallExpr) (command string, is bool) {
	maker := spelled(call.Fun)
	if s.dir() == "plugin/advice" && ast.IsExported(maker) {
		maker = "advice." + maker
	}
	at := 0
	switch {
	case maker == "oc" && s.dir() == "plugin/kube/apply":
		at = 2
	case maker == "advice.MergePatch":
		return "oc patch", true
	case maker == "advice.NewController", maker == "advice.ControllerFor":
		return "oc ostoy-s3 controller install", true
	case maker == "advice.TightenRole":
		return "oc ostoy-s3 install", true
	case maker != "advice.Command" && maker != "advice.Words":
		return "", false
	}
	if len(call.Args) <= at {
		return "", false
	}
	literal, constant := call.Args[at].(*ast.BasicLit)
	if !constant {
		switch name := spelled(call.Args[at]); {
		case strings.HasSuffix(name, ".Install"): // of an apply.Set
			return "oc ostoy-s3 install", true
		case strings.HasSuffix(name, ".Render"):
			return "oc ostoy-s3 render", true
		default:
			return name, true
		}
	}
	text, _ := strconv.Unquote(literal.Value)
	if slices.Contains(textsIn(call), "--list") { // oc set env --list
		return "", false
	}
	return programOf(strings.Fields(text)), true
}

// programOf is a command without its flags and objects: "oc ostoy-s3 controller install",
// "aws iam delete-role", or the flag if it is only a part of a command.
func programOf(words []string) string {
	most := 2
	switch {
	case len(words) > 2 && words[1] == "ostoy-s3" && words[2] == "controller":
		most = 4
	case len(words) > 1 && (words[0] == "aws" || slices.Contains([]string{"adm", "config", "ostoy-s3"}, words[1])):
		most = 3
	}
	program := strings.Join(words[:min(most, len(words))], " ")
	if name, _, flag := strings.Cut(program, " -"); flag && name != "" {
		program = name
	}
	program, _, _ = strings.Cut(program, "=")
	return program
}

// advisesInText reports whether texts of a file are advice: those of the commands' help and
// of printed scripts are not.
func advisesInText(s source) bool {
	return strings.HasPrefix(s.path, "plugin/") && !slices.Contains([]string{"plugin/manual", "plugin/aws/rolecode", "plugin/advice/advicetest"}, s.dir())
}

// spelledCommands are the commands of this tool, without a value, that a text spells.
func spelledCommands(literal *ast.BasicLit) []string {
	text, err := strconv.Unquote(literal.Value)
	if err != nil {
		return nil
	}
	return regexp.MustCompile(`oc ostoy-s3 (install|uninstall|release|controller (install|uninstall))`).FindAllString(text, -1)
}

// onlyLooks reports whether a command changes nothing: one of this tool that prints, or one
// of another tool of which otherTools says so.
func onlyLooks(command string) bool {
	return otherTools()[command] == looks ||
		command == "oc config view" || regexp.MustCompile(`^oc ostoy-s3( (check|status|diff|facts|explain|verify|values|render|open|version|iam.*|controller( (status|render))?))?$`).MatchString(command)
}

// testFiles parses the tests of a folder.
func testFiles(t *testing.T, dir string) []*ast.File {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "*_test.go"))
	if err != nil {
		t.Fatal(err)
	}
	var files []*ast.File
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, file)
	}
	return files
}

// faultsOf are the faults of test/check of which what is advised is run, as its lists name
// them, "check: words".
func faultsOf(t *testing.T) map[string]bool {
	t.Helper()
	functions := map[string]*ast.FuncDecl{}
	for _, file := range testFiles(t, "test/check") {
		for _, decl := range file.Decls {
			if f, is := decl.(*ast.FuncDecl); is {
				functions[f.Name.Name] = f
			}
		}
	}
	unfollowed, all := textsIn(functions["unfollowed"]), map[string]bool{}
	var visit func(f *ast.FuncDecl, seen map[string]bool)
	visit = func(f *ast.FuncDecl, seen map[string]bool) {
		if f == nil || seen[f.Name.Name] {
			return
		}
		seen[f.Name.Name] = true
		ast.Inspect(f, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.CompositeLit:
				name := strings.ReplaceAll(strings.TrimSuffix(fieldText(n, "check")+": "+fieldText(n, "says"), ": "), "/", "|")
				all[name] = name != "" && !slices.Contains(unfollowed, name)
			case *ast.CallExpr:
				visit(functions[spelled(n.Fun)], seen)
			}
			return true
		})
	}
	visit(functions["local"], map[string]bool{})
	visit(functions["global"], map[string]bool{})
	return all
}

// fieldText is the text of a field of a literal.
func fieldText(in *ast.CompositeLit, field string) string {
	for _, element := range in.Elts {
		if pair, is := element.(*ast.KeyValueExpr); is && spelled(pair.Key) == field {
			if literal, is := pair.Value.(*ast.BasicLit); is {
				text, _ := strconv.Unquote(literal.Value)
				return text
			}
		}
	}
	return ""
}

// textsIn are the texts that a part of a source spells.
func textsIn(n ast.Node) (all []string) {
	ast.Inspect(n, func(n ast.Node) bool {
		if literal, is := n.(*ast.BasicLit); is && literal.Kind == token.STRING {
			text, _ := strconv.Unquote(literal.Value)
			all = append(all, text)
		}
		return true
	})
	return all
}

// hasTest reports whether a folder has a test, and in its files the text that names a scene.
func hasTest(t *testing.T, dir, name, scene string) bool {
	t.Helper()
	found, named := false, scene == ""
	for _, file := range testFiles(t, dir) {
		for _, decl := range file.Decls {
			f, is := decl.(*ast.FuncDecl)
			found = found || is && f.Name.Name == name
		}
		named = named || slices.Contains(textsIn(file), scene)
	}
	return found && named
}

// proven says what is wrong with what the table says of a command, "" if nothing is.
func proven(t *testing.T, proof string, faults map[string]bool) string {
	t.Helper()
	kind, what, _ := strings.Cut(proof, " ")
	switch kind {
	case "fault":
		if !faults[what] {
			return "test/check has no fault " + strconv.Quote(what) + ", or does not run what it advises"
		}
	case "test":
		name, scene, _ := strings.Cut(what, ", ")
		dot := max(0, strings.LastIndex(name, "."))
		if !hasTest(t, name[:dot], name[dot+1:], scene) {
			return "there is no test " + strconv.Quote(what)
		}
	case "reason":
		if !slices.Contains(unstaged(), what) {
			return strconv.Quote(what) + " is not one of the reasons"
		}
	default:
		return strconv.Quote(proof) + " is neither a fault, a test nor a reason"
	}
	return ""
}

// TestEveryAdviceIsTried: each place that advises a command which changes something has a
// line in the table, and what the line names exists. The tests that it names run the
// commands; this one sees that none is left out.
func TestEveryAdviceIsTried(t *testing.T) {
	text, err := os.ReadFile(triedTable)
	if err != nil {
		t.Fatal(err)
	}
	lines, table, sites := strings.Split(strings.TrimSpace(string(text)), "\n"), map[string]string{}, map[string]string{}
	if !slices.IsSorted(lines) {
		t.Errorf("%s is not sorted", triedTable)
	}
	for _, line := range lines {
		key, proof, _ := strings.Cut(line, "\t")
		table[key] = proof
	}
	for _, s := range moduleFiles(t) {
		for _, one := range changersOf(s) {
			sites[one.key] = one.at
		}
	}
	for _, key := range slices.Sorted(maps.Keys(sites)) {
		if table[key] == "" {
			t.Errorf("%s: %s has no line for\n%s", sites[key], triedTable, key)
		}
	}
	faults := faultsOf(t)
	for _, key := range slices.Sorted(maps.Keys(table)) {
		if sites[key] == "" {
			t.Errorf("%s: nothing advises this any more: %s", triedTable, key)
		} else if wrong := proven(t, table[key], faults); wrong != "" {
			t.Errorf("%s: %s: %s", triedTable, key, wrong)
		}
	}
}

// TestChangersOf: a command that looks is no site, one that changes something is, however
// the source spells it.
func TestChangersOf(t *testing.T) {
	const text = `package p
func look() { advice.Command("oc get", name); advice.Command("oc set env", name, "--list"); advice.Command("oc ostoy-s3 status") }
func change() { advice.Command("oc ostoy-s3 controller install --upgrade"); advice.Command("aws iam delete-role", "--role-name", n); advice.MergePatch(p) }
var says = "or choose another project: oc ostoy-s3 install --new-project"
func with() { advice.Words("--role-path", path) }
`
	fset := token.NewFileSet()
	file, err := parser.ParseFile(fset, "plugin/x/x.go", text, 0)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, one := range changersOf(source{path: "plugin/x/x.go", fset: fset, syntax: file}) {
		got = append(got, strings.TrimPrefix(one.key, "plugin/x/x.go:"))
	}
	want := []string{"change: oc ostoy-s3 controller install", "change: aws iam delete-role", "change: oc patch", "says: oc ostoy-s3 install", "with: --role-path"}
	if !slices.Equal(got, want) {
		t.Errorf("%q, want %q", got, want)
	}
}
