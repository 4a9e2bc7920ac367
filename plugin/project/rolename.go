package project

import (
	"context"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// unansweredIAM is how long IAM is waited for. Some private networks reach STS and not IAM.
const unansweredIAM = 10 * time.Second

// Warning is what is not known, and what to do about it; the zero value is none.
type Warning struct{ What, Next string }

// Print prints it.
func (w Warning) Print(to *ui.UI) {
	if w != (Warning{}) {
		to.Warn(w.What, w.Next)
	}
}

// UsualRole gives the options the name of the role that IAM has for the holder, unless they
// have a name: a role that an earlier version created has a shorter one and keeps it. IAM
// is asked only if AWS was asked for the account: if the facts are given, no server is
// asked anything. If IAM does not answer, it is the name of a new role, with a warning.
func UsualRole(ctx context.Context, found detect.Result, o iam.RoleOptions, holder iam.Holder) (iam.RoleOptions, Warning) {
	f := found.Facts
	return named(ctx, found, o, holder.Names(f.Issuer.Value, f.Namespace.Value)[1], func(ctx context.Context, api iam.Finder) (string, error) {
		return holder.UsualName(ctx, api, f)
	})
}

// named gives the options the name that ask returns. The warning says which name to give
// if an earlier version created the role.
func named(ctx context.Context, found detect.Result, o iam.RoleOptions, earlier string, ask func(context.Context, iam.Finder) (string, error)) (iam.RoleOptions, Warning) {
	askedAWS := found.AWS != nil && found.Caller != ""
	if o.Name != "" || !askedAWS || !found.Facts.Issuer.Known() {
		return o, Warning{}
	}
	asked, cancel := context.WithTimeout(ctx, unansweredIAM)
	defer cancel()
	var err error
	o.Name, err = ask(asked, iam.New(found.AWS.In(found.Facts.Region)))
	if err == nil || ctx.Err() != nil {
		return o, Warning{}
	}
	name := advice.RoleName(earlier)
	return o, Warning{
		What: "whether an earlier version created the role " + name.String() + " is not known: " + plain.InLine(err.Error()),
		Next: "if it did: " + advice.Command("--role-name", name.Word()),
	}
}
