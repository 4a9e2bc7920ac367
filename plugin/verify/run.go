package verify

import (
	"context"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Target is what is to be proven, and by which means.
type Target struct {
	Namespace string
	Flags     Flags  // that the user gave: commands in messages repeat them
	Audience  string // of the install; "" is the pods', if it is one that is known
	Region    string // of the bucket; "" is the pods', else that of AWS
	// Account and Partition are where the install's role and bucket are; "" if that is
	// not known. What the project says of itself is not among the sources.
	Account, Partition string
	// Role gives the role of the install, for an issuer. claimed is a role of Account
	// that the pods name: reason to ask IAM about it, and no more. The error is for the
	// reader, and may come with a role.
	Role func(ctx context.Context, issuer string, claimed render.ARN) (render.ARN, error)

	Way  Way
	Conn *cluster.Conn
	// AWS is the caller's configuration. Its credentials are used for the other
	// bucket and for tidying up only.
	AWS aws.Config
	// CallerAccount is the account of these credentials; empty where there are
	// none, and then NoCaller says why.
	CallerAccount string
	NoCaller      string
}

// Way is how the app is reached.
type Way struct {
	URL string // of its Route or Ingress; "" if it has none
	// NoURL is why there is no URL although there is a Route or Ingress.
	NoURL string
	// Forward opens a way to a pod of the app, past the Route. The function it
	// gives closes it.
	Forward func(ctx context.Context, pod string) (url string, stop func(), err error)
}

// Options is how it is to be proven.
type Options struct {
	Levels []Level // none: all
	Keep   bool    // leave the objects that were written
	// Patience is how long a refusal may be IAM's that has not heard of a change
	// yet, counted from the beginning of the run: IAM is eventually consistent.
	Patience time.Duration
	// Policy is the ARN of a policy that somebody chose for the role instead of the
	// narrow one: what it allows is their choice, and is not tested.
	Policy string
	// AsIs says that somebody chose to use a role as it was before install came:
	// neither what it allows nor for whose tokens is tested.
	AsIs bool
	// Narrow is the command that narrows a role that was there before; "" for a role
	// that install makes.
	Narrow string
	// Foreseen, which may be nil, reports whether a probe (by its name) is known to
	// fail whatever IAM still has to spread: it is not waited for.
	Foreseen func(probe string) bool
	// Cure, which may be nil, gives the commands that help where a probe failed for
	// a policy on the role (its ARN) that install does not change; "" for none.
	Cure func(ctx context.Context, role, probe string) string
	// Given says what to do about a role that another tool manages, with the flags that
	// name it; nil for one that install manages.
	Given func(Flags) string
	// Hands are who manages the app's objects: an install that does not say so is refused.
	Hands live.Hands
	// Settling says that the role was changed a moment ago, so that also what it
	// allows too much may be IAM's that has not heard of it yet.
	Settling bool
	// Applied says that this run has applied the service account: its annotation is the
	// install's, and is not read once more.
	Applied bool
}

// Event tells what a level is at. The last one of a level has its report.
type Event struct {
	Level   Level
	Text    string
	Waiting bool // for AWS to know of a change
	Again   bool // the same was told a moment ago
	Report  *LevelReport
}

// Run makes the proof, level after level; observe is called from one goroutine at
// a time. An error is what kept it from looking: an API server that does not
// answer, an interrupt. What was found wrong is in the report. What it wrote is
// removed in any case.
func Run(ctx context.Context, target Target, options Options, observe func(Event)) (Report, error) {
	began := time.Now()
	look := func(ctx context.Context) (Pods, error) {
		return LookAtPods(ctx, target.Conn.Dynamic, target.Namespace, render.ServiceAccount)
	}
	claims := look
	if !options.Applied {
		claims = func(ctx context.Context) (Pods, error) {
			return lookAtClaims(ctx, target.Conn.Dynamic, target.Namespace, render.ServiceAccount)
		}
	}
	r := &run{Target: target, options: options, pace: &pace{began: began, patience: options.Patience, observer: observe}}
	pods, err := claims(ctx)
	if err != nil {
		return Report{}, cannotLook(r, err)
	}
	r.pods = pods
	if _, err := roleOf(r, pods); err != nil {
		return Report{}, err
	}
	r.bucket = render.BucketName(target.Namespace)
	r.complete()
	config := r.AWS.Copy()
	config.Region = r.region
	r.ask = servers{kube{target.Conn.Dynamic}, newCloud(config, r.bucket, r.Account), realCaller{newS3(quiet(config))}, newClient(), look}
	defer r.ask.client.CloseIdleConnections()
	return r.prove(ctx)
}

// run is one proof at work.
type run struct {
	Target
	options Options
	pods    Pods
	role    render.ARN // of the install, once it is known
	bucket  string
	region  string // in which AWS is asked
	pace    *pace
	ask     servers

	credentials asRole // once identity has passed
	claims      claims // of the token they were given for
	reached     reached
	written     written
}

// servers are who is asked.
type servers struct {
	issuer issuer
	cloud  cloud
	caller caller
	client *http.Client // for the app's pages
	look   func(context.Context) (Pods, error)
}

// reached is how the app was reached.
type reached struct {
	via    string // ViaRoute, ViaForward; "" if it was not
	detour string // why not by its Route, where it has one
}

// complete fills in what was left out. The pods' audience and region are taken over
// only if they are ones that AWS may be asked with; identity says so if they are not.
func (r *run) complete() {
	r.Audience = audienceToAsk(r)
	switch {
	case r.Region != "":
		r.region = r.Region
	case r.regionFits(r.pods.Region):
		r.region = r.pods.Region
	default:
		r.region = r.AWS.Region
	}
}

// prove goes through the levels. Isolation and app do not need each other.
func (r *run) prove(ctx context.Context) (Report, error) {
	levels := WithNeeded(r.options.Levels...)
	reports := make([]LevelReport, len(levels))
	err := r.climb(ctx, levels, reports)
	report := Report{
		Namespace: r.Namespace, ServiceAccount: render.ServiceAccount, Audience: r.Audience,
		Bucket: r.bucket, URL: r.Way.URL, Via: r.reached.via, Detour: r.reached.detour, Levels: reports, OutOfScope: outOfScope(),
	}
	if r.role != (render.ARN{}) {
		report.Role = r.role.String()
	}
	report.Verified = !slices.ContainsFunc(reports, func(l LevelReport) bool { return l.Outcome != Passed })
	report.Left, report.WhyLeft = r.tidy(ctx)
	report.Seconds = time.Since(r.pace.began).Seconds()
	return report, err
}

// climb fills in the reports. Its error is the end of the context.
func (r *run) climb(ctx context.Context, levels []Level, reports []LevelReport) error {
	group, groupCtx := errgroup.WithContext(ctx)
	needed := ""
	for n, level := range levels {
		prober := proberOf(level)
		switch {
		case needed != "":
			reports[n] = r.skipped(level, needed)
		case level == Identity || level == Access:
			report, err := r.rise(ctx, level, prober)
			if err != nil {
				return err
			}
			if reports[n] = report; report.Outcome != Passed {
				needed = string(level)
			}
		default:
			group.Go(func() (err error) {
				reports[n], err = r.rise(groupCtx, level, prober)
				return err
			})
		}
	}
	return group.Wait()
}

// prober looks at one level: it gives the probes, and the level in a few words.
type prober func(context.Context, *run) ([]Probe, string)

func proberOf(level Level) prober {
	switch level {
	case Identity:
		return proveIdentity
	case Access:
		return proveAccess
	case Isolation:
		return proveIsolation
	}
	return proveApp
}

// rise has a level looked at, and tells. A context that ended is an error: what
// failed then has failed for that.
func (r *run) rise(ctx context.Context, level Level, prove prober) (LevelReport, error) {
	began := time.Now()
	r.pace.observe(Event{Level: level, Text: "looking"})
	probes, text := prove(ctx, r)
	if ctx.Err() != nil {
		return LevelReport{}, context.Cause(ctx)
	}
	report := LevelReport{Level: level, Text: text, Probes: whole(level, probes), Seconds: time.Since(began).Seconds(), again: r.again()}
	report.Outcome, report.Missing = judge(level, report.Probes)
	r.pace.observe(Event{Level: level, Text: text, Report: &report})
	return report, nil
}

// skipped is a level that could not be looked at.
func (r *run) skipped(level Level, needed string) LevelReport {
	text := "not tested: needs " + needed
	report := LevelReport{Level: level, Outcome: NotTested, Text: text, Missing: Needed(level)}
	for _, name := range report.Missing {
		report.Probes = append(report.Probes, behind(name, needed))
	}
	r.pace.observe(Event{Level: level, Text: text, Report: &report})
	return report
}

// roleName is the role without its path.
func (r *run) roleName() string { return r.role.Name() }

// arn is the bucket's.
func (r *run) arn() string { return render.BucketARN(r.role.Partition, r.bucket) }
