package awsclient

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	awsmiddleware "github.com/aws/aws-sdk-go-v2/aws/middleware"
	"github.com/aws/smithy-go/middleware"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/waiting"
)

// Limits are how long requests wait. All of a run is limited by its context, --timeout.
type Limits struct {
	// Dial ends an attempt to connect whose packets are dropped. It is shorter than First,
	// because its error says more.
	Dial time.Duration
	// First is how long a server, or the proxy before it, may stay silent before it has
	// answered anything at all.
	First time.Duration
	// Answer is how long a server that has answered before may stay silent, and how long
	// an answer may stop in its middle.
	Answer time.Duration
	// Process is how long the program may run that a profile names for its credentials.
	Process time.Duration
}

// The limits are those for the API server, as far as it has the same.
const (
	dialLimit   = 7 * time.Second
	firstLimit  = 8 * time.Second
	answerLimit = 30 * time.Second
	// processLimit is the SDK's own: a person may have to answer the program, for example
	// with a code.
	processLimit = time.Minute
	// unattendedLimit is for a program that nobody can answer.
	unattendedLimit = 20 * time.Second

	// fewFailures is how many times in a row a server is not reached before it is given up
	// that has never been.
	fewFailures = 3
)

// UsualLimits are those of a run; attended says that a person is at the terminal.
func UsualLimits(attended bool) Limits {
	limits := Limits{Dial: dialLimit, First: firstLimit, Answer: answerLimit, Process: unattendedLimit}
	if attended {
		limits.Process = processLimit
	}
	return limits
}

// patience limits how long requests wait for AWS, tells what is waited for, and says of a
// request that was not answered how it was sent. It is in every client that is made of a
// configuration, also in those that get its credentials.
type patience struct {
	limits  Limits
	proxies proxies

	mu    sync.Mutex
	hosts map[string]*host
}

// host is what is known of a server.
type host struct {
	answered bool
	failures int // in a row
}

func newPatience(limits Limits, p proxies) *patience {
	return &patience{limits: limits, proxies: p, hosts: map[string]*host{}}
}

// addTo is an API option of the SDK. What is added last to Deserialize is called last,
// which is for each attempt, as soon as it has been signed.
func (p *patience) addTo(stack *middleware.Stack) error {
	err := stack.Initialize.Add(middleware.InitializeMiddlewareFunc("ostoy-s3-waiting", p.operation), middleware.Before)
	if err != nil {
		return err
	}
	return stack.Deserialize.Add(middleware.DeserializeMiddlewareFunc("ostoy-s3-patience", p.attempt), middleware.After)
}

// operation is all attempts of a request, and the wait for the credentials before them.
func (p *patience) operation(ctx context.Context, in middleware.InitializeInput, next middleware.InitializeHandler) (middleware.InitializeOutput, middleware.Metadata, error) {
	ctx, done := waiting.For(ctx, "AWS to answer "+action(ctx))
	defer done()
	return next.HandleInitialize(ctx, in)
}

// action is a request as IAM names most of them.
func action(ctx context.Context) string {
	service := strings.ToLower(strings.ReplaceAll(awsmiddleware.GetServiceID(ctx), " ", ""))
	return service + ":" + middleware.GetOperationName(ctx)
}

// attempt sends a request once.
func (p *patience) attempt(ctx context.Context, in middleware.DeserializeInput, next middleware.DeserializeHandler) (middleware.DeserializeOutput, middleware.Metadata, error) {
	request, ok := in.Request.(*smithyhttp.Request)
	if !ok {
		return next.HandleDeserialize(ctx, in)
	}
	name := request.URL.Host
	proxy := p.proxies.proxyOf(request.URL)
	what := name + " to answer " + action(ctx)
	if proxy != (awserr.Proxy{}) {
		what += ", through the proxy " + proxy.String()
	}
	ctx, done := waiting.For(ctx, what)
	defer done()
	limit := p.limit(name)
	limited, cancel := context.WithCancelCause(ctx)
	timer := time.AfterFunc(limit, func() { cancel(&awserr.Silence{After: limit}) })
	out, metadata, err := next.HandleDeserialize(limited, in)
	timer.Stop()
	answer, is := out.RawResponse.(*smithyhttp.Response)
	if err == nil && is && proxy != (awserr.Proxy{}) && answer.StatusCode == http.StatusProxyAuthRequired {
		_ = answer.Body.Close() // a proxy for http answers in the place of AWS
		err = &awserr.ProxyRefusal{Code: answer.StatusCode, Status: answer.Status}
	}
	if err == nil {
		p.note(name, nil)
		if is { // the answer is still to be read, with this context
			answer.Body = &body{ReadCloser: answer.Body, ctx: limited, cancel: cancel, limit: p.limits.Answer}
		}
		return out, metadata, nil
	}
	defer cancel(nil)
	if ctx.Err() != nil { // whoever asked does not wait any longer
		return out, metadata, problem.While(what, err)
	}
	if quiet, is := errors.AsType[*awserr.Silence](context.Cause(limited)); is {
		err = quiet
	}
	return out, metadata, &awserr.Unreached{Host: name, Proxy: proxy, Final: p.note(name, err), Err: err}
}

// body is an answer that does not stop in its middle for longer than the limit.
type body struct {
	io.ReadCloser
	ctx    context.Context
	cancel context.CancelCauseFunc // ends ctx, and with it a read
	limit  time.Duration
}

// Read implements io.Reader.
func (b *body) Read(into []byte) (int, error) {
	timer := time.AfterFunc(b.limit, func() { b.cancel(&awserr.Silence{After: b.limit}) })
	defer timer.Stop()
	n, err := b.ReadCloser.Read(into)
	if quiet, is := errors.AsType[*awserr.Silence](context.Cause(b.ctx)); is && err != nil && err != io.EOF {
		err = quiet
	}
	return n, err
}

// Close implements io.Closer.
func (b *body) Close() error {
	defer b.cancel(nil)
	return b.ReadCloser.Close()
}

// limit is how long a server may stay silent.
func (p *patience) limit(name string) time.Duration {
	p.mu.Lock()
	defer p.mu.Unlock()
	if known := p.hosts[name]; known != nil && known.answered {
		return p.limits.Answer
	}
	return p.limits.First
}

// note notes what became of a request to a server, and reports whether another one would
// fail as well.
func (p *patience) note(name string, err error) (final bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	known := p.hosts[name]
	if known == nil {
		known = &host{}
		p.hosts[name] = known
	}
	if err == nil {
		known.answered, known.failures = true, 0
		return false
	}
	known.failures++
	silent, many := errors.As(err, new(*awserr.Silence)), known.failures >= fewFailures
	if known.answered {
		return stays(err) || silent && many
	}
	return stays(err) || silent || errors.Is(err, syscall.ECONNREFUSED) || many && unconnected(err)
}

// stays recognises what is the same at the next attempt.
func stays(err error) bool {
	refusal, refused := errors.AsType[*awserr.ProxyRefusal](err)
	dns, unresolved := errors.AsType[*net.DNSError](err)
	return refused && refusal.Code < http.StatusInternalServerError ||
		unresolved && dns.IsNotFound ||
		errors.As(err, new(*awserr.ProxyFlaw)) ||
		errors.As(err, new(x509.UnknownAuthorityError)) || errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

// unconnected recognises that there was no connection: a server that has never been
// reached is not worth as many attempts as one that is there and does badly.
func unconnected(err error) bool {
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect") || errors.As(err, new(*awserr.ProxyRefusal))
}
