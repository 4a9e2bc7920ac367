package iam

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func TestControllerRoleComesAndGoes(t *testing.T) {
	api, f := newFake(), controllerFacts()
	name := render.ControllerRoleName(f.Issuer.Value)
	for i, want := range []string{"create-role put-policy", ""} {
		plan, err := installController(t, api, f, ControllerOptions{})
		if err != nil || kinds(plan.Steps) != want {
			t.Fatalf("run %d: %v, %v", i, plan, err)
		}
	}
	narrower, err := installController(t, api, f, ControllerOptions{BucketPattern: "team-*-bucket"})
	if err != nil || kinds(narrower.Steps) != "put-policy" || narrower.Steps[0].Reason != "it does not allow exactly what the controller needs" {
		t.Fatalf("%+v, %v", narrower, err)
	}
	full := RoleOptions{PolicyARN: "arn:aws:iam::aws:policy/AmazonS3FullAccess"}
	managed, err := installController(t, api, f, ControllerOptions{RoleOptions: full})
	if err != nil || kinds(managed.Steps) != "attach-policy delete-policy" {
		t.Fatalf("%+v, %v", managed, err)
	}
	back, err := installController(t, api, f, ControllerOptions{})
	if err != nil || kinds(back.Steps) != "put-policy" || !strings.Contains(strings.Join(back.Notes, ""), "stays; the controller has its permissions too") {
		t.Fatalf("%+v, %v", back, err)
	}
	actual, err := Read(t.Context(), api, name, true)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := RemovalPlan(actual, f, RemovalOptions{Name: name, PolicyARN: full.PolicyARN, Controller: true})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Remove(t.Context(), api, plan); err != nil || len(api.roles) != 0 {
		t.Errorf("left %v, %v", keysOf(api.roles), err)
	}
}

// Two clusters with one issuer have one name for their controllers' roles.
func TestControllersThatShareAnIssuer(t *testing.T) {
	api, second := newFake(), controllerFacts()
	if _, err := installController(t, api, controllerFacts(), ControllerOptions{}); err != nil {
		t.Fatal(err)
	}
	second.ClusterID.Value = "99999999-aaaa-4bbb-8ccc-222222222222"
	_, err := installController(t, api, second, ControllerOptions{})
	wantProblem(t, err, problem.Refused, "cluster 11111111-aaaa", "same issuer", "--adopt=role", "--role-name")
	plan, err := installController(t, api, second, ControllerOptions{RoleOptions: RoleOptions{Adopt: true}})
	if err != nil || kinds(plan.Steps) != "tag-role" {
		t.Fatalf("with leave: %+v, %v", plan, err)
	}
	if got := api.roles[plan.Role.Name].tags[render.TagClusterID]; got != second.ClusterID.Value {
		t.Errorf("the role is %s's", got)
	}
}

// A rebuilt cluster has another issuer; the role that was given by name still
// trusts the old one.
func TestControllerOfARebuiltCluster(t *testing.T) {
	api, rebuilt := newFake(), controllerFacts()
	given := ControllerOptions{RoleOptions: RoleOptions{Name: "given"}}
	if _, err := installController(t, api, controllerFacts(), given); err != nil {
		t.Fatal(err)
	}
	rebuilt.Issuer.Value = "https://oidc.example.com/2new"
	_, err := installController(t, api, rebuilt, given)
	wantProblem(t, err, problem.Refused, "made for issuer https://oidc.op1", "--adopt=role")
	given.Adopt = true
	plan, err := installController(t, api, rebuilt, given)
	if err != nil || kinds(plan.Steps) != "update-trust tag-role" || !strings.Contains(plan.Steps[0].Reason, "it trusts arn:aws:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/2abc, this cluster is") {
		t.Fatalf("%+v, %v", plan, err)
	}
	if again, err := installController(t, api, rebuilt, given); err != nil || !again.Empty() {
		t.Errorf("not done: %+v, %v", again, err)
	}
	// The trust policy alone was changed, by hand.
	api.roles["given"].trust = strings.ReplaceAll(api.roles["given"].trust, "2new", "1old")
	plan, err = installController(t, api, rebuilt, ControllerOptions{RoleOptions: RoleOptions{Name: "given"}})
	if err != nil || kinds(plan.Steps) != "update-trust" {
		t.Errorf("%+v, %v", plan, err)
	}
}
