package install

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/wait"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plan"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	inventory  = "GET /api/v1/namespaces/demo/configmaps/ostoy-s3"
	oldService = " /api/v1/namespaces/demo/services/old"
	theirs     = "arn:aws:iam::123456789012:role/theirs"
)

// recorded is an inventory with this data, as this tool writes it.
func recorded(data map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": data,
		"metadata": map[string]any{"name": "ostoy-s3", "namespace": namespace, "labels": map[string]any{render.TagManagedBy: render.ManagedBy}},
	}
}

// TestRunInOrder: the inventory comes before everything else, and the role with its policy
// before the Bucket.
func TestRunInOrder(t *testing.T) {
	p := play(t)
	var mu sync.Mutex
	var before []string // what had been written as the first object was, and the Bucket
	p.cluster.Hold = func(r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		dry := r.URL.Query().Get("dryRun") != ""
		switch object := r.Method == http.MethodPatch && !dry; {
		case object && strings.HasSuffix(r.URL.Path, "/configmaps/ostoy-s3"):
			before = append(before, "inventory")
		case object && strings.HasSuffix(r.URL.Path, "/buckets/demo-bucket") && !slices.Contains(before, "Bucket"):
			if slices.Contains(p.aws.Asked(), "PutRolePolicy") {
				before = append(before, "role")
			}
			before = append(before, "Bucket")
		}
	}
	p.aws.Handle("CreateRole", func(w http.ResponseWriter, _ *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		if !slices.Contains(before, "inventory") || slices.Contains(before, "Bucket") {
			t.Errorf("the role is created after %q", before)
		}
		_, _ = w.Write([]byte("<CreateRoleResponse><CreateRoleResult><Role><Arn>arn:aws:iam::" + awstest.Account + ":role/ostoy-s3/x</Arn></Role></CreateRoleResult></CreateRoleResponse>"))
	})
	if err := Run(t.Context(), p.session, p.request(func(*Request) {})); err != nil {
		t.Fatal(err)
	}
	mu.Lock()
	defer mu.Unlock()
	if len(before) < 3 || !slices.Equal(before[:3], []string{"inventory", "role", "Bucket"}) {
		t.Errorf("%q", before)
	}
}

// TestRunEnds: a run that was stopped before it began has changed nothing.
func TestRunEnds(t *testing.T) {
	p := play(t)
	ended, end := context.WithCancel(t.Context())
	end()
	var told *problem.Error
	if err := Run(ended, p.session, p.request(func(*Request) {})); !errors.As(err, &told) || told.Kind != problem.Interrupted || told.Why != announce.NothingChanged || len(p.writes()) > 0 {
		t.Errorf("interrupted: %+v, %q", told, p.writes())
	}
	if err := Run(t.Context(), p.session, p.request(func(r *Request) { r.Timeout = 0 })); !errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.What, "--timeout 0s") || len(p.writes()) > 0 {
		t.Errorf("late: %+v, %q", told, p.writes())
	}
}

// TestRunTightens: rights are taken from a role of others after a yes, and nothing is
// touched before it.
func TestRunTightens(t *testing.T) {
	facts := sessiontest.Given().Given
	facts.Account.Value, facts.Partition.Value = awstest.Account, "aws"
	own, err := iam.Desired(facts.Complete(), iam.RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	trust, err := json.Marshal(own.Trust)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		change func(*Request)
		does   bool
	}{
		"nobody asked": {func(*Request) {}, false},
		"no":           {func(r *Request) { r.Ask = func(context.Context, string) (string, error) { return "no", nil } }, false},
		"yes":          {func(r *Request) { r.Ask = func(context.Context, string) (string, error) { return "yes", nil } }, true},
		"--yes":        {func(r *Request) { r.Yes = true }, true},
	} {
		p := play(t)
		p.cluster.Answer(inventory, recorded(map[string]any{"roleARN": theirs, "roleOrigin": apply.OriginAdopted}))
		p.aws.Answer("GetRole", "<Role><RoleName>theirs</RoleName><Path>/</Path><Arn>"+theirs+"</Arn><AssumeRolePolicyDocument>"+url.QueryEscape(string(trust))+"</AssumeRolePolicyDocument></Role>")
		p.aws.Answer("ListRolePolicies", "<PolicyNames></PolicyNames><IsTruncated>false</IsTruncated>")
		p.aws.Answer("ListAttachedRolePolicies", "<AttachedPolicies></AttachedPolicies><IsTruncated>false</IsTruncated>")
		p.aws.Answer("TagRole", "")
		err := Run(t.Context(), p.session, p.request(func(r *Request) { r.Tighten = true; c.change(r) }))
		if (err == nil) != c.does || !c.does && !problem.IsInput(err) || slices.Contains(p.writes(), "TagRole") != c.does || len(p.writes()) > 0 != c.does {
			t.Errorf("%s: %v, writes %q\n%s", name, err, p.writes(), p.err)
		}
	}
}

// TestRunPrunes: what is no longer wanted is deleted at the end, and a refusal of that is
// an error.
func TestRunPrunes(t *testing.T) {
	old := marked("old")
	old.SetAPIVersion("v1")
	old.SetKind("Service")
	old.SetNamespace(namespace)
	old.SetUID("1")
	old.SetResourceVersion("1")
	_ = unstructured.SetNestedSlice(old.Object, []any{map[string]any{"manager": apply.Manager, "operation": "Apply", "apiVersion": "v1"}}, "metadata", "managedFields")
	for _, may := range []bool{true, false} {
		p := play(t)
		p.cluster.Answer(inventory, recorded(map[string]any{"objects": "v1 Service old\n"}))
		p.cluster.Answer("GET"+oldService, old.Object)
		p.cluster.Answer("DELETE"+oldService, map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Success"})
		if !may {
			p.cluster.Forbid("DELETE"+oldService, "delete", "services", "", `in the namespace "demo"`)
		}
		err := Run(t.Context(), p.session, p.request(func(*Request) {}))
		if (err == nil) != may || !slices.Contains(p.writes(), "DELETE"+oldService) {
			t.Errorf("may %t: %v, %q\n%s", may, err, p.writes(), p.err)
		}
	}
}

// TestRunBesideOthers: a bucket that another run has made meanwhile has that run looked for
// once more; a project that is on its way out by then is none to install in, and the
// inventory of somebody else is nobody's beginning.
func TestRunBesideOthers(t *testing.T) {
	going := map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": namespace, "deletionTimestamp": "2026-01-01T00:00:00Z"}}
	foreign := recorded(nil)
	foreign["metadata"] = map[string]any{"name": "ostoy-s3", "namespace": namespace}
	for name, c := range map[string]struct {
		inventory map[string]any
		says      string
	}{
		"of another run":   {recorded(nil), "is being deleted"},
		"of somebody else": {foreign, "is in this account already"},
		"none":             {nil, "is in this account already"},
	} {
		p := play(t)
		there := marked(namespace).Object
		later := func(key string, now, then any) { // once S3 has shown the bucket
			p.cluster.Handle(key, func(w http.ResponseWriter, _ *http.Request) {
				object := now
				if slices.Contains(p.aws.Asked(), "GET demo-bucket?tagging") {
					object = then
				}
				w.Header().Set("Content-Type", "application/json")
				if object == nil {
					w.WriteHeader(http.StatusNotFound)
					object = map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "NotFound", "code": 404}
				}
				_ = json.NewEncoder(w).Encode(object)
			})
		}
		later("GET /api/v1/namespaces/demo", there, going)
		var then any
		if c.inventory != nil {
			then = c.inventory
		}
		later(inventory, nil, then)
		p.aws.Answer("HEAD demo-bucket", "")
		p.aws.Answer("GET demo-bucket?tagging", "<Tagging><TagSet><Tag><Key>team</Key><Value>blue</Value></Tag></TagSet></Tagging>")
		err := Run(t.Context(), p.session, p.request(func(*Request) {}))
		if err == nil || !strings.Contains(err.Error(), c.says) || len(p.writes()) > 0 {
			t.Errorf("%s: %v, writes %q", name, err, p.writes())
		}
	}
}

// TestRefusalRemovesTheProject: a project that this run has made is taken back if it is
// refused before anything else is made.
func TestRefusalRemovesTheProject(t *testing.T) {
	i, p, s := inNewProject(t, namespace, true)
	i.done.Project, i.conn = namespace, p.Conn
	i.request.Chart.Files = []string{"/nope.yaml"}
	if err := i.run(t.Context()); !problem.IsInput(err) || s.Requests()["DELETE /api/v1/namespaces/demo"] != 1 || i.done.Project != "" || i.done.SoFar() != announce.NothingChanged {
		t.Errorf("%v, %v, %s", err, s.Requests(), i.done.SoFar())
	}
}

// TestIssuerOfAProject: where the issuer can be learned only in the project, it is made for
// that neither in a dry run, nor for a script, nor if Buckets could not be made in it.
func TestIssuerOfAProject(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"dry run": func(r *Request) { r.DryRun = session.DryRunClient },
		"script":  func(r *Request) { r.DryRun, r.Mode = session.DryRunNone, ModeManual },
		"refused": func(r *Request) { r.DryRun = session.DryRunNone }, // the cluster serves no Buckets
	} {
		i, p, s := inNewProject(t, namespace, true)
		change(&i.request)
		if i.request.onlyLooks() {
			s.Serve("v1/Namespace", "authorization.k8s.io/v1/SelfSubjectAccessReview", "s3.services.k8s.aws/v1alpha1/Bucket")
		}
		p.Found.IssuerNeedsProject = true
		if _, err := i.learnIssuer(t.Context(), p); err == nil || s.Requests()["POST /api/v1/namespaces"] > 0 || i.done.Project != "" {
			t.Errorf("%s: %v, %v", name, err, s.Requests())
		}
	}
}

// TestFreeName: a name whose bucket exists is chosen again, and what S3 said of the other
// is kept; no answer of S3 chooses nothing.
func TestFreeName(t *testing.T) {
	for name, c := range map[string]struct {
		play        func(*awstest.Server)
		same, known bool
	}{
		"free": {func(*awstest.Server) {}, true, true},
		"taken": {func(a *awstest.Server) {
			a.Answer("HEAD demo-bucket", "")
			a.Answer("GET demo-bucket?tagging", "<Tagging><TagSet><Tag><Key>team</Key><Value>blue</Value></Tag></TagSet></Tagging>")
		}, false, true},
		"S3 fails": {func(a *awstest.Server) { a.Refuse("HEAD demo-bucket", 500, "InternalError", "") }, true, false},
	} {
		account := awstest.New(t)
		c.play(account)
		p := project.Project{Facts: sessiontest.Given().Given, Found: detect.Result{AWS: &detect.AWS{Config: account.Config()}}}
		got, state, err := freeName(t.Context(), p)
		if err != nil || (got.Name() == namespace) != c.same || (state != nil) != c.known || state != nil && (state.Exists() || state.Name != render.BucketName(got.Name())) {
			t.Errorf("%s: %s, %+v, %v", name, got.Name(), state, err)
		}
	}
}

// TestUse: the kubeconfig is switched if that is asked for, and an error says how to do it.
func TestUse(t *testing.T) {
	for name, c := range map[string]struct {
		use, broken bool
		want        string // the namespace afterwards
		fails       bool
	}{
		"asked for":     {true, false, "demo", false},
		"not asked for": {false, false, "default", false},
		"no context":    {true, true, "", true},
	} {
		i, p, _ := inNewProject(t, namespace, true)
		i.request.Use = c.use
		access := i.Getter.ToRawKubeConfigLoader().ConfigAccess()
		if c.broken {
			if err := os.WriteFile(access.GetExplicitFile(), []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		err := use(i, p)
		var told *problem.Error
		if (err != nil) != c.fails || c.fails && (!errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.Next, "oc project demo")) {
			t.Errorf("%s: %v", name, err)
		}
		config, err := access.GetStartingConfig()
		if err != nil {
			t.Fatal(err)
		}
		if here := config.Contexts["here"]; c.want != "" && (here == nil || here.Namespace != c.want) {
			t.Errorf("%s: %+v", name, here)
		}
	}
}

// TestHow: how closely a plan looks.
func TestHow(t *testing.T) {
	for name, c := range map[string]struct {
		request Request
		want    plan.How
	}{
		"install":        {Request{DryRun: session.DryRunNone}, plan.Apply},
		"with a diff":    {Request{DryRun: session.DryRunNone, Diff: true}, plan.Judge},
		"script":         {Request{DryRun: session.DryRunNone, Mode: ModeManual}, plan.Judge},
		"dry run":        {Request{DryRun: session.DryRunServer}, plan.Judge},
		"without server": {Request{DryRun: session.DryRunClient, Diff: true}, plan.Guess},
	} {
		if got := c.request.how(); got != c.want || c.request.onlyLooks() == (c.request.DryRun == session.DryRunNone && c.request.Mode == "") {
			t.Errorf("%s: %d, %t", name, got, c.request.onlyLooks())
		}
	}
	if !ModeAuto.Known() || !ModeManual.Known() || Mode("").Known() {
		t.Error("the modes")
	}
}

// TestManualSource: the script makes a project that is not there, and uses it if asked to.
func TestManualSource(t *testing.T) {
	for _, exists := range []bool{false, true} {
		i, p, _ := inNewProject(t, namespace, true)
		i.request.Use = !exists
		p.State.Exists = exists
		source, err := manualSource(t.Context(), i.request, plan.Plan{Desired: plan.Desired{Project: p}})
		if err != nil || (source.Project == nil) != exists || (source.Use == "here") == exists || source.Tool.Server == "" {
			t.Errorf("exists %t: %+v, %v", exists, source, err)
		}
	}
}

// planned is a plan of an app in the project demo with these objects.
func planned(p project.Project, objects ...*unstructured.Unstructured) plan.Plan {
	p.State.Exists = true
	return plan.Plan{
		Desired: plan.Desired{Project: p, Objects: objects},
		Objects: &apply.Plan{}, Role: &iam.Plan{Role: iam.Role{ARN: theirs}},
	}
}

// TestTargets: what is waited for are the objects by their kinds, and the identity of the
// pods if they do not carry it themselves.
func TestTargets(t *testing.T) {
	named := func(kind string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{"kind": kind}}
		object.SetName("the-" + strings.ToLower(kind))
		return object
	}
	carries := named("Deployment")
	carries.SetName(render.Frontend)
	_ = unstructured.SetNestedSlice(carries.Object, []any{map[string]any{"name": "aws-iam-token"}}, "spec", "template", "spec", "volumes")
	p := project.Project{Facts: sessiontest.Given().Given}
	got := targets(newRun(Request{}), planned(p, named("Bucket"), named("Deployment"), named("PersistentVolumeClaim"), named("Route"), named("Ingress"), named("Secret")))
	if got.Namespace != namespace || got.Bucket != "the-bucket" || got.PVC != "the-persistentvolumeclaim" || got.Route != "the-route" || got.Ingress != "the-ingress" ||
		!slices.Equal(got.Deployments, []string{"the-deployment"}) || !slices.Equal(got.Identity, []string{render.Frontend}) || got.RoleARN != theirs || got.BucketWritten || got.Unfinished == nil {
		t.Errorf("%+v", got)
	}
	if got := targets(newRun(Request{}), planned(p, carries)); len(got.Identity) > 0 || got.Bucket+got.PVC+got.Route+got.Ingress != "" {
		t.Errorf("%+v", got)
	}
}

// TestBucketSpecWritten: the controller looks at a Bucket again for its spec alone.
func TestBucketSpecWritten(t *testing.T) {
	for name, c := range map[string]struct {
		item apply.Item
		want bool
	}{
		"created":    {apply.Item{Action: apply.Create}, true},
		"spec":       {apply.Item{Action: apply.Update, Changes: []apply.FieldChange{{Path: "metadata.labels.a"}, {Path: "spec.acl"}}}, true},
		"annotation": {apply.Item{Action: apply.Update, Changes: []apply.FieldChange{{Path: "metadata.annotations.a"}}}, false},
		"owner":      {apply.Item{Action: apply.Update, Owned: []string{"spec.acl"}}, false},
		"as it was":  {apply.Item{Action: apply.Unchanged}, false},
	} {
		p := planned(project.Project{Facts: sessiontest.Given().Given})
		c.item.Ref = apply.Ref{Group: "s3.services.k8s.aws", Version: "v1alpha1", Kind: "Bucket", Name: "demo-bucket"}
		p.Objects.Items = []*apply.Item{&c.item}
		if got := bucketSpecWritten(p); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// heard is a run that writes to buffers.
func heard(request Request) (i *run, stdout, talk *bytes.Buffer) {
	streams, _, stdout, talk := genericiooptions.NewTestIOStreams()
	s := &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Now: time.Now}
	return &run{Session: s, request: request, board: s.UI.Board(), done: &Done{}, started: s.Now()}, stdout, talk
}

// TestConclude: the URL alone is printed, once it leads somewhere; the failure stays the
// error, and there is a document of it.
func TestConclude(t *testing.T) {
	late := &problem.Error{Kind: problem.NotReady, What: "late"}
	at := wait.Result{URL: "https://o.example.com", States: []wait.State{{Kind: "Route", Name: "r"}}}
	for name, c := range map[string]struct {
		request Request
		ready   bool
		result  wait.Result
		failure error
		prints  string
		says    string
	}{
		"ready":           {Request{Wait: true}, true, at, nil, "https://o.example.com\n", "OSToy: https://o.example.com"},
		"without address": {Request{Wait: true}, true, wait.Result{}, nil, "", "oc port-forward -n demo"},
		"not waited for":  {Request{}, false, wait.Result{}, nil, "", "applied, not waited for"},
		"not ready":       {Request{Wait: true}, false, at, late, "", ""},
		"not proven":      {Request{Wait: true}, true, at, late, "", ""},
		"document":        {Request{Wait: true, Output: session.FormatJSON}, true, at, nil, `"ready": true`, "OSToy: "},
		"and not ready":   {Request{Wait: true, Output: session.FormatJSON}, false, at, late, `"ready": false`, ""},
	} {
		c.request.DryRun = session.DryRunNone
		i, stdout, talk := heard(c.request)
		i.done.Ready = c.ready
		err := conclude(i, planned(project.Project{Facts: sessiontest.Given().Given}), c.result, c.failure)
		if !errors.Is(err, c.failure) || (c.prints == "") != (stdout.Len() == 0) || !strings.Contains(stdout.String(), c.prints) || (c.says == "") != (talk.Len() == 0) || !strings.Contains(talk.String(), c.says) {
			t.Errorf("%s: %v, %q, %q", name, err, stdout, talk)
		}
		if states := strings.Contains(stdout.String(), `"states"`); c.request.Output == session.FormatJSON && states == c.ready {
			t.Errorf("%s: %s", name, stdout)
		}
	}
}

// TestAwaitSucceeds: a run is ready once it has waited, and only then.
func TestAwaitSucceeds(t *testing.T) {
	for waits, says := range map[bool]string{true: "oc port-forward -n demo", false: "applied, not waited for"} {
		_, project, server := inNewProject(t, namespace, true)
		i, _, talk := heard(Request{Wait: waits, DryRun: session.DryRunNone})
		if err := await(t.Context(), i, planned(project)); err != nil || i.done.Ready != waits || i.done.Proof != nil || !strings.Contains(talk.String(), says) || len(server.Requests()) > 0 {
			t.Errorf("waits %t: %v, ready %t, %s", waits, err, i.done.Ready, talk)
		}
	}
}

// TestAwaitFails: what cannot be watched is the error, with the Secrets that are not there;
// who pressed Ctrl-C waits for no more requests.
func TestAwaitFails(t *testing.T) {
	const secret = "GET /api/v1/namespaces/demo/secrets/ostoy-secret"
	deployment := &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "spec": map[string]any{"template": map[string]any{
		"spec": map[string]any{"volumes": []any{map[string]any{"secret": map[string]any{"secretName": "ostoy-secret"}}}},
	}}}}
	deployment.SetName(render.Frontend)
	ended, end := context.WithCancel(t.Context())
	end()
	late, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	for name, c := range map[string]struct {
		ctx    context.Context
		kind   problem.Kind // 0: the context's error
		blames bool
	}{
		"not served":  {t.Context(), problem.Failed, true},
		"late":        {late, problem.NotReady, true},
		"interrupted": {ended, 0, false},
	} {
		_, project, server := inNewProject(t, namespace, true)
		i, stdout, talk := heard(Request{Wait: true, Verify: true, DryRun: session.DryRunNone})
		err := await(c.ctx, i, planned(project, deployment))
		var told *problem.Error
		if c.kind == 0 && !errors.Is(err, context.Canceled) || c.kind != 0 && (!errors.As(err, &told) || told.Kind != c.kind) || i.done.Ready || stdout.Len() > 0 {
			t.Errorf("%s: %v, %q", name, err, stdout)
		}
		if strings.Contains(talk.String(), "Secret ostoy-secret is not there") != c.blames || server.Requests()[secret] > 0 != c.blames {
			t.Errorf("%s: says %q", name, talk)
		}
	}
}
