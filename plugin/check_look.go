package plugin

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// look finds the facts, as far as they can be found: what cannot is a finding,
// and no reason to stop. Wrong input is.
func (c *checkup) look(ctx context.Context) (target check.Target, err error) {
	if err := c.begin(ctx); err != nil {
		return target, err
	}
	c.facts = c.found.Facts
	c.world = &live.World{Conn: c.conn, Namespace: c.facts.Namespace.Value, Facts: c.facts}
	if c.sources.AWS == nil && c.found.AWS != nil {
		config := c.found.AWS.In(c.facts.Region)
		c.world.AWSRegion = c.found.AWS.ConfiguredRegion
		c.world.Roles, c.world.Buckets = iam.New(config), bucket.New(config)
	}
	target = check.Target{Facts: c.facts, Conn: c.conn, Namespace: check.NamespaceExists}
	if !c.project.exists {
		target.Namespace = check.NamespaceMissing
	}
	if c.sources != (check.Sources{}) {
		return target, nil // the checks that need more are skipped
	}
	if err := c.checkFacts(); err != nil {
		return target, err
	}
	if !c.request.Pre {
		c.recallRole()
	}
	if target, err = c.target(ctx, c.world); err != nil {
		return target, err
	}
	// Asked by the check of what install would refuse and by those of what it
	// would change: planned once.
	c.world.Planner = func(ctx context.Context) (*apply.Plan, error) {
		err := c.planObjects(ctx)
		return c.plan, err
	}
	target.Plan = func(ctx context.Context) error {
		_, err := c.world.Plan(ctx)
		err = c.tutorialFirst(ctx, err)
		if several := (*problem.Several)(nil); errors.As(err, &several) && len(several.Problems) == 1 {
			return several.Problems[0]
		}
		return err
	}
	target.Provider = func(ctx context.Context) check.Finding { return check.Provider(ctx, c.world) }
	target.Role = c.lookAtRole
	target.Bucket = c.bucketFinding
	return target, nil
}

// begin reads what the user gave and finds out what can be found.
func (c *checkup) begin(ctx context.Context) (err error) {
	if c.options, err = c.ReadValues(ctx, c.request.Chart); err != nil {
		return err
	}
	given, err := c.Given(ctx, c.request.Facts)
	if err != nil {
		return err
	}
	if c.conn, err = c.Connect(ctx); err != nil {
		return err
	}
	if given.Namespace, err = c.chooseNamespace(given.Namespace); err != nil {
		return err
	}
	if err := (render.Facts{Namespace: given.Namespace}).Validate(); err != nil {
		return err
	}
	return c.find(ctx, given)
}

// find asks the cluster and AWS for the facts, for the project and for what is
// on record, at the same time.
func (c *checkup) find(outer context.Context, given render.Facts) error {
	group, ctx := errgroup.WithContext(outer)
	group.Go(func() (err error) {
		c.found, err = detect.Detect(ctx, detect.Request{
			Given:   given,
			Connect: func() (*cluster.Conn, error) { return c.conn, nil },
			AWS:     detect.AWSOptions{Profile: c.request.Facts.Profile, Region: given.Region.Value},
			Policy:  detect.AskNeeded,
		})
		c.sources = check.Sources{Cluster: c.found.ClusterFailure, AWS: c.found.AWSFailure, Issuer: err}
		if input := (*render.InputError)(nil); errors.As(err, &input) && c.found.Conn == nil {
			return err // what was given, not what was found
		}
		if c.sources.AWS == nil {
			c.sources.AWS = c.identify(ctx, &c.found, c.request.Facts.Profile)
		}
		return nil
	})
	// Their failures are told by the checks that want to know the same.
	group.Go(func() error {
		c.project, _ = lookAtProject(ctx, c.conn, given.Namespace.Value)
		return nil
	})
	group.Go(func() error {
		c.inventory, _ = c.applier(given.Namespace.Value, false).ReadInventory(ctx)
		return nil
	})
	if err := group.Wait(); err != nil {
		return err
	}
	if apierrors.IsForbidden(c.sources.Cluster) {
		c.sources.Cluster = nil // it answers
	}
	return outer.Err()
}
