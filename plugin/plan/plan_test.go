package plan

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	testIssuer = "https://oidc.example.com/one"
)

// world is a project in a played cluster and a played account: everything may be made, and
// nothing is there.
type world struct {
	cluster *clustertest.Server
	aws     *awstest.Server
	project project.Project
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{}
	w.cluster, w.aws = sessiontest.Empty(t)
	w.aws.Refuse("HEAD demo-bucket", http.StatusNotFound, "NotFound", "")
	conn, err := cluster.Connect(w.cluster.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	fact := func(value string) render.Fact { return render.Fact{Value: value, Source: "test"} }
	w.project = project.Project{
		Conn: conn, State: project.State{Exists: true},
		Facts: render.Facts{
			Namespace: fact("demo"), Account: fact(awstest.Account), Partition: fact("aws"), Region: fact(awstest.Region),
			Issuer: fact(testIssuer), Platform: fact(render.PlatformEKS), KubeVersion: fact("v1.33.0"),
		}.Complete(),
		Found: detect.Result{AWS: &detect.AWS{Config: w.aws.Config()}},
	}
	return w
}

// roleIs has IAM show a role of the project's usual name.
func (w *world) roleIs(tags map[string]string) {
	role, _ := iam.Desired(w.project.Facts, iam.RoleOptions{})
	trust, _ := json.Marshal(role.Trust)
	var members strings.Builder
	for key, value := range tags {
		members.WriteString("<member><Key>" + key + "</Key><Value>" + value + "</Value></member>")
	}
	w.aws.Handle("GetRole", func(out http.ResponseWriter, r *http.Request) {
		if r.FormValue("RoleName") != role.Name {
			http.Error(out, "<ErrorResponse><Error><Code>NoSuchEntity</Code></Error></ErrorResponse>", http.StatusNotFound)
			return
		}
		_, _ = out.Write([]byte("<GetRoleResponse><GetRoleResult><Role><RoleName>" + role.Name + "</RoleName><Path>" + role.Path + "</Path><Arn>" + role.ARN +
			"</Arn><AssumeRolePolicyDocument>" + url.QueryEscape(string(trust)) + "</AssumeRolePolicyDocument><Tags>" + members.String() + "</Tags></Role></GetRoleResult></GetRoleResponse>"))
	})
	w.aws.Answer("ListRolePolicies", "<PolicyNames></PolicyNames><IsTruncated>false</IsTruncated>")
	w.aws.Answer("ListAttachedRolePolicies", "<AttachedPolicies></AttachedPolicies><IsTruncated>false</IsTruncated>")
}

func (w *world) plan(t *testing.T, r Request) (Plan, error) {
	t.Helper()
	r.Now, r.Controller = time.Now, ControllerPlanned
	desired, err := Prepare(t.Context(), w.project, r)
	if err != nil {
		t.Fatal(err)
	}
	return desired.Plan(t.Context())
}

// TestPrepare: the role's name is in the objects, and what was asked for stays as it was.
func TestPrepare(t *testing.T) {
	w := newWorld(t)
	asked := Request{Role: iam.RoleOptions{Path: "/mine/"}, Now: time.Now}
	d, err := Prepare(t.Context(), w.project, asked)
	if err != nil {
		t.Fatal(err)
	}
	want := "arn:aws:iam::123456789012:role/mine/" + render.RoleName(testIssuer, "demo")
	if d.Role.ARN != want || d.Values.RoleARN != want || d.Request.Role.Name != "" || d.UsesRole() || d.RoleOrigin() != "" || !d.ProjectsIdentity() {
		t.Errorf("%+v", d.Role)
	}
	named := false
	for _, object := range d.Objects {
		named = named || object.GetKind() == "ServiceAccount" && object.GetAnnotations()["eks.amazonaws.com/role-arn"] == want
	}
	if !named {
		t.Error("the service account does not name the role")
	}
}

// TestPrepareRefuses: what cannot be is said before anything is planned.
func TestPrepareRefuses(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*world, *Request)
		want   string
	}{
		"a role name that cannot be": {func(_ *world, r *Request) { r.Role.Name = "no good" }, "role name"},
		"a value that cannot be":     {func(_ *world, r *Request) { r.Values.Set = []string{"expose=maybe"} }, "expose"},
		"no issuer":                  {func(w *world, _ *Request) { w.project.Facts.Issuer = render.Fact{} }, "issuer"},
	} {
		w, r := newWorld(t), Request{Now: time.Now}
		c.change(w, &r)
		_, err := Prepare(t.Context(), w.project, r)
		if !problem.IsInput(err) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := Prepare(ended, newWorld(t).project, Request{Now: time.Now}); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
}

// TestPossible: a project of which too little is known is none to install in.
func TestPossible(t *testing.T) {
	w := newWorld(t)
	if err := Possible(w.project, iam.RoleOptions{}); err != nil {
		t.Error(err)
	}
	if err := Possible(w.project, iam.RoleOptions{Path: "x"}); !problem.IsInput(err) {
		t.Errorf("a path that cannot be: %v", err)
	}
	w.project.Facts.Region = render.Fact{}
	if err := Possible(w.project, iam.RoleOptions{}); !problem.IsInput(err) || !strings.Contains(err.Error(), "region") {
		t.Errorf("no region: %v", err)
	}
}

// TestPlanOfTheFirst: everything is created, and nothing was sent that persists.
func TestPlanOfTheFirst(t *testing.T) {
	w := newWorld(t)
	p, err := w.plan(t, Request{How: Guess})
	if err != nil {
		t.Fatal(err)
	}
	if !p.Changes() || !p.Role.Creates() || p.BucketExists() || !p.CreatesBucketResource() || !p.KnownToIAM || len(p.Kept()) != 0 {
		t.Errorf("%+v", p)
	}
	if origin := p.Objects.Inventory.BucketOrigin; origin != apply.OriginCreated {
		t.Errorf("origin %q", origin)
	}
	for request := range w.cluster.Requests() {
		if !strings.HasPrefix(request, "GET ") && !strings.Contains(request, "authorization.k8s.io") {
			t.Errorf("sends %s", request)
		}
	}
	for _, action := range w.aws.Asked() {
		for _, verb := range []string{"Create", "Put", "Tag", "Update", "Delete", "PUT", "DELETE"} {
			if strings.HasPrefix(action, verb) {
				t.Errorf("asks AWS for %s", action)
			}
		}
	}
}

// TestPlanRefuses: each check of install, by what it sees, ends the plan with its id.
func TestPlanRefuses(t *testing.T) {
	others := `<Tagging><TagSet><Tag><Key>team</Key><Value>blue</Value></Tag></TagSet></Tagging>`
	for name, c := range map[string]struct {
		change func(*world)
		adopt  Request
		want   string // the page of the check
		passes bool   // with the request
	}{
		"no provider": {func(w *world) { w.aws.Refuse("GetOpenIDConnectProvider", 404, "NoSuchEntity", "none") }, Request{}, check.IDProvider, false},
		"a bucket of others": {func(w *world) {
			w.aws.Answer("HEAD demo-bucket", "")
			w.aws.Answer("GET demo-bucket?tagging", others)
			w.aws.Answer("GET demo-bucket?list-type", "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")
		}, Request{Adopt: adopt.Bucket}, "bucket-foreign", true},
		"a role of others": {func(w *world) { w.roleIs(map[string]string{"team": "blue"}) }, Request{Role: iam.RoleOptions{Adopt: true}}, check.IDRole, true},
		"no Buckets":       {func(w *world) { w.cluster.Serve("v1/ConfigMap", "v1/Secret") }, Request{}, check.IDBucketCRD, false},
	} {
		w := newWorld(t)
		c.change(w)
		_, err := w.plan(t, Request{How: Guess})
		var several *problem.Several
		if !errors.As(err, &several) || several.Kind() != problem.Refused || several.Note != "nothing was changed" {
			t.Errorf("%s: %v", name, err)
			continue
		}
		pages := ""
		for _, one := range several.Problems {
			pages += one.More + " "
		}
		if !strings.Contains(pages, "docs/checks/"+c.want+".md") {
			t.Errorf("%s: %s", name, pages)
		}
		c.adopt.How = Guess
		if _, err := w.plan(t, c.adopt); (err == nil) != c.passes {
			t.Errorf("%s, with permission: %v", name, err)
		}
		// Compared, it refuses nothing, and says what install would refuse.
		p, err := w.plan(t, Request{How: Compare})
		if err != nil || p.Refused(t.Context()) == nil {
			t.Errorf("%s, compared: %v", name, err)
		}
	}
}

// TestPlanKeepsTheRole: a role with the project's tags is changed, not created.
func TestPlanKeepsTheRole(t *testing.T) {
	w := newWorld(t)
	w.roleIs(render.OwnershipTags(w.project.Facts))
	p, err := w.plan(t, Request{How: Guess})
	if err != nil {
		t.Fatal(err)
	}
	if p.Role.Creates() || p.Role.Empty() {
		t.Errorf("%+v", p.Role)
	}
}

// TestPlanOfAKnownBucket: S3 is not asked again for a name that was chosen because it is
// free.
func TestPlanOfAKnownBucket(t *testing.T) {
	w := newWorld(t)
	if _, err := w.plan(t, Request{How: Guess, Bucket: &bucket.State{Kind: bucket.Free, Name: "demo-bucket", Sure: true}}); err != nil {
		t.Fatal(err)
	}
	for _, asked := range w.aws.Asked() {
		if strings.Contains(asked, "demo-bucket") {
			t.Errorf("asks %s", asked)
		}
	}
}

// TestPlanEnds: an interrupt is no refusal.
func TestPlanEnds(t *testing.T) {
	w := newWorld(t)
	d, err := Prepare(t.Context(), w.project, Request{How: Guess, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	for _, how := range []How{Guess, Compare} {
		ended, end := context.WithCancel(t.Context())
		end()
		d.Request.How = how
		if _, err := d.Plan(ended); !errors.Is(err, context.Canceled) {
			t.Errorf("%d: %v", how, err)
		}
	}
}

// TestTarget: check judges the same parts, and says what may not be seen.
func TestTarget(t *testing.T) {
	w := newWorld(t)
	w.aws.Refuse("GetRole", 403, "AccessDenied", "not authorized to perform: iam:GetRole")
	d, err := Prepare(t.Context(), w.project, Request{How: Guess, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	target := d.Target(t.Context())
	if finding := target.Role(t.Context()); finding.Status != check.NotAllowed {
		t.Errorf("a role that may not be read: %+v", finding)
	}
	if finding := target.Bucket(t.Context()); finding.Status != check.Passed {
		t.Errorf("a bucket that is free: %+v", finding)
	}
	if err := target.Plan(t.Context()); err != nil {
		t.Errorf("objects that are free: %v", err)
	}
	if finding := target.Provider(t.Context()); finding.Status != check.Passed {
		t.Errorf("a provider that exists: %+v", finding)
	}
}
