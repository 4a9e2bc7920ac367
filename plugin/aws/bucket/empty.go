package bucket

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Emptier is what emptying takes.
type Emptier interface {
	s3.ListObjectVersionsAPIClient
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
	return problem.Fail("bucket "+t.Name+" does not become empty", "something writes to it while it is emptied",
		"stop what writes to it, then run the same command again").Because(ErrNotEmpty)
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
	listed := eachPage(ctx, e.api, e.target, e.prefix, func(page []entry, _ bool) error {
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

const (
	// S3 may answer a batch with 200 and still ask to try single keys again,
	// which the SDK does not see. The pauses double.
	maxTries   = 6
	firstPause = 250 * time.Millisecond
	// maxNamed is how many keys a message names.
	maxNamed = 3
	// maxKey is how much of a key a message shows.
	maxKey = 80
)

// delete deletes a batch and counts it.
func (e *emptying) delete(ctx context.Context, batch []entry) error {
	var plain, awkward []entry
	for _, item := range batch {
		if fitsXML(item.key) {
			plain = append(plain, item)
		} else {
			awkward = append(awkward, item)
		}
	}
	for _, item := range awkward {
		if err := e.deleteOne(ctx, item); err != nil {
			return err
		}
	}
	for try := 1; len(plain) > 0; try++ {
		kept, err := e.send(ctx, plain)
		if err != nil {
			return explain(e.target, err, actionDeleteVersions, e.target.arn()+"/*")
		}
		var again []entry
		if try < maxTries {
			kept, again = sift(kept)
		}
		e.count(len(plain)-len(kept)-len(again), kept)
		if plain = again; len(plain) > 0 {
			if err := interrupt.Sleep(ctx, firstPause<<(try-1)); err != nil {
				return awserr.Translate(err, actionDeleteVersions, e.target.arn()+"/*")
			}
		}
	}
	return nil
}

// send is one DeleteObjects. Quiet, it answers with what it did not delete.
func (e *emptying) send(ctx context.Context, batch []entry) ([]refused, error) {
	ids := make([]types.ObjectIdentifier, len(batch))
	for i, item := range batch {
		ids[i] = types.ObjectIdentifier{Key: aws.String(item.key), VersionId: version(item)}
	}
	out, err := e.api.DeleteObjects(ctx, &s3.DeleteObjectsInput{
		Bucket: e.target.bucket(), ExpectedBucketOwner: e.target.owner(),
		Delete: &types.Delete{Objects: ids, Quiet: aws.Bool(true)},
	}, e.target.at)
	if err != nil {
		return nil, err
	}
	var kept []refused
	for _, failure := range out.Errors {
		code := aws.ToString(failure.Code)
		if code == "NoSuchKey" || code == "NoSuchVersion" {
			continue
		}
		kept = append(kept, refused{
			entry: entry{key: aws.ToString(failure.Key), version: aws.ToString(failure.VersionId)},
			code:  code, message: aws.ToString(failure.Message),
		})
	}
	return kept, nil
}

// deleteOne is for a key that DeleteObjects cannot name.
func (e *emptying) deleteOne(ctx context.Context, item entry) error {
	_, err := e.api.DeleteObject(ctx, &s3.DeleteObjectInput{
		Bucket: e.target.bucket(), ExpectedBucketOwner: e.target.owner(),
		Key: aws.String(item.key), VersionId: version(item),
	}, e.target.at)
	switch {
	case err == nil:
		e.count(1, nil)
	case awserr.Denied(err):
		e.count(0, []refused{{item, awserr.Code(err), awserr.Message(err)}})
	default:
		return explain(e.target, err, actionDeleteVersions, e.target.arn()+"/*")
	}
	return nil
}

// version is always named, "null" too: without it, S3 hides an object behind a
// delete marker where versions are or were kept.
func version(item entry) *string {
	if item.version == "" {
		return nil
	}
	return aws.String(item.version)
}

// fitsXML reports whether a key can be written in DeleteObjects' XML as it is.
// Carriage returns do not survive a reader of XML, other controls are not
// allowed at all ("Object key name XML related constraints" in the S3 User Guide).
func fitsXML(key string) bool {
	return utf8.ValidString(key) && !strings.ContainsFunc(key, func(r rune) bool {
		return r < ' ' && r != '\t' && r != '\n' || r == '\uFFFE' || r == '\uFFFF'
	})
}

// sift parts what may be tried again from what S3 has decided.
func sift(all []refused) (kept []refused, again []entry) {
	for _, r := range all {
		switch r.code {
		case "InternalError", "SlowDown", "ServiceUnavailable", "RequestTimeout", "OperationAborted":
			again = append(again, r.entry)
		default:
			kept = append(kept, r)
		}
	}
	return kept, again
}

// failed names what stays. awserr reads the code of the first from it.
func (e *emptying) failed() error {
	slices.SortFunc(e.kept, func(a, b refused) int {
		return cmp.Or(cmp.Compare(a.key, b.key), cmp.Compare(a.version, b.version))
	})
	var named []string
	for _, r := range e.kept[:min(len(e.kept), maxNamed)] {
		named = append(named, fmt.Sprintf("%s (%s)", show(r.key), awserr.Redact(strings.TrimSuffix(r.code+": "+r.message, ": "))))
	}
	if more := len(e.kept) - maxNamed; more > 0 {
		named = append(named, fmt.Sprintf("and %d more", more))
	}
	first := e.kept[0]
	p := problem.Fail(fmt.Sprintf("%d of the objects and versions in bucket %s were not deleted", len(e.kept), e.target.Name),
		"S3 kept "+strings.Join(named, ", "),
		"run the same command again: it goes on where it stopped").Because(awserr.Cause(&smithy.GenericAPIError{Code: first.code, Message: first.message}))
	if awserr.Denied(p) {
		p.Next = fmt.Sprintf("ask an AWS administrator to allow %s on %s/*; what Object Lock protects goes when its retention or legal hold ends; then run the same command again",
			actionDeleteVersions, e.target.arn())
	}
	return p
}

// show quotes a key, which is somebody else's text, and keeps it short.
func show(key string) string {
	if runes := []rune(key); len(runes) > maxKey {
		key = string(runes[:maxKey]) + "..."
	}
	return fmt.Sprintf("%q", awserr.Redact(key))
}
