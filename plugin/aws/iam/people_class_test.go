package iam

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF8ClassPolicy: a learner makes, changes and removes the roles of their own
// project, with the boundary, and no other role.
func TestF8ClassPolicy(t *testing.T) {
	cluster := facts().Issuer.Value
	own, foreign := roleOf(cluster, "learner1"), roleOf(cluster, "learner2")
	earlier := account + "role/ostoy-s3/" + render.EarlierRoleName(cluster, "learner1")
	mine := on(cluster, "learner1", theBoundary)
	for _, c := range []struct {
		name string
		want bool
		asked
	}{
		{"create", true, asked{"iam:CreateRole", own, creating(cluster, "learner1", theBoundary)}},
		{"create with a name that begins like it", false, asked{"iam:CreateRole", own + "00ff", creating(cluster, "learner1", theBoundary)}},
		{"create with the name of an earlier version", false, asked{"iam:CreateRole", earlier, creating(cluster, "learner1", theBoundary)}},
		{"permissions of an earlier role", true, asked{"iam:PutRolePolicy", earlier, on(cluster, "learner1", theBoundary)}},
		{"remove an earlier role", true, asked{"iam:DeleteRole", earlier, on(cluster, "learner1", theBoundary)}},
		{"read an earlier role that does not exist", true, asked{"iam:GetRole", strings.Replace(earlier, "role/ostoy-s3/", "role/", 1), nil}},
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
