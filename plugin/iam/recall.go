package iam

import (
	"slices"

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
	usual := render.RoleName(f.Issuer.Value, f.Namespace.Value)
	arn, err := render.ParseARNOf(recorded, "iam", "role")
	legal := err == nil && advice.RoleARN(recorded).Legal() && advice.RoleName(arn.Name()).Legal()
	flags := advice.RoleFlags(arn.Name(), arn.Path(), usual)
	switch {
	case recorded == "", legal && len(flags) == 0:
		return nil
	case legal && f.Issuer.Known() && arn.Account == f.Account.Value && proves(read(), arn, used, f):
		return flags
	case used:
		return placeholders()
	}
	return nil
}

func placeholders() []string {
	return advice.RoleFlags(advice.RoleName("").Word(), advice.RolePath("").Word(), "")
}

// RecallUsed is Recall for a role that another tool manages, as the inventory says, and
// reports whether --iam=skip is among the words. If IAM does not prove another role and the
// usual one is this project's, the inventory alone is no reason for --iam=skip: with it,
// install would never restore the role.
func RecallUsed(recorded string, f render.Facts, read, usual func() *Actual) (words []string, skip bool) {
	words = Recall(recorded, true, f, read)
	proven := words != nil && !slices.Equal(words, placeholders())
	if !proven && owned(usual(), f) {
		return nil, false
	}
	return words, true
}

// owned reports whether a role has the tags of this project's app.
func owned(a *Actual, f render.Facts) bool {
	return a != nil && a.Exists && f.Issuer.Known() && theApp.owns(render.RoleName(f.Issuer.Value, f.Namespace.Value), a, f)
}

func proves(a *Actual, claimed render.ARN, used bool, f render.Facts) bool {
	if a == nil || !a.Exists || a.ARN != claimed.String() {
		return false
	}
	return theApp.owns(claimed.Name(), a, f) || used && a.names(f)
}
