package iam

import (
	"maps"
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	theBoundary  = "arn:aws:iam::123456789012:policy/class"
	otherPolicy  = "arn:aws:iam::123456789012:policy/wide"
	account      = "arn:aws:iam::123456789012:"
	newPathRole  = account + "role/ostoy-s3-controller/ack-s3-controller-1a2b3c4d"
	oldPathRole  = account + "role/ostoy-s3/ack-s3-controller-1a2b3c4d"
	otherCluster = "https://oidc.op1.openshiftapps.com/other"
)

// policyOf is PeoplePolicy where it cannot fail.
func policyOf(t *testing.T, o PeopleOptions) Document {
	t.Helper()
	d, _, err := PeoplePolicy(facts(), o)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func roleOf(issuer, project string) string {
	return render.RoleARN("aws", "123456789012", render.RolePath, render.RoleName(issuer, project))
}

// on are the condition keys of a request on a role of a project that exists.
func on(issuer, project, boundary string) map[string][]string {
	keys := map[string][]string{
		"aws:ResourceTag/" + render.TagManagedBy: {render.ManagedBy},
		"aws:ResourceTag/" + render.TagIssuer:    {issuer},
		"aws:ResourceTag/" + render.TagNamespace: {project},
	}
	if boundary != "" {
		keys["iam:PermissionsBoundary"] = []string{boundary}
	}
	return keys
}

// tagging are the condition keys of a request that sets tags.
func tagging(tags map[string]string) map[string][]string {
	keys := map[string][]string{}
	for key, value := range tags {
		keys["aws:RequestTag/"+key] = []string{value}
		keys["aws:TagKeys"] = append(keys["aws:TagKeys"], key)
	}
	return keys
}

// creating are those of install's CreateRole for a project.
func creating(issuer, project, boundary string) map[string][]string {
	f := facts()
	f.Issuer.Value, f.Namespace.Value = issuer, project
	keys := tagging(render.OwnershipTags(f))
	if boundary != "" {
		keys["iam:PermissionsBoundary"] = []string{boundary}
	}
	return keys
}

func with(all ...map[string][]string) map[string][]string {
	one := map[string][]string{}
	for _, keys := range all {
		maps.Copy(one, keys)
	}
	return one
}

// roleChanges is every action of IAM that changes a role.
func roleChanges() []string {
	return []string{
		"iam:AttachRolePolicy", "iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePermissionsBoundary", "iam:DeleteRolePolicy",
		"iam:DetachRolePolicy", "iam:PassRole", "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy", "iam:TagRole", "iam:UntagRole",
		"iam:UpdateAssumeRolePolicy", "iam:UpdateRole", "iam:UpdateRoleDescription",
	}
}

// TestF8ControllersRole: nobody but the cluster's AWS admin changes the role of the
// controller, under either path, whatever the project names are and whatever other
// policies a learner has.
func TestF8ControllersRole(t *testing.T) {
	class := PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{"ack-s3-controller*"}}
	wide := Document{Statement: []Statement{{Effect: "Allow", Action: Strings{"iam:*"}, Resource: Strings{"*"}}}}
	wide.Statement = append(wide.Statement, policyOf(t, class).Statement...)
	keys := with(on(facts().Issuer.Value, "ack-s3-controller", theBoundary), creating(facts().Issuer.Value, "ack-s3-controller", theBoundary))
	for _, action := range roleChanges() {
		for _, role := range []string{newPathRole, oldPathRole} {
			for name, d := range map[string]Document{
				"class": policyOf(t, class), "class beside iam:*": wide, "install": policyOf(t, PeopleOptions{For: ForInstall}),
			} {
				if allowed(t, d, asked{action, role, keys}) {
					t.Errorf("%s allows %s on %s", name, action, role)
				}
			}
			want := slices.Contains(slices.Concat(Strings{"iam:CreateRole"}, boundedChanges(), otherChanges()), action)
			if got := allowed(t, policyOf(t, PeopleOptions{For: ForController}), asked{action, role, nil}); got != want {
				t.Errorf("controller: %s on %s: allowed is %v", action, role, got)
			}
		}
		app := roleOf(facts().Issuer.Value, "demo")
		if allowed(t, policyOf(t, PeopleOptions{For: ForController}), asked{action, app, keys}) {
			t.Errorf("controller allows %s on an app's role", action)
		}
	}
}

// TestF8BoundaryOfInstallers: with a boundary, all three policies ask for it wherever
// IAM knows the key, and none lets it be removed.
func TestF8BoundaryOfInstallers(t *testing.T) {
	app := roleOf(facts().Issuer.Value, "demo")
	for _, c := range []struct {
		o    PeopleOptions
		role string
	}{
		{PeopleOptions{For: ForInstall, Boundary: theBoundary}, app},
		{PeopleOptions{For: ForController, Boundary: theBoundary}, newPathRole},
		{PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{"demo"}}, app},
	} {
		d := policyOf(t, c.o)
		tags := with(on(facts().Issuer.Value, "demo", ""), creating(facts().Issuer.Value, "demo", ""))
		for _, action := range append(boundedChanges(), "iam:CreateRole") {
			for boundary, want := range map[string]bool{theBoundary: true, otherPolicy: false, "": false} {
				keys := with(tags)
				if boundary != "" {
					keys["iam:PermissionsBoundary"] = []string{boundary}
				}
				if got := allowed(t, d, asked{action, c.role, keys}); got != want {
					t.Errorf("%s: %s with boundary %q: allowed is %v", c.o.For, action, boundary, got)
				}
			}
		}
		if allowed(t, d, asked{"iam:DeleteRolePermissionsBoundary", c.role, with(tags, map[string][]string{"iam:PermissionsBoundary": {theBoundary}})}) {
			t.Errorf("%s: the boundary can be removed", c.o.For)
		}
	}
}

// TestF8Boundary: within the boundary a role has what OSToy needs on the learner's
// bucket, and a policy with all permissions adds nothing.
func TestF8Boundary(t *testing.T) {
	d := policyOf(t, PeopleOptions{For: ForBoundary, Projects: []string{"learner1"}})
	if missing, unsure := Lacks([]Document{d}, Needed("aws", "learner1-bucket"), "123456789012"); len(missing)+len(unsure) > 0 {
		t.Errorf("lacks %v %v", missing, unsure)
	}
	if more := Excess(d, append(Needed("aws", "learner1-bucket"), Needed("aws", "learner1--*-bucket")...), "123456789012"); len(more) > 0 {
		t.Errorf("allows more: %v", more)
	}
}

// TestF8InstallOfAnotherRole: the tutorial's role, which install --adopt
// --tighten-role changes, is in the policy if it is named.
func TestF8InstallOfAnotherRole(t *testing.T) {
	d := policyOf(t, PeopleOptions{For: ForInstall, RoleName: "ostoy-s3-role", RolePath: "/"})
	for role, want := range map[string]bool{
		account + "role/ostoy-s3-role": true, account + "role/ostoy-s3-role2": false, roleOf(facts().Issuer.Value, "demo"): true,
	} {
		if got := allowed(t, d, asked{"iam:DetachRolePolicy", role, nil}); got != want {
			t.Errorf("%s: allowed is %v", role, got)
		}
	}
}
