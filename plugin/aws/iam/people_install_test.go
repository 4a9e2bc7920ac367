package iam

import (
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF8InstallPolicy: an administrator of apps creates roles with the tags that
// install gives them, changes only roles that have them, and never takes a boundary
// off a role or changes the controller's, whatever else is allowed to them.
func TestF8InstallPolicy(t *testing.T) {
	cluster := facts().Issuer.Value
	role, tutorial := roleOf(cluster, "demo"), account+"role/ostoy-s3-role"
	tagged := on(cluster, "demo", theBoundary)
	policyTag := with(creating(cluster, "demo", theBoundary), map[string][]string{"aws:TagKeys": {render.TagNamespace, render.TagPolicy}, "aws:RequestTag/" + render.TagPolicy: {"x"}})
	everything := Document{Statement: []Statement{{Effect: "Allow", Action: Strings{"*"}, Resource: Strings{"*"}}}}
	plain := PeopleOptions{For: ForInstall, Boundary: theBoundary}
	for _, c := range []struct {
		name string
		want bool
		o    PeopleOptions
		asked
	}{
		{"create", true, plain, asked{"iam:CreateRole", role, creating(cluster, "demo", theBoundary)}},
		{"tag what is created", true, plain, asked{"iam:TagRole", role, creating(cluster, "demo", "")}},
		{"create without tags", false, plain, asked{"iam:CreateRole", role, map[string][]string{"iam:PermissionsBoundary": {theBoundary}}}},
		{"create for another tool", false, plain, asked{"iam:CreateRole", role, with(creating(cluster, "demo", theBoundary), map[string][]string{"aws:RequestTag/" + render.TagManagedBy: {"helm"}})}},
		{"create with a tag that names no policy", false, plain, asked{"iam:CreateRole", role, policyTag}},
		{"change trust", true, plain, asked{"iam:UpdateAssumeRolePolicy", role, tagged}},
		{"change trust without tags", false, plain, asked{"iam:UpdateAssumeRolePolicy", role, nil}},
		{"delete", true, plain, asked{"iam:DeleteRole", role, tagged}},
		{"delete without tags", false, plain, asked{"iam:DeleteRole", role, nil}},
		{"tag", true, plain, asked{"iam:TagRole", role, with(tagged, tagging(map[string]string{render.TagClusterID: "1"}))}},
		{"tag with a tag that names no policy", false, plain, asked{"iam:TagRole", role, with(tagged, tagging(map[string]string{"ostoy-s3/policy": "x"}))}},
		{"tag with a tag of the account", false, plain, asked{"iam:TagRole", role, with(tagged, tagging(map[string]string{"team": "x"}))}},
		{
			"tag with a tag of the account, by name", true,
			PeopleOptions{For: ForInstall, TagKeys: []string{"team"}},
			asked{"iam:TagRole", role, with(tagged, tagging(map[string]string{"team": "x"}))},
		},
		{"trust of the tutorial's role", false, plain, asked{"iam:UpdateAssumeRolePolicy", tutorial, nil}},
		{"trust of the tutorial's role, by name", true, PeopleOptions{For: ForInstall, RoleName: "ostoy-s3-role", RolePath: "/"}, asked{"iam:UpdateAssumeRolePolicy", tutorial, nil}},
		{"trust at another path without tags", false, PeopleOptions{For: ForInstall, RolePath: "/team/"}, asked{"iam:UpdateAssumeRolePolicy", account + "role/team/demo-ostoy-sa-1a2b3c4d", nil}},
		{"trust at another path", true, PeopleOptions{For: ForInstall, RolePath: "/team/"}, asked{"iam:UpdateAssumeRolePolicy", account + "role/team/demo-ostoy-sa-1a2b3c4d", tagged}},
	} {
		if got := allowed(t, policyOf(t, c.o), c.asked); got != c.want {
			t.Errorf("%s: %s on %s: allowed is %v", c.name, c.action, c.resource, got)
		}
	}
	named := PeopleOptions{For: ForInstall, Boundary: theBoundary, RoleName: "ostoy-s3-role", RolePath: "/"}
	for _, denied := range []asked{
		{"iam:DeleteRolePermissionsBoundary", role, tagged},
		{"iam:DeleteRolePermissionsBoundary", tutorial, nil},
		{"iam:CreatePolicyVersion", theBoundary, nil},
		{"iam:PutRolePolicy", newPathRole, tagged},
		{"iam:UpdateAssumeRolePolicy", oldPathRole, tagged},
	} {
		d := policyOf(t, named)
		d.Statement = append(d.Statement, everything.Statement...)
		if allowed(t, d, denied) {
			t.Errorf("beside a policy that allows everything: %s on %s is allowed", denied.action, denied.resource)
		}
	}
	both := policyOf(t, PeopleOptions{For: ForInstall, WithController: true})
	both.Statement = append(both.Statement, policyOf(t, PeopleOptions{For: ForController}).Statement...)
	if !allowed(t, both, asked{"iam:CreateRole", newPathRole, nil}) {
		t.Error("--with-controller: the policy for controller does not work beside the one for install")
	}
}

// TestF8BucketsOfAProject: both forms of a bucket's name belong to the project, and no
// bucket of another one.
func TestF8BucketsOfAProject(t *testing.T) {
	d := policyOf(t, PeopleOptions{For: ForBoundary, Projects: []string{"demo"}})
	for bucket, want := range map[string]bool{
		"demo-bucket": true, "demo--photos-bucket": true, "demo2-bucket": false, "demo-photos-bucket": false, "a-demo-bucket": false,
	} {
		keys := map[string][]string{"aws:ResourceAccount": {"123456789012"}}
		if got := allowed(t, d, asked{"s3:GetObject", "arn:aws:s3:::" + bucket + "/a", keys}); got != want {
			t.Errorf("%s: allowed is %v", bucket, got)
		}
	}
	names := people{o: PeopleOptions{Projects: []string{"ostoy-*"}}}.classBuckets()
	if !slices.Equal(names, Strings{"ostoy-*-bucket"}) {
		t.Errorf("a pattern that covers both forms is written twice: %v", names)
	}
}

// TestF8Notes: what a policy does not prevent, and what it denies beside others, is said.
func TestF8Notes(t *testing.T) {
	for want, o := range map[string]PeopleOptions{
		"a role that exists without the boundary keeps its permissions": {For: ForInstall, Boundary: theBoundary},
		"add --with-controller":                         {For: ForInstall},
		"can give a role any permission":                {For: ForController},
		"can be given the buckets of all ":              {For: ForBoundary, Projects: []string{"ostoy-*"}},
		"S3 buckets of the account that match *-bucket": {For: ForBoundary, BucketPattern: "*-bucket"},
	} {
		_, notes, err := PeoplePolicy(facts(), o)
		if err != nil || !strings.Contains(strings.Join(notes, "\n"), want) {
			t.Errorf("%s: %q lacks %q (%v)", o.For, notes, want, err)
		}
	}
	_, notes, err := PeoplePolicy(facts(), PeopleOptions{For: ForInstall, Boundary: theBoundary, WithController: true})
	if err != nil || len(notes) != 1 {
		t.Errorf("%q, %v", notes, err)
	}
}
