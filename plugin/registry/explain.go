package registry

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strings"

	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/registry/remote/auth"
	"oras.land/oras-go/v2/registry/remote/errcode"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// explain says why a registry did not give what it was asked for. Addresses of
// requests are left out: those of redirects carry signatures.
func (w *wanted) explain(ctx context.Context, err error) error {
	// Not errors.Is: the network's own time limits call themselves deadlines, too.
	if ended := ctx.Err(); ended != nil {
		return problem.While("chart "+w.String()+" to come", fmt.Errorf("fetch %s: %w", w, ended))
	}
	told := &problem.Error{Kind: problem.Failed, What: "chart " + w.String(), Next: w.byHand(), Err: errors.New(cause(err))}
	host := w.repo.Reference.Host()
	answer := (*errcode.ErrorResponse)(nil)
	certificate, authority := (x509.HostnameError{}), (x509.UnknownAuthorityError{})
	switch {
	case errors.Is(err, auth.ErrBasicCredentialNotFound):
		told.Why = host + " wants a password, and we send none"
	case errors.As(err, &answer):
		w.answered(told, answer)
	case errors.Is(err, content.ErrMismatchedDigest), errors.Is(err, content.ErrTrailingData), errors.Is(err, content.ErrInvalidDescriptorSize),
		errors.Is(err, io.ErrUnexpectedEOF):
		told.Why = "what came from " + host + " is not what its digest or size says, so it was thrown away"
		told.Next = "try again; if it stays so, a proxy on the way may change it: " + w.byHand()
	case errors.As(err, &certificate), errors.As(err, &authority):
		told.Why = "the certificate of " + host + " is not one this machine trusts: " + cause(err)
		told.Next = "a proxy that opens TLS needs its CA among the certificates of the system; or " + w.byHand()
	case unreachable(err):
		told.Why = host + " cannot be reached: " + cause(err)
	default:
		told.Why = host + " does not answer as a registry does: " + cause(err)
	}
	return told
}

// unreachable reports whether no answer came at all.
func unreachable(err error) bool {
	request, network := (*url.Error)(nil), net.Error(nil)
	return errors.As(err, &request) || errors.As(err, &network)
}

// answered words an answer that is a refusal.
func (w *wanted) answered(told *problem.Error, answer *errcode.ErrorResponse) {
	host := answer.URL.Host
	said := ""
	if len(answer.Errors) > 0 {
		if text := shown(answer.Errors[0].Code + " " + answer.Errors[0].Message); text != "" {
			said = " (" + text + ")"
		}
	}
	switch answer.StatusCode {
	case http.StatusUnauthorized, http.StatusForbidden:
		told.Why = fmt.Sprintf("%s gives it to nobody without credentials%s, and we send none", host, said)
		told.Next = "check the name; for a private registry: " + advice.Command("helm registry login", w.repo.Reference.Registry) + ", then " + w.byHand()
	case http.StatusNotFound:
		told.Why = host + " has no such repository" + said
		told.Next = "check the name: the chart of ACK is oci://public.ecr.aws/aws-controllers-k8s/s3-chart"
	case http.StatusTooManyRequests:
		told.Why = host + " has had too many requests from here" + said
		told.Next = "try again in a minute; or " + w.byHand()
	default:
		told.Why = fmt.Sprintf("%s answered with HTTP status %d%s", host, answer.StatusCode, said)
		told.Next = "try again later; or " + w.byHand()
	}
}

// absent says that there is no such tag or digest, and the newest that there
// is where the registry tells.
func (w *wanted) absent(ctx context.Context, err error) error {
	newest, failed := w.newest(ctx)
	answer := (*errcode.ErrorResponse)(nil)
	if ctx.Err() != nil || errors.As(failed, &answer) && answer.StatusCode == http.StatusNotFound {
		return w.explain(ctx, failed)
	}
	told := &problem.Error{
		Kind: problem.Usage, Err: err,
		What: "chart " + w.String(),
		Why:  "the registry has no such version",
		Next: "leave out --version to have the newest",
	}
	if newest != "" {
		told.Why += "; the newest is " + advice.Version(newest).String()
		told.Next = advice.Command("--version", advice.Version(newest).Word())
	}
	return told
}

// noChart says that what the registry has is not what we take.
func (w *wanted) noChart(why string) error {
	return &problem.Error{
		Kind: problem.Usage,
		What: "chart " + w.String(),
		Why:  "it is not a Helm chart: " + why,
		Next: "the chart of ACK is oci://public.ecr.aws/aws-controllers-k8s/s3-chart; its image has another name",
	}
}

// byHand is how the chart gets here without us.
func (w *wanted) byHand() string {
	pull := []string{w.name}
	switch {
	case strings.Contains(w.what, ":"):
		pull = []string{w.name + "@" + w.what}
	case w.what != "":
		pull = append(pull, "--version", strings.ReplaceAll(w.what, "_", "+"))
	}
	return advice.Command("helm pull", pull...) + " where it is available, then --chart FILE"
}

// queries are what may be secret in an address: a blob's redirect is signed.
var queries = regexp.MustCompile(`(https?://[^\s"?]*)\?[^\s"]*`)

// cause is a failure of the network in one line, without what a request asked.
func cause(err error) string {
	if at := (*url.Error)(nil); errors.As(err, &at) {
		err = at.Err
	}
	return shown(queries.ReplaceAllString(err.Error(), "$1"))
}

// shown is what a registry wrote, in one line, cut.
func shown(text string) string {
	const most = 200
	text = plain.Line(text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "..."
	}
	return text
}
