package check

import (
	"context"
	"errors"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/phrase"
)

// IDController is the check that the others of its group need.
const IDController = "controller-found"

// controllerLook are the checks of the ACK S3 controller.
type controllerLook struct{ *live.World }

// controllerChecks are about the ACK S3 controller: whether it runs, as whom, and with what.
func controllerChecks(w *live.World) []Check {
	c := controllerLook{w}
	checks := []Check{
		{ID: IDController, Title: "an ACK S3 controller is installed", Severity: Error, Needs: []string{IDServer}, Run: c.found},
		{ID: "controller-olm", Title: "OLM has installed the operator", Severity: Error, Needs: []string{IDServer}, Run: c.olm},
	}
	for _, one := range []Check{
		{ID: "controller-running", Title: "the controller has a ready pod and does not crash", Severity: Error, Run: c.running},
		{ID: "controller-single", Title: "one controller manages a Bucket, and one operator owns its kind", Severity: Error, Run: c.single},
		{ID: "controller-config", Title: "the controller has every setting it needs, and watches this project", Severity: Error, Run: c.config},
		{ID: "controller-identity", Title: "the controller has AWS credentials that last", Severity: Error, Run: c.identity},
		{ID: IDControllerRole, Title: controllerRoleTitle, Severity: Error, Needs: []string{IDCredentials}, Run: c.role},
		{ID: "controller-version", Title: "the controller can take over buckets that were kept", Severity: Error, Run: c.version},
	} {
		one.Needs = append(one.Needs, IDController)
		checks = append(checks, one)
	}
	checks = append(checks, Check{
		ID: IDBucketPolicy, Title: "a Bucket reaches only the S3 buckets of its own project", Severity: Warning, Needs: []string{IDServer},
		Run: func(ctx context.Context) Finding { return policy(ctx, w) },
	})
	return append(inGroup(Controller, checks), Check{
		ID: IDWebhook, Group: Identity, Severity: Warning, Needs: []string{IDServer},
		Title: "who needs the pod identity webhook has one", Run: c.webhook,
	})
}

func (c controllerLook) role(ctx context.Context) Finding { return judgeControllerRole(ctx, c.World) }

func (c controllerLook) found(ctx context.Context) Finding {
	all, err := c.Controllers(ctx)
	switch {
	case err != nil:
		return unreadable(c.Conn, err, "list deployments in all namespaces", "whether the ACK S3 controller runs, as whom, and with which settings")
	case len(all.Proven) > 0:
		return Pass()
	case len(all.Unverified) > 0:
		return unverified(all.Unverified)
	}
	return c.none(ctx, all.Unproven)
}

// unverified is the finding where you are not allowed to ask which Deployment is a
// controller.
func unverified(all []ack.Controller) Finding {
	return Unseen(access.Reviewing, "whether "+namesOf(all)+" is an ACK S3 controller, which service account it uses, and which settings")
}

// none is the finding where no controller is proven.
func (c controllerLook) none(ctx context.Context, lookalikes []ack.Controller) Finding {
	finding := noController(ctx, c.World, lookalikes)
	if finding.Status == Failed {
		finding.Why += "; " + c.waiting(ctx)
	}
	finding.Next += c.letGo(ctx)
	return finding
}

// noController is the finding where no controller is proven, whatever looks like one. A
// Bucket that S3 confirms lowers it: a controller outside of the cluster, such as an EKS
// capability, has worked on it, and a second one would work on the same Buckets.
func noController(ctx context.Context, w *live.World, lookalikes []ack.Controller) Finding {
	why := "no Deployment matches by labels, image or service account"
	if len(lookalikes) > 0 {
		why = "not one: " + namesOf(lookalikes) + ", whose service account is not allowed to list and update Buckets in all projects"
	}
	if worked := live.Worked(ctx, w); worked != "" {
		return Warn("the ACK S3 controller is not in this cluster",
			why+"; Bucket "+worked+" is synced, and S3 has its bucket in your account: a controller outside this cluster works on it, "+
				"for example an EKS capability or ACK in another cluster. Whether it still runs is not verified", runsOutside)
	}
	return Refuse("no ACK S3 controller is installed in this cluster", why, advice.ControllerFor(w.Namespace)+"\n"+unlessOutside)
}

// What to do about a controller outside of the cluster: it is another team's, and must
// stay the only one.
const (
	runsOutside   = "do not install another controller: two of them would work on the same Buckets. Whoever manages the one outside this cluster can tell whether it runs"
	unlessOutside = "if a controller outside this cluster manages Buckets (an EKS capability, ACK in another cluster), do not install another one: a synced Bucket shows that it works"
)

// namesOf names the first few Deployments.
func namesOf(all []ack.Controller) string {
	names := make([]string, len(all))
	for n, one := range all {
		names[n] = one.String()
	}
	return phrase.Few(names)
}

// held are the names of the project's Buckets that are being deleted and wait
// for a controller.
func (c controllerLook) held(ctx context.Context) []string {
	buckets, err := c.Here(ctx, kinds.Bucket.GVR())
	if err != nil {
		return nil
	}
	var names []string
	for _, b := range buckets {
		if ack.Managed(b) && b.GetDeletionTimestamp() != nil {
			names = append(names, b.GetName())
		}
	}
	return names
}

// waiting is what comes of it that no controller runs.
func (c controllerLook) waiting(ctx context.Context) string {
	if held := c.held(ctx); len(held) > 0 {
		return "Bucket " + strings.Join(held, ", ") + " is being deleted and waits for it, by finalizer " + ack.Finalizer
	}
	return "Buckets get no status, and one that is deleted stays, and its project with it"
}

// letGo is how to do without a controller for what waits for one.
func (c controllerLook) letGo(ctx context.Context) string {
	next := ""
	for _, name := range c.held(ctx) {
		next += "\nto release the object without one (the bucket stays): " + releaseBucket(c.Namespace, name)
	}
	return next
}

// releaseBucket is what to type to take the finalizers off a Bucket.
func releaseBucket(namespace, name string) string {
	return advice.MergePatch(map[string]any{"metadata": map[string]any{"finalizers": nil}}, "buckets.s3.services.k8s.aws", name, "-n", namespace)
}

// errUnverified: which Deployment is a controller may not be asked.
var errUnverified = errors.New("you are not allowed to " + access.Reviewing)

// errNone: there is no controller to judge.
var errNone = errors.New(noneProven)

const noneProven = "no controller was found whose service account is allowed to list and update Buckets in all projects"

// ofInterest are the controllers that have pods and look at this project, with
// what their flags are; all of them where none does. There is at least one, or the error
// says why there is none. Only proven ones count: what the environment of a Deployment
// says is any project editor's to write.
func (c controllerLook) ofInterest(ctx context.Context) ([]ack.Told, error) {
	found, err := c.Controllers(ctx)
	switch {
	case err != nil:
		return nil, err
	case len(found.Proven) == 0 && len(found.Unverified) > 0:
		return nil, errUnverified
	case len(found.Proven) == 0:
		return nil, errNone
	}
	all := found.Proven
	every := make([]ack.Told, len(all))
	group, groupCtx := errgroup.WithContext(ctx)
	for i, one := range all {
		group.Go(func() error {
			env, err := live.ControllerEnvironment(groupCtx, c.World, one)
			if err != nil {
				return err
			}
			pods, err := one.Pods(groupCtx, c.World)
			every[i] = ack.Told{Controller: one, Env: env, Flags: ack.FlagsOf(one.Container, env), Pods: pods}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	var some []ack.Told
	for _, one := range every {
		if one.Replicas() > 0 && one.Flags.Watches(c.Namespace) {
			some = append(some, one)
		}
	}
	if some == nil {
		return every, nil
	}
	return some, nil
}

// unjudged is the finding for an error of ofInterest; needs is what it takes to read what
// it reads, would is what that would show.
func (c controllerLook) unjudged(err error, needs, would string) Finding {
	switch {
	case errors.Is(err, errUnverified):
		return Unseen(access.Reviewing, would)
	case errors.Is(err, errNone):
		return Leave(noneProven)
	}
	return unreadable(c.Conn, err, needs, would)
}

// each gives the first finding that is no pass, of the controllers of interest.
func (c controllerLook) each(ctx context.Context, would string, judge func(ack.Told) Finding) Finding {
	all, err := c.ofInterest(ctx)
	if err != nil {
		return c.unjudged(err, "get configmaps and list pods where the controller is", would)
	}
	worst := Pass()
	for _, one := range all {
		finding := judge(one)
		if finding.Status == Failed {
			return finding
		}
		if worst.Status == Passed {
			worst = finding
		}
	}
	return worst
}
