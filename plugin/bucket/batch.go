package bucket

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

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
			return e.target.explain(err, actionDeleteVersions, e.target.arn()+"/*")
		}
		var again []entry
		if try < maxTries {
			kept, again = sift(kept)
		}
		e.count(len(plain)-len(kept)-len(again), kept)
		if plain = again; len(plain) > 0 {
			if err := sleep(ctx, firstPause<<(try-1)); err != nil {
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
		return e.target.explain(err, actionDeleteVersions, e.target.arn()+"/*")
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

func sleep(ctx context.Context, pause time.Duration) error {
	timer := time.NewTimer(pause)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
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
	p := &problem.Error{
		Kind: problem.Failed,
		What: fmt.Sprintf("%d of the objects and versions in bucket %s were not deleted", len(e.kept), e.target.Name),
		Why:  "S3 kept " + strings.Join(named, ", "),
		Next: "run the same command again: it goes on where it stopped",
		Err:  awserr.Cause(&smithy.GenericAPIError{Code: first.code, Message: first.message}),
	}
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
