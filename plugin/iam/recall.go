package iam

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Recall gives the words of a command that name the role of an earlier install, if it is
// not the one that install uses without flags. The project's inventory names that role,
// and everybody who can edit the project can write the inventory: a command with a name
// from there could have a cluster admin create a role that policies of the account allow
// something. So recorded, an ARN, is repeated only if read, which may give nil, shows that
// IAM has a role with this ARN and that it is this project's.
//
// An install changes a role only if it has the tags of the project. used says that it only
// uses this one (--iam=skip): then the trust policy proves it as well, and without a
// proof there are placeholders, because the usual role is not the one that is meant.
func Recall(recorded string, used bool, f render.Facts, read func() *Actual) []string {
	arn, legal := legalRole(recorded)
	flags := advice.RoleFlags(arn.Name(), arn.Path(), render.RoleNames(f.Issuer.Value, f.Namespace.Value)...)
	switch {
	case recorded == "", legal && len(flags) == 0:
		return nil
	case legal && f.Issuer.Known() && arn.Account == f.Account.Value && proves(read(), arn, used, f):
		return flags
	case used:
		return advice.RoleFlags(advice.RoleName("").Word(), advice.RolePath("").Word())
	}
	return nil
}

// legalRole is the role of a recorded ARN, and whether it may be repeated.
func legalRole(recorded string) (arn render.ARN, legal bool) {
	arn, err := render.ParseARNOf(recorded, "iam", "role")
	return arn, err == nil && advice.RoleARN(recorded).Legal() && advice.RoleName(arn.Name()).Legal()
}

func proves(a *Actual, claimed render.ARN, used bool, f render.Facts) bool {
	if a == nil || !a.Exists || a.ARN != claimed.String() {
		return false
	}
	return theApp.owns(claimed.Name(), a, f) || used && a.names(f)
}

// OnlyUsed reports whether IAM shows that an install cannot have made the role of an
// earlier one, and only uses it (--iam=skip): the role admits the project's app and does
// not have the project's tags. A role that was made from printed code has the tags, and
// looks like one that install made.
func OnlyUsed(recorded string, f render.Facts, a *Actual) bool {
	arn, legal := legalRole(recorded)
	return legal && f.Issuer.Known() && arn.Account == f.Account.Value && proves(a, arn, true, f) && !theApp.owns(arn.Name(), a, f)
}
