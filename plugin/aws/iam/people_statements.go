package iam

import (
	"cmp"
	"maps"
	"slices"
	"strconv"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// people writes the statements of one policy.
type people struct {
	f                  render.Facts
	o                  PeopleOptions
	partition, account string
}

// appRoles match the names that render.RoleName gives, and not those of
// render.ControllerRoleName, which older controllers have below the same path.
const appRoles = "*-" + render.ServiceAccount + "-*"

// controllerRoles match the names that render.ControllerRoleName gives.
const controllerRoles = render.ControllerAccount + "-*"

func (p people) role(path, name string) string {
	return render.RoleARN(p.partition, p.account, path, name)
}

func (p people) policies(owner string) string {
	return "arn:" + p.partition + ":iam::" + owner + ":policy/*"
}

// roleReads are the actions by which a role is looked at.
func roleReads() Strings {
	return Strings{"iam:GetRole", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies", "iam:ListRolePolicies"}
}

// boundedChanges change a role that exists and know the condition key
// iam:PermissionsBoundary ("Actions, resources, and condition keys for AWS Identity
// and Access Management" in the Service Authorization Reference).
// iam:DeleteRolePermissionsBoundary knows it as well and is in no policy here.
func boundedChanges() Strings {
	return Strings{
		"iam:AttachRolePolicy", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
		"iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
	}
}

// otherChanges change a role and do not know that key.
func otherChanges() Strings {
	return Strings{"iam:DeleteRole", "iam:TagRole", "iam:UpdateAssumeRolePolicy"}
}

// within is the condition that a role has the boundary, or that the request gives
// it; none without a boundary.
func (p people) within() Condition {
	if p.o.Boundary == "" {
		return nil
	}
	return Condition{"StringEquals": {"iam:PermissionsBoundary": {p.o.Boundary}}}
}

// changeRoles allow everything that install and uninstall do with a role.
func (p people) changeRoles(roles Strings) []Statement {
	bounded := append(Strings{"iam:CreateRole"}, boundedChanges()...)
	return []Statement{
		allow("CreateAndChangeRoles", bounded, roles, p.within()),
		allow("TrustTagsAndRemoval", otherChanges(), roles),
	}
}

// changeAppRoles are changeRoles for roles that the tool names itself: they are
// created with the tool's tags, and a role without them is not changed. Create and
// TagNewRoles are as in class.
func (p people) changeAppRoles(roles Strings) []Statement {
	tags := merged(requires("aws:RequestTag/", true), managedBy(""))
	return append([]Statement{
		allow("CreateRoles", Strings{"iam:CreateRole"}, roles, p.within(), tags),
		allow("ChangeRoles", boundedChanges(), roles, p.within()),
		allow("TrustTagsAndRemoval", otherChanges(), roles, requires("aws:ResourceTag/", true), managedBy("IfExists")),
		allow("TagNewRoles", Strings{"iam:TagRole"}, roles, tags, requires("aws:ResourceTag/", false)),
	}, p.tagLimits(roles)...)
}

// requires is the condition that there is a tag for the namespace, or that there is
// none.
func requires(prefix string, present bool) Condition {
	return Condition{"Null": {prefix + render.TagNamespace: {strconv.FormatBool(!present)}}}
}

// managedBy is the condition that a request tags a role as managed by this tool.
func managedBy(suffix string) Condition {
	return Condition{"StringEquals" + suffix: {"aws:RequestTag/" + render.TagManagedBy: {render.ManagedBy}}}
}

// controllers are the roles of the ACK S3 controller, new and old. Everybody may
// read them: install looks whether the controller's role covers the bucket.
func (p people) controllers() Strings {
	return Strings{p.role(render.ControllerRolePath, "*"), p.role(render.RolePath, controllerRoles)}
}

// another is the role that the user named, if any.
func (p people) another(path, name string) Strings {
	if p.o.RoleName == "" && p.o.RolePath == "" {
		return nil
	}
	return Strings{p.role(cmp.Or(p.o.RolePath, path), cmp.Or(p.o.RoleName, name))}
}

// appRoleChanges are changeAppRoles, and changeRoles for a role of another name: the
// tutorial's has no tags. The path of a role says nothing about its tags.
func (p people) appRoleChanges(roles Strings) []Statement {
	another := p.another(render.RolePath, appRoles)
	if p.o.RoleName == "" {
		return p.changeAppRoles(sorted(append(another, roles...)))
	}
	statements := p.changeAppRoles(roles)
	for _, s := range p.changeRoles(another) {
		s.Sid += "Named"
		statements = append(statements, s)
	}
	return statements
}

func (p people) install() []Statement {
	roles := Strings{p.role(render.RolePath, appRoles)}
	// A request names no path: IAM looks for a role that does not exist at the path /,
	// and would answer AccessDenied where NoSuchEntity is the answer.
	read := Strings{p.role("/", "*")}
	statements := append([]Statement{allow("ReadRoles", roleReads(), read)}, p.appRoleChanges(roles)...)
	statements = append(statements, p.keepsBoundary(append(p.another(render.RolePath, appRoles), p.role(render.RolePath, "*")))...)
	if !p.o.WithController {
		statements = append(statements, p.neverTheController())
	}
	statements = append(statements,
		p.readPolicies(),
		p.readProviders(),
		allow("ReadAccount", Strings{
			"iam:ListOpenIDConnectProviders", "iam:ListRoles", "s3:ListAllMyBuckets",
			"cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors", "cloudtrail:GetTrailStatus", "cloudtrail:LookupEvents",
		}, Strings{"*"}),
	)
	buckets := Strings{cmp.Or(p.o.BucketPattern, AnyProjectPattern)}
	return append(append(statements, p.adoptedSettings(buckets)), p.buckets(buckets)...)
}

// readPolicies is for a managed policy on a role, and for its boundary.
func (p people) readPolicies() Statement {
	return allow("ReadManagedPolicies", Strings{"iam:GetPolicy", "iam:GetPolicyVersion"}, Strings{p.policies(p.account), p.policies("aws")})
}

func (p people) readProviders() Statement {
	return allow("ReadProviders", Strings{"iam:GetOpenIDConnectProvider"}, Strings{"arn:" + p.partition + ":iam::" + p.account + ":oidc-provider/*"})
}

// controller is for the role of the ACK S3 controller, under its own path and under
// that of older versions. Reading covers every role: a controller that is not
// managed by ostoy-s3 has a role of any name.
func (p people) controller() []Statement {
	roles := sorted(append(p.another(render.ControllerRolePath, "*"), p.controllers()...))
	statements := append([]Statement{allow("ReadRoles", roleReads(), Strings{p.role("/", "*")})}, p.changeRoles(roles)...)
	statements = append(statements, p.keepsBoundary(roles)...)
	return append(statements,
		p.readPolicies(), p.readProviders(),
		allow("ReadAccount", Strings{"iam:ListRoles", "s3:ListAllMyBuckets"}, Strings{"*"}))
}

// boundary is what the apps' roles can have at most: what OSToy uses, on the
// buckets of the class.
func (p people) boundary() []Statement {
	buckets := p.classBuckets()
	return []Statement{
		allow("List", Strings{"s3:ListBucket"}, p.below(buckets, ""), inAccount(p.account)),
		allow("ReadWrite", Strings{"s3:GetObject", "s3:PutObject"}, p.below(buckets, "/*"), inAccount(p.account)),
	}
}

// classBuckets are the buckets of the projects, or those of the pattern. The admission
// policy allows a project both forms of name, and a project whose own name has two
// hyphens none: no bucket belongs to two projects. A project with a long name has no
// place for the second form in the 63 characters of a bucket's name.
func (p people) classBuckets() Strings {
	if len(p.o.Projects) == 0 {
		return Strings{p.o.BucketPattern}
	}
	var names Strings
	for _, project := range p.o.Projects {
		names = append(names, render.BucketName(project))
		further := render.BucketName(project + "--*")
		if (len(further) <= 63 || isPattern(project)) && !like(render.BucketName(project), further) {
			names = append(names, further)
		}
	}
	return sorted(names)
}

// class is for a learner: the roles of their own projects on one cluster, and only
// with the boundary. The role's name, its tags for namespace and issuer and the
// boundary hold together: the name carries a hash of issuer and namespace; actions
// that know the key iam:PermissionsBoundary require it; and all changes of a role
// that exists require its tags, which the learner cannot set to other values.
func (p people) class() []Statement {
	// What verify removes is left out: the learner may delete all objects.
	buckets := slices.DeleteFunc(p.buckets(p.classBuckets()), func(s Statement) bool { return s.Sid == tidiesUp })
	roles, created := p.classRoles(render.RolePath, anyHash), p.classRoles(render.RolePath, render.RoleName)
	return append([]Statement{
		allow("ReadRoles", roleReads(), append(p.controllers(), p.classReads()...)),
		allow("CreateRoles", Strings{"iam:CreateRole"}, created, p.within(), p.tagged("aws:RequestTag/", "", true)),
		allow("ChangeRoles", boundedChanges(), roles, p.within(), p.tagged("aws:ResourceTag/", "", false)),
		allow("TrustTagsAndRemoval", otherChanges(), roles, p.tagged("aws:ResourceTag/", "", false), p.tagged("aws:RequestTag/", "IfExists", true)),
		// CreateRole with tags is checked for TagRole as well. "AWS global condition
		// context keys" says that aws:ResourceTag then has the tags of the request; a
		// role without tags of its own is covered in case it has none.
		allow("TagNewRoles", Strings{"iam:TagRole"}, created, p.tagged("aws:RequestTag/", "", true), requires("aws:ResourceTag/", false)),
		// One statement, because a policy has a limit: each action is of one of the kinds.
		allow("ReadProvider", Strings{"iam:GetOpenIDConnectProvider", "iam:GetPolicy", "iam:GetPolicyVersion"}, sorted(Strings{
			render.ProviderARN(p.partition, p.account, p.f.Issuer.Value), p.o.Boundary, p.policies("aws"), // AWS's own are public
		})),
	}, slices.Concat(buckets, []Statement{p.neverTheController()}, p.tagLimits(Strings{p.role(render.RolePath, "*")}), p.keepsBoundary(Strings{p.role(render.RolePath, "*")}))...)
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
