package plan

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const theirs = "arn:aws:iam::123456789012:role/theirs"

// rolesAre has IAM answer for roles by their names; of a name that is not among them
// there is none.
func (w *world) rolesAre(roles map[string]http.HandlerFunc) {
	w.aws.Handle("GetRole", func(out http.ResponseWriter, r *http.Request) {
		if answer, there := roles[r.FormValue("RoleName")]; there {
			answer(out, r)
			return
		}
		refuse(http.StatusNotFound, "NoSuchEntity")(out, r)
	})
	w.aws.Answer("ListRolePolicies", "<PolicyNames></PolicyNames><IsTruncated>false</IsTruncated>")
	w.aws.Answer("ListAttachedRolePolicies", "<AttachedPolicies></AttachedPolicies><IsTruncated>false</IsTruncated>")
}

func refuse(status int, code string) http.HandlerFunc {
	return func(out http.ResponseWriter, _ *http.Request) {
		http.Error(out, "<ErrorResponse><Error><Code>"+code+"</Code></Error><Code>"+code+"</Code></ErrorResponse>", status)
	}
}

// role is a role as IAM shows it.
func role(arn string, trust iam.Document, tags map[string]string) http.HandlerFunc {
	text, _ := json.Marshal(trust)
	members := ""
	for key, value := range tags {
		members += "<member><Key>" + key + "</Key><Value>" + value + "</Value></member>"
	}
	_, resource, _ := strings.Cut(arn, ":role")
	path, name := resource[:strings.LastIndex(resource, "/")+1], resource[strings.LastIndex(resource, "/")+1:]
	return func(out http.ResponseWriter, _ *http.Request) {
		_, _ = out.Write([]byte("<GetRoleResponse><GetRoleResult><Role><RoleName>" + name + "</RoleName><Path>" + path + "</Path><Arn>" + arn +
			"</Arn><AssumeRolePolicyDocument>" + url.QueryEscape(string(text)) + "</AssumeRolePolicyDocument><Tags>" + members + "</Tags></Role></GetRoleResult></GetRoleResponse>"))
	}
}

// adoptedBefore is a project whose last install has adopted the role theirs.
func adoptedBefore(t *testing.T) (*world, iam.Role) {
	w := newWorld(t)
	w.project.Inventory.Found = true
	w.project.Inventory.RoleARN, w.project.Inventory.RoleOrigin = theirs, apply.OriginAdopted
	own, err := iam.Desired(w.project.Facts, iam.RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return w, own
}

// TestAdoptedRole: a role that was there before is used as it is, unless it is to be
// tightened; one that is of no use is passed over, or, if it was to be tightened, refused.
func TestAdoptedRole(t *testing.T) {
	for name, c := range map[string]struct {
		role    func(own iam.Role) http.HandlerFunc // theirs
		request Request
		asIs    bool
		name    string // of the role that the app gets; "": its own
		passed  string
		refused string
	}{
		"as it is":  {func(own iam.Role) http.HandlerFunc { return role(theirs, own.Trust, nil) }, Request{}, true, "theirs", "", ""},
		"tightened": {func(own iam.Role) http.HandlerFunc { return role(theirs, own.Trust, nil) }, Request{Tighten: true}, false, "theirs", "", ""},
		"ours by now": {func(own iam.Role) http.HandlerFunc {
			return role(theirs, own.Trust, own.Tags)
		}, Request{}, false, "theirs", "", ""},
		"a flag wins":       {func(own iam.Role) http.HandlerFunc { return role(theirs, own.Trust, nil) }, Request{Role: iam.RoleOptions{Name: "mine"}}, false, "mine", "", ""},
		"shuts the app out": {func(iam.Role) http.HandlerFunc { return role(theirs, iam.Document{}, nil) }, Request{}, false, "", "does not let in", ""},
		"at another place": {func(own iam.Role) http.HandlerFunc {
			return role("arn:aws:iam::123456789012:role/elsewhere/theirs", own.Trust, nil)
		}, Request{}, false, "", "the role of that name is", ""},
		"gone":                   {func(iam.Role) http.HandlerFunc { return refuse(404, "NoSuchEntity") }, Request{}, false, "", "it is not there", ""},
		"gone, and tightened":    {func(iam.Role) http.HandlerFunc { return refuse(404, "NoSuchEntity") }, Request{Tighten: true}, false, "", "it is not there", ""},
		"useless, and tightened": {func(iam.Role) http.HandlerFunc { return role(theirs, iam.Document{}, nil) }, Request{Tighten: true}, false, "", "", "is not tightened"},
		"IAM fails":              {func(iam.Role) http.HandlerFunc { return refuse(500, "ServiceFailure") }, Request{}, false, "", "", "iam:GetRole"},
		"unseen":                 {func(iam.Role) http.HandlerFunc { return refuse(403, "AccessDenied") }, Request{}, false, "", "", "it is not known which role the app has"},
		"unseen, and tightened":  {func(iam.Role) http.HandlerFunc { return refuse(403, "AccessDenied") }, Request{Tighten: true}, false, "", "", "is not tightened"},
		"unseen, and --adopt":    {func(iam.Role) http.HandlerFunc { return refuse(403, "AccessDenied") }, Request{Adopt: adopt.Tutorial}, true, "theirs", "", ""},
	} {
		t.Run(name, func(t *testing.T) {
			w, own := adoptedBefore(t)
			w.rolesAre(map[string]http.HandlerFunc{"theirs": c.role(own)})
			c.request.Now = time.Now
			d, err := Prepare(t.Context(), w.project, c.request)
			if c.refused != "" {
				if err == nil || !strings.Contains(err.Error(), c.refused) {
					t.Errorf("%v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if c.name == "" {
				c.name = own.Name
			}
			if d.Role.Name != c.name || d.Adopted.AsIs != c.asIs || d.UsesRole() != c.asIs || d.Role.Tighten != c.request.Tighten && c.name == "theirs" ||
				(c.passed == "") != (len(d.Adopted.Passed) == 0) || !strings.Contains(strings.Join(d.Adopted.Passed, ""), c.passed) {
				t.Errorf("%s, as it is: %t, %+v, %q", d.Role.Name, d.Adopted.AsIs, d.Role.Leave, d.Adopted.Passed)
			}
		})
	}
	w, own := adoptedBefore(t)
	w.rolesAre(map[string]http.HandlerFunc{"theirs": refuse(403, "AccessDenied"), own.Name: role(own.ARN, own.Trust, own.Tags)})
	d, err := Prepare(t.Context(), w.project, Request{Now: time.Now})
	if err != nil || d.Role.Name != own.Name || !strings.Contains(strings.Join(d.Adopted.Passed, ""), "is this project's") {
		t.Errorf("unseen, and the project has one: %s, %q, %v", d.Role.Name, d.Adopted.Passed, err)
	}
}

// TestPlanOfARoleAsItIs: nothing of it changes, it is looked at once, and is said to be
// adopted; one that is tightened changes.
func TestPlanOfARoleAsItIs(t *testing.T) {
	for _, tighten := range []bool{false, true} {
		w, own := adoptedBefore(t)
		w.rolesAre(map[string]http.HandlerFunc{"theirs": role(theirs, own.Trust, nil)})
		w.aws.Answer("ListRolePolicies", "<PolicyNames><member>"+iam.PolicyName+"</member></PolicyNames><IsTruncated>false</IsTruncated>")
		w.aws.Answer("GetRolePolicy", "<PolicyDocument>"+url.QueryEscape(own.Policy.JSON())+"</PolicyDocument>")
		p, err := w.plan(t, Request{How: Guess, Adopt: adopt.Tutorial, Tighten: tighten})
		if err != nil {
			t.Fatal(err)
		}
		if p.Role.Empty() == tighten || p.Tightens() != tighten || p.Desired.RoleOrigin() != apply.OriginAdopted {
			t.Errorf("tighten %t: %+v", tighten, p.Role)
		}
		if found := p.Before.Adoption; found == nil || found.Role == nil || found.Role.ARN != theirs || found.Role.Tightened != tighten {
			t.Errorf("tighten %t: %+v", tighten, found)
		}
		if actual, err := p.Desired.ActualRole(t.Context()); !tighten && (err != nil || actual != p.Desired.Adopted.Actual) {
			t.Errorf("read again: %v", err)
		}
	}
}

// TestEarlierName: a role with a name of an earlier version is kept; if there is none the
// new one gets a new name, unless somebody else makes it.
func TestEarlierName(t *testing.T) {
	earlier := render.EarlierRoleName(testIssuer, "demo")
	for name, c := range map[string]struct {
		there bool
		mode  IAMMode
		want  string
	}{
		"there":                   {true, IAMApply, earlier},
		"missing":                 {false, IAMApply, render.RoleName(testIssuer, "demo")},
		"missing, made by others": {false, IAMSkip, earlier},
	} {
		w := newWorld(t)
		named, err := iam.Desired(w.project.Facts, iam.RoleOptions{Name: earlier})
		if err != nil {
			t.Fatal(err)
		}
		w.project.Inventory.Found, w.project.Inventory.RoleARN = true, named.ARN
		roles := map[string]http.HandlerFunc{}
		if c.there {
			roles[earlier] = role(named.ARN, named.Trust, named.Tags)
		}
		w.rolesAre(roles)
		d, err := Prepare(t.Context(), w.project, Request{IAM: c.mode, Now: time.Now})
		if err != nil || d.Role.Name != c.want {
			t.Errorf("%s: %s, want %s, %v", name, d.Role.Name, c.want, err)
		}
	}
}

// TestRoleFinding: what check says of the role, by who makes it.
func TestRoleFinding(t *testing.T) {
	for name, c := range map[string]struct {
		origin string
		role   func(own iam.Role) http.HandlerFunc
		want   check.Status
	}{
		"free":              {"", func(iam.Role) http.HandlerFunc { return refuse(404, "NoSuchEntity") }, check.Passed},
		"ours":              {"", func(own iam.Role) http.HandlerFunc { return role(own.ARN, own.Trust, own.Tags) }, check.Passed},
		"of others":         {"", func(own iam.Role) http.HandlerFunc { return role(own.ARN, own.Trust, nil) }, check.Failed},
		"of others, in use": {apply.OriginAdopted, func(own iam.Role) http.HandlerFunc { return role(own.ARN, own.Trust, nil) }, check.Skipped},
		"made by others":    {apply.OriginExisting, func(own iam.Role) http.HandlerFunc { return role(own.ARN, own.Trust, nil) }, check.Skipped},
		"unseen":            {"", func(iam.Role) http.HandlerFunc { return refuse(403, "AccessDenied") }, check.NotAllowed},
		"IAM fails":         {"", func(iam.Role) http.HandlerFunc { return refuse(500, "ServiceFailure") }, check.Failed},
	} {
		w := newWorld(t)
		own, err := iam.Desired(w.project.Facts, iam.RoleOptions{})
		if err != nil {
			t.Fatal(err)
		}
		w.rolesAre(map[string]http.HandlerFunc{own.Name: c.role(own)})
		d, err := Prepare(t.Context(), w.project, Request{How: Guess, Now: time.Now, IAM: IAMSkip})
		if err != nil {
			t.Fatal(err)
		}
		d.Project.Inventory.RoleOrigin = c.origin
		target := d.Target(t.Context())
		if got := target.Role(t.Context()); got.Status != c.want {
			t.Errorf("%s: %+v, want %s", name, got, c.want)
		}
		if target.GivenRole != nil || target.World != nil {
			t.Errorf("%s: the checks of an install look at it, too", name)
		}
	}
}

// TestPlanEndsLate: an end that comes when everything has been planned is one, too.
func TestPlanEndsLate(t *testing.T) {
	var asked atomic.Bool
	ctx, cancel := context.WithCancel(t.Context())
	w := newWorld(t)
	w.cluster.Hold = func(r *http.Request) {
		if strings.HasSuffix(r.URL.Path, "/ostoy-ingress") {
			asked.Store(true)
			cancel()
		}
	}
	d, err := Prepare(t.Context(), w.project, Request{How: Guess, Now: time.Now, Values: render.Options{Set: []string{"expose=none"}}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := d.Plan(ctx); !errors.Is(err, context.Canceled) || !asked.Load() {
		t.Errorf("planned: %v", err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	p := newParts(ctx, d)
	p.objects = func() (*apply.Plan, error) { return &apply.Plan{}, nil }
	p.provider = func() check.Finding {
		cancel()
		return check.Pass()
	}
	if _, err := compare(ctx, d, p); !errors.Is(err, context.Canceled) {
		t.Errorf("compared: %v", err)
	}
}

// TestPlanOfNoProject: of a project that is not there no object is asked for.
func TestPlanOfNoProject(t *testing.T) {
	w := newWorld(t)
	w.project.State.Exists = false
	p, err := w.plan(t, Request{How: Judge})
	if err != nil || !p.Changes() || !p.CreatesBucketResource() {
		t.Fatalf("%v", err)
	}
	for request := range w.cluster.Requests() {
		if strings.Contains(request, "/namespaces/demo/") {
			t.Errorf("asks %s", request)
		}
	}
}

// TestRefused: what install would refuse is said once each: not what a missing permission
// or a missing definition explains.
func TestRefused(t *testing.T) {
	failed := func(id string) []check.Outcome {
		return []check.Outcome{{Check: check.Check{ID: id}, Finding: check.Finding{Status: check.Failed, What: "check " + id}}}
	}
	made := &apply.Item{Ref: apply.RefOf(bucketItem(nil).Live), Action: apply.Unknown, Err: errors.New("no Buckets")}
	odd := &apply.Item{Ref: apply.Ref{Kind: "Service"}, Action: apply.Unknown, Err: &problem.Error{Kind: problem.Refused, What: "not ours"}}
	for name, c := range map[string]struct {
		outcomes []check.Outcome
		items    []*apply.Item
		record   error
		want     []string
	}{
		"nothing":       {nil, []*apply.Item{{Ref: apply.Ref{Kind: "Service"}}}, nil, nil},
		"a check":       {failed(check.IDRole), nil, nil, []string{"check " + check.IDRole}},
		"objects":       {nil, []*apply.Item{made, odd}, nil, []string{"no Buckets", "not ours"}},
		"the inventory": {nil, nil, errors.New("no inventory"), []string{"no inventory"}},
		"no definition": {failed(check.IDBucketCRD), []*apply.Item{made, odd}, nil, []string{"check " + check.IDBucketCRD, "not ours"}},
		"all of it":     {failed(check.IDRole), []*apply.Item{odd}, errors.New("no inventory"), []string{"check " + check.IDRole, "not ours", "no inventory"}},
	} {
		p := Plan{Outcomes: c.outcomes, Objects: &apply.Plan{Items: c.items, InventoryErr: c.record}}
		err := p.Refused(t.Context())
		var several *problem.Several
		var got []string
		if errors.As(err, &several) {
			for _, one := range several.Problems {
				got = append(got, one.What)
			}
		}
		if (err == nil) != (c.want == nil) || !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	ended := []check.Outcome{{Finding: check.Fail(context.Canceled)}}
	if err := (Plan{Outcomes: ended, Objects: &apply.Plan{}}).Refused(t.Context()); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt became %v", err)
	}
}

// TestLeftObjects: of what is no longer wanted, that which stays is said to, and exposes
// the app as before.
func TestLeftObjects(t *testing.T) {
	route := exposingObject("Route", map[string]any{"host": "r.example.com"})
	for action, stays := range map[apply.Action]bool{apply.Keep: true, apply.Delete: false, apply.Gone: false} {
		p := Plan{Objects: &apply.Plan{Left: []*apply.Item{{Ref: apply.RefOf(route), Action: action, Live: route}}}}
		if p.Exposure().Public() != stays || slices.Equal(p.Kept(), []string{"Route ostoy-route"}) != stays || len(p.Kept()) > 0 != stays {
			t.Errorf("%s: %+v, %q", action, p.Exposure(), p.Kept())
		}
	}
}

// TestWarnings: what is said of a role that is used as it is in one line is not said twice;
// everything else is.
func TestWarnings(t *testing.T) {
	outcome := func(id string, status check.Status) check.Outcome {
		return check.Outcome{Check: check.Check{ID: id}, Finding: check.Finding{Status: status}}
	}
	all := []check.Outcome{
		outcome(check.IDRoleExcess, check.Warned), outcome(check.IDTrustAudience, check.NotAllowed), outcome(check.IDProvider, check.Warned),
		outcome(check.IDRole, check.Failed), outcome(check.IDObjects, check.Passed),
	}
	asIs := Adopted{AsIs: true, Actual: &iam.Actual{}}
	for name, c := range map[string]struct {
		adopted Adopted
		want    []string
	}{
		"own":          {Adopted{}, []string{check.IDRoleExcess, check.IDTrustAudience, check.IDProvider}},
		"as it is":     {asIs, []string{check.IDTrustAudience, check.IDProvider}},
		"and not seen": {Adopted{AsIs: true}, []string{check.IDRoleExcess, check.IDTrustAudience, check.IDProvider}},
	} {
		var got []string
		for _, o := range (Plan{Outcomes: all, Desired: Desired{Adopted: c.adopted}}).Warnings() {
			got = append(got, o.ID)
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
