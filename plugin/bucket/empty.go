package bucket

import (
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Emptier is what emptying takes.
type Emptier interface {
	ListObjectVersions(context.Context, *s3.ListObjectVersionsInput, ...func(*s3.Options)) (*s3.ListObjectVersionsOutput, error)
	DeleteObjects(context.Context, *s3.DeleteObjectsInput, ...func(*s3.Options)) (*s3.DeleteObjectsOutput, error)
	DeleteObject(context.Context, *s3.DeleteObjectInput, ...func(*s3.Options)) (*s3.DeleteObjectOutput, error)
}

const (
	// maxBatch is how much one DeleteObjects takes.
	maxBatch = 1000
	// maxAtOnce is how many of them run at the same time.
	maxAtOnce = 4
	// maxPasses is how often the bucket is walked: once to delete, once to see
	// that nothing is left, and the rest for what is written meanwhile.
	maxPasses = 5
)

// Empty deletes all objects, versions and delete markers, for good; onlyOurs
// keeps to what is below OwnPrefix. progress (may be nil) is told how many are
// deleted so far, by one goroutine at a time. It ends when a look finds nothing
// left, may be repeated after any end, and does nothing where there is no
// bucket. What S3 refuses to delete is named in the error after all else is
// gone. It needs s3:ListBucketVersions and s3:DeleteObjectVersion, and asks
// nobody: whether data may go is for the caller to know.
func Empty(ctx context.Context, api Emptier, t Target, onlyOurs bool, progress func(deleted int64)) error {
	if err := t.check(); err != nil {
		return err
	}
	e := &emptying{api: api, target: t, progress: progress}
	if onlyOurs {
		e.prefix = OwnPrefix
	}
	for range maxPasses {
		found, err := e.pass(ctx)
		switch {
		case errors.Is(err, ErrGone):
			return nil
		case err != nil:
			return err
		case len(e.kept) > 0:
			return e.failed()
		case found == 0:
			return nil
		}
	}
	return &problem.Error{
		Kind: problem.Failed,
		What: "bucket " + t.Name + " does not become empty",
		Why:  "something writes to it while it is emptied",
		Next: "stop what writes to it, then run the same command again",
		Err:  ErrNotEmpty,
	}
}

// Empty is the package's Empty with the real S3.
func (c *Client) Empty(ctx context.Context, t Target, onlyOurs bool, progress func(deleted int64)) error {
	return Empty(ctx, c, t, onlyOurs, progress)
}

// emptying is one Empty at work.
type emptying struct {
	api      Emptier
	target   Target
	prefix   string
	progress func(int64)

	mu      sync.Mutex
	deleted int64
	kept    []refused
}

// refused is what S3 did not delete, and why.
type refused struct {
	entry
	code, message string
}

// pass walks the bucket once, deletes page by page while it reads on, and gives
// back how much it found. It goes on after what S3 refuses to delete, and ends
// with the first request that fails as a whole.
func (e *emptying) pass(ctx context.Context) (found int, err error) {
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxAtOnce)
	listed := eachPage(ctx, e.api, e.target, e.prefix, func(page []entry) error {
		found += len(page)
		for batch := range slices.Chunk(page, maxBatch) {
			g.Go(func() error { return e.delete(ctx, batch) })
		}
		return ctx.Err()
	})
	if err := g.Wait(); err != nil {
		return found, err
	}
	return found, listed
}

// count adds to what is done and to what is refused.
func (e *emptying) count(deleted int, kept []refused) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.kept = append(e.kept, kept...)
	e.deleted += int64(deleted)
	if e.progress != nil && deleted > 0 {
		e.progress(e.deleted)
	}
}
