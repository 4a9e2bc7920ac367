package plugin

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// adoptedRole is a role that was there before install came and that the app goes
// on using. What of it install may change its tags decide, not the record.
type adoptedRole struct {
	arn     string
	actual  *iam.Actual // nil where the caller may not look
	asIs    bool        // used as it is; else it is tightened, or was
	passed  []string    // why the role that was found is not the one that is used
	desired iam.Role
}

func (r *adoptedRole) found() bool { return r.arn != "" }

// adoptRole finds out, before anything is rendered, whether the app has a role that
// was there before: the one on record, or with --adopt the one that the tutorial's
// service account names. Flags that name a role win over it. A role that does not
// let the app in is of no use to it and is left alone: it gets one of its own.
func (i *install) adoptRole(ctx context.Context) error {
	if i.request.Role.Name != "" || i.request.Role.Path != "" || i.request.IAM == IAMSkip || !i.project.exists {
		return nil
	}
	arn := i.roleToAdopt(ctx)
	if arn.Name() == "" {
		return nil
	}
	options := i.request.Role
	options.Name, options.Path = arn.Name(), arn.Path()
	desired, actual, err := i.lookAtRole(ctx, options)
	ours := false
	switch {
	case awserr.Denied(err):
		if used, err := i.usesUnseenRole(ctx, desired); err != nil || !used {
			return err
		}
		actual = nil
	case err != nil:
		return err
	default:
		// What install may change without leave is a role that it has tightened.
		_, foreign := iam.NewPlan(desired, actual, i.facts)
		ours = actual.Exists && foreign == nil
		if why := i.uselessRole(desired, actual); why != "" && !ours {
			return i.passRole(desired, actual, why)
		}
	}
	options.Tighten = i.request.Tighten
	i.request.Role = options
	i.adopted.arn, i.adopted.actual, i.adopted.desired = desired.ARN, actual, desired
	i.adopted.asIs = !ours && !i.request.Tighten
	return nil
}

// roleToAdopt is what is on record, or what the tutorial's service account says; the
// zero ARN if neither names a role of this account.
func (i *install) roleToAdopt(ctx context.Context) render.ARN {
	switch {
	case i.inventory.RoleOrigin == apply.OriginAdopted:
		return i.roleHere(i.inventory.RoleARN)
	case i.request.Adopt.Tutorial() && i.inventory.RoleARN == "":
		return i.tutorialRole(ctx)
	}
	return render.ARN{}
}

// tutorialRole is the role that the tutorial's service account names, the zero ARN if it
// names none of this account.
func (i *install) tutorialRole(ctx context.Context) render.ARN {
	client := i.conn.Dynamic.Resource(live.ServiceAccounts()).Namespace(i.facts.Namespace.Value)
	account, err := client.Get(ctx, render.ServiceAccount, metav1.GetOptions{})
	if err != nil || tutorial.Differs(account) != "" {
		return render.ARN{} // told by the plan, which wants to know the same
	}
	return i.roleHere(account.GetAnnotations()[live.RoleAnnotation])
}

// roleHere is a role of this account, the zero ARN for anything else.
func (i *install) roleHere(name string) render.ARN {
	arn, legal := roleNamed(name)
	if !legal || arn.Account != i.facts.Account.Value || arn.Partition != i.facts.Partition.Value {
		return render.ARN{}
	}
	return arn
}

// tutorialRoleFits reports whether IAM shows that the role that the tutorial's service
// account names lets the app in.
func (i *install) tutorialRoleFits(ctx context.Context) bool {
	arn := i.tutorialRole(ctx)
	if arn.Name() == "" {
		return false
	}
	options := i.request.Role
	options.Name, options.Path = arn.Name(), arn.Path()
	desired, actual, err := i.lookAtRole(ctx, options)
	return err == nil && i.uselessRole(desired, actual) == ""
}

// lookAtRole is the role that a request asks for, and the one of its name as IAM has it.
func (i *install) lookAtRole(ctx context.Context, request RoleRequest) (desired iam.Role, actual *iam.Actual, err error) {
	if desired, err = iam.Desired(i.facts, request); err != nil {
		return desired, nil, err
	}
	actual, err = iam.Look(ctx, iam.New(i.found.AWS.In(i.facts.Region)), desired.Name)
	return desired, actual, err
}

// uselessRole says why the app cannot use a role, "" if it can.
func (i *install) uselessRole(desired iam.Role, actual *iam.Actual) string {
	switch {
	case !actual.Exists:
		return "it is not there"
	case actual.ARN != desired.ARN:
		return "the role of that name is " + advice.RoleARN(actual.ARN).String()
	case desired.Admits(actual.Trust, i.facts.Issuer.Value):
		return ""
	}
	why := "it does not let in " + desired.Subject
	if others := desired.Others(actual.Trust, i.facts.Issuer.Value); len(others) > 0 {
		why += ", but " + strings.Join(inLines(others), ", ")
	}
	return why
}

// passRole leaves a role of no use as it is. One that was to be tightened is refused:
// whoever it lets in would be shut out.
func (i *install) passRole(desired iam.Role, actual *iam.Actual, why string) error {
	what := "the role " + desired.ARN
	if i.request.Tighten && actual.Exists {
		return &problem.Error{
			Kind: problem.Refused, What: what + " is not the app's and is not tightened", Why: why,
			Next: "leave out --tighten-role: the app gets a role of its own, and this one stays as it is",
		}
	}
	i.adopted.passed = append(i.adopted.passed, what+", which the service account named, is not used, and stays as it is: "+why)
	return nil
}

// tighten is the command that makes a role that was there before narrow.
func (i *install) tighten() string { return tightenIn(i.facts.Namespace.Value) }

func tightenIn(namespace string) string {
	return advice.Command("oc ostoy-s3 install", "-n", namespace, "--adopt", "--tighten-role")
}

// warnOfWidth tells, of a role that is used as it is, what it does beyond what the
// app needs; it stays so, so every run tells it.
func (i *install) warnOfWidth() {
	r := i.adopted
	for _, text := range r.passed {
		i.UI.Warn(inLine(text), "")
	}
	if !r.asIs || r.actual == nil {
		return
	}
	if wider := r.desired.Wider(r.actual, i.facts.Issuer.Value); len(wider) > 0 {
		i.UI.Warn("the role "+r.desired.Label()+" may do more than OSToy does: "+strings.Join(inLines(wider), "; "), i.tighten())
	}
}

// worthTelling leaves out what warnOfWidth tells in one line.
func (i *install) worthTelling(outcomes []check.Outcome) []check.Outcome {
	if !i.adopted.asIs || i.adopted.actual == nil {
		return outcomes
	}
	told := []string{check.IDRoleExcess, check.IDTrustAudience, check.IDTrustOthers}
	return slices.DeleteFunc(slices.Clone(outcomes), func(o check.Outcome) bool {
		return o.Status == check.Warned && slices.Contains(told, o.ID)
	})
}
