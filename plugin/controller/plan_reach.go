package controller

import (
	"context"
	"errors"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Reach is which S3 buckets the controller's role can configure, and what changes
// about that.
type Reach struct {
	iam.Reach
	Account string
	// Existing is how many buckets the account has, Covered how many of them the role
	// reaches. Uncounted says why that is not known.
	Existing, Covered int
	Uncounted         string
	// Before are the patterns of the policy that the role has so far, in words, where it
	// has others, and Narrows says that the new one does not cover all of them.
	Before  string
	Narrows bool
	// Stopping are the Buckets that would stop syncing, namespace/name and the name of
	// the S3 bucket. Unseen says why they are not known.
	Stopping []string
	Unseen   string
	// Confined says that the cluster can keep a Bucket to the buckets of its own project.
	Confined bool
}

// Asks reports whether the reach is to be changed in a way that needs a yes.
func (r *Reach) Asks() bool {
	return r != nil && (len(r.Stopping) > 0 || r.Narrows && r.Unseen != "")
}

// lookAtReach finds out what the role will reach, of how many buckets, and which
// Buckets it no longer reaches.
func (p *Plan) lookAtReach(ctx context.Context, desired iam.Role) error {
	r := &Reach{Account: p.facts.Account.Value, Confined: p.Admission.Served}
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		r.Reach, err = desired.Reach(groupCtx, p.found.World.Roles, p.actual, r.Account)
		return err
	})
	var names []string
	group.Go(func() (err error) {
		names, r.Uncounted, err = p.bucketNames(groupCtx)
		return err
	})
	if err := group.Wait(); err != nil {
		return err
	}
	r.count(names)
	p.Reach = r
	return p.lookAtChange(ctx, r, desired)
}

func (r *Reach) count(names []string) {
	r.Existing, r.Covered = len(names), 0
	for _, name := range names {
		if r.Covers(name) {
			r.Covered++
		}
	}
}

// bucketNames are those of the account; why they are not known, where you may not list
// them. The count is for the reader: no plan fails on it.
func (p *Plan) bucketNames(ctx context.Context) (names []string, unknown string, err error) {
	names, err = p.found.World.BucketNames(ctx)
	if err == nil || ctx.Err() != nil {
		return names, "", ctx.Err()
	}
	var told *problem.Error
	if errors.As(err, &told) {
		return nil, told.What, nil
	}
	return nil, awserr.Redact(err.Error()), nil
}

// lookAtChange compares with the policy that the role has so far.
func (p *Plan) lookAtChange(ctx context.Context, r *Reach, desired iam.Role) error {
	if !iam.ControllerOwns(desired.Name, p.actual, p.facts) {
		return nil
	}
	before := iam.PolicyReach(p.actual.Inline, r.Account)
	if len(before.Patterns) == 0 || slices.Equal(before.Patterns, []string{p.options.Role.BucketPattern}) {
		return nil
	}
	r.Before = awserr.Redact(strings.Join(before.Patterns, " and "))
	if r.Narrows = r.narrows(before.Patterns); !r.Narrows {
		return nil
	}
	objects, err := p.found.World.List(ctx, live.Buckets(), "", "")
	switch {
	case apierrors.IsNotFound(err): // the kind is not served
		return nil
	case err != nil && ctx.Err() != nil:
		return ctx.Err()
	case err != nil:
		r.Unseen = awserr.Redact(p.found.World.Conn.Translate(err).Error())
		return nil
	}
	r.Stopping = r.stopping(objects, before)
	return nil
}

// narrows goes by the texts of the patterns.
func (r *Reach) narrows(before []string) bool {
	return !r.Any && slices.ContainsFunc(before, func(was string) bool {
		return !slices.ContainsFunc(r.Patterns, func(pattern string) bool { return iam.CoversPattern(pattern, was) })
	})
}

// stopping are the Buckets that the role reaches now, and not any more.
func (r *Reach) stopping(objects []*unstructured.Unstructured, before iam.Reach) []string {
	var names []string
	for _, object := range objects {
		bucket := health.Text(object.Object, "spec", "name")
		if before.Covers(bucket) && !r.Covers(bucket) {
			names = append(names, object.GetNamespace()+"/"+object.GetName()+" ("+awserr.Redact(bucket)+")")
		}
	}
	slices.Sort(names)
	return names
}
