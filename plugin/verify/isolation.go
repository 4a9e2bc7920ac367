package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// trespass is something that must be refused.
type trespass struct {
	name    string // of the probe
	title   string // what is tried, for a reader
	open    string // what it means if it works
	next    string // how to shut it
	try     func(context.Context) error
	refused func(error) bool // nil: awserr.Denied
}

// untestable is why something cannot be tried here.
type untestable struct {
	why    string
	next   string // may help; or ""
	chosen bool   // the user chose a role that may do it
}

func (u *untestable) Error() string { return u.why }

func untestablef(format string, args ...any) error {
	return &untestable{why: fmt.Sprintf(format, args...)}
}

// proveIsolation tries all of it at the same time.
func proveIsolation(ctx context.Context, r *run) ([]Probe, string) {
	tries := trespasses(r)
	probes := make([]Probe, len(tries))
	var group sync.WaitGroup
	for n, one := range tries {
		group.Go(func() { probes[n] = trespassed(ctx, r, one) })
	}
	group.Wait()
	report := LevelReport{Probes: probes}
	refused, tested := report.count(Passed), report.count(Passed)+report.count(Failed)
	text := fmt.Sprintf("%d of %d forbidden things were refused", refused, tested)
	if left := len(probes) - tested; left > 0 {
		text += fmt.Sprintf(", %d not tested", left)
	}
	return probes, text
}

// trespasses are by others, and by the app itself.
func trespasses(r *run) []trespass { return append(byOthers(r), byApp(r)...) }

func byOthers(r *run) []trespass {
	again := r.mend(" restores the trust policy")
	return []trespass{
		{
			"default-service-account", "service account default of the same project", "every pod in the project is let in", again,
			func(ctx context.Context) error { return assumeAs(ctx, r, r.Namespace, "default", r.Audience) }, nil,
		},
		{"other-project", "service account " + render.ServiceAccount + " of another project", "other projects are let in", again, func(ctx context.Context) error { return tryOtherProject(ctx, r) }, nil},
		{
			"other-audience", "a token for audience " + otherAudience(r), "tokens that were made for somebody else than AWS are let in", again,
			byChoice(r, "may take it", func(ctx context.Context) error {
				return assumeAs(ctx, r, r.Namespace, render.ServiceAccount, otherAudience(r))
			}),
			refusedAudience,
		},
	}
}

func byApp(r *run) []trespass {
	again := r.mend(" restores the role's own policy")
	open := func(what string) string {
		return "the policies of role " + r.roleName() + " allow too much: the app can " + what
	}
	own := func(name, title, what string, try func(context.Context) error) trespass {
		if policy := r.options.Policy; policy != "" {
			try = func(context.Context) error {
				return &untestable{why: "the role has " + advice.PolicyARN(policy).String() + " by choice, which may allow it", chosen: true}
			}
		}
		return trespass{name, title, open(what), again, byChoice(r, "may allow it", try), nil}
	}
	return []trespass{
		own("other-bucket", "s3:ListBucket on another bucket of the account", "look into other buckets", func(ctx context.Context) error { return tryOtherBucket(ctx, r) }),
		own("delete-object", "s3:DeleteObject on the object it wrote", "delete objects", func(ctx context.Context) error { return tryDelete(ctx, r) }),
		own("list-buckets", "s3:ListAllMyBuckets", "see the names of all buckets of the account", r.credentials.listBuckets),
		own("get-role", "iam:GetRole on the role itself", "look at IAM", func(ctx context.Context) error {
			return r.credentials.getRole(ctx, r.roleName())
		}),
	}
}

// byChoice leaves out what a role may do that somebody chose to use as it is.
func byChoice(r *run, may string, try func(context.Context) error) func(context.Context) error {
	if !r.options.AsIs {
		return try
	}
	return func(context.Context) error {
		return &untestable{why: "the role is used as it was before install came, by choice, and " + may, chosen: true}
	}
}

// refusedAudience: a provider that does not take the audience refuses it before
// the trust policy is asked.
func refusedAudience(err error) bool {
	return awserr.Denied(err) || awserr.Code(err) == "InvalidIdentityToken" && strings.Contains(awserr.Message(err), "audience")
}

// notRefused begins what is said of a trespass.
const notRefused = "NOT REFUSED"

// errAllowed is the failure to be refused.
var errAllowed = errors.New("it was not refused")

// trespassed tries one. Only AWS's own no is a refusal; that something did not
// work for another reason proves nothing.
func trespassed(ctx context.Context, r *run, one trespass) Probe {
	began := time.Now()
	refused := one.refused
	if refused == nil {
		refused = awserr.Denied
	}
	// The role was assumed: an IAM that does not know it is behind, also where it
	// was an earlier run that made it.
	settles := func(err error) bool {
		behind := awserr.Code(err) == "NoSuchEntity"
		allowed := errors.Is(err, errAllowed) && !r.foreseen(one.name)
		return behind || r.options.Settling && (allowed || awserr.Missing(err))
	}
	err := r.pace.patiently(ctx, Isolation, one.title+" is not refused yet", settles, func(ctx context.Context) error {
		err := one.try(ctx)
		if err == nil {
			return errAllowed
		}
		return err
	})
	var cannot *untestable
	switch {
	case errors.As(err, &cannot):
		told := *cannot
		told.why = one.title + ": " + cannot.why
		return skip(one.name, began, &told)
	case refused(err):
		return pass(one.name, began)
	case errors.Is(err, errAllowed):
		return fail(one.name, began, problem.Refuse(notRefused+": "+one.title, one.open, r.cure(ctx, one.name, one.next)).See(helpPage).
			With(problem.Alike{Objects: []problem.Object{{Name: one.title}}, Are: notRefused}))
	}
	return fail(one.name, began, cannotTell(r, one, err))
}

// cannotTell is for answers that are neither yes nor no.
func cannotTell(r *run, one trespass, err error) error {
	told := problem.Fail("cannot tell whether it is refused: "+one.title, "", r.again()).Because(awserr.Cause(err))
	var parts *problem.Error
	if errors.As(awserr.Translate(err, "", ""), &parts) {
		told.Why = parts.Why
	}
	return told
}

// assumeAs tries to become the role with the token of another, or another token.
func assumeAs(ctx context.Context, r *run, namespace, account, audience string) error {
	token, err := tokenFor(ctx, r, namespace, account, audience)
	switch {
	case apierrors.IsForbidden(err):
		return &untestable{
			why:  fmt.Sprintf("you may not create a token of serviceaccounts/%s in %s", account, namespace),
			next: advice.Command("oc auth can-i create serviceaccounts/token", "-n", namespace),
		}
	case apierrors.IsNotFound(err):
		return untestablef("there is no serviceaccounts/%s in %s", account, namespace)
	case err != nil:
		return r.Conn.Translate(err)
	}
	_, err = r.ask.cloud.assume(ctx, r.role.String(), token)
	return err
}

// otherAudience is one that AWS may know, too: a provider made by rosa takes both
// (pkg/aws/idps.go in openshift/rosa), so that it is the trust policy that has to refuse it.
func otherAudience(r *run) string {
	if r.Audience == render.DefaultAudience {
		return openshiftAudience
	}
	return render.DefaultAudience
}

// tryOtherProject takes the first project with such a service account whose
// tokenFor may be had.
func tryOtherProject(ctx context.Context, r *run) error {
	projects, err := r.ask.issuer.others(ctx, r.Namespace, render.ServiceAccount)
	switch {
	case apierrors.IsForbidden(err), apierrors.IsNotFound(err):
		return untestablef("you may not see other projects")
	case err != nil:
		return r.Conn.Translate(err)
	}
	var cannot *untestable
	for _, project := range projects {
		if err := assumeAs(ctx, r, project, render.ServiceAccount, r.Audience); !errors.As(err, &cannot) {
			return err
		}
	}
	return untestablef("there is no other project with one that you may use")
}

func tryOtherBucket(ctx context.Context, r *run) error {
	switch {
	case r.CallerAccount == "":
		return untestablef("to find one, %s", r.noCaller())
	case r.CallerAccount != r.role.Account:
		return untestablef("to find one, your AWS credentials are of account %s", r.CallerAccount)
	}
	other, err := r.ask.caller.otherBucket(ctx, r.bucket, r.region)
	switch {
	case awserr.Denied(err):
		return untestablef("to find one, you need s3:ListAllMyBuckets")
	case err != nil:
		return err
	case other == "":
		return untestablef("there is none in region %s", advice.Region(r.region))
	}
	err = r.credentials.listObjects(ctx, other)
	if awserr.Missing(err) || awserr.Header(err, "x-amz-bucket-region") != "" {
		return untestablef("%s is gone, or in another region", advice.BucketName(other))
	}
	return err
}

// tryDelete aims at the very object that was written, and so at nobody's data.
func tryDelete(ctx context.Context, r *run) error {
	key := r.written.first()
	if key == "" {
		return untestablef("nothing was written")
	}
	marker, err := r.credentials.deleteObject(ctx, key)
	if marker != "" {
		r.written.addMarker(key, marker)
	}
	return err
}
