package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// bothRoles is an IAM with the controller's role and with that of an app in the
// controller's own namespace: their tags are the same.
func bothRoles(t *testing.T, controllers, apps string) *fake {
	t.Helper()
	api, f := newFake(), controllerFacts()
	if _, err := installController(t, api, f, ControllerOptions{RoleOptions: RoleOptions{Name: controllers}}); err != nil {
		t.Fatal(err)
	}
	if _, _, err := install(t, api, f, RoleOptions{Name: apps}, false); err != nil {
		t.Fatal(err)
	}
	if len(api.roles) != 2 {
		t.Fatalf("roles %v", keysOf(api.roles))
	}
	return api
}

func namesOf(found []Found) []string {
	var names []string
	for _, one := range found {
		names = append(names, one.Name)
	}
	return names
}

func TestFindTellsAppAndControllerApart(t *testing.T) {
	noIssuer := controllerFacts()
	noIssuer.Issuer = render.Fact{}
	usualController, usualApp := ARN(controllerFacts(), controllerNamed(controllerFacts(), RoleOptions{})), ARN(controllerFacts(), RoleOptions{})
	for _, c := range []struct{ name, controllers, apps string }{
		{"usual names", "", ""},
		{"names of the user's", "mine", "theirs"},
		{"names that mislead", "ack-system-ostoy-sa", "ack-s3-controller"},
	} {
		api := bothRoles(t, c.controllers, c.apps)
		for _, f := range []render.Facts{controllerFacts(), noIssuer} {
			apps, err := App.Find(t.Context(), api, f)
			want := nameOr(c.apps, usualApp)
			if err != nil || !slices.Equal(namesOf(apps), []string{want}) {
				t.Errorf("%s: the app's are %v, want %s; %v", c.name, namesOf(apps), want, err)
			}
			controllers, err := Controller.Find(t.Context(), api, f)
			want = nameOr(c.controllers, usualController)
			if err != nil || !slices.Equal(namesOf(controllers), []string{want}) {
				t.Errorf("%s: the controller's are %v, want %s; %v", c.name, namesOf(controllers), want, err)
			}
		}
	}
}

// nameOr is a name, or that in an ARN.
func nameOr(name, arn string) string {
	if name != "" {
		return name
	}
	return arn[strings.LastIndex(arn, "/")+1:]
}

// TestFindControllerWithFewRights falls back on the controller's own name.
func TestFindControllerWithFewRights(t *testing.T) {
	api := bothRoles(t, "", "")
	want := render.ControllerRoleName(controllerFacts().Issuer.Value)
	api.before = func(call string) error {
		if call == "ListRoles" {
			return denied("iam:ListRoles", "*")
		}
		return nil
	}
	found, err := Controller.Find(t.Context(), api, controllerFacts())
	if err != nil || !slices.Equal(namesOf(found), []string{want}) {
		t.Errorf("%v, %v", namesOf(found), err)
	}
	// A role that may not be looked at stops who looks for it, and nobody else.
	api.before = func(call string) error {
		if call == "GetRole" {
			return denied("iam:GetRole", "*")
		}
		return nil
	}
	delete(api.roles, render.RoleName(controllerFacts().Issuer.Value, render.ControllerNamespace))
	noIssuer := controllerFacts()
	noIssuer.Issuer = render.Fact{}
	for _, f := range []render.Facts{controllerFacts(), noIssuer} {
		_, err = Controller.Find(t.Context(), api, f)
		wantProblem(t, err, problem.Failed, "iam:GetRole")
		if found, err := App.Find(t.Context(), api, f); err != nil || len(found) != 0 {
			t.Errorf("%v, %v", found, err)
		}
	}
}

func TestMadeFor(t *testing.T) {
	f := controllerFacts()
	tags := render.OwnershipTags(f)
	issuer := f.Issuer.Value
	trust := func(subjects ...string) string {
		r := desiredController(t, f, ControllerOptions{})
		key := strings.TrimPrefix(issuer, "https://") + ":sub"
		r.Trust.Statement[0].Condition["StringEquals"][key] = subjects
		return r.Trust.JSON()
	}
	const app, controller = "system:serviceaccount:ack-system:ostoy-sa", "system:serviceaccount:ack-system:ack-s3-controller"
	for _, c := range []struct {
		what, name, trust string
		want              Holder
	}{
		{"by the name, whoever is let in", render.ControllerRoleName(issuer), trust(app), Controller},
		{"by the name, trust unreadable", render.ControllerRoleName(issuer), "{", Controller},
		{"by the app's name", render.RoleName(issuer, "ack-system"), trust(controller), App},
		{"the name of another issuer", render.ControllerRoleName("https://other.example.com"), trust(app), App},
		{"by the trust", "x", trust(controller), Controller},
		{"by the trust, an app", "x", trust(app), App},
		{"both are let in", "x", trust(app, controller), ""},
		{"all are let in", "x", trust("system:serviceaccount:ack-system:*"), ""},
		{"another is let in", "x", trust("system:serviceaccount:ack-system:not-ack-s3-controller"), ""},
		{"nothing tells", "x", "nonsense", ""},
	} {
		if got := madeFor(c.name, &Actual{Tags: tags, Trust: c.trust}); got != c.want {
			t.Errorf("%s: %q, want %q", c.what, got, c.want)
		}
	}
}

// The app's record may name the controller's role, and the other way round: it is
// not removed with the wrong one, whatever leave is given.
func TestRemovalOfTheOthersRole(t *testing.T) {
	api := bothRoles(t, "", "mine")
	controllers := render.ControllerRoleName(controllerFacts().Issuer.Value)
	rebuilt := controllerFacts()
	rebuilt.Issuer.Value = "https://oidc.example.com/2new"
	for _, c := range []struct {
		name       string
		controller bool
		words      []string
	}{
		{controllers, false, []string{"is the ACK S3 controller's and stays", "--keep-role", "oc ostoy-s3 controller uninstall"}},
		{"mine", true, []string{"is the app's in namespace ack-system and stays", "oc ostoy-s3 uninstall -n ack-system"}},
	} {
		actual, err := Read(t.Context(), api, c.name, true)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []RemovalOptions{{}, {Adopt: true}, {AnyIssuer: true}} {
			o.Name, o.Controller = c.name, c.controller
			_, err := RemovalPlan(actual, controllerFacts(), o)
			wantProblem(t, err, problem.Refused, c.words...)
		}
		_, err = RemovalPlan(actual, rebuilt, RemovalOptions{Name: c.name, Controller: c.controller, Adopt: true})
		wantProblem(t, err, problem.Refused, c.words...)
		if plan, err := RemovalPlan(actual, controllerFacts(), RemovalOptions{Name: c.name, Controller: !c.controller}); err != nil || plan.Empty() {
			t.Errorf("%s may not go with its own: %v", c.name, err)
		}
	}
}

// Nor is it taken over by a name that the user gave to the other.
func TestPlanOnTheOthersRole(t *testing.T) {
	api := bothRoles(t, "", "mine")
	controllers := render.ControllerRoleName(controllerFacts().Issuer.Value)
	_, _, err := install(t, api, controllerFacts(), RoleOptions{Name: controllers, Path: render.ControllerRolePath}, true)
	wantProblem(t, err, problem.Refused, "is not ours", "it is the ACK S3 controller's", "--role-name", "--adopt=role")
	_, err = installController(t, api, controllerFacts(), ControllerOptions{RoleOptions: RoleOptions{Name: "mine", Path: render.RolePath}})
	wantProblem(t, err, problem.Refused, "is not ours", "it is the app's in namespace ack-system", "--adopt=role")
	plan, err := installController(t, api, controllerFacts(), ControllerOptions{RoleOptions: RoleOptions{Name: "mine", Path: render.RolePath, Adopt: true}})
	if err != nil || kinds(plan.Steps) != "update-trust put-policy" || !strings.Contains(strings.Join(plan.Notes, ""), "taken over") {
		t.Fatalf("with leave: %+v, %v", plan, err)
	}
	if want := "it lets in system:serviceaccount:ack-system:ostoy-sa, the controller is system:serviceaccount:ack-system:ack-s3-controller"; plan.Steps[0].Reason != want {
		t.Errorf("reason %q", plan.Steps[0].Reason)
	}
}

// A controller's role of a cluster that is gone is a role of ours that is left over,
// like an app's; one of a cluster that is there is not.
func TestOrphanedController(t *testing.T) {
	api := &listing{fake: newFake(), providers: []string{ourProvider}}
	gone, before := controllerFacts(), controllerFacts()
	gone.Issuer.Value, before.Issuer.Value = "https://oidc.example.com/1old", "https://oidc.example.com/0older"
	for _, f := range []render.Facts{controllerFacts(), gone} {
		if _, err := installController(t, api, f, ControllerOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	// One of an earlier version, under the path of the apps' roles.
	if _, err := installController(t, api, before, ControllerOptions{RoleOptions: RoleOptions{Path: render.RolePath}}); err != nil {
		t.Fatal(err)
	}
	found, err := Orphans(t.Context(), api, controllerFacts().Issuer.Value)
	want := []string{render.ControllerRoleName(gone.Issuer.Value), render.ControllerRoleName(before.Issuer.Value)}
	slices.Sort(want)
	if err != nil || !slices.Equal(namesOf(found), want) {
		t.Errorf("%v, want %v; %v", namesOf(found), want, err)
	}
	for _, one := range found {
		if !one.Controllers() {
			t.Errorf("%s is taken for an app's", one.Name)
		}
	}
	if apps, err := List(t.Context(), api, render.RolePath); err != nil || len(apps) != 1 {
		t.Errorf("under the path of the apps: %v, %v", apps, err)
	}
}

// TestF2UninstallOfTheOthers: the namespace is from a tag of the role.
func TestF2UninstallOfTheOthers(t *testing.T) {
	for namespace, want := range map[string]string{"demo": "oc ostoy-s3 uninstall -n demo removes", "x; id": "oc ostoy-s3 uninstall -n PROJECT removes"} {
		var told *problem.Error
		err := Controller.refuseAnothers("x", &Actual{Exists: true, Tags: map[string]string{render.TagNamespace: namespace}})
		if !errors.As(err, &told) || !strings.Contains(told.Next, want) {
			t.Errorf("%q: %+v", namespace, told)
		}
	}
}

// oneRefused is an IAM in which the roles of one path cannot be listed.
type oneRefused struct {
	*fake
	path string
}

func (o oneRefused) ListRoles(ctx context.Context, in *awsiam.ListRolesInput, options ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error) {
	if aws.ToString(in.PathPrefix) == o.path {
		return nil, denied("iam:ListRoles", o.path)
	}
	return o.fake.ListRoles(ctx, in, options...)
}

// TestFindControllerWithOnePath: what can be listed counts, whatever its name, also
// where the other path cannot be listed.
func TestFindControllerWithOnePath(t *testing.T) {
	f := controllerFacts()
	api := newFake()
	api.put("by-name", "/ostoy-s3-controller/", render.OwnershipTags(f))
	found, err := Controller.Find(t.Context(), oneRefused{api, "/ostoy-s3/"}, f)
	if err != nil || len(found) != 1 || found[0].Name != "by-name" {
		t.Errorf("%+v, %v", found, err)
	}
	f.Issuer = render.Fact{}
	if found, err := Controller.Find(t.Context(), oneRefused{api, "/ostoy-s3/"}, f); !awserr.Denied(err) {
		t.Errorf("without the issuer: %+v, %v", found, err)
	}
}
