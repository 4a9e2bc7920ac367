package verify

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
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

// Foreseen is for Options.
func Foreseen(o iam.Outlook) func(probe string) bool {
	return func(probe string) bool {
		r, known := probed(o, probe)
		return known && o.Foreseen(r)
	}
}

// CureOf are the commands that help against a probe that failed, "" if install
// alone does. Install, a command, comes first where the role's own policy is part
// of it.
func CureOf(o iam.Outlook, probe, install string) string {
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

// lookForCure reads the policies of the app's role once a probe has failed, if the
// caller's credentials are of its account and may read them. A managed policy that
// was asked for, as the role's tag says, is not one to remove. install is part of the
// commands, unless it is "": another tool manages the role.
func lookForCure(target Target, install string) func(ctx context.Context, role, probe string) string {
	var once sync.Once
	var outlook iam.Outlook
	return func(ctx context.Context, role, probe string) string {
		once.Do(func() { outlook = lookAtRole(ctx, target, role) })
		switch {
		case install != "":
			return CureOf(outlook, probe, install)
		case outlook.OwnLacks():
			return ""
		}
		return CureOf(outlook, probe, "")
	}
}

func lookAtRole(ctx context.Context, target Target, role string) iam.Outlook {
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
	return iam.LookAhead(ctx, w, has, actual, actual.OwnPolicy())
}

// whereInstalled is the account of the install, and its partition: given by flag, or
// those of the caller. Nothing that the project says is a source. Either is "" if it is
// not known.
func whereInstalled(given render.Facts, caller detect.Identity, region string) (account, partition string) {
	if !given.Account.Known() || caller.Account == given.Account.Value {
		return caller.Account, caller.Partition
	}
	return given.Account.Value, render.PartitionOf(cmp.Or(given.Region.Value, region))
}

// FlagsOf are the flags that you gave to say which install is meant: a command that
// verifies or installs it again repeats them.
func FlagsOf(facts session.Facts, role iam.RoleOptions) Flags {
	var flags Flags
	for _, one := range (Flags{
		{Name: "--profile", Value: facts.Profile},
		{Name: "--account-id", Value: facts.Given.Account.Value},
		{Name: "--region", Value: facts.Given.Region.Value},
		{Name: "--audience", Value: facts.Given.Audience.Value},
		{Name: "--role-name", Value: role.Name},
		{Name: "--role-path", Value: role.Path},
	}) {
		if one.Value != "" {
			flags = append(flags, one)
		}
	}
	return flags
}

// roleOfInstall is for Target: the role that flags name, or that install computes
// for an issuer. If the pods have another role of the account, IAM is asked whether that
// one is this project's, as that of an install with --role-name is, or an adopted one.
//
// unknown, which may be nil, is why the caller is not known. That nobody gave
// credentials is no failure.
func roleOfInstall(target Target, flags iam.RoleOptions, unknown error) func(context.Context, string, render.ARN) (render.ARN, error) {
	if errors.Is(unknown, detect.ErrNoCredentials) {
		unknown = nil
	}
	return func(ctx context.Context, issuer string, claimed render.ARN) (render.ARN, error) {
		if target.Account == "" || target.Partition == "" {
			return render.ARN{}, unknown
		}
		facts := render.Facts{
			Namespace: render.Fact{Value: target.Namespace}, Issuer: render.Fact{Value: issuer},
			Account: render.Fact{Value: target.Account}, Partition: render.Fact{Value: target.Partition},
		}
		role, err := render.ParseARNOf(iam.ARN(facts, iam.RoleOptions{Name: flags.Name, Path: flags.Path}), "iam", "role")
		if err != nil {
			return render.ARN{}, err
		}
		given := flags.Name != "" || flags.Path != ""
		// The hash of the issuer and the namespace in the name shows as much as that in the
		// name of a new role.
		earlier := iam.ARN(facts, iam.RoleOptions{Name: render.EarlierRoleName(issuer, target.Namespace), Path: flags.Path})
		if flags.Name == "" && claimed.String() == earlier {
			return claimed, nil
		}
		if given || claimed == (render.ARN{}) || claimed == role || target.CallerAccount != target.Account {
			return role, nil
		}
		config := target.AWS.Copy()
		config.Region = cmp.Or(target.Region, config.Region, "us-east-1") // IAM of the partition aws is the same everywhere
		its, err := iam.ClaimedBy(ctx, iam.New(config), claimed, facts)
		if its {
			role = claimed
		}
		return role, err
	}
}

// Needed are the probes that a level is proven by: each of them must have been tried,
// and have passed. Isolation has two more, other-project and other-bucket, which exist
// only where there is another project, or another bucket of the account, to try.
func Needed(level Level) []string {
	switch level {
	case Identity:
		return []string{"audience", "region", "token", "role", "assume-role", "caller-identity"}
	case Access:
		return []string{"head-bucket", "list-objects", "put-object", "get-object"}
	case Isolation:
		return []string{"default-service-account", "other-audience", "delete-object", "list-buckets", "get-role"}
	}
	return []string{"reached", "menu-entry", "upload", "read", "found-in-s3"}
}

// judge is the outcome of a level, and which of the probes that it needs did not pass
// because they were not tried: one failure fails it, and one that is missing leaves it
// without proof, however many passed.
func judge(level Level, probes []Probe) (outcome Outcome, missing []string) {
	tried := map[string]bool{}
	outcome = Passed
	for _, p := range probes {
		tried[p.Name] = p.Tried
		if p.Outcome == Failed {
			outcome = Failed
		}
	}
	missing = slices.DeleteFunc(Needed(level), func(name string) bool { return tried[name] })
	if outcome == Passed && len(missing) > 0 {
		outcome = NotVerified
	}
	return outcome, missing
}

// whole adds to the probes of a level those that it needs and that were not reached,
// because one before them did not pass.
func whole(level Level, probes []Probe) []Probe {
	stopped := slices.IndexFunc(probes, func(p Probe) bool { return p.Outcome != Passed })
	for _, name := range Needed(level) {
		if stopped >= 0 && !slices.ContainsFunc(probes, func(p Probe) bool { return p.Name == name }) {
			probes = append(probes, behind(name, probes[stopped].Name))
		}
	}
	return probes
}

// behind is a probe that was not tried because another probe, or a level, did not pass.
func behind(name, needs string) Probe {
	return Probe{Name: name, Outcome: NotTested, What: "needs " + needs, needs: needs}
}

// ByChoice reports whether all that a level lacks is left out because the user chose a
// role that may do it.
func (l LevelReport) ByChoice() bool {
	missing := l.missing()
	return l.Outcome == NotVerified && len(missing) > 0 && !slices.ContainsFunc(missing, func(p Probe) bool { return !p.Chosen })
}

// missing are the probes that the level needs and that were not tried for a reason of
// their own.
func (l LevelReport) missing() []Probe {
	var all []Probe
	for _, p := range l.Probes {
		if slices.Contains(l.Missing, p.Name) && p.needs == "" {
			all = append(all, p)
		}
	}
	return all
}

// unproven is the error for a level that is not proven although nothing failed.
func (l LevelReport) unproven() *problem.Error {
	told := problem.Refuse(string(l.Level)+" is not verified", "", l.again).See(helpPage)
	for n, p := range l.missing() {
		if n > 0 {
			told.Why += "\n"
		}
		told.Why += "not tested: " + p.What
		if n == 0 && p.Next != "" {
			told.Next = p.Next
		}
	}
	return told
}

// outOfScope is what no probe looks at.
func outOfScope() []string {
	return []string{
		"other IAM principals of the account with permissions on the bucket",
		"who reaches the app's Route or Ingress, which has no authentication",
		"what the ACK S3 controller may do with the bucket",
		"other clusters that use the account",
	}
}
