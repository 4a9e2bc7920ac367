package plugin

import (
	"context"
	"sync"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/verify"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// probeActions are the probes of verify that a role's policies decide on, by what
// they try. "other-bucket" lists, too, but another bucket.
func probeActions() map[string]string {
	return map[string]string{
		"head-bucket": "s3:ListBucket", "list-objects": "s3:ListBucket", "put-object": "s3:PutObject", "get-object": "s3:GetObject",
		"other-bucket": "s3:ListBucket", "delete-object": "s3:DeleteObject", "list-buckets": "s3:ListAllMyBuckets", "get-role": "iam:GetRole",
	}
}

// probed is the right that a probe tries.
func probed(o iam.Outlook, probe string) (iam.Right, bool) {
	rights := o.Needed()
	switch probe {
	case "other-bucket", "delete-object", "list-buckets", "get-role":
		rights = o.Forbidden()
	}
	for _, r := range rights {
		if r.Action == probeActions()[probe] {
			return r, true
		}
	}
	return iam.Right{}, false
}

// foreseen is for verify.Options.
func foreseen(o iam.Outlook) func(probe string) bool {
	return func(probe string) bool {
		r, known := probed(o, probe)
		return known && o.Foreseen(r)
	}
}

// cureOf are the commands that help against a probe that failed, "" if install
// alone does. Install, a command, comes first where the role's own policy is part
// of it.
func cureOf(o iam.Outlook, probe, install string) string {
	r, known := probed(o, probe)
	if !known {
		return ""
	}
	commands := o.Cure(r)
	if commands != "" && install != "" && (o.OwnIsWide(r) || o.OwnLacks()) {
		commands = install + "\n" + commands
	}
	return commands
}

// lookAtGiven keeps what the checks have read of a role that somebody else makes.
func (i *install) lookAtGiven(ctx context.Context) {
	if i.given == nil || i.adopted.asIs {
		return
	}
	if actual, err := i.given.Role(ctx); err == nil {
		i.role.Role = i.role.Role.AsTagged(actual)
		i.outlook = iam.LookAhead(ctx, i.given, i.role.Role, actual, ownPolicy(actual))
	}
}

// madeByOthers is what to do about a role that somebody else makes, "" for one that
// install makes.
func (i *install) madeByOthers() string {
	if i.given == nil || i.adopted.asIs {
		return ""
	}
	return check.HaveRoleMade(i.renderRole(i.role.Role))
}

// warnOfOutlook says what verification is going to find, with what helps.
func (i *install) warnOfOutlook() {
	what, next := i.outlook.Warning()
	if what == "" || !i.request.Verify || !i.request.Wait {
		return
	}
	if given := i.madeByOthers(); given != "" && i.outlook.OwnLacks() {
		next = given
	}
	i.UI.Warn(what, next)
}

// cure is for verify.Options. A role that somebody else made by policies of other
// names needs them, and is for its maker to change.
func (i *install) cure(_ context.Context, _, probe string) string {
	if i.madeByOthers() != "" && i.outlook.OwnLacks() {
		return ""
	}
	return cureOf(i.outlook, probe, "")
}

// ownPolicy is the inline policy that a role has by the name that install gives it.
func ownPolicy(actual *iam.Actual) iam.Document {
	if actual == nil || actual.Inline == "" {
		return iam.Document{}
	}
	own, err := iam.ParseDocument(actual.Inline)
	if err != nil {
		return iam.Document{}
	}
	return own
}

// lookForCure reads the policies of the app's role once a probe has failed, if the
// caller's credentials are of its account and may read them. A managed policy that
// was asked for, as the role's tag says, is not one to remove. given says that another tool
// manages the role: then no install is part of the commands.
func lookForCure(target verify.Target, given bool) func(ctx context.Context, role, probe string) string {
	var once sync.Once
	var outlook iam.Outlook
	return func(ctx context.Context, role, probe string) string {
		once.Do(func() { outlook = lookAtRole(ctx, target, role) })
		switch {
		case !given:
			return cureOf(outlook, probe, advice.Command("oc ostoy-s3 install", "-n", target.Namespace))
		case outlook.OwnLacks():
			return ""
		}
		return cureOf(outlook, probe, "")
	}
}

func lookAtRole(ctx context.Context, target verify.Target, role string) iam.Outlook {
	arn, err := render.ParseARNOf(role, "iam", "role")
	if err != nil || target.CallerAccount == "" || arn.Account != target.CallerAccount {
		return iam.Outlook{}
	}
	w := &live.World{Roles: iam.New(target.AWS), RoleNamed: arn.Name()}
	actual, err := w.Role(ctx)
	if err != nil || actual.ARN != role {
		return iam.Outlook{}
	}
	has := iam.Role{Name: arn.Name(), ARN: role, Bucket: render.BucketName(target.Namespace)}
	has.PolicyARN = actual.AskedPolicy()
	return iam.LookAhead(ctx, w, has, actual, ownPolicy(actual))
}
