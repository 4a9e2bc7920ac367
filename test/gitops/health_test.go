package gitops_test

import (
	"strings"
	"testing"

	"github.com/google/cel-go/cel"
	"github.com/google/cel-go/ext"
	lua "github.com/yuin/gopher-lua"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// How a Bucket is to an engine.
const (
	healthy  = "healthy"
	degraded = "degraded"
	waits    = "progressing"
)

type condition struct{ kind, status, message string }

// buckets are the states of a Bucket as the controllers leave them, old and new.
func buckets() map[string]struct {
	conditions []condition
	want       string
} {
	type state = struct {
		conditions []condition
		want       string
	}
	const notSynced = "Resource not synced"
	return map[string]state{
		"no conditions": {[]condition{}, waits},
		"synced": {[]condition{
			{"ACK.LateInitialized", "True", "Late initialization successful"},
			{"ACK.ResourceSynced", "True", "Resource synced successfully"},
			{"Ready", "True", "Resource synced successfully"},
		}, healthy},
		"synced, before 1.1.2":  {[]condition{{"ACK.ResourceSynced", "True", ""}}, healthy},
		"just created":          {[]condition{{"ACK.ResourceSynced", "False", "bucket created, requeue for updates"}, {"Ready", "False", ""}}, waits},
		"created, before 1.1.2": {[]condition{{"ACK.ResourceSynced", "False", ""}}, waits},
		"ready decides":         {[]condition{{"ACK.ResourceSynced", "True", ""}, {"Ready", "False", ""}}, waits},
		"terminal": {[]condition{
			{"ACK.Terminal", "True", "Resource already exists"}, {"ACK.ResourceSynced", "False", notSynced}, {"Ready", "False", notSynced},
		}, degraded},
		"terminal no more": {[]condition{{"ACK.Terminal", "False", ""}, {"Ready", "True", ""}}, healthy},
		"only terminal":    {[]condition{{"ACK.Terminal", "True", `unrecognized adoption policy bogus. Supported policies are "adopt" and "adopt-or-create"`}}, degraded},
		"another account's": {[]condition{
			{"ACK.Recoverable", "True", "BucketAlreadyExists: The requested bucket name is not available."}, {"ACK.ResourceSynced", "Unknown", ""}, {"Ready", "False", ""},
		}, degraded},
		"invalid name": {[]condition{{"ACK.Recoverable", "True", "api error InvalidBucketName: The specified bucket is not valid."}, {"Ready", "False", ""}}, degraded},
		"denied":       {[]condition{{"ACK.Recoverable", "True", "api error AccessDenied: Access Denied"}, {"Ready", "False", ""}}, waits},
		"no message":   {[]condition{{"ACK.Recoverable", "True", ""}}, waits},
	}
}

// bucketOf is such a Bucket as an engine sees it.
func bucketOf(conditions []condition) map[string]any {
	var list []any
	for _, c := range conditions {
		one := map[string]any{"type": c.kind, "status": c.status}
		if c.message != "" {
			one["message"] = c.message
		}
		list = append(list, one)
	}
	status := map[string]any{}
	if list != nil {
		status["conditions"] = list
	}
	return map[string]any{"metadata": map[string]any{"name": "demo-bucket"}, "status": status}
}

// TestFluxKnowsHowABucketIs evaluates the expressions as Flux does: failed
// before current, and what is neither is waited for. It declares no variable, so
// that one that is not there is an error, which Flux waits out, too.
func TestFluxKnowsHowABucketIs(t *testing.T) {
	t.Parallel()
	user := committer(t, run.TheBed(t))
	stdout := rendered(t, user, "demo", "--format", "flux", "--path", "apps", "--source", "GitRepository/x").WantCode(t, done).Stdout
	check, _ := at(object(t, stdout), "spec", "healthCheckExprs").([]any)
	expressions, _ := check[0].(map[string]any)
	failed, current := program(t, expressions["failed"]), program(t, expressions["current"])
	health := func(object map[string]any) string {
		for _, e := range []struct {
			program cel.Program
			means   string
		}{{failed, degraded}, {current, healthy}} {
			got, _, err := e.program.Eval(object)
			if err != nil {
				return "error: " + err.Error()
			}
			if got.Value() == true {
				return e.means
			}
		}
		return waits
	}
	for name, c := range buckets() {
		if got := health(bucketOf(c.conditions)); got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := health(map[string]any{"metadata": map[string]any{}}); !strings.Contains(got, "status") {
		t.Errorf("without a status: %s", got)
	}
}

func program(t *testing.T, expression any) cel.Program {
	t.Helper()
	env, err := cel.NewEnv(cel.OptionalTypes(), ext.Strings())
	if err != nil {
		t.Fatal(err)
	}
	text, _ := expression.(string)
	parsed, issues := env.Parse(text)
	if issues.Err() != nil {
		t.Fatal(issues.Err())
	}
	made, err := env.Program(parsed)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

// TestArgoCDKnowsHowABucketIs runs the script in the Lua of Argo CD, taken from
// the comment as docs/gitops.md takes it.
func TestArgoCDKnowsHowABucketIs(t *testing.T) {
	t.Parallel()
	user := committer(t, run.TheBed(t))
	fragment := func(args ...string) map[string]any {
		var text strings.Builder
		stdout := rendered(t, user, "demo", append(where("apps", "--format", "argocd"), args...)...).WantCode(t, done).Stdout
		for line := range strings.Lines(stdout) {
			if rest, found := strings.CutPrefix(line, "#   "); found {
				text.WriteString(rest)
			}
		}
		decoded := map[string]any{}
		if err := yaml.UnmarshalStrict([]byte(text.String()), &decoded); err != nil {
			t.Fatalf("%v\n%s", err, stdout)
		}
		return decoded
	}
	checks, _ := at(fragment(), "spec", "resourceHealthChecks").([]any)
	onOpenShift, _ := at(checks[0].(map[string]any), "check").(string)
	elsewhere, _ := at(fragment("--platform", "eks"), "data", "resource.customizations.health.s3.services.k8s.aws_Bucket").(string)
	if onOpenShift != elsewhere || elsewhere == "" {
		t.Errorf("not the same script:\n%s\n%s", onOpenShift, elsewhere)
	}
	words := map[string]string{"Healthy": healthy, "Degraded": degraded, "Progressing": waits}
	for name, c := range buckets() {
		if got := words[judged(t, elsewhere, bucketOf(c.conditions))]; got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
	if got := judged(t, elsewhere, map[string]any{}); got != "Progressing" {
		t.Errorf("without a status: %s", got)
	}
}

// judged is the status that a script gives an object; without a message Argo CD
// has nothing to show.
func judged(t *testing.T, script string, object map[string]any) string {
	t.Helper()
	state := lua.NewState()
	defer state.Close()
	state.SetGlobal("obj", asLua(state, object))
	if err := state.DoString(script); err != nil {
		t.Fatal(err)
	}
	result, ok := state.Get(-1).(*lua.LTable)
	if !ok || state.GetField(result, "message").Type() != lua.LTString {
		t.Fatalf("the script gives %v", state.Get(-1))
	}
	return state.GetField(result, "status").String()
}

func asLua(state *lua.LState, value any) lua.LValue {
	switch value := value.(type) {
	case map[string]any:
		table := state.NewTable()
		for name, inner := range value {
			table.RawSetString(name, asLua(state, inner))
		}
		return table
	case []any:
		table := state.NewTable()
		for _, inner := range value {
			table.Append(asLua(state, inner))
		}
		return table
	case string:
		return lua.LString(value)
	}
	return lua.LNil
}
