package iam

import (
	"cmp"
	"maps"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// class is for a learner: the roles of their own projects on one cluster, and only
// with the boundary. The role's name, its tags for namespace and issuer and the
// boundary hold together: the name carries a hash of issuer and namespace; actions
// that know the key iam:PermissionsBoundary require it; and all changes of a role
// that exists require its tags, which the learner cannot set to other values.
func (p people) class() []Statement {
	roles, created := p.classRoles(render.RolePath, anyHash), p.classRoles(render.RolePath, render.RoleName)
	return append([]Statement{
		allow("ReadRoles", roleReads(), append(p.controllers(), p.classReads()...)),
		allow("CreateRoles", Strings{"iam:CreateRole"}, created, p.within(), p.tagged("aws:RequestTag/", "", true)),
		allow("ChangeRoles", boundedChanges(), roles, p.within(), p.tagged("aws:ResourceTag/", "", false)),
		allow("TrustTagsAndRemoval", otherChanges(), roles,
			p.tagged("aws:ResourceTag/", "", false), p.tagged("aws:RequestTag/", "IfExists", true)),
		// CreateRole with tags is checked for TagRole as well. "AWS global condition
		// context keys" says that aws:ResourceTag then has the tags of the request; a
		// role without tags of its own is covered in case it has none.
		allow("TagNewRoles", Strings{"iam:TagRole"}, created, p.tagged("aws:RequestTag/", "", true), requires("aws:ResourceTag/", false)),
		// One statement, because a policy has a limit: each action is of one of the kinds.
		allow("ReadProvider", Strings{"iam:GetOpenIDConnectProvider", "iam:GetPolicy", "iam:GetPolicyVersion"}, sorted(Strings{
			render.ProviderARN(p.partition, p.account, p.f.Issuer.Value), p.o.Boundary, p.policies("aws"), // AWS's own are public
		})),
	}, slices.Concat(p.ownBuckets(), []Statement{p.neverTheController()}, p.tagLimits(Strings{p.role(render.RolePath, "*")}), p.keepsBoundary(Strings{p.role(render.RolePath, "*")}))...)
}

// tagLimits are the statements that deny tags.
func (p people) tagLimits(roles Strings) []Statement {
	return append([]Statement{p.neverOtherTags(roles)}, p.neverOtherValues()...)
}

// ownBuckets leave out what verify removes: the learner may delete all objects.
func (p people) ownBuckets() []Statement {
	return slices.DeleteFunc(p.buckets(p.classBuckets()), func(s Statement) bool { return s.Sid == tidiesUp })
}

// neverTheController holds against other policies of the person, too.
func (p people) neverTheController() Statement {
	return deny("NeverTheController", Strings{
		"iam:AttachRole*", "iam:CreateRole", "iam:De*Role*", "iam:P*Role*", "iam:TagRole", "iam:UntagRole", "iam:Update*",
	}, p.controllers())
}

// keepsBoundary denies, also against other policies, removing the boundary of these
// roles and changing the boundary itself.
func (p people) keepsBoundary(roles Strings) []Statement {
	never := deny("NeverWithoutBoundary", Strings{"iam:DeleteRolePermissionsBoundary"}, sorted(roles))
	if arn, err := render.ParseARN(p.o.Boundary); err == nil && arn.Account == p.account {
		never.Action = append(never.Action, "iam:CreatePolicyVersion", "iam:DeletePolicy*", "iam:SetDefaultPolicyVersion")
		never.Resource = sorted(append(never.Resource, p.o.Boundary))
	}
	return []Statement{never}
}

// anyHash is every name that begins with the name of an earlier role: that role, and the
// one with more digits of the same hash.
func anyHash(issuer, project string) string { return render.EarlierRoleName(issuer, project) + "*" }

// classRoles are the roles of the projects at a path, by the name that a project's has.
// Where the tags of the role are required, anyHash is exact enough, and one entry.
func (p people) classRoles(path string, name func(issuer, project string) string) Strings {
	const cut = 40
	var roles Strings
	for _, project := range p.o.Projects {
		if isPattern(project) {
			if len(project) > cut { // the name of a role has 40 characters of the project's
				project = project[:cut] + "*"
			}
			roles = append(roles, p.role(path, project+"-"+render.ServiceAccount+"-*"))
			continue
		}
		roles = append(roles, p.role(path, name(p.f.Issuer.Value, project)))
	}
	return sorted(roles)
}

// classReads are the roles that may be read. IAM looks for a role that does not exist at
// the path /: without permission to read it there, the answer is AccessDenied, which does
// not say that it is missing. The name of one project's role is long enough for a star in
// place of all paths, which is shorter.
func (p people) classReads() Strings {
	one, several := p, p
	one.o.Projects = slices.DeleteFunc(slices.Clone(p.o.Projects), isPattern)
	several.o.Projects = slices.DeleteFunc(slices.Clone(p.o.Projects), func(project string) bool { return !isPattern(project) })
	return sorted(slices.Concat(one.classRoles("/*", anyHash), several.classRoles("/", anyHash), several.classRoles(render.RolePath, anyHash)))
}

// tagged is the condition that the tags under a prefix of condition keys are those
// of one of the projects. suffix is of the operators; managed asks for the tag that
// says which tool manages the role as well.
func (p people) tagged(prefix, suffix string, managed bool) Condition {
	equal := map[string]Strings{prefix + render.TagIssuer: {p.f.Issuer.Value}}
	if managed {
		equal[prefix+render.TagManagedBy] = Strings{render.ManagedBy}
	}
	projects := map[string]Strings{prefix + render.TagNamespace: sorted(p.o.Projects)}
	if slices.ContainsFunc(p.o.Projects, isPattern) {
		return Condition{"StringEquals" + suffix: equal, "StringLike" + suffix: projects}
	}
	maps.Copy(equal, projects)
	return Condition{"StringEquals" + suffix: equal}
}

// neverOtherTags denies tags beside those that install sets and those of TagKeys:
// another tag of a role may give it permissions elsewhere in the account. The tag for a
// managed policy, which check then accepts, is not for a class.
func (p people) neverOtherTags(roles Strings) Statement {
	known := append(Strings{render.TagManagedBy, render.TagBucket, render.TagClusterID, render.TagIssuer, render.TagNamespace}, p.o.TagKeys...)
	if p.o.For != ForClass {
		known = append(known, render.TagPolicy)
	}
	return deny("NeverOtherTags", Strings{"iam:CreateRole", "iam:TagRole"}, roles,
		Condition{"ForAnyValue:StringNotEquals": {"aws:TagKeys": sorted(known)}})
}

// neverOtherValues deny values that are not legal for the tags that decide something:
// uninstall deletes the data of the bucket that a role names, and check accepts the
// managed policy that it names.
func (p people) neverOtherValues() []Statement {
	buckets := Strings{cmp.Or(p.o.BucketPattern, AnyProjectPattern)}
	if p.o.For == ForClass {
		buckets = nil
		for _, project := range p.o.Projects {
			buckets = append(buckets, render.BucketName(project))
		}
	}
	never := func(sid, key string, legal Strings) Statement {
		// ForAnyValue does not hold for a request without the tag; StringNotLike would.
		return deny(sid, Strings{"iam:CreateRole", "iam:TagRole"}, Strings{"*"},
			Condition{"ForAnyValue:StringNotLike": {"aws:RequestTag/" + key: sorted(legal)}})
	}
	statements := []Statement{never("NeverOtherBuckets", render.TagBucket, buckets)}
	if p.o.For != ForClass {
		statements = append(statements, never("NeverOtherPolicies", render.TagPolicy,
			Strings{p.policies(p.account), p.policies("aws"), hashPrefix + "*", noPolicy}))
	}
	return statements
}
