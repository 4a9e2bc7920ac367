package plugin

import (
	"cmp"
	"context"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// mayInstallController refuses who may not, before anything is made for the app.
func (i *install) mayInstallController(ctx context.Context) error {
	if !i.request.WithController {
		return nil
	}
	if pattern := i.request.BucketPattern; pattern != "" {
		if err := iam.CheckBucketPattern(pattern); err != nil {
			return err
		}
	}
	return controller.MayLook(ctx, i.conn, render.ControllerNamespace, "")
}

// planController plans the controller together with the app, where the user asked
// for both: what `controller install` would do, from the same facts.
func (i *install) planController(ctx context.Context) error {
	if !i.request.WithController {
		return nil
	}
	c := &controllerRun{App: i.App, started: i.started, conn: i.conn, found: i.found, facts: i.facts, board: i.board, beside: true}
	c.request = ControllerRequest{
		DryRun: i.request.DryRun, Wait: true, Timeout: i.request.Timeout,
		ForceConflicts: i.request.ForceConflicts, ForceOwner: i.request.ForceOwner, asItIs: true,
		Role: ControllerRoleRequest{BucketPattern: i.request.BucketPattern}, AllowAnyBucket: i.request.AllowAnyBucket,
		Ask: i.request.Ask, Yes: i.request.Yes, bucket: render.BucketName(i.facts.Namespace.Value),
	}
	c.facts.Namespace = usualNamespace()
	// Whether IAM knows the issuer is asked for the app anyway.
	if err := c.makePlan(ctx, c.world()); err != nil {
		return err
	}
	if c.plan.Mode == controller.ByHand {
		return &problem.Error{
			Kind: problem.Refused,
			What: "there is no ACK S3 controller, and this cluster has no Operator Lifecycle Manager to install it",
			Why:  "elsewhere it comes by ACK's chart, which has to be named",
			Next: advice.NewController(cmp.Or(i.request.BucketPattern, render.PatternFor(i.facts.Namespace.Value)), "--chart", operator.Chart) + ", then the same command again",
		}
	}
	i.controller = c
	return c.mustReach()
}

// controllerComes reports whether this run has something to do about the
// controller before the app.
func (i *install) controllerComes() bool { return i.controller != nil && i.controller.plan.Changed() }

// installController brings the controller, or what is missing of it, and waits
// until the cluster serves Buckets.
func (i *install) installController(ctx context.Context) error {
	if i.controller == nil {
		return nil
	}
	if err := i.controller.execute(ctx); err != nil {
		if text := i.controller.doneSoFar(); ctx.Err() == nil && text != nothingChanged {
			i.UI.Line(text)
		}
		return err
	}
	return i.bucketsServed(ctx)
}

// bucketsServed waits for a definition that was made a moment ago.
func (i *install) bucketsServed(ctx context.Context) error {
	const pause, limit = 250 * time.Millisecond, 30 * time.Second
	err := wait.PollUntilContextTimeout(ctx, pause, limit, true, func(ctx context.Context) (bool, error) {
		served, err := i.conn.Discovery(ctx)
		if err != nil || served.Serves(check.BucketAPI, "Bucket") {
			return err == nil, err
		}
		i.conn.Forget()
		return false, nil
	})
	if err == nil || !wait.Interrupted(err) || ctx.Err() != nil {
		return err
	}
	return &problem.Error{
		Kind: problem.NotReady,
		What: "the cluster does not know Buckets, though the controller runs",
		Why:  "its CustomResourceDefinition is not served",
		Next: advice.Command("oc get crd", controller.Definition, "-o", "yaml"),
	}
}
