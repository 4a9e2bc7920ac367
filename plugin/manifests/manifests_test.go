package manifests

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/gitops"
)

const issuer = "https://issuer.example.com"

// offline is a session that fails a test which asks the cluster anything, and what it
// writes.
func offline(t *testing.T) (s *session.Session, data, talk *bytes.Buffer) {
	t.Helper()
	server := clustertest.New(t, "v1.33.0")
	t.Cleanup(func() {
		if n := len(server.Requests()); n > 0 {
			t.Errorf("%d requests", n)
		}
	})
	streams, _, data, talk := genericiooptions.NewTestIOStreams()
	return &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}, data, talk
}

// given are all facts that manifests need.
func given() session.Facts {
	fact := func(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }
	return session.Facts{Given: render.Facts{
		Namespace: fact("demo"), Account: fact("123456789012"), Region: fact("us-east-2"),
		Issuer: fact(issuer), Platform: fact(render.PlatformOpenShift),
	}}
}

// rendering is what Render prints.
func rendering(t *testing.T, r Request) string {
	t.Helper()
	s, data, _ := offline(t)
	if err := Render(t.Context(), s, r); err != nil {
		t.Fatal(err)
	}
	return data.String()
}

// write writes a file and gives its name.
func write(t *testing.T, dir, name, text string) string {
	t.Helper()
	file := filepath.Join(dir, name)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// TestRender: the manifests, after a comment for their reader, are the same bytes every
// time, and the service account names the role.
func TestRender(t *testing.T) {
	r := Request{Facts: given(), Chart: session.Chart{Set: []string{"microservice.replicas=2"}}, IncludeNamespace: true}
	got := rendering(t, r)
	for _, want := range []string{
		"# OSToy with its own S3 bucket in namespace demo, as printed by: oc ostoy-s3 render\n",
		"# Applying this takes over a bucket named demo-bucket if AWS account 123456789012\n", "kind: Namespace\n", "replicas: 2\n",
		"arn:aws:iam::123456789012:role/ostoy-s3/" + render.RoleName(issuer, "demo") + "\n",
	} {
		if !strings.Contains(got, want) {
			t.Errorf("no %q in\n%s", want, got)
		}
	}
	if again := rendering(t, r); again != got {
		t.Error("another run prints something else")
	}
	if plain := rendering(t, Request{Facts: given(), Role: iam.RoleOptions{Name: "mine"}}); strings.Contains(plain, "kind: Namespace\n") || !strings.Contains(plain, "role/ostoy-s3/mine\n") {
		t.Errorf("%s", plain)
	}
}

// TestRenderRefuses: what does not go together is wrong input, before anything is read.
func TestRenderRefuses(t *testing.T) {
	several := []string{"a.yaml", "b.yaml"}
	for name, r := range map[string]Request{
		"nothing to compare with":          {Check: true},
		"--facts-dir and --facts":          {FactsDir: "d", Facts: session.Facts{File: "f"}, OutputDir: "d"},
		"--facts-dir and several":          {FactsDir: "d", Several: several, OutputDir: "d"},
		"several to stdout":                {Several: several},
		"a directory to stdout":            {FactsDir: "d"},
		"where the manifests are":          {GitOps: gitops.Options{Path: "apps"}},
		"--projects without an engine":     {Projects: []string{"a"}},
		"--projects with -n":               {Projects: []string{"a"}, Facts: given(), Engine: ArgoCD},
		"--projects with several clusters": {Projects: []string{"a"}, Several: several, Engine: Flux},
	} {
		s, data, _ := offline(t)
		err := Render(t.Context(), s, r)
		told := (*problem.Error)(nil)
		if !errors.As(err, &told) || told.Kind != problem.Usage || strings.Contains(told.Why, "cannot be read") || told.Next == "" || data.Len() > 0 {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestRenderWrongInput: each thing that the user gives and that cannot be used.
func TestRenderWrongInput(t *testing.T) {
	empty, bad := t.TempDir(), given()
	bad.Given.Account.Value = "12"
	unknown := given()
	unknown.Given = render.Facts{Namespace: unknown.Given.Namespace}
	facts := write(t, empty, "facts.txt", "")
	for name, r := range map[string]Request{
		"a values file":       {Facts: given(), Chart: session.Chart{Files: []string{filepath.Join(empty, "none")}}},
		"a fact":              {Facts: bad},
		"a role name":         {Facts: given(), Role: iam.RoleOptions{Name: "no name"}},
		"a value":             {Facts: given(), Chart: session.Chart{Set: []string{"microservice.replicas=many"}}},
		"an overlay":          {Facts: given(), Kustomize: filepath.Join(empty, "none")},
		"no directory":        {FactsDir: filepath.Join(empty, "none"), OutputDir: empty},
		"an empty directory":  {FactsDir: empty, OutputDir: empty},
		"facts of one name":   {Several: []string{write(t, t.TempDir(), "x.yaml", factsFile("a")), write(t, t.TempDir(), "x.json", factsFile("b"))}, Engine: ArgoCD, GitOps: gitops.Options{RepoURL: "https://git.example.com/a", Revision: "main", Path: "apps"}},
		"facts without facts": {Several: []string{facts, filepath.Join(empty, "none")}, OutputDir: filepath.Join(empty, "out")},
		"an engine's source":  {Facts: given(), Engine: ArgoCD},
	} {
		s, data, _ := offline(t)
		if err := Render(t.Context(), s, r); !problem.IsInput(err) || data.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

func TestRenderInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for name, run := range map[string]func(context.Context, *session.Session, Request) error{"render": Render, "values": Values} {
		for _, facts := range []session.Facts{given(), {}} {
			s, data, _ := offline(t)
			if err := run(ctx, s, Request{Facts: facts}); !errors.Is(err, context.Canceled) || data.Len() > 0 {
				t.Errorf("%s: %v", name, err)
			}
		}
	}
}

// TestOverlay: an overlay is laid over the manifests.
func TestOverlay(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, "kustomization.yaml", "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nlabels:\n- pairs: {team: blue}\n")
	if got := rendering(t, Request{Facts: given(), Kustomize: dir}); !strings.Contains(got, "team: blue") || !strings.HasPrefix(got, "# OSToy") {
		t.Errorf("%s", got)
	}
}

// TestOutputDir: files are written once, and with Check what differs is a refusal and is
// listed.
func TestOutputDir(t *testing.T) {
	r := Request{Facts: given(), OutputDir: filepath.Join(t.TempDir(), "out")}
	check := r
	check.Check = true
	refused := func(want string) {
		t.Helper()
		s, data, _ := offline(t)
		told := (*problem.Error)(nil)
		if err := Render(t.Context(), s, check); !errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(data.String(), want) {
			t.Errorf("%v\n%s", err, data)
		}
	}
	refused("missing    " + r.OutputDir)
	if got := rendering(t, r); !strings.Contains(got, "wrote "+filepath.Join(r.OutputDir, "kustomization.yaml")+"\n") {
		t.Errorf("%s", got)
	}
	if got := rendering(t, r) + rendering(t, check); got != "" {
		t.Errorf("%s", got)
	}
	other := r
	other.Chart.Set = []string{"expose=none"}
	s, data, talk := offline(t)
	if err := Render(t.Context(), s, other); err != nil || !strings.Contains(data.String(), "removed ") || !strings.Contains(talk.String(), " 1 removed, ") {
		t.Errorf("%v\n%s%s", err, data, talk)
	}
	refused("missing    ")
}

// closed is a stdout whose reader has gone.
type closed struct{}

func (closed) Write([]byte) (int, error) { return 0, os.ErrClosed }

// TestOutputDirUnsaid: a file that was written and could not be named is an error.
func TestOutputDirUnsaid(t *testing.T) {
	s, _, _ := offline(t)
	s.Streams.Out = closed{}
	r := Request{Facts: given(), OutputDir: filepath.Join(t.TempDir(), "out")}
	if err := Render(t.Context(), s, r); !errors.Is(err, os.ErrClosed) {
		t.Error(err)
	}
}

// TestEarlierRole: the manifests of a directory keep the role that they name, and other
// manifests, and those that lead an engine there, have the name of a new one.
func TestEarlierRole(t *testing.T) {
	r := Request{Facts: given(), OutputDir: filepath.Join(t.TempDir(), "out"), Role: iam.RoleOptions{Name: render.EarlierRoleName(issuer, "demo")}}
	rendering(t, r)
	r.Role = iam.RoleOptions{}
	if got := rendering(t, r); got != "" {
		t.Errorf("%s", got)
	}
	for name, c := range map[string]struct {
		change func(*Request)
		want   string
	}{
		"named":     {func(r *Request) { r.Role.Name = "mine" }, "mine"},
		"elsewhere": {func(r *Request) { r.OutputDir = "" }, ""},
		"an engine": {func(r *Request) { r.Engine = Flux }, ""},
		"kept":      {func(*Request) {}, render.EarlierRoleName(issuer, "demo")},
	} {
		s, _, talk := offline(t)
		changed := r
		c.change(&changed)
		found := detect.Result{Facts: given().Given.Complete()}
		if got := roleOf(t.Context(), s, changed, found); got.Name != c.want || talk.Len() > 0 {
			t.Errorf("%s: %s\n%s", name, got.Name, talk)
		}
	}
}

// TestSeveral: each file of facts has its manifests, and a directory the same as its files.
func TestSeveral(t *testing.T) {
	dir := t.TempDir()
	a := write(t, dir, "a.yaml", factsFile("learner-a"))
	b := write(t, dir, "b.json", factsFile("learner-b"))
	write(t, dir, "notes.txt", "")
	out := filepath.Join(dir, "out")
	got := rendering(t, Request{Several: []string{a, b}, OutputDir: out})
	for _, want := range []string{"/a/", "/b/"} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in\n%s", want, got)
		}
	}
	if again := rendering(t, Request{FactsDir: dir, OutputDir: out, Check: true}); again != "" {
		t.Errorf("%s", again)
	}
	write(t, dir, "a.yaml", marshalled(render.Facts{Namespace: given().Given.Namespace}))
	s, _, _ := offline(t) // what the file leaves out is not looked up in the cluster at hand
	if err := Render(t.Context(), s, Request{FactsDir: dir, OutputDir: out}); !problem.IsInput(err) || !strings.Contains(err.Error(), a) {
		t.Errorf("%v", err)
	}
	write(t, dir, "a.yaml", "accountID: {value: \"12\"}\n")
	if err := Render(t.Context(), s, Request{FactsDir: dir, OutputDir: out}); !problem.IsInput(err) || !strings.Contains(err.Error(), a) {
		t.Errorf("%v", err)
	}
}

// factsFile is a file of facts, in JSON, which is also YAML.
func factsFile(namespace string) string {
	f := given().Given
	f.Namespace.Value = namespace
	return marshalled(f)
}

func marshalled(f render.Facts) string {
	text, err := render.MarshalFacts(f, "json")
	if err != nil {
		panic(err)
	}
	return string(text)
}

// TestEngine: an engine is led to the directory of one project, of several, or of those of
// several clusters.
func TestEngine(t *testing.T) {
	dir := t.TempDir()
	files := []string{write(t, dir, "a.yaml", factsFile("learner-a")), write(t, dir, "b.yaml", factsFile("learner-b"))}
	where := gitops.Options{RepoURL: "https://git.example.com/team/apps", Revision: "main", Path: "apps"}
	none := given()
	none.Given.Namespace = render.Fact{}
	for name, c := range map[string]struct {
		r    Request
		want []string
	}{
		"argocd":   {Request{Facts: given(), Engine: ArgoCD}, []string{"kind: Application\n", "path: apps\n", "namespace: demo\n", "CreateNamespace=true\n"}},
		"flux":     {Request{Facts: given(), Engine: Flux}, []string{"kind: Kustomization\n", "path: ./apps\n", "kind: GitRepository\n"}},
		"projects": {Request{Facts: none, Engine: ArgoCD, Projects: []string{"one", "two"}}, []string{"apps/one\n", "apps/two\n"}},
		"clusters": {Request{Several: files, Engine: ArgoCD}, []string{"learner-a\n", "learner-b\n"}},
	} {
		c.r.GitOps = where
		got := rendering(t, c.r)
		for _, want := range c.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
		}
	}
}

// TestEngineWithNamespace: manifests with the Namespace need no other that creates it.
func TestEngineWithNamespace(t *testing.T) {
	where := gitops.Options{RepoURL: "https://git.example.com/team/apps", Revision: "main", Path: "apps"}
	if got := rendering(t, Request{Facts: given(), Engine: ArgoCD, GitOps: where, IncludeNamespace: true}); strings.Contains(got, "CreateNamespace=true\n") {
		t.Errorf("%s", got)
	}
}

// TestValues: the values that the chart is rendered with, or what it refuses.
func TestValues(t *testing.T) {
	s, data, _ := offline(t)
	if err := Values(t.Context(), s, Request{Facts: given(), Chart: session.Chart{Set: []string{"microservice.replicas=2"}}}); err != nil {
		t.Fatal(err)
	}
	var values struct{ Microservice struct{ Replicas int } }
	if err := yaml.Unmarshal(data.Bytes(), &values); err != nil || values.Microservice.Replicas != 2 || !strings.Contains(data.String(), "role/ostoy-s3/"+render.RoleName(issuer, "demo")) {
		t.Errorf("%v\n%s", err, data)
	}
	for name, r := range map[string]Request{
		"a values file": {Facts: given(), Chart: session.Chart{Files: []string{filepath.Join(t.TempDir(), "none")}}},
		"a value":       {Facts: given(), Chart: session.Chart{Set: []string{"microservice.replicas=many"}}},
		"a role name":   {Facts: given(), Role: iam.RoleOptions{Name: "no name"}},
	} {
		s, data, _ := offline(t)
		if err := Values(t.Context(), s, r); !problem.IsInput(err) || data.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}
