package plugin

import (
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// learn gathers what there is to go by: the project, the objects that are ours,
// the inventory, and the facts by which a role and a bucket are recognised.
func (u *uninstall) learn(ctx context.Context) error {
	given, err := u.Given(ctx, u.request.Facts)
	if err != nil {
		return err
	}
	if u.conn, err = u.Connect(ctx); err != nil && !u.request.RoleOnly {
		return err
	}
	if !given.Namespace.Known() && u.conn != nil {
		name, _ := u.conn.Namespace()
		given.Namespace = render.Fact{Value: name, Source: u.conn.NamespaceSource()}
	}
	if !given.Namespace.Known() {
		return &problem.Error{
			Kind: problem.Usage, What: "the project is not known", Why: "there is no kubeconfig to take it from", Next: "-n PROJECT", Err: err,
		}
	}
	if err := (render.Facts{Namespace: given.Namespace}).Validate(); err != nil {
		return err
	}
	u.removal = &apply.Removal{}
	if err := u.ask(ctx, given); err != nil {
		return err
	}
	u.facts.Namespace = given.Namespace
	if err := u.onlyEngine(); err != nil {
		return err
	}
	return u.settle(ctx, given)
}

// ask asks cluster and AWS at the same time.
func (u *uninstall) ask(ctx context.Context, given render.Facts) error {
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		u.found, err = u.detectFor(ctx, given)
		return err
	})
	if u.conn != nil {
		u.applier = apply.New(u.conn, apply.Options{
			Namespace: given.Namespace.Value, ForceOwner: u.request.ForceOwner, Now: u.Now,
		})
		group.Go(func() error { return u.askCluster(ctx, given.Namespace.Value) })
	}
	return group.Wait()
}

// detectFor finds what identifies role and bucket. A cluster whose tokens AWS
// cannot check, or that does not answer, is no reason to stop here: who knows the
// issuer otherwise goes on.
func (u *uninstall) detectFor(ctx context.Context, given render.Facts) (detect.Result, error) {
	found, err := detect.Detect(ctx, detect.Request{
		Given: given,
		Connect: func() (*cluster.Conn, error) {
			if u.conn == nil {
				return nil, cluster.ErrNotConfigured
			}
			return u.conn, nil
		},
		AWS:    detect.AWSOptions{Profile: u.request.Facts.Profile, Region: given.Region.Value},
		Policy: detect.AskNeeded,
	})
	var told *problem.Error
	if errors.As(err, &told) && told.Kind == problem.Refused {
		return found, nil
	}
	return found, err
}

// askCluster looks at the project and lists what is ours in it.
func (u *uninstall) askCluster(outer context.Context, name string) error {
	group, ctx := errgroup.WithContext(outer)
	group.Go(func() (err error) {
		u.project, err = lookAtProject(ctx, u.conn, name)
		return err
	})
	var unseen error
	group.Go(func() error {
		inventory, err := u.applier.ReadInventory(ctx)
		if err == nil && u.request.RoleOnly {
			u.removal.Inventory = inventory
			return nil
		}
		if err == nil {
			u.removal, err = u.applier.PlanRemoval(ctx, inventory)
		}
		if apierrors.IsForbidden(err) {
			u.removal, unseen = &apply.Removal{}, err
			return nil
		}
		return err
	})
	err := group.Wait()
	switch {
	case u.request.RoleOnly: // the cluster is only asked for hints
		return ended(outer, err)
	case err != nil:
		return u.conn.Translate(err)
	case unseen != nil && u.project.exists:
		return u.conn.Translate(unseen)
	}
	return nil
}

// ended is the error only where it is the end of the run.
func ended(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return err
	}
	return nil
}
