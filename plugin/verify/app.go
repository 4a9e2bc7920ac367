package verify

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// proveApp uses the app as a person with a browser would, who tries once more when
// a connection is lost.
func (r *run) proveApp(ctx context.Context) ([]Probe, string) {
	const tries = 3
	for n := 1; ; n++ {
		probes, text := r.useApp(ctx)
		var gone *lost
		if last := probes[len(probes)-1]; n == tries || last.Outcome != Failed || !errors.As(last.failure.Err, &gone) {
			return probes, text
		}
	}
}

// lost is the end of a connection that was there.
type lost struct{ error }

// useApp goes through the app's pages once.
func (r *run) useApp(ctx context.Context) ([]Probe, string) {
	const reached, menu = "reached", "menu-entry"
	began := time.Now()
	at, home, stop, err := r.reach(ctx)
	if err != nil {
		return []Probe{fail(reached, began, r.notReached(err))}, "the app cannot be reached"
	}
	defer stop()
	probes := []Probe{pass(reached, began)}
	began = time.Now()
	if !strings.Contains(home.body, menuEntry) {
		return append(probes, fail(menu, began, r.noMenuEntry())), `no menu entry "ACK S3"`
	}
	probes = append(probes, pass(menu, began))
	through := "its Route"
	if r.reached.via == ViaForward {
		through = "a port-forward"
	}
	more, text := r.throughPages(ctx, at)
	if text == "" {
		text = "upload and read through " + through + "; S3 has it"
	}
	return append(probes, more...), text
}

// throughPages writes and reads an object through the app, and reads it from S3.
// The text is empty if all of it works.
func (r *run) throughPages(ctx context.Context, at site) (probes []Probe, text string) {
	key, err := r.freeKey(ctx)
	var content string
	if err == nil {
		content, err = newContent()
	}
	if err != nil {
		return []Probe{fail("upload", time.Now(), awserr.Translate(err, actionGet, r.arn()+"/*"))}, "no upload"
	}
	r.wrote(key, "")
	for _, s := range []struct {
		name, not string
		do        func(context.Context) error
	}{
		{"upload", "upload does not work", func(ctx context.Context) error { return at.upload(ctx, key, content) }},
		{"read", "what was uploaded cannot be read", func(ctx context.Context) error { return at.read(ctx, key, content) }},
		{"found-in-s3", "what was uploaded is not in S3", func(ctx context.Context) error { return r.foundInS3(ctx, key, content) }},
	} {
		began := time.Now()
		if err := r.patiently(ctx, App, s.name+" is refused", passes, s.do); err != nil {
			return append(probes, fail(s.name, began, r.pageFailed(s.not, key, err))), s.not
		}
		probes = append(probes, pass(s.name, began))
	}
	return probes, ""
}

// passes reports whether a failure may be IAM's that has not heard of a change.
func passes(err error) bool {
	var told *pageError
	return errors.As(err, &told) && told.denied() || awserr.Denied(err)
}

// freeKey is a key that nobody has: the app writes without asking.
func (r *run) freeKey(ctx context.Context) (string, error) {
	const tries = 3
	for range tries {
		key, err := newKey()
		if err != nil {
			return "", err
		}
		if err = r.credentials.headObject(ctx, key); awserr.Missing(err) {
			return key, nil
		}
		if err != nil {
			return "", err
		}
	}
	return "", fmt.Errorf("no key below %s is free", Prefix)
}

func (s site) upload(ctx context.Context, key, content string) error {
	got, err := s.ask(ctx, pageLimit, http.MethodPost, "/s3upload", url.Values{"filename": {key}, "content": {content}})
	if err != nil {
		return &lost{unreachable(err)}
	}
	return got.flaw()
}

// read reads the page that shows an object.
func (s site) read(ctx context.Context, key, content string) error {
	got, err := s.ask(ctx, pageLimit, http.MethodGet, "/getFile?"+url.Values{"filename": {key}}.Encode(), nil)
	if err != nil {
		return &lost{unreachable(err)}
	}
	if err := got.flaw(); err != nil {
		return err
	}
	if !strings.Contains(html.UnescapeString(got.body), strings.TrimSpace(content)) {
		return &pageError{"the page does not show what was written: " + shown(got.body)}
	}
	return nil
}

func (r *run) foundInS3(ctx context.Context, key, content string) error {
	got, version, err := r.credentials.get(ctx, key)
	if err != nil {
		return err
	}
	r.wrote(key, version)
	if string(got) != content {
		return r.otherBytes(key)
	}
	return nil
}

func (r *run) notReached(err error) error {
	return &problem.Error{
		Kind: problem.Refused,
		What: "OSToy cannot be reached",
		Why:  lines(err),
		Next: advice.Command("oc get pods,routes", "-n", r.Namespace) + "; " +
			advice.Command("oc logs", "-n", r.Namespace, "deployment/"+frontend, "--all-containers"),
		More: helpPage,
	}
}

// lines has each of several errors in a line of its own, whatever they contain.
func lines(err error) string {
	several, ok := err.(interface{ Unwrap() []error }) //nolint:errorlint // made by reach, not wrapped
	if !ok {
		return plain.Line(err.Error())
	}
	var all []string
	for _, one := range several.Unwrap() {
		all = append(all, plain.Line(one.Error()))
	}
	return strings.Join(all, "\n")
}

// noMenuEntry: OSToy looks for its bucket once, when it starts.
func (r *run) noMenuEntry() error {
	return &problem.Error{
		Kind: problem.Refused,
		What: `OSToy has no menu entry "ACK S3"`,
		Why:  "it looks for its bucket once, when it starts, and did not find it then; it does now",
		Next: advice.Command("oc rollout restart", "deployment/"+frontend, "-n", r.Namespace) + "; then " + r.again(),
		More: helpPage,
	}
}

// pageFailed says what the app answered.
func (r *run) pageFailed(what, key string, err error) error {
	var parts *problem.Error
	if errors.As(err, &parts) {
		return err
	}
	told := &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("OSToy: %s (object %s in bucket %s)%s", what, key, r.bucket, r.stillSo()),
		Why:  "OSToy says: " + plain.Line(err.Error()),
		Next: advice.Command("oc logs", "-n", r.Namespace, "deployment/"+frontend) + "; the role itself may do this, so look at the AWS_ variables of the pod",
		More: helpPage,
		Err:  awserr.Cause(err),
	}
	var gone *lost
	if errors.As(err, &gone) {
		told.Why = "the connection was lost: " + plain.Line(err.Error())
	}
	if awserr.Code(err) != "" {
		told.Why = "S3 says: " + plain.Line(awserr.Code(err)+" "+awserr.Message(err))
	}
	return told
}
