package iam

import (
	"cmp"
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

var updatePolicies = flag.Bool("update", false, "rewrite testdata/policy-*.json")

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

// TestF8ClassPolicy: a learner makes, changes and removes the roles of their own
// project, with the boundary, and no other role.
func TestF8ClassPolicy(t *testing.T) {
	cluster := facts().Issuer.Value
	own, foreign := roleOf(cluster, "learner1"), roleOf(cluster, "learner2")
	mine := on(cluster, "learner1", theBoundary)
	for _, c := range []struct {
		name string
		want bool
		asked
	}{
		{"create", true, asked{"iam:CreateRole", own, creating(cluster, "learner1", theBoundary)}},
		{"create with a name of twelve digits", true, asked{"iam:CreateRole", own + "00ff", creating(cluster, "learner1", theBoundary)}},
		{"create: the tags of the request are the role's", true, asked{"iam:TagRole", own, with(on(cluster, "learner1", ""), creating(cluster, "learner1", ""))}},
		{"create: the role has no tags yet", true, asked{"iam:TagRole", own, creating(cluster, "learner1", "")}},
		{"create without boundary", false, asked{"iam:CreateRole", own, creating(cluster, "learner1", "")}},
		{"create with another boundary", false, asked{"iam:CreateRole", own, creating(cluster, "learner1", otherPolicy)}},
		{"create without tags", false, asked{"iam:CreateRole", own, map[string][]string{"iam:PermissionsBoundary": {theBoundary}}}},
		{"create for another project", false, asked{"iam:CreateRole", own, creating(cluster, "learner2", theBoundary)}},
		{"create another project's role", false, asked{"iam:CreateRole", foreign, creating(cluster, "learner1", theBoundary)}},
		{"create another cluster's role", false, asked{"iam:CreateRole", roleOf(otherCluster, "learner1"), creating(otherCluster, "learner1", theBoundary)}},
		{"create a role of any name", false, asked{"iam:CreateRole", account + "role/admin", creating(cluster, "learner1", theBoundary)}},
		{"create with a tag of others", false, asked{"iam:CreateRole", own, with(creating(cluster, "learner1", theBoundary), map[string][]string{"aws:TagKeys": {"ostoy-s3/namespace", "team"}})}},
		{"a project named like the role", false, asked{"iam:CreateRole", roleOf(cluster, strings.TrimPrefix(own, account+"role/ostoy-s3/")), creating(cluster, "learner1", theBoundary)}},

		{"permissions", true, asked{"iam:PutRolePolicy", own, mine}},
		{"permissions without boundary", false, asked{"iam:PutRolePolicy", own, on(cluster, "learner1", "")}},
		{"permissions with another boundary", false, asked{"iam:PutRolePolicy", own, on(cluster, "learner1", otherPolicy)}},
		{"attach", true, asked{"iam:AttachRolePolicy", own, mine}},
		{"attach without boundary", false, asked{"iam:AttachRolePolicy", own, on(cluster, "learner1", "")}},
		{"detach", true, asked{"iam:DetachRolePolicy", own, mine}},
		{"remove the permissions", true, asked{"iam:DeleteRolePolicy", own, mine}},
		{"another project's permissions", false, asked{"iam:PutRolePolicy", foreign, on(cluster, "learner2", theBoundary)}},
		{"a role with the tags of another project", false, asked{"iam:PutRolePolicy", own, on(cluster, "learner2", theBoundary)}},

		{"boundary of an older role", true, asked{"iam:PutRolePermissionsBoundary", own, mine}},
		{"another boundary", false, asked{"iam:PutRolePermissionsBoundary", own, on(cluster, "learner1", otherPolicy)}},
		{"boundary of another project's role", false, asked{"iam:PutRolePermissionsBoundary", foreign, on(cluster, "learner2", theBoundary)}},
		{"no boundary", false, asked{"iam:DeleteRolePermissionsBoundary", own, mine}},
		{"the boundary's text", false, asked{"iam:CreatePolicyVersion", theBoundary, nil}},

		{"trust", true, asked{"iam:UpdateAssumeRolePolicy", own, on(cluster, "learner1", "")}},
		{"trust of a role without tags", false, asked{"iam:UpdateAssumeRolePolicy", own, nil}},
		{"trust of another project's role", false, asked{"iam:UpdateAssumeRolePolicy", foreign, on(cluster, "learner2", theBoundary)}},
		{"trust of another cluster's role", false, asked{"iam:UpdateAssumeRolePolicy", roleOf(otherCluster, "learner1"), on(otherCluster, "learner1", theBoundary)}},
		{"remove", true, asked{"iam:DeleteRole", own, mine}},
		{"remove another project's role", false, asked{"iam:DeleteRole", foreign, on(cluster, "learner2", theBoundary)}},

		{"a tag of an older version is missing", true, asked{"iam:TagRole", own, with(mine, tagging(map[string]string{render.TagClusterID: "1"}))}},
		{"tag with another project", false, asked{"iam:TagRole", own, with(mine, tagging(map[string]string{render.TagNamespace: "learner2"}))}},
		{"tag with something else", false, asked{"iam:TagRole", own, with(mine, tagging(map[string]string{"team": "finance"}))}},
		{"take another project's role by its tags", false, asked{"iam:TagRole", foreign, with(on(cluster, "learner2", theBoundary), creating(cluster, "learner1", ""))}},
		{"take a role of the own name and other tags", false, asked{"iam:TagRole", own, with(on(cluster, "learner2", theBoundary), creating(cluster, "learner1", ""))}},
		{"untag", false, asked{"iam:UntagRole", own, mine}},

		{"read", true, asked{"iam:GetRole", own, nil}},
		{"read a role that does not exist", true, asked{"iam:GetRole", strings.Replace(own, "role/ostoy-s3/", "role/", 1), nil}},
		{"read another project's role", false, asked{"iam:GetRole", foreign, nil}},
		{"read another project's role that does not exist", false, asked{"iam:GetRole", strings.Replace(foreign, "role/ostoy-s3/", "role/", 1), nil}},
		{"pass", false, asked{"iam:PassRole", own, mine}},
		{"delete the own bucket's data", true, asked{"s3:DeleteObject", "arn:aws:s3:::learner1-bucket/a", map[string][]string{"aws:ResourceAccount": {"123456789012"}}}},
		{"delete another bucket's data", false, asked{"s3:DeleteObject", "arn:aws:s3:::learner2-bucket/a", map[string][]string{"aws:ResourceAccount": {"123456789012"}}}},
		{"read objects", false, asked{"s3:GetObject", "arn:aws:s3:::learner1-bucket/a", map[string][]string{"aws:ResourceAccount": {"123456789012"}}}},
	} {
		d := policyOf(t, PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{"learner1"}})
		if got := allowed(t, d, c.asked); got != c.want {
			t.Errorf("%s: %s on %s: allowed is %v", c.name, c.action, c.resource, got)
		}
	}
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

// goldenOptions are those of the documents in testdata.
func goldenOptions(f render.Facts) []PeopleOptions {
	boundary := "arn:" + f.Partition.Value + ":iam::123456789012:policy/class"
	return []PeopleOptions{
		{For: ForInstall, Boundary: boundary},
		{For: ForClass, Boundary: boundary, Projects: []string{"learner1", "ostoy-*"}},
		{For: ForController, BucketPattern: ""},
		{For: ForBoundary, BucketPattern: "ostoy-*-bucket"},
	}
}

// TestPeoplePolicyDocuments holds the documents against those in testdata, which are
// of the partition aws: in another partition they differ in the ARNs alone.
func TestPeoplePolicyDocuments(t *testing.T) {
	for _, partition := range render.Partitions() {
		f := facts()
		f.Partition.Value = partition
		for _, o := range goldenOptions(f) {
			got, _, err := PeoplePolicy(f, o)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "policy-"+string(o.For)+".json")
			if *updatePolicies && partition == render.PartitionAWS {
				if err := os.WriteFile(golden, []byte(got.Pretty()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			want, err := ParseDocument(strings.ReplaceAll(string(text), "arn:aws:", "arn:"+partition+":"))
			if err != nil || !got.Equal(want) {
				t.Errorf("%s in %s (%v); if on purpose: go test ./plugin/iam -update\n%s", o.For, partition, err, got.Pretty())
			}
		}
	}
}

// TestPeoplePolicyFits: a managed policy has a limit, for names as long as can be.
func TestPeoplePolicyFits(t *testing.T) {
	f := facts()
	f.Partition.Value = render.PartitionGov
	f.Issuer.Value = "https://oidc-" + strings.Repeat("x", 63) + ".example.com/" + strings.Repeat("y", 32)
	long := strings.Repeat("learner", 8)[:56]
	boundary := "arn:aws-us-gov:iam::123456789012:policy/" + strings.Repeat("b", 100)
	for _, o := range []PeopleOptions{
		{For: ForInstall, Boundary: boundary, RoleName: strings.Repeat("r", 64), RolePath: "/other/"},
		{For: ForClass, Boundary: boundary, Projects: []string{long}},
		{For: ForClass, Boundary: boundary, Projects: []string{"a", "b"}},
		{For: ForController, Boundary: boundary},
		{For: ForBoundary, BucketPattern: strings.Repeat("b", 60) + "*"},
	} {
		d, _, err := PeoplePolicy(f, o)
		if err != nil || sizeOf(d) > 6144 {
			t.Errorf("%s: %d characters, %v", o.For, sizeOf(d), err)
		}
	}
	many := PeopleOptions{For: ForClass, Boundary: boundary}
	for n := range 20 {
		many.Projects = append(many.Projects, "learner"+string(rune('a'+n)))
	}
	if _, _, err := PeoplePolicy(f, many); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("20 projects: %v", err)
	}
}

func TestPeoplePolicyRefuses(t *testing.T) {
	class := PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{"demo"}}
	without := func(change func(*PeopleOptions)) PeopleOptions { o := class; change(&o); return o }
	noIssuer := facts()
	noIssuer.Issuer = render.Fact{}
	for name, c := range map[string]struct {
		facts render.Facts
		o     PeopleOptions
		want  string
	}{
		"class without boundary":      {facts(), without(func(o *PeopleOptions) { o.Boundary = "" }), "--for class requires --permissions-boundary"},
		"class without project":       {facts(), without(func(o *PeopleOptions) { o.Projects = nil }), "--for class requires --project"},
		"class without issuer":        {noIssuer, class, "issuer is unknown"},
		"boundary of another account": {facts(), without(func(o *PeopleOptions) { o.Boundary = "arn:aws:iam::999999999999:policy/x" }), "--permissions-boundary"},
		"variable in a project":       {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"${aws:username}*"} }), "invalid project pattern"},
		"bad project":                 {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"UPPER"} }), "UPPER"},
		"bad pattern of buckets":      {facts(), PeopleOptions{For: ForInstall, BucketPattern: "a/b"}, "bucket pattern"},
		"variable in a path":          {facts(), PeopleOptions{For: ForController, RolePath: "/${aws:username}/"}, "invalid role path"},
		"bad role name":               {facts(), PeopleOptions{For: ForController, RoleName: "a/b"}, "role name"},
		"boundary without buckets":    {facts(), PeopleOptions{For: ForBoundary}, "--for boundary requires --project NAME or --bucket-pattern"},
		"class with AWS's boundary":   {facts(), without(func(o *PeopleOptions) { o.Boundary = "arn:aws:iam::aws:policy/AdministratorAccess" }), "AWS managed policy"},
		"class of every project":      {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"*"} }), "the namespace of the ACK S3 controller"},
		"class of some":               {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"demo", "a?k-s*m"} }), "the namespace of the ACK S3 controller"},
		"class of the controller's":   {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"ack-system"} }), "the namespace of the ACK S3 controller"},
		"a tag of the tool":           {facts(), PeopleOptions{For: ForInstall, TagKeys: []string{"Ostoy-s3/policy"}}, "invalid tag key"},
		"a pattern of tags":           {facts(), PeopleOptions{For: ForInstall, TagKeys: []string{"*"}}, "invalid tag key"},
		"no account":                  {render.Facts{}, PeopleOptions{For: ForInstall}, "AWS account"},
	} {
		_, _, err := PeoplePolicy(c.facts, c.o)
		var flaw *render.InputError
		if !errors.As(err, &flaw) || !strings.Contains(flaw.What, c.want) || flaw.Next == "" {
			t.Errorf("%s: %v", name, cmp.Or(err, errors.New("accepted")))
		}
	}
}
