package verify

import (
	"context"
	"errors"
	"fmt"
	"html"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// What OSToy's pages say (views/ in openshift-cs/ostoy 1.7.0). Its errors come as HTTP 200.
const (
	appName   = "OSToy"
	menuEntry = `href="/ack"`
	errorMark = "Error Encountered!"
	notOnAWS  = "In order to use the ACK this must be run on AWS."
)

const (
	// routeLimit is how long the app's own address may take before another way is
	// tried; pageLimit is for a page, which may ask STS and S3 before it answers.
	routeLimit = 5 * time.Second
	pageLimit  = 30 * time.Second
)

// newClient is for the app's pages. It follows no redirect, because a redirect is
// an answer.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:       http.ProxyFromEnvironment,
			DialContext: (&net.Dialer{Timeout: routeLimit}).DialContext,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// site is the app as it was reached.
type site struct {
	client *http.Client
	base   string // URL without a slash at the end
}

// page is an answer of the app.
type page struct {
	status int
	body   string
}

func (s site) ask(ctx context.Context, limit time.Duration, method, path string, form url.Values) (page, error) {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, method, s.base+path, strings.NewReader(form.Encode()))
	if err != nil {
		return page{}, err
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	answer, err := s.client.Do(request)
	if err != nil {
		return page{}, err
	}
	defer func() { _ = answer.Body.Close() }()
	body, err := readSome(answer.Body)
	return page{answer.StatusCode, string(body)}, err
}

// home is the page that every OSToy has, and nothing but OSToy.
func (s site) home(ctx context.Context, limit time.Duration) (page, error) {
	got, err := s.ask(ctx, limit, http.MethodGet, "/home", nil)
	switch {
	case err != nil:
		return got, unreachable(err)
	case got.status != http.StatusOK || !strings.Contains(got.body, appName):
		return got, fmt.Errorf("what answers is not OSToy (HTTP %d)", got.status)
	}
	return got, nil
}

// unreachable is why nothing answered, in few words.
func unreachable(err error) error {
	var dns *net.DNSError
	var timeout net.Error
	switch {
	case errors.As(err, &dns):
		return fmt.Errorf("DNS does not know %s", advice.Host(dns.Name))
	case errors.Is(err, context.DeadlineExceeded), errors.As(err, &timeout) && timeout.Timeout():
		return errors.New("no answer in time")
	}
	for inner := errors.Unwrap(err); inner != nil; inner = errors.Unwrap(err) {
		err = inner
	}
	return errors.New(plain.Line(awserr.Redact(err.Error())))
}

// pageError is what an error page of the app says. AWS's sentence names the policy that
// decided at its end, so the text is judged as a whole and shown in part.
type pageError struct{ text string }

func (p *pageError) Error() string { return plain.Said(p.text) }

// flaw is the error a page holds, nil if none.
func (p page) flaw() error {
	switch {
	case strings.Contains(p.body, notOnAWS):
		return &pageError{notOnAWS}
	case strings.Contains(p.body, errorMark):
		_, text, _ := strings.Cut(p.body, errorMark)
		return &pageError{words(text)}
	case p.status >= http.StatusBadRequest:
		return &pageError{fmt.Sprintf("HTTP %d: %s", p.status, words(p.body))}
	}
	return nil
}

// denied reports whether what the page says may pass: OSToy assumes the role anew
// for each request, and IAM may not know of it everywhere.
func (p *pageError) denied() bool {
	if awserr.StaysIn(p.text) {
		return false
	}
	for _, sign := range []string{"AccessDenied", "Access Denied", "Not authorized to perform"} {
		if strings.Contains(p.text, sign) {
			return true
		}
	}
	return false
}

// words are those of a page, in one line.
func words(text string) string {
	text = regexp.MustCompile(`<[^>]*>`).ReplaceAllString(text, " ")
	return awserr.Redact(plain.Line(html.UnescapeString(text)))
}

// reach finds a way to the app: its own address, and where that leads nowhere from
// here, a port-forward to a pod.
func reach(ctx context.Context, r *run) (site, page, func(), error) {
	route := errors.New("the app has no Route")
	if r.Way.NoURL != "" {
		route = errors.New(r.Way.NoURL)
		r.reached.detour = r.Way.NoURL
	}
	if r.Way.URL != "" {
		at := site{r.ask.client, strings.TrimSuffix(r.Way.URL, "/")}
		home, err := at.home(ctx, routeLimit)
		if err == nil {
			r.reached.via = ViaRoute
			return at, home, func() {}, nil
		}
		route = fmt.Errorf("%s: %w", plain.Line(r.Way.URL), err)
		r.reached.detour = err.Error()
	}
	at, home, stop, err := tunnel(ctx, r)
	if err != nil {
		return site{}, page{}, nil, fmt.Errorf("%w; %w", route, err) // split again by lines
	}
	r.reached.via = ViaForward
	return at, home, stop, nil
}

// tunnel opens a port-forward to a pod that is ready. A pod counts as ready when
// its program runs, which may be a moment before it listens, and after a change
// pods come and go: it is tried for a while, and the pods are looked at anew.
func tunnel(ctx context.Context, r *run) (site, page, func(), error) {
	const limit, pause = 10 * time.Second, 500 * time.Millisecond
	for began := time.Now(); ; {
		at, home, stop, err := tunnelTo(ctx, r, r.pods.Ready)
		// The protocols lose the kind of a refusal; its words stay.
		if err == nil || time.Since(began) > limit || strings.Contains(err.Error(), "forbidden") || interrupt.Sleep(ctx, pause) != nil {
			return at, home, stop, err
		}
		if pods, err := r.ask.look(ctx); err == nil {
			r.pods = pods
		}
	}
}

// tunnelTo opens a port-forward to one pod.
func tunnelTo(ctx context.Context, r *run, pod string) (site, page, func(), error) {
	if pod == "" {
		return site{}, page{}, nil, fmt.Errorf("no pod of %s is ready", frontend)
	}
	base, stop, err := r.Way.Forward(ctx, pod)
	if err != nil {
		return site{}, page{}, nil, fmt.Errorf("port-forward to pod %s: %w", pod, unreachable(err))
	}
	at := site{r.ask.client, base}
	home, err := at.home(ctx, pageLimit)
	if err != nil {
		stop()
		return site{}, page{}, nil, fmt.Errorf("port-forward to pod %s: %w", pod, err)
	}
	return at, home, stop, nil
}
