package uninstall

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// bucketClient is what S3 is asked and told.
type bucketClient interface {
	Look(context.Context, render.Facts) (bucket.State, error)
	Count(context.Context, bucket.Target) (bucket.Contents, error)
	Created(context.Context, bucket.Target) (time.Time, error)
	Empty(ctx context.Context, t bucket.Target, onlyOurs bool, progress func(deleted int64)) error
	Remove(context.Context, bucket.Target) error
}

// roleClient is what IAM is asked and told.
type roleClient interface {
	iam.Remover
	iam.Finder
}

// clients reach AWS; both are nil if bucket and role are kept.
type clients struct {
	s3  bucketClient
	iam roleClient
}

func clientsFor(a app) clients {
	if !a.request.needsAWS() {
		return clients{}
	}
	config := a.detected.AWS.In(a.facts.Region)
	return clients{bucket.New(config), iam.New(config)}
}

// evidence is everything that was found. The region of the facts is the bucket's.
type evidence struct {
	app    app
	bucket bucketSeen
	role   roleSeen
}

// bucketSeen is what S3 says of the bucket.
type bucketSeen struct {
	state    bucket.State
	contents *bucket.Contents // nil: not looked at, or not to be seen
	region   render.Fact
	predates string // why it may be older than the install, if this decides; "" if it is not
	notes    []string
}

// look asks AWS for the bucket and the role, at the same time.
func look(ctx context.Context, a app, by clients) (evidence, error) {
	e := evidence{app: a}
	if !a.request.needsAWS() {
		return e, nil
	}
	group, groupCtx := errgroup.WithContext(ctx)
	if a.request.removesBucket() {
		group.Go(func() (err error) {
			e.bucket, err = lookAtBucket(groupCtx, a, by.s3)
			return err
		})
	}
	group.Go(func() (err error) {
		if a.keepsRole() {
			e.role, err = lookForProof(groupCtx, a, by.iam)
		} else {
			e.role, err = findRole(groupCtx, a, by.iam)
		}
		return err
	})
	err := group.Wait()
	if e.bucket.region.Known() {
		e.app.facts.Region = e.bucket.region
	}
	if err != nil {
		return e, err
	}
	e.bucket.predates, err = mayPredate(ctx, e, by.s3)
	return e, err
}

// lookAtBucket finds out whose the bucket is, where it is, and what is in it.
func lookAtBucket(ctx context.Context, a app, s3 bucketClient) (bucketSeen, error) {
	seen, err := lookInRegion(ctx, a, s3)
	if err != nil {
		return seen, err
	}
	facts := a.facts
	if seen.state.Kind == bucket.OtherRegion && seen.state.Region != "" {
		// The region of the inventory was wrong; a name is used once in all regions.
		seen.region = render.Fact{Value: seen.state.Region, Source: "s3:HeadBucket"}
		facts.Region = seen.region
		if seen.state, err = s3.Look(ctx, facts); err != nil {
			return seen, err
		}
	}
	if !a.owns(seen.state) && !a.adopts(seen.state) {
		return seen, nil
	}
	facts.Region = seen.region
	contents, err := s3.Count(ctx, bucket.TargetOf(facts))
	switch {
	case errors.Is(err, bucket.ErrGone):
		seen.state = bucket.State{Kind: bucket.Free, Name: seen.state.Name, Sure: true}
	case awserr.Denied(err): // S3 itself refuses if there is something in it
	case err != nil:
		return seen, err
	default:
		seen.contents = &contents
	}
	return seen, nil
}

// lookInRegion looks at the bucket. If S3 cannot be asked in a region that only the
// project names, it is asked in the one that was detected.
func lookInRegion(ctx context.Context, a app, s3 bucketClient) (bucketSeen, error) {
	state, err := s3.Look(ctx, a.facts)
	seen := bucketSeen{state: state, region: a.facts.Region}
	named, detected := a.facts.Region, a.detected.Facts.Region
	if err == nil || ctx.Err() != nil || named.Source != project.OnRecord || !detected.Known() || detected.Value == named.Value {
		return seen, err
	}
	facts := a.facts
	facts.Region = detected
	found, failed := s3.Look(ctx, facts)
	if failed != nil {
		return seen, err
	}
	return bucketSeen{state: found, region: detected, notes: []string{
		fmt.Sprintf("S3 cannot be asked in region %s, which the project names; it was asked in %s", named.Value, detected.Value),
	}}, nil
}

// mayPredate says why the bucket may have existed before install, or "" if it did not, or
// if something else decides what is done with it.
//
// Whether install created the bucket or found it is in the inventory, which everybody who
// can edit the project can change. It only keeps a bucket. What lets an empty bucket be
// removed without a question is what AWS says: install creates the role before the Bucket
// resource, so a bucket that it created is not older than the role.
func mayPredate(ctx context.Context, e evidence, s3 bucketClient) (string, error) {
	if !e.app.request.removesBucket() || !e.bucket.state.Exists() {
		return "", nil
	}
	if _, _, byAge := e.keepsBucket(); !byAge {
		return "", nil
	}
	const may = "it is empty, and may have existed before install: "
	proof := e.role.proof
	created, err := s3.Created(ctx, bucket.TargetOf(e.app.facts))
	switch {
	case err != nil && (ctx.Err() != nil || awserr.LoggedOut(err)):
		return "", err
	case awserr.Denied(err):
		return may + "you may not see when it was created (s3:ListAllMyBuckets)", nil
	case err != nil && !errors.Is(err, bucket.ErrGone):
		return may + "when it was created cannot be read: " + announce.OneLine(err.Error()), nil
	case created.IsZero() || proof.Created.IsZero():
		return may + "when it was created is not known", nil
	case created.Truncate(time.Second).Before(proof.Created.Truncate(time.Second)): // the dates of S3 are in whole seconds
		return may + "it is older than the role " + proof.Role, nil
	}
	return "", nil
}
