package presence

import (
	"cmp"
	"context"
	"errors"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// InCluster is what is seen in the project. If a Deployment of the app exists, nothing else
// is looked at. That the Deployments cannot be read is the server's error; what else the
// user is not allowed to read is passed over.
func InCluster(ctx context.Context, w *live.World) (Seen, error) {
	seen := Seen{Namespace: w.Namespace}
	found, err := exist(ctx, w, workloads()[0])
	if err != nil || len(found) > 0 {
		seen.Objects = found
		return seen, err
	}
	rest := append(witnesses(), data(w.Namespace)...)
	answers := make([][]*unstructured.Unstructured, len(rest))
	group, groupCtx := errgroup.WithContext(ctx)
	for n, one := range rest {
		group.Go(func() (err error) {
			answers[n], err = exist(groupCtx, w, one)
			return readable(err)
		})
	}
	group.Go(func() (err error) {
		seen.Inventory, err = w.Inventory(groupCtx)
		return readable(err)
	})
	err = group.Wait()
	for _, some := range answers {
		seen.Objects = append(seen.Objects, some...)
	}
	return seen, err
}

// exist are the witnesses of one kind that exist. A kind that is not served has none.
func exist(ctx context.Context, w *live.World, of witness) ([]*unstructured.Unstructured, error) {
	all, err := w.Here(ctx, of.resource)
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	var found []*unstructured.Unstructured
	for _, one := range all {
		if among([]witness{of}, one) {
			found = append(found, one)
		}
	}
	return found, err
}

// readable passes over what the user is not allowed to read.
func readable(err error) error {
	if apierrors.IsForbidden(err) {
		return nil
	}
	return err
}

// Look is InCluster and, where the app is not installed, what is kept of it in AWS, as far
// as the World has its clients. What AWS does not show is not kept, as far as anybody knows.
func Look(ctx context.Context, w *live.World) (Seen, error) {
	seen, err := InCluster(ctx, w)
	if err != nil || seen.Installed() {
		return seen, err
	}
	return InAWS(ctx, w, seen), ctx.Err()
}

// counted is how many requests the objects of a bucket are counted with.
const counted = 10

// InAWS adds what is kept in AWS to what was seen in the project.
func InAWS(ctx context.Context, w *live.World, seen Seen) Seen {
	return WithAWS(ctx, w, seen, func() (string, error) {
		name := w.RoleName(ctx)
		actual, err := w.RoleOf(ctx, name)
		if err != nil || !iam.App.Owns(name, actual, w.Facts) {
			return "", err
		}
		return name, nil
	})
}

// WithAWS is InAWS for a caller who has a list of roles: role returns the name of the
// project's role, "" if it has none.
func WithAWS(ctx context.Context, w *live.World, seen Seen, role func() (string, error)) Seen {
	if w.Buckets == nil || w.Roles == nil {
		seen.Unknown = live.ErrNoAWS
		return seen
	}
	var bucketErr, roleErr error
	var group errgroup.Group
	group.Go(func() error {
		seen.S3, bucketErr = lookInS3(ctx, w)
		return nil
	})
	group.Go(func() error {
		seen.Role, roleErr = role()
		return nil
	})
	_ = group.Wait() // none gives an error
	seen.Unknown = cmp.Or(bucketErr, roleErr)
	return seen
}

// lookInS3 asks S3 for the bucket and, if it is the project's, counts its objects.
func lookInS3(ctx context.Context, w *live.World) (S3, error) {
	state, err := w.BucketState(ctx)
	s := S3{State: state}
	if err != nil || !s.ofProject(w.Namespace) {
		return S3{}, err
	}
	target := bucket.TargetOf(w.Facts)
	target.Region = cmp.Or(state.Region, target.Region)
	if contents, more, err := bucket.CountSome(ctx, w.Buckets, target, counted); err == nil {
		s.Contents, s.More = &contents, more
	}
	return s, nil
}

// Require is what there is of the app if it is installed in the project; otherwise its
// error is the refusal that says what is kept. If you are not allowed to list Deployments
// there is no error: what follows reports that.
func Require(ctx context.Context, s *session.Session, facts session.Facts) (Seen, error) {
	conn, given, err := project.Given(ctx, s, facts)
	if err != nil {
		return Seen{}, err
	}
	seen, err := InCluster(ctx, &live.World{Conn: conn, Namespace: given.Namespace.Value})
	switch {
	case apierrors.IsForbidden(err), err == nil && seen.Installed():
		return seen, nil
	case ctx.Err() != nil:
		return seen, ctx.Err()
	case err != nil:
		return seen, conn.Translate(err)
	}
	p, err := project.Look(ctx, s, project.Wanted{Facts: facts, MustExist: true, Tolerant: true})
	if err != nil {
		return seen, err
	}
	w := &live.World{Conn: conn, Namespace: p.Name(), Facts: p.Facts}
	if p.Failures.AWS == nil && p.Found.AWS != nil {
		config := p.Found.AWS.In(p.Facts.Region)
		w.Roles, w.Buckets = iam.New(config), bucket.New(config)
	}
	seen = InAWS(ctx, w, seen)
	if p.Failures.AWS != nil {
		seen.Unknown = p.Failures.AWS
	}
	if ctx.Err() != nil {
		return seen, ctx.Err()
	}
	return seen, seen.NotInstalled()
}

// RequireIfAny is Require of a command that has an answer without the project, too: that it
// does not exist is one more reason why the app is not installed.
func RequireIfAny(ctx context.Context, s *session.Session, facts session.Facts) error {
	_, err := Require(ctx, s, facts)
	if !errors.Is(err, project.ErrAbsent) {
		return err
	}
	_, given, err := project.Given(ctx, s, facts)
	if err != nil {
		return err
	}
	name := given.Namespace.Value
	return problem.Refuse(headline+name, "the project does not exist", project.NewProject(name))
}
