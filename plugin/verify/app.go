package verify

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// proveApp uses the app as a person with a browser would, who tries once more when
// a connection is lost.
func proveApp(ctx context.Context, r *run) ([]Probe, string) {
	const tries = 3
	for n := 1; ; n++ {
		probes, text := useApp(ctx, r)
		var gone *lost
		if last := probes[len(probes)-1]; n == tries || last.Outcome != Failed || !errors.As(last.failure.Err, &gone) {
			return probes, text
		}
	}
}

// lost is the end of a connection that was there.
type lost struct{ error }

// useApp goes through the app's pages once.
func useApp(ctx context.Context, r *run) ([]Probe, string) {
	const reached, menu = "reached", "menu-entry"
	began := time.Now()
	at, home, stop, err := reach(ctx, r)
	if err != nil {
		return []Probe{fail(reached, began, notReached(r, err))}, "the app cannot be reached"
	}
	defer stop()
	probes := []Probe{pass(reached, began)}
	began = time.Now()
	if !strings.Contains(home.body, menuEntry) {
		return append(probes, fail(menu, began, noMenuEntry(r))), `no menu entry "ACK S3"`
	}
	probes = append(probes, pass(menu, began))
	through := "its Route"
	if r.reached.via == ViaForward {
		through = "a port-forward"
	}
	more, text := throughPages(ctx, r, at)
	text = cmp.Or(text, "upload and read through "+through+"; S3 has it")
	return append(probes, more...), text
}

// throughPages writes and reads an object through the app, and reads it from S3.
// The text is empty if all of it works.
func throughPages(ctx context.Context, r *run, at site) (probes []Probe, text string) {
	key, err := freeKey(ctx, r)
	var content string
	if err == nil {
		content, err = newContent()
	}
	if err != nil {
		return []Probe{fail("upload", time.Now(), awserr.Translate(err, actionGet, r.arn()+"/*"))}, "no upload"
	}
	r.written.add(key, "")
	for _, s := range []struct {
		name, not string
		do        func(context.Context) error
	}{
		{"upload", "upload does not work", func(ctx context.Context) error { return at.upload(ctx, key, content) }},
		{"read", "what was uploaded cannot be read", func(ctx context.Context) error { return at.read(ctx, key, content) }},
		{"found-in-s3", "what was uploaded is not in S3", func(ctx context.Context) error { return getBack(ctx, r, key, content) }},
	} {
		began := time.Now()
		if err := r.pace.patiently(ctx, App, s.name+" is refused", passes, s.do); err != nil {
			return append(probes, fail(s.name, began, pageFailed(r, s.not, key, err))), s.not
		}
		probes = append(probes, pass(s.name, began))
	}
	return probes, ""
}

// passes reports whether a failure may be IAM's that has not heard of a change.
func passes(err error) bool {
	var told *pageError
	return errors.As(err, &told) && told.denied() || spreading(err)
}

// freeKey is a key that nobody has: the app writes without asking.
func freeKey(ctx context.Context, r *run) (string, error) {
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
		return &pageError{"the page does not show what was written: " + words(got.body)}
	}
	return nil
}

func notReached(r *run, err error) error {
	return problem.Refuse("OSToy cannot be reached",
		lines(err),
		advice.Command("oc get pods,routes", "-n", r.Namespace)+"; "+
			advice.Command("oc logs", "-n", r.Namespace, "deployment/"+frontend, "--all-containers")).See(helpPage)
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
func noMenuEntry(r *run) error {
	return problem.Refuse(`OSToy has no menu entry "ACK S3"`,
		"it looks for its bucket once, when it starts, and did not find it then; it does now",
		advice.Command("oc rollout restart", "deployment/"+frontend, "-n", r.Namespace)+"; then "+r.again()).See(helpPage)
}

// pageFailed says what the app answered.
func pageFailed(r *run, what, key string, err error) error {
	var parts *problem.Error
	if errors.As(err, &parts) {
		return err
	}
	told := problem.Refuse(fmt.Sprintf("OSToy: %s (object %s in bucket %s)%s", what, key, r.bucket, r.pace.stillSo()),
		"OSToy says: "+plain.Line(err.Error()),
		advice.Command("oc logs", "-n", r.Namespace, "deployment/"+frontend)+"; the role itself may do this, so look at the AWS_ variables of the pod").See(helpPage).Because(awserr.Cause(err))
	var gone *lost
	if errors.As(err, &gone) {
		told.Why = "the connection was lost: " + plain.Line(err.Error())
	}
	var page *pageError
	if errors.As(err, &page) && awserr.StaysIn(page.text) {
		decided := awserr.DecidedIn(page.text, "the role")
		told.Why, told.Next = decided.Why+"\n"+told.Why, decided.Next
	}
	if awserr.Code(err) != "" {
		told.Why = "S3 says: " + plain.Line(awserr.Code(err)+" "+awserr.Message(err))
	}
	return told
}

const (
	firstPause = 500 * time.Millisecond
	maxPause   = 4 * time.Second
	// tellEvery is how often a wait is news.
	tellEvery = 15 * time.Second
)

// pace is when a run began, how long its failures may pass, and who is told. It is safe for
// concurrent use.
type pace struct {
	began    time.Time
	patience time.Duration
	mu       sync.Mutex
	observer func(Event)
}

func (p *pace) observe(e Event) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.observer(e)
}

// patiently does something again as long as its failure may pass: AWS knows of a
// change to IAM only after a while, and says nothing else than that it refuses.
// It gives the last failure when the patience of the run is over.
func (p *pace) patiently(ctx context.Context, level Level, what string, passes func(error) bool, do func(context.Context) error) error {
	told := time.Duration(-1)
	for pause := firstPause; ; pause = min(2*pause, maxPause) {
		err := do(ctx)
		passed := time.Since(p.began)
		if err == nil || !passes(err) || passed+pause > p.patience {
			return err
		}
		again := told >= 0 && passed-told < tellEvery
		if !again {
			told = passed
		}
		p.observe(Event{Level: level, Waiting: true, Again: again, Text: fmt.Sprintf("%s, IAM may still be spreading a change (%d s of %d s)",
			what, int(passed.Seconds()), int(p.patience.Seconds()))})
		if err := interrupt.Sleep(ctx, pause); err != nil {
			return err
		}
	}
}

// stillSo is what a reader should know of a refusal that was waited out.
func (p *pace) stillSo() string {
	if passed := time.Since(p.began); passed > firstPause && p.patience > 0 {
		return fmt.Sprintf(" (still so after %d s)", int(passed.Seconds()+0.5))
	}
	return ""
}
