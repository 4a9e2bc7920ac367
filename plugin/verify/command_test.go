package verify

import (
	"bytes"
	"context"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// verifying runs the command on a server that plays the cluster, without AWS credentials.
func verifying(ctx context.Context, t *testing.T, server *clustertest.Server, request Request) (data *bytes.Buffer, err error) {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	streams, _, data, talk := genericiooptions.NewTestIOStreams()
	request.Timeout = time.Minute
	s := &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}
	return data, Verify(ctx, s, request)
}

// TestVerifyRefuses: what cannot be, and a project without the app, before anything is
// proven; who stops it is told that nothing is.
func TestVerifyRefuses(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	server.Answer("GET /api/v1/namespaces/demo/pods", map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{}})
	server.Answer("GET /api/v1/namespaces/demo", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo"}})
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	given := func(f render.Facts) Request {
		return Request{Facts: session.Facts{Given: f}, Output: session.FormatJSON}
	}
	server.Answer("GET /api/v1/namespaces/dmeo/pods", map[string]any{"apiVersion": "v1", "kind": "PodList", "items": []any{}})
	for name, c := range map[string]struct {
		ctx     context.Context
		request Request
		kind    problem.Kind
		says    string
	}{
		"no project":    {t.Context(), given(render.Facts{Namespace: render.Fact{Value: "dmeo"}}), problem.Usage, "project dmeo does not exist"},
		"a name":        {t.Context(), given(render.Facts{Namespace: render.Fact{Value: "No_Name"}}), problem.Usage, "No_Name"},
		"an account":    {t.Context(), given(render.Facts{Account: render.Fact{Value: "12"}}), problem.Usage, "12"},
		"no such file":  {t.Context(), Request{Facts: session.Facts{File: filepath.Join(t.TempDir(), "none")}}, problem.Usage, "none"},
		"not installed": {t.Context(), given(render.Facts{}), problem.Refused, "OSToy is not installed in project demo"},
		"interrupted":   {stopped, given(render.Facts{}), problem.Interrupted, "nothing is proven"},
	} {
		data, err := verifying(c.ctx, t, server, c.request)
		var told *problem.Error
		if !errors.As(err, &told) || told.Kind != c.kind || !strings.Contains(err.Error(), c.says) || data.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

// TestVerifyOfDeliveredApp: verify asks who manages the app before it advises an install.
func TestVerifyOfDeliveredApp(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	list := func(kind string, items ...any) map[string]any {
		return map[string]any{"apiVersion": "v1", "kind": kind + "List", "items": append([]any{}, items...)}
	}
	app := map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{
		"name": render.Frontend, "namespace": "demo",
		"annotations":   map[string]any{"argocd.argoproj.io/tracking-id": "app:apps/Deployment:demo/" + render.Frontend},
		"managedFields": []any{map[string]any{"manager": "argocd-controller", "operation": "Apply"}},
	}}
	account := map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{"name": render.ServiceAccount, "namespace": "demo"}}
	server.Answer("GET /api/v1/namespaces/demo", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo"}})
	server.Answer("GET /apis/apps/v1/namespaces/demo/deployments", list("Deployment", app))
	server.Answer("GET /api/v1/namespaces/demo/pods", list("Pod"))
	server.Answer("GET /api/v1/namespaces/demo/serviceaccounts/"+render.ServiceAccount, account)
	_, err := verifying(t.Context(), t, server, Request{})
	var told *problem.Error
	if !errors.As(err, &told) || !strings.Contains(told.What, "has no role") || !strings.Contains(told.Next, "change it in Git (oc ostoy-s3 render -n demo prints the manifests)") {
		t.Errorf("%+v", err)
	}
}

// TestPatienceOf: half of the time that is left is for IAM, and no more than a minute.
func TestPatienceOf(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for limit, want := range map[time.Duration]time.Duration{0: time.Minute, time.Hour: time.Minute, time.Minute: 30 * time.Second} {
			ctx := t.Context()
			if limit > 0 {
				limited, cancel := context.WithTimeout(ctx, limit)
				defer cancel()
				ctx = limited
			}
			if got := PatienceOf(ctx); got != want {
				t.Errorf("%s: %s, want %s", limit, got, want)
			}
		}
	})
}

// TestOriginOfTheRole: a command narrows a role that install adopted, and another tool's
// role is for that tool to change.
func TestOriginOfTheRole(t *testing.T) {
	for origin, c := range map[string]struct {
		narrows bool
		given   bool
	}{"": {false, false}, apply.OriginAdopted: {true, false}, apply.OriginExisting: {false, true}} {
		record := apply.Inventory{}
		record.RoleOrigin = origin
		if got := narrow(record, live.Hands{}, "demo"); (got != "") != c.narrows || c.narrows && !strings.Contains(got, "--tighten-role") {
			t.Errorf("%q: %q", origin, got)
		}
		given := givenTo(record, live.Hands{}, "demo")
		if (given != nil) != c.given || c.given && !strings.Contains(given(Flags{{"--role-name", "x y"}}), "iam render -n demo --role-name 'x y'") {
			t.Errorf("%q: %t", origin, given != nil)
		}
	}
}

// TestVerifyByHands: an install that does not say who manages the app is refused, and what
// Argo CD, Flux or Helm deliver has a role that another tool has made.
func TestVerifyByHands(t *testing.T) {
	argo, installed := live.Hands{Engine: apply.ArgoCD}, apply.Inventory{Found: true}
	r, _ := started(t, newFake(nil))
	r.options = Options{Hands: argo}
	r.Flags = Flags{{"--region", "us-east-2"}}
	var noAccount *problem.Error
	if !errors.As(cannotLook(r, apierrors.NewNotFound(schema.GroupResource{}, "x")), &noAccount) {
		t.Fatal("not a problem")
	}
	for name, text := range map[string]string{
		"install": r.install(), "role": r.mendRole(), "ARN": r.badARN("x").Next, "no account": noAccount.Next,
	} {
		if !strings.Contains(text, "change it in Git") || !strings.Contains(text, "oc ostoy-s3 install -n demo --region us-east-2 --force-owner") {
			t.Errorf("%s: %s", name, text)
		}
	}
	if given := givenTo(apply.Inventory{}, argo, "demo"); given == nil || installOf(apply.Inventory{}, argo, "demo") != "" {
		t.Error("a role that install did not make is restored by install")
	}
	if got := installOf(installed, argo, "demo"); givenTo(installed, argo, "demo") != nil || !strings.Contains(got, "--force-owner") {
		t.Errorf("of an app that install created: %q", got)
	}
	if got := installOf(installed, live.Hands{Tutorial: true}, "demo"); got != "oc ostoy-s3 install -n demo --adopt" {
		t.Errorf("of the tutorial's app: %q", got)
	}
}

// TestTellProof: what is beside the verdict, each on a line of its own.
func TestTellProof(t *testing.T) {
	var talk bytes.Buffer
	tellProof(ui.New(&talk, ui.Style{}, time.Now), Report{
		Namespace: "demo", Bucket: "demo-bucket", Via: ViaForward, Detour: "no answer\nok  all is well", OutOfScope: []string{"a", "b"},
		Left: []string{Prefix + "k.txt"}, WhyLeft: "--keep was given",
		Levels: []LevelReport{{Probes: []Probe{{Name: "p", What: "no other\nbucket", Outcome: NotTested}}}},
	})
	for _, want := range []string{
		"not part of this verification: a; b\n", "the Route does not answer from here: no answer ", "a port-forward was used\n",
		"stays in bucket demo-bucket: --keep was given\n", "aws s3 rm s3://demo-bucket/" + Prefix + "k.txt\n", "oc ostoy-s3 uninstall -n demo\n",
	} {
		if !strings.Contains(talk.String(), want) {
			t.Errorf("no %q in\n%s", want, &talk)
		}
	}
	if strings.Contains(talk.String(), "\nok ") || strings.Contains(talk.String(), "\nbucket") {
		t.Errorf("%s", &talk)
	}
}

// TestUnproven: the note is behind what failed, and there is no error if nothing did.
func TestUnproven(t *testing.T) {
	if err := Unproven(Report{Verified: true}, "x"); err != nil {
		t.Error(err)
	}
	failed := fail("caller-identity", time.Now(), &problem.Error{Kind: problem.Refused, What: "it is not"})
	err := Unproven(Report{Levels: []LevelReport{{Level: Identity, Outcome: Failed, Probes: []Probe{failed}}}}, "not verified")
	var several *problem.Several
	if !errors.As(err, &several) || several.Note != "not verified" || several.Kind() != problem.Refused {
		t.Errorf("%v", err)
	}
}

// TestMarkOfEvent: each state of a level has its mark.
func TestMarkOfEvent(t *testing.T) {
	of := func(outcome Outcome) Event { return Event{Report: &LevelReport{Outcome: outcome}} }
	for want, e := range map[ui.Mark]Event{ui.Busy: {}, ui.Done: of(Passed), ui.Failed: of(Failed), ui.Kept: of(NotTested), ui.Warned: of(NotVerified)} {
		if got := markOfEvent(e); got != want {
			t.Errorf("%+v: %v", e, got)
		}
	}
	if markOfEvent(Event{Waiting: true}) != ui.Warned {
		t.Error("waiting is no warning")
	}
}
