package plugin

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// useRole plans nothing about the role, and has the one that is there looked at
// by the checks of an app's role instead.
func (i *install) useRole(desired iam.Role, target *check.Target) {
	i.role = &iam.Plan{Role: desired}
	target.World.RoleNamed = desired.Name
	if i.adopted.asIs {
		target.GivenRole = &check.GivenRole{ARN: desired.ARN, Mend: i.tighten() + " gives it what the app needs"}
		return
	}
	target.GivenRole = &check.GivenRole{ARN: desired.ARN, Mend: check.HaveRoleMade(i.renderRole(desired))}
}

// renderRole is the command that prints the role.
func (i *install) renderRole(desired iam.Role) string {
	namespace := i.facts.Namespace.Value
	words := append([]string{"-n", namespace}, advice.RoleFlags(desired.Name, desired.Path, render.RoleName(i.facts.Issuer.Value, namespace))...)
	if policy := i.request.Role.PolicyARN; policy != "" { // your flag; what the project's record says is not repeated
		words = append(words, "--policy-arn", policy)
	}
	return advice.Command("oc ostoy-s3 iam render", words...)
}

// roleOrigin is what the record says of who makes the role.
func (i *install) roleOrigin() string {
	if i.request.IAM == IAMSkip {
		return apply.OriginExisting
	}
	if i.adopted.found() {
		return apply.OriginAdopted
	}
	return ""
}

func (i *install) announceRole() {
	switch {
	case i.adopted.asIs:
		i.planned(ui.Kept, "role", i.role.Role.Label()+"   used as it is: it was there before")
	case i.request.IAM == IAMSkip:
		i.planned(ui.Kept, "role", i.role.Role.Label()+"   used as it is, as --iam=skip says")
	}
	i.announceRolePlan(i.role)
	i.announceNotes()
}
