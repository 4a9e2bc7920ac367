package iam

import (
	"cmp"
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
	return append(statements, p.buckets(Strings{cmp.Or(p.o.BucketPattern, AnyProjectPattern)})...)
}

// readPolicies is for a managed policy on a role, and for its boundary.
func (p people) readPolicies() Statement {
	return allow("ReadManagedPolicies", Strings{"iam:GetPolicy", "iam:GetPolicyVersion"}, Strings{p.policies(p.account), p.policies("aws")})
}

func (p people) readProviders() Statement {
	return allow("ReadProviders", Strings{"iam:GetOpenIDConnectProvider"}, Strings{"arn:" + p.partition + ":iam::" + p.account + ":oidc-provider/*"})
}

// verifyPrefix is below what verify writes; package verify has it as its Prefix.
const verifyPrefix = "ostoy-s3-verify/"

// tidiesUp is the statement that is left where DeleteData is taken out.
const tidiesUp = "VerifyTidiesUp"

// buckets allow looking at S3 buckets and removing them. Reading has no condition
// on the account: for a bucket that does not exist the key has no value, and S3
// would answer AccessDenied where it is to be learned that the name is free.
func (p people) buckets(names Strings) []Statement {
	buckets := p.below(names, "")
	remove := Strings{"s3:DeleteObject", "s3:DeleteObjectVersion"}
	return []Statement{
		allow("ReadBuckets", Strings{
			"s3:GetBucketOwnershipControls", "s3:GetBucketPolicy", "s3:GetBucketPublicAccessBlock", "s3:GetBucketTagging",
			"s3:GetEncryptionConfiguration", "s3:ListBucket", "s3:ListBucketVersions",
		}, buckets),
		allow("RemoveBuckets", Strings{"s3:DeleteBucket"}, buckets, inAccount(p.account)),
		allow(tidiesUp, remove, p.below(names, "/"+verifyPrefix+"*"), inAccount(p.account)),
		allow("DeleteData", remove, p.below(names, "/*"), inAccount(p.account)),
	}
}

// below are the ARNs of buckets, each with a suffix.
func (p people) below(buckets Strings, suffix string) (arns Strings) {
	for _, name := range buckets {
		arns = append(arns, render.BucketARN(p.partition, name)+suffix)
	}
	return arns
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
