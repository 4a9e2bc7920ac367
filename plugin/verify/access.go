package verify

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
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

// proveAccess makes exactly the calls that OSToy makes (app.js), each with
// the patience that a new policy takes.
func proveAccess(ctx context.Context, r *run) ([]Probe, string) {
	content, err := newContent()
	if err != nil {
		return []Probe{fail("put-object", time.Now(), err)}, "no random numbers"
	}
	key := ""
	steps := []step{
		{"head-bucket", actionList, r.arn(), func(ctx context.Context) error { return headBucket(ctx, r) }},
		{"list-objects", actionList, r.arn(), func(ctx context.Context) error { return r.credentials.listObjects(ctx, r.bucket) }},
		{"put-object", actionPut, r.arn() + "/*", func(ctx context.Context) (err error) {
			key, err = putFree(ctx, r, content)
			return err
		}},
		{"get-object", actionGet, r.arn() + "/*", func(ctx context.Context) error { return getBack(ctx, r, key, content) }},
	}
	var probes []Probe
	for _, s := range steps {
		began := time.Now()
		passes := func(err error) bool { return spreading(err) && !r.foreseen(s.name) }
		if err := r.pace.patiently(ctx, Access, s.name+" is refused", passes, s.do); err != nil {
			return append(probes, fail(s.name, began, notAllowed(ctx, r, s, err))), s.name + " does not work"
		}
		probes = append(probes, pass(s.name, began))
	}
	return probes, "list, put, get in " + r.bucket
}

// spreading reports whether a refusal may be that of an IAM that has not heard of a change.
func spreading(err error) bool { return awserr.Denied(err) && !awserr.Stays(err) }

// headBucket asks as OSToy does. The answer to a HEAD has no words: those of a refusal are
// in the answer to a list, which needs the same permission.
func headBucket(ctx context.Context, r *run) error {
	err := r.credentials.headBucket(ctx)
	if spreading(err) {
		if listed := r.credentials.listObjects(ctx, r.bucket); awserr.Stays(listed) {
			return listed
		}
	}
	return err
}

// forbidden is the failure of a call that a policy denies for good. what comes from this
// tool; the words of AWS say who decided.
func (r *run) forbidden(ctx context.Context, what, probe string, err error) *problem.Error {
	decided := awserr.DecidedIn(awserr.Message(err), "the role")
	return problem.Refuse(what, decided.Why, r.cure(ctx, probe, decided.Next)).See(helpPage).Because(awserr.Cause(err))
}

// putFree writes an object under a key that is free.
func putFree(ctx context.Context, r *run, content string) (string, error) {
	const tries = 3
	for n := 1; ; n++ {
		key, err := newKey()
		if err != nil {
			return "", err
		}
		r.written.add(key, "")
		version, err := r.credentials.put(ctx, key, content)
		if awserr.Code(err) == "PreconditionFailed" {
			version, err = perhapsOurs(ctx, r, key, content, err)
		}
		if err == nil {
			r.written.add(key, version)
			return key, nil
		}
		taken := awserr.Code(err) == "PreconditionFailed"
		if taken || awserr.Denied(err) {
			r.written.forget(key)
		}
		if !taken || n == tries {
			return "", err
		}
	}
}

// perhapsOurs looks at an object that is there already: where the answer to the
// first try was lost, the second one finds the object it has written.
func perhapsOurs(ctx context.Context, r *run, key, content string, taken error) (string, error) {
	got, version, err := r.credentials.get(ctx, key)
	if err != nil || string(got) != content {
		return "", taken
	}
	return version, nil
}

// getBack wants the very bytes that were written.
func getBack(ctx context.Context, r *run, key, content string) error {
	got, version, err := r.credentials.get(ctx, key)
	if err != nil {
		return err
	}
	if version != "" { // in a bucket with suspended versioning it may be known only now
		r.written.add(key, version)
	}
	if string(got) != content {
		return otherBytes(r, key)
	}
	return nil
}

func otherBytes(r *run, key string) error {
	return problem.Refuse(fmt.Sprintf("object %s in bucket %s is not what was written", key, r.bucket),
		"something between here and S3, or in the bucket, changes objects",
		"look for Object Lambda access points, event handlers of the bucket, and proxies; then "+r.again())
}

// notAllowed says why a call that the app makes does not work.
func notAllowed(ctx context.Context, r *run, s step, err error) error {
	var told *problem.Error
	switch {
	case errors.As(err, &told):
		return err
	case awserr.Stays(err):
		return r.forbidden(ctx, fmt.Sprintf("role %s may not %s on %s", r.roleName(), s.action, s.on), s.name, err)
	case awserr.Denied(err):
		return problem.Refuse(fmt.Sprintf("role %s may not %s on %s%s", r.roleName(), s.action, s.on, r.pace.stillSo()),
			denial(err),
			r.cure(ctx, s.name, r.mendPolicy())).See(helpPage).Because(awserr.Cause(err))
	case awserr.Missing(err):
		return problem.Refuse("bucket "+r.bucket+" is not there",
			"S3 knows no bucket of that name, whatever the cluster says of it",
			advice.Command("oc get buckets.s3.services.k8s.aws", r.bucket, "-n", r.Namespace, "-o", "yaml")+
				" shows what the ACK controller says; "+r.installs(" creates it again")).See(helpPage).Because(awserr.Cause(err))
	case awserr.Header(err, "x-amz-bucket-region") != "":
		region := advice.Region(awserr.Header(err, "x-amz-bucket-region"))
		return problem.Refuse("bucket "+r.bucket+" is not in region "+r.region,
			"it is in "+region.String(),
			r.again(Flag{"--region", region.Word()})).Because(awserr.Cause(err))
	}
	return awserr.Translate(err, s.action, s.on)
}

// denial is AWS's word for who refuses, where it says so: a HEAD has no body.
func denial(err error) string {
	var told *problem.Error
	if awserr.Message(err) == "" || awserr.Code(err) == "Forbidden" || !errors.As(awserr.Translate(err, "", ""), &told) || told.Why == "" {
		return "its policy does not allow it, or another policy (of the bucket, a boundary, the organization) forbids it, or the bucket is another account's"
	}
	return strings.ReplaceAll(told.Why, "the caller's", "the role's")
}

// Prefix is below what verify writes. Package bucket knows it as its OwnPrefix:
// uninstall takes nothing below it for data.
const Prefix = "ostoy-s3-verify/"

// tidyLimit is for tidying up after the run itself was ended.
const tidyLimit = 15 * time.Second

// newKey is a key that nobody has: 8 hex digits. That it is free is made sure of
// when it is written.
func newKey() (string, error) {
	number, err := random(4)
	return Prefix + number + ".txt", err
}

func random(bytes int) (string, error) {
	number := make([]byte, bytes)
	if _, err := rand.Read(number); err != nil {
		return "", err
	}
	return hex.EncodeToString(number), nil
}

// newContent is a line that no other run has written.
func newContent() (string, error) {
	number, err := random(16)
	return "written by ostoy-s3 verify " + number + "\n", err
}

// readSome reads what is no longer than anything verify writes, and a bit.
func readSome(from io.Reader) ([]byte, error) {
	const limit = 1 << 16
	return io.ReadAll(io.LimitReader(from, limit))
}

// written is what a run has written, of which nothing is to stay. It is safe for
// concurrent use.
type written struct {
	mu      sync.Mutex
	objects []object
}

// add remembers a key before it is written, because an answer may be lost, and its version
// as soon as that is known.
func (w *written) add(key, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.index(key); n >= 0 {
		w.objects[n].version = version
		return
	}
	w.objects = append(w.objects, object{key, version})
}

// addMarker remembers a delete marker, which stays beside the object in a bucket that keeps
// versions.
func (w *written) addMarker(key, version string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.objects = append(w.objects, object{key, version})
}

// forget forgets a key that somebody else turned out to have.
func (w *written) forget(key string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if n := w.index(key); n >= 0 {
		w.objects = slices.Delete(w.objects, n, n+1)
	}
}

// first is the key that was written first, "" if none was.
func (w *written) first() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.objects) == 0 {
		return ""
	}
	return w.objects[0].key
}

func (w *written) index(key string) int {
	return slices.IndexFunc(w.objects, func(o object) bool { return o.key == key })
}

// tidy removes what was written, with the caller's permissions: the role has none to delete. It
// does so also after the run was interrupted. It gives the keys that stay, and why.
func (r *run) tidy(ctx context.Context) (left []string, why string) {
	for _, o := range r.written.objects {
		if !slices.Contains(left, o.key) {
			left = append(left, o.key)
		}
	}
	switch {
	case len(left) == 0:
		return nil, ""
	case r.options.Keep:
		return left, "--keep was given"
	case r.CallerAccount == "":
		return left, r.noCaller()
	case r.CallerAccount != r.Account:
		return left, "your AWS credentials are of account " + r.CallerAccount
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), tidyLimit)
	defer cancel()
	left, err := r.ask.caller.remove(ctx, r.bucket, r.Account, r.written.objects)
	left = slices.Compact(left)
	if err == nil || awserr.Missing(err) {
		return nil, ""
	}
	var told *problem.Error
	if errors.As(awserr.Translate(err, "s3:DeleteObject", r.arn()+"/"+Prefix+"*"), &told) {
		return left, told.Error()
	}
	return left, awserr.Redact(err.Error())
}

func (r *run) noCaller() string {
	if r.NoCaller == "" {
		return "you have no AWS credentials"
	}
	return "you have no AWS credentials: " + r.NoCaller
}
