package plan

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Adopted is a role that was there before install came and that the app goes on using;
// the zero value is none. What of it install may change its tags decide, not the record.
type Adopted struct {
	Wanted iam.Role    // as install would make it
	Actual *iam.Actual // nil if the caller may not read it
	AsIs   bool        // used as it is; else it is tightened, or was
	Passed []string    // why a role that was found is not the one that is used
}

// Found reports whether there is one.
func (a Adopted) Found() bool { return a.Wanted.ARN != "" }

// adopted finds out, before anything is rendered, whether the app has a role that was
// there before: the one on record, or with --adopt the one that the tutorial's service
// account names. Flags that name a role win over it. A role that does not let the app in
// is of no use to it and is left alone: it gets one of its own.
func adopted(ctx context.Context, d Desired) (Adopted, error) {
	r := d.Request
	if r.Role.Name != "" || r.Role.Path != "" || r.IAM == IAMSkip || !d.Project.State.Exists {
		return Adopted{}, nil
	}
	arn := roleToAdopt(ctx, d)
	if arn.Name() == "" {
		return Adopted{}, nil
	}
	wanted, actual, err := lookAtNamed(ctx, d, arn)
	ours := false
	switch {
	case awserr.Denied(err):
		used, why, err := usesUnseen(ctx, d, wanted)
		if err != nil || !used {
			return Adopted{Passed: why}, err
		}
		actual = nil
	case err != nil:
		return Adopted{}, err
	default:
		// What install may change without permission is a role that it has tightened.
		_, foreign := iam.NewPlan(wanted, actual, d.Facts())
		ours = actual.Exists && foreign == nil
		if why := useless(wanted, actual, d.Facts()); why != "" && !ours {
			return passed(wanted, actual, why, r.Tighten)
		}
	}
	return Adopted{Wanted: wanted, Actual: actual, AsIs: !ours && !r.Tighten}, nil
}

// roleToAdopt is what is on record, or what the tutorial's service account says; the zero
// ARN if neither names a role of this account.
func roleToAdopt(ctx context.Context, d Desired) render.ARN {
	record := d.Project.Inventory.Record
	switch {
	case record.RoleOrigin == apply.OriginAdopted:
		return iam.RoleHere(record.RoleARN, d.Facts())
	case d.Request.Adopt.Tutorial() && record.RoleARN == "":
		return tutorialRole(ctx, d)
	}
	return render.ARN{}
}

// tutorialRole is the role that the tutorial's service account names, the zero ARN if it
// names none of this account.
func tutorialRole(ctx context.Context, d Desired) render.ARN {
	client := d.Project.Conn.Dynamic.Resource(kinds.ServiceAccount.GVR()).Namespace(d.Project.Name())
	account, err := client.Get(ctx, render.ServiceAccount, metav1.GetOptions{})
	if err != nil || tutorial.Differs(account) != "" {
		return render.ARN{} // said by the plan of the objects, which wants to know the same
	}
	return iam.RoleHere(account.GetAnnotations()[live.RoleAnnotation], d.Facts())
}

// tutorialRoleFits reports whether IAM shows that the role that the tutorial's service
// account names lets the app in.
func tutorialRoleFits(ctx context.Context, d Desired) bool {
	arn := tutorialRole(ctx, d)
	if arn.Name() == "" {
		return false
	}
	wanted, actual, err := lookAtNamed(ctx, d, arn)
	return err == nil && useless(wanted, actual, d.Facts()) == ""
}

// lookAtNamed is the role of that name as it is to be, and as IAM has it.
func lookAtNamed(ctx context.Context, d Desired, arn render.ARN) (wanted iam.Role, actual *iam.Actual, err error) {
	options := d.Request.Role
	options.Name, options.Path = arn.Name(), arn.Path()
	if wanted, err = iam.Desired(d.Facts(), options); err != nil {
		return wanted, nil, err
	}
	actual, err = iam.Look(ctx, d.World.Roles, wanted.Name)
	return wanted, actual, err
}

// useless says why the app cannot use a role, "" if it can.
func useless(wanted iam.Role, actual *iam.Actual, f render.Facts) string {
	switch {
	case !actual.Exists:
		return "it is not there"
	case actual.ARN != wanted.ARN:
		return "the role of that name is " + advice.RoleARN(actual.ARN).String()
	case wanted.Admits(actual.Trust, f.Issuer.Value):
		return ""
	}
	why := "it does not let in " + wanted.Subject
	if others := wanted.Others(actual.Trust, f.Issuer.Value); len(others) > 0 {
		why += ", but " + strings.Join(plain.InLines(others), ", ")
	}
	return why
}

// passed leaves a role of no use as it is. One that was to be tightened is refused:
// everybody whom it lets in would be shut out.
func passed(wanted iam.Role, actual *iam.Actual, why string, tighten bool) (Adopted, error) {
	what := "the role " + wanted.ARN
	if tighten && actual.Exists {
		return Adopted{}, problem.Refuse(what+" is not the app's and is not tightened",
			why,
			"leave out --tighten-role: the app gets a role of its own, and this one stays as it is")
	}
	return Adopted{Passed: []string{what + ", which the service account named, is not used, and stays as it is: " + why}}, nil
}

// usesUnseen decides about a role that the project names and that you are not allowed to
// read. If the role that install uses without flags is this project's, the app keeps that
// one. Otherwise nothing shows which role the app has, and only --adopt uses the one that
// the project names.
func usesUnseen(ctx context.Context, d Desired, named iam.Role) (used bool, passed []string, err error) {
	own, proven, err := provenRole(ctx, d)
	if err != nil {
		return false, nil, err
	}
	what := "the role " + advice.RoleARN(named.ARN).String()
	switch {
	case proven && !d.Request.Tighten:
		return false, []string{what + ", which the project names, is not used, and stays as it is: AWS does not let you read it, and the role " + own.Label() + " is this project's"}, nil
	case d.Request.Tighten:
		return false, nil, problem.Refuse(what+" is not tightened",
			"AWS does not let you read it: it is not known who uses it",
			"ask an AWS administrator to allow iam:GetRole on it, or leave out --tighten-role")
	case d.Request.Adopt.Tutorial():
		return true, nil, nil
	}
	return false, nil, problem.Refuse("it is not known which role the app has",
		"the inventory in the project names "+what+", and AWS does not let you read it; "+
			"everybody who can edit the project can write the inventory",
		"if the app has this role: "+advice.Command("oc ostoy-s3 install", "-n", d.Project.Name(), "--adopt")+" uses it as it is\n"+
			"if it has another one: --role-name NAME and --role-path PATH of it")
}

// provenRole is the role that install uses without flags, and whether IAM has it with the
// tags of this project.
func provenRole(ctx context.Context, d Desired) (iam.Role, bool, error) {
	name, actual, err := iam.App.Usual(ctx, d.World.Roles, d.Facts(), iam.Counts{})
	options := d.Request.Role
	options.Name = name
	own, invalid := iam.Desired(d.Facts(), options)
	switch {
	case invalid != nil:
		return own, false, invalid
	case awserr.Denied(err):
		return own, false, nil
	case err != nil:
		return own, false, err
	}
	_, foreign := iam.NewPlan(own, actual, d.Facts())
	return own, actual.Exists && foreign == nil, nil
}
