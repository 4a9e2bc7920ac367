package verify

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const (
	actionList = "s3:ListBucket"
	actionGet  = "s3:GetObject"
	actionPut  = "s3:PutObject"
)

// step is one call of those that OSToy makes, in the order it makes them.
type step struct {
	name   string
	action string // that the role needs for it
	on     string // ARN
	do     func(context.Context) error
}

// proveAccess makes exactly the calls that OSToy makes (FACTS 10.3), each with
// the patience that a new policy takes.
func (r *run) proveAccess(ctx context.Context) ([]Probe, string) {
	content, err := newContent()
	if err != nil {
		return []Probe{fail("put-object", time.Now(), err)}, "no random numbers"
	}
	key := ""
	steps := []step{
		{"head-bucket", actionList, r.arn(), r.credentials.headBucket},
		{"list-objects", actionList, r.arn(), func(ctx context.Context) error { return r.credentials.listObjects(ctx, r.bucket) }},
		{"put-object", actionPut, r.arn() + "/*", func(ctx context.Context) (err error) {
			key, err = r.put(ctx, content)
			return err
		}},
		{"get-object", actionGet, r.arn() + "/*", func(ctx context.Context) error { return r.getBack(ctx, key, content) }},
	}
	var probes []Probe
	for _, s := range steps {
		began := time.Now()
		passes := func(err error) bool { return awserr.Denied(err) && !r.foreseen(s.name) }
		if err := r.patiently(ctx, Access, s.name+" is refused", passes, s.do); err != nil {
			return append(probes, fail(s.name, began, r.notAllowed(ctx, s, err))), s.name + " does not work"
		}
		probes = append(probes, pass(s.name, began))
	}
	return probes, "list, put, get in " + r.bucket
}

// put writes an object under a key that is free.
func (r *run) put(ctx context.Context, content string) (string, error) {
	const tries = 3
	for n := 1; ; n++ {
		key, err := newKey()
		if err != nil {
			return "", err
		}
		r.wrote(key, "")
		version, err := r.credentials.put(ctx, key, content)
		if awserr.Code(err) == "PreconditionFailed" {
			version, err = r.perhapsOurs(ctx, key, content, err)
		}
		if err == nil {
			r.wrote(key, version)
			return key, nil
		}
		taken := awserr.Code(err) == "PreconditionFailed"
		if taken || awserr.Denied(err) {
			r.notOurs(key)
		}
		if !taken || n == tries {
			return "", err
		}
	}
}

// perhapsOurs looks at an object that is there already: where the answer to the
// first try was lost, the second one finds the object it has written.
func (r *run) perhapsOurs(ctx context.Context, key, content string, taken error) (string, error) {
	got, version, err := r.credentials.get(ctx, key)
	if err != nil || string(got) != content {
		return "", taken
	}
	return version, nil
}

// getBack wants the very bytes that were written.
func (r *run) getBack(ctx context.Context, key, content string) error {
	got, version, err := r.credentials.get(ctx, key)
	if err != nil {
		return err
	}
	if version != "" { // in a bucket with suspended versioning it may be known only now
		r.wrote(key, version)
	}
	if string(got) != content {
		return r.otherBytes(key)
	}
	return nil
}

func (r *run) otherBytes(key string) error {
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("object %s in bucket %s is not what was written", key, r.bucket),
		Why:  "something between here and S3, or in the bucket, changes objects",
		Next: "look for Object Lambda access points, event handlers of the bucket, and proxies; then " + r.again(),
	}
}

// notAllowed says why a call that the app makes does not work.
func (r *run) notAllowed(ctx context.Context, s step, err error) error {
	var told *problem.Error
	switch {
	case errors.As(err, &told):
		return err
	case awserr.Denied(err):
		return &problem.Error{
			Kind: problem.Refused,
			What: fmt.Sprintf("role %s may not %s on %s%s", r.roleName(), s.action, s.on, r.stillSo()),
			Why:  r.denial(err),
			Next: r.cure(ctx, s.name, r.mendPolicy()),
			More: helpPage,
			Err:  awserr.Cause(err),
		}
	case awserr.Missing(err):
		return &problem.Error{
			Kind: problem.Refused,
			What: "bucket " + r.bucket + " is not there",
			Why:  "S3 knows no bucket of that name, whatever the cluster says of it",
			Next: advice.Command("oc get buckets.s3.services.k8s.aws", r.bucket, "-n", r.Namespace, "-o", "yaml") +
				" shows what the ACK controller says; " + r.installs(" creates it again"),
			More: helpPage,
			Err:  awserr.Cause(err),
		}
	case awserr.Header(err, "x-amz-bucket-region") != "":
		region := advice.Region(awserr.Header(err, "x-amz-bucket-region"))
		return &problem.Error{
			Kind: problem.Refused,
			What: "bucket " + r.bucket + " is not in region " + r.region,
			Why:  "it is in " + region.String(),
			Next: r.again(Flag{"--region", region.Word()}),
			Err:  awserr.Cause(err),
		}
	}
	return awserr.Translate(err, s.action, s.on)
}

// denial is AWS's word for who refuses, where it says so: a HEAD has no body.
func (r *run) denial(err error) string {
	var told *problem.Error
	if awserr.Message(err) == "" || awserr.Code(err) == "Forbidden" || !errors.As(awserr.Translate(err, "", ""), &told) || told.Why == "" {
		return "its policy does not allow it, or another policy (of the bucket, a boundary, the organization) forbids it, or the bucket is another account's"
	}
	return strings.ReplaceAll(told.Why, "the caller's", "the role's")
}
