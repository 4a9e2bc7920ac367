package awserr

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Unreached is the error of a request that AWS did not answer.
type Unreached struct {
	Host  string // that was asked
	Proxy Proxy  // by which, if there is one
	Final bool   // the same request, sent again, would fail again
	Err   error
}

func (u *Unreached) Error() string { return u.Err.Error() }

func (u *Unreached) Unwrap() error { return u.Err }

// RetryableError is what the retryers of the SDK ask for.
func (u *Unreached) RetryableError() bool { return !u.Final }

// Proxy is a proxy of the environment. The zero value is none.
type Proxy struct {
	URL      string // without user and password
	Variable string // of the environment, in which it is
	Named    bool   // the variable has a user
}

func (p Proxy) String() string { return p.URL + " (" + p.Variable + ")" }

// Silence is the error for a server that did not answer in time. It is no end of a
// context: those are of whoever asked.
type Silence struct{ After time.Duration }

func (s *Silence) Error() string { return fmt.Sprintf("no answer within %s", s.After) }

// Timeout is what net.Error has.
func (s *Silence) Timeout() bool { return true }

// Temporary is what net.Error has.
func (s *Silence) Temporary() bool { return true }

// ProxyRefusal is the answer of a proxy that does not connect to a server.
type ProxyRefusal struct {
	Code   int
	Status string // "407 Proxy Authentication Required"
}

func (p *ProxyRefusal) Error() string { return "the proxy answered " + p.Status }

// ProxyFlaw is the error for a variable of the environment that is not the URL of a proxy.
// The value can contain a password, and is not part of it.
type ProxyFlaw struct{ Variable string }

func (p *ProxyFlaw) Error() string { return p.Variable + " is not the URL of a proxy" }

// explainUnreached says why a request was not answered, and names the proxy if there is
// one: it is the first thing to look at, and the last that a person thinks of.
func explainUnreached(err error, action string) (explanation, bool) {
	u, ok := errors.AsType[*Unreached](err)
	if flaw, is := errors.AsType[*ProxyFlaw](err); is {
		return explanation{
			kind: problem.Usage, what: "invalid " + flaw.Variable + ": it is not the URL of a proxy",
			why:  "it must be a URL such as http://proxy.example.com:3128",
			next: "correct it, or " + advice.Command("unset", flaw.Variable),
		}, true
	}
	if !ok || isMetadata(err) {
		return explanation{}, false
	}
	what := "cannot reach AWS at " + u.Host
	if action != "" {
		what += " for " + action
	}
	if u.Proxy == (Proxy{}) {
		e, known := explainNetwork(u.Err)
		if errors.As(err, new(*Silence)) {
			e.next = "check the network, the VPN and AWS_ENDPOINT_URL (no proxy is set), then run the same command again"
		}
		e.what = what
		return e, known
	}
	e := explanation{what: what + " through the proxy " + u.Proxy.String()}
	e.why, e.next = throughProxy(u)
	return e, true
}

// Asked reports whether an error is about a server that was asked: AWS answered, or did
// not. The instance metadata service does not count.
func Asked(err error) bool {
	return (Code(err) != "" || errors.As(err, new(*Unreached))) && !isMetadata(err)
}

// isMetadata recognises the instance metadata service, which is asked last for credentials,
// on machines that have none, too.
func isMetadata(err error) bool {
	text := strings.ToLower(err.Error())
	return strings.Contains(text, "ec2 imds") || strings.Contains(text, "ec2imds")
}

// throughProxy says what the proxy did, as far as it is known.
func throughProxy(u *Unreached) (why, next string) {
	again := ", then run the same command again"
	around := "if AWS can be reached without it: export NO_PROXY with " + hostOnly(u.Host) + " in it"
	refusal, refused := errors.AsType[*ProxyRefusal](u.Err)
	dns, unresolved := errors.AsType[*net.DNSError](u.Err)
	switch {
	case refused && refusal.Code == 407 && u.Proxy.Named:
		return "the proxy does not accept the user and the password in " + u.Proxy.Variable + " (" + refusal.Status + ")",
			"correct them in " + u.Proxy.Variable + again
	case refused && refusal.Code == 407:
		return "the proxy requires a user and a password (" + refusal.Status + ")",
			"add them to " + u.Proxy.Variable + " (http://USER:PASSWORD@HOST:PORT)" + again + "\n" + around
	case refused && refusal.Code >= 500:
		return "the proxy cannot connect to " + u.Host + " (" + refusal.Status + ")",
			"check --region and AWS_ENDPOINT_URL, or ask whoever runs the proxy\n" + around
	case refused:
		return "the proxy refuses to connect to " + u.Host + " (" + refusal.Status + ")",
			"ask whoever runs the proxy to allow " + u.Host + "\n" + around
	case unresolved:
		return "the name " + dns.Name + " is not known to DNS", correct(u.Proxy) + again + "\n" + around
	case errors.As(u.Err, new(tls.RecordHeaderError)) && strings.HasPrefix(u.Proxy.URL, "https://"):
		return "the proxy does not use TLS", "write http:// instead of https:// in " + u.Proxy.Variable + again
	case isUntrusted(u.Err):
		e, _ := explainNetwork(u.Err)
		return e.why, e.next
	case errors.Is(u.Err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens there", correct(u.Proxy) + again + "\n" + around
	}
	quiet, silent := errors.AsType[*Silence](u.Err)
	slow, limited := errors.AsType[net.Error](u.Err)
	switch {
	case silent:
		return quiet.Error(), correct(u.Proxy) + again + "\n" + around
	case limited && slow.Timeout(), errors.Is(u.Err, context.DeadlineExceeded):
		return "no connection in time: packets are dropped on the way", correct(u.Proxy) + again + "\n" + around
	}
	return "the connection broke: " + Redact(innermost(u.Err).Error()), correct(u.Proxy) + again + "\n" + around
}

// correct is what to do about a proxy that does not work.
func correct(p Proxy) string {
	return "correct " + p.Variable + " or " + advice.Command("unset", p.Variable)
}

// hostOnly is a host without its port.
func hostOnly(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		return name
	}
	return host
}

func innermost(err error) error {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return err
}

// CredentialFailure is the error where the AWS configuration leads to no credentials.
type CredentialFailure struct {
	Process string        // "the credential_process of the AWS profile x"; "": another source
	Late    time.Duration // the limit, if the process took longer
	Err     error
}

func (c *CredentialFailure) Error() string { return "failed to retrieve credentials: " + c.Err.Error() }

func (c *CredentialFailure) Unwrap() error { return c.Err }

// RetryableError is what the retryers of the SDK ask for: those of the clients that get
// credentials have repeated what passes.
func (c *CredentialFailure) RetryableError() bool { return false }
