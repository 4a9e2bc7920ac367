package ostoys3_test

import (
	"go/parser"
	"go/token"
	"strings"
	"testing"
)

// parse makes a source of a few lines, as if they stood at the path given.
func parse(t *testing.T, at, text string) source {
	t.Helper()
	fset := token.NewFileSet()
	syntax, err := parser.ParseFile(fset, at, text, parser.ParseComments|parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	return source{path: at, fset: fset, syntax: syntax}
}

// ours is an import line for one of our packages.
func ours(dir string) string { return `import _ "` + module + "/" + dir + `"` }

// TestRulesFire gives every rule something to complain of, and something close
// to it that is allowed: a rule that cannot fail holds nothing.
func TestRulesFire(t *testing.T) {
	for _, tc := range []struct {
		name string
		rule rule
		at   string
		text string
		want string // empty: no complaint
	}{
		{"upward", direction, "render/x.go", ours("plugin/plan"), "in a layer above"},
		{"an adapter that knows a use case", direction, "plugin/kube/apply/x.go", ours("plugin/install"), "in a layer above"},
		{"a use case that borrows", direction, "plugin/diff/x.go", ours("plugin/install"), "do not import each other"},
		{"an engine beside an engine", direction, "plugin/plan/x.go", ours("plugin/check"), ""},
		{"downward", direction, "plugin/aws/iam/x.go", ours("render"), ""},
		{"rendering that prints", direction, "render/layout/x.go", ours("plugin/text/ui"), "rendering knows nothing"},
		{"rendering that refuses", direction, "render/layout/x.go", ours("plugin/problem"), ""},
		{"a package without a place", direction, "plugin/new/x.go", "", "in no layer"},
		{"what is for tests", direction, "plugin/plan/x.go", ours("plugin/kube/cluster/clustertest"), "for tests"},
		{"the release", direction, "krew/pack/x.go", ours("render"), "allowed are"},

		{"AWS in render", rooms, "render/x.go", `import _ "github.com/aws/aws-sdk-go-v2/aws"`, "may not import github.com/aws"},
		{"smithy in cluster", rooms, "plugin/kube/cluster/x.go", `import _ "github.com/aws/smithy-go"`, "may not import github.com/aws"},
		{"AWS in iam", rooms, "plugin/aws/iam/x.go", `import _ "github.com/aws/aws-sdk-go-v2/aws"`, ""},
		{"cobra in plugin", rooms, "plugin/x.go", `import _ "github.com/spf13/cobra"`, "may not import github.com/spf13/cobra"},
		{"client-go in render", rooms, "render/x.go", `import _ "k8s.io/client-go/rest"`, "may not import k8s.io/client-go"},
		{"helm in plugin", rooms, "plugin/x.go", `import _ "helm.sh/helm/v3/pkg/engine"`, "may not import helm.sh"},
		{"a namesake", rooms, "render/x.go", `import _ "k8s.io/client-gopher"`, ""},

		{"kustomize without a way out", leavable, "plugin/x.go", `import "` + module + `/render"` + "\nvar x, _ = render.Kustomize(o, disk, dir, f)", "interrupt.Run"},
		{"a chart without a way out", leavable, "plugin/controller/x.go", "func f() { p.options.Chart.Objects(facts, name, values) }", "interrupt.Run"},
		{"a file without a way out", leavable, "cmd/x.go", "import `os`\nvar x, _ = os.ReadFile(name)", "interrupt.Run"},
		{"after the way out", leavable, "plugin/x.go", "var x = f(interrupt.Run(ctx, 0, g), r.Objects(facts, options))", "interrupt.Run"},
		{"kustomize with a way out", leavable, "plugin/x.go", "func f() { interrupt.Run(ctx, 0, func() { r.Objects(f, o) }) }", ""},
		{"objects of a package", leavable, "plugin/x.go", "import `x/operator`\nvar x = operator.Objects(facts, options)", ""},

		{"helm's actions", forbidden, "render/x.go", `import _ "helm.sh/helm/v3/pkg/action"`, "makes no releases"},
		{"helm's values", forbidden, "render/x.go", `import _ "helm.sh/helm/v3/pkg/cli/values"`, "strvals"},
		{"helm's engine", forbidden, "render/x.go", `import _ "helm.sh/helm/v3/pkg/engine"`, ""},

		{"a joined command", noJoinedCommands, "plugin/x.go", `var s = "see: oc get pod " + name`, "advice.Command"},
		{"a command before a value", noJoinedCommands, "plugin/x.go", `var s = why + ("; oc login, then " + name)`, "advice.Command"},
		{"a format with a command", noJoinedCommands, "plugin/x.go", "var s = f(`aws iam get-role --role-name %[1]s`, name)", "advice.Command"},
		{"a command without a value", noJoinedCommands, "plugin/x.go", `var s = "oc login, then run the same command again" + " (100%)"`, ""},
		{"a value without a command", noJoinedCommands, "plugin/x.go", `var s = "the flavoc x of " + name + fmt.Sprintf("%d", n)`, ""},
		{"a command that is added to", noJoinedCommands, "plugin/x.go", "func f() { s := `oc get pod `; s += name }", "advice.Command"},
		{"a command in a constant", noJoinedCommands, "plugin/x.go", "const get = `oc get pod`\nvar s = get + ` ` + name", "advice.Command"},
		{"a command by Join", noJoinedCommands, "plugin/x.go", "var s = strings.Join([]string{`oc get pod`, name}, ` `)", "advice.Command"},
		{"lines by Join", noJoinedCommands, "plugin/x.go", "var s = strings.Join([]string{`oc get pods`, name}, \"\\n\")", ""},
		{"Argo CD's command", noJoinedCommands, "plugin/x.go", `var s = "argocd app sync " + name`, "advice.Command"},
		{"Flux's command", noJoinedCommands, "plugin/x.go", `var s = "flux resume kustomization " + name`, "advice.Command"},
		{"a request", noJoinedCommands, "plugin/x.go", `var s = "curl -fsS " + url`, "advice.Command"},
		{"this tool in a sentence", noJoinedCommands, "plugin/x.go", `var s = "another run of oc ostoy-s3 removed " + name`, ""},
		{"where scripts are made", noJoinedCommands, "plugin/aws/rolecode/x.go", `var s = "aws iam " + name`, ""},

		{"an apostrophe", closedAdvice, "plugin/x.go", "var e = problem{Next: `ask for the role's policy`}", "no apostrophe"},
		{"an apostrophe beside a command", closedAdvice, "plugin/x.go", "func f() { e.Next = `the pod's: ` + advice.Command(`oc get pod`, name) }", "no apostrophe"},
		{"an apostrophe in a finding", closedAdvice, "plugin/x.go", "var e = Refuse(`it's`, `it's`, `the role's`)", "no apostrophe"},
		{"an apostrophe about the input", closedAdvice, "plugin/x.go", "var e = problem.Input(`it's`, `it's`, `the role's`)", "no apostrophe"},
		{"an apostrophe in a result", closedAdvice, "plugin/x.go", "func f() (why, next string) { return `the role's`, `the pod's` }", "the pod's"},
		{"backticks", closedAdvice, "plugin/x.go", "var e = problem{Next: \"as `oc ostoy-s3 values` prints\"}", "backticks"},
		{"quotes by hand", closedAdvice, "plugin/x.go", "var e = problem{Next: `--x '` + name + `'`}", "no apostrophe"},
		{"a flag", closedAdvice, "plugin/x.go", "var e = problem{Next: `install with --region ` + name}", "advice.Words"},
		{"a flag by a format", closedAdvice, "plugin/x.go", "var e = problem{Next: fmt.Sprintf(`install with --region=%s`, name)}", "advice.Words"},
		{"a flag that is a word", closedAdvice, "plugin/x.go", "var e = problem{Next: advice.Command(`oc x`, `--region=`+name)}", ""},
		{"an apostrophe elsewhere", closedAdvice, "plugin/x.go", "var e = problem{Why: `the role's policy`, Next: `it is \"so\": ` + advice.Command(`oc x`)}", ""},

		{"a change", wholeAdvice, "plugin/x.go", "func f() { e.Next = strings.ReplaceAll(e.Next, `a`, `b`) }", "changes what"},
		{"a change of a variable", wholeAdvice, "plugin/x.go", "func f() { x := advice.Command(`oc x`) + `.`; y(plain.Line(x)) }", "changes what"},
		{"a cut", wholeAdvice, "plugin/x.go", "func f() { y(advice.Command(`oc x`)[:9]) }", "changes what"},
		{"hidden", wholeAdvice, "plugin/x.go", "func f(next string) { y(secret.Hide(next)) }", "changes what"},
		{"wrapped", wholeAdvice, "plugin/x.go", "func f(hint string) { y(wrap(hint, 80)) }", "changes what"},
		{"a look", wholeAdvice, "plugin/x.go", "func f() { if strings.HasSuffix(e.Next, `x`) { e.Next += `y` } }", ""},
		{"another text", wholeAdvice, "plugin/x.go", "func f() { y(plain.Line(e.Why)) }", ""},

		{"init", noInit, "plugin/x.go", "func init() {}", "init()"},
		{"a method called init", noInit, "plugin/x.go", "type t int\nfunc (t) init() {}", ""},

		{"exit", onlyMain, "cmd/x.go", `import "os"` + "\nfunc f() { os.Exit(1) }", "os.Exit"},
		{"exit beside main.go", onlyMain, "main/x.go", `import "os"` + "\nfunc f() { os.Exit(1) }", "os.Exit"},
		{"exit in main.go", onlyMain, "main/main.go", `import "os"` + "\nfunc f() { os.Exit(1) }", ""},
		{"exit under another name", onlyMain, "cmd/x.go", `import sys "os"` + "\nfunc f() { sys.Exit(1) }", "os.Exit"},
		{"fatal", onlyMain, "cmd/x.go", `import "log"` + "\nfunc f() { log.Fatalf(\"\") }", "log.Fatalf"},
		{"background", onlyMain, "plugin/x.go", `import "context"` + "\nfunc f() { g(context.Background()) }", "context.Background"},
		{"todo", onlyMain, "plugin/x.go", `import "context"` + "\nvar _ = context.TODO", "context.TODO"},
		{"print", onlyMain, "plugin/x.go", `import "fmt"` + "\nfunc f() { fmt.Println() }", "fmt.Println"},
		{"print to a stream", onlyMain, "plugin/x.go", `import "fmt"` + "\nfunc f() { fmt.Fprintln(w) }", ""},

		{"a clock in render", pureRender, "render/x.go", `import "time"` + "\nfunc f() { time.Now() }", "time.Now"},
		{"a duration in render", pureRender, "render/x.go", `import "time"` + "\nconst d = time.Second", ""},
		{"the environment in render", pureRender, "render/x.go", `import "os"` + "\nfunc f() { os.Getenv(\"HOME\") }", "os.Getenv"},
		{"the network in render", pureRender, "render/x.go", `import _ "net/http"`, "net/http"},
		{"addresses in render", pureRender, "render/x.go", `import _ "net/url"`, ""},
		{"a clock in plugin", pureRender, "plugin/x.go", `import "time"` + "\nfunc f() { time.Now() }", ""},

		{"a stream", oneWayOut, "plugin/x.go", "func f(a *App) { g(a.Streams.Out) }", "Streams.Out"},
		{"a stream of errors", oneWayOut, "cmd/x.go", "func f(s session) { g(s.Streams.ErrOut) }", "Streams.ErrOut"},
		{"streams under another name", oneWayOut, "plugin/x.go", "func f(a *App) { g(a.out.ErrOut) }", "ErrOut"},
		{"the input", oneWayOut, "plugin/x.go", "func f(a *App) { g(a.Streams.In) }", ""},
		{"the printers", oneWayOut, "plugin/session/output.go", "func f(a *App) { g(a.Streams.Out) }", ""},
		{"all streams", oneWayOut, "plugin/x.go", "func f(a *App) { g(a.Streams) }", "Streams"},
		{"cobra's stream", oneWayOut, "cmd/x.go", "func f(c *cobra.Command) { g(c.OutOrStdout()) }", "OutOrStdout"},
		{"an encoder", oneWayOut, "plugin/install/x.go", `import "encoding/json"` + "\nfunc f() { json.NewEncoder(w) }", "package session"},
		{"another cleaner", oneCleaner, "plugin/aws/iam/x.go", `import "unicode"` + "\nvar _ = unicode.IsControl", "plugin/text/plain"},
		{"a cleaner by quoting", oneCleaner, "render/x.go", `import "strconv"` + "\nvar _ = strconv.IsPrint", "plugin/text/plain"},
		{"the cleaner", oneCleaner, "plugin/text/plain/x.go", `import "unicode"` + "\nvar _ = unicode.IsControl", ""},
		{"a letter", oneCleaner, "plugin/x.go", `import "unicode"` + "\nvar _ = unicode.IsUpper", ""},
		{"an escape", oneCleaner, "plugin/x.go", "var re = regexp.MustCompile(`\\x1b`)", "escape character"},
		{"an escape as a byte", oneCleaner, "plugin/x.go", `const e = "\x1b["`, "escape character"},

		{"a map", noState, "plugin/x.go", "var m = map[string]int{}", "var m"},
		{"a counter", noState, "plugin/x.go", "var (\n\ta = 1\n\tb int\n)", "var b"},
		{"a function", noState, "plugin/x.go", "var now = time.Now", "var now"},
		{"an error that is not called one", noState, "plugin/x.go", `var nope = errors.New("")`, "var nope"},
		{"an error", noState, "plugin/x.go", `var ErrNope, errLost = errors.New(""), fmt.Errorf("")`, ""},
		{"another package's error", noState, "plugin/x.go", "var ErrNope = render.ErrNope", ""},
		{"an expression", noState, "plugin/x.go", "var re = regexp.MustCompile(``)", ""},
		{"a kind", noState, "plugin/x.go", "var kind = schema.GroupVersionKind{Kind: `Bucket`}", ""},
		{"a kind of the table", noState, "plugin/kube/kinds/x.go", "var Pod = Kind{``, `v1`, `Pod`, `pods`}", ""},
		{"a value like one elsewhere", noState, "plugin/x.go", "var Pod = Kind{``, `v1`, `Pod`, `pods`}", "var Pod"},
		{"a resource outside the table", oneTable, "plugin/x.go", "var r = schema.GroupVersionResource{Version: `v1`, Resource: `pods`}", "plugin/kube/kinds"},
		{"a kind outside the table", oneTable, "plugin/x.go", "func f() { use(schema.GroupVersionKind{Group: group, Version: version, Kind: `Pod`}) }", "plugin/kube/kinds"},
		{"a resource by a calculation", oneTable, "plugin/x.go", "var r = schema.GroupVersionResource{Resource: kind + `s`}", "plugin/kube/kinds"},
		{"a resource that a cluster names", oneTable, "plugin/x.go", "var r = schema.GroupVersionResource{Group: group, Version: version, Resource: r.Name}", ""},
		{"a resource in the table", oneTable, "plugin/kube/kinds/x.go", "var r = schema.GroupVersionResource{Version: `v1`, Resource: `pods`}", ""},
		{"an assertion", noState, "plugin/x.go", "var _ fmt.Stringer = t(0)", ""},
		{"an embedded file", noState, "plugin/x.go", "//go:embed a\nvar text string", ""},
		{"main's version", noState, "main/main.go", `var version = "dev"`, ""},
		{"a version elsewhere", noState, "main/x.go", `var version = "dev"`, "var version"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			clause := "package x\n"
			if strings.HasPrefix(tc.at, "main/") {
				clause = "package main\n"
			}
			got := strings.Join(tc.rule(parse(t, tc.at, clause+tc.text)), "\n")
			if tc.want == "" && got != "" || !strings.Contains(got, tc.want) {
				t.Errorf("want a complaint with %q, got %q", tc.want, got)
			}
		})
	}
}

func TestOneHelmFileFires(t *testing.T) {
	helm := "package x\n" + `import _ "helm.sh/helm/v3/pkg/engine"`
	one := parse(t, "render/helm.go", helm)
	if got := oneHelmFile([]source{one}); got != nil {
		t.Errorf("one file of render was refused: %v", got)
	}
	if got := oneHelmFile([]source{one, parse(t, "render/more.go", helm)}); len(got) == 0 {
		t.Error("two files were accepted")
	}
}

func TestPackageCommentsFires(t *testing.T) {
	files := []source{
		parse(t, "a/a.go", "// Package a is.\npackage a"), parse(t, "a/b.go", "package a"),
		parse(t, "b/b.go", "package b"),
	}
	if got := packageComments(files); len(got) != 1 || !strings.HasPrefix(got[0], "b: ") {
		t.Errorf("want one complaint, about b: %v", got)
	}
}

// TestEveryPackageHasItsLayer: none is in two rows.
func TestEveryPackageHasItsLayer(t *testing.T) {
	for _, f := range moduleFiles(t) {
		rows := 0
		for _, l := range layers() {
			if within(l.packages, f.dir()) {
				rows++
			}
		}
		if rows > 1 {
			t.Errorf("%s is in %d layers", f.dir(), rows)
		}
	}
}
