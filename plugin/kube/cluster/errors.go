package cluster

import (
	"cmp"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"strings"
	"syscall"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apierr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/secret"
)

// Translate turns an error of a request into three parts. Errors that already
// have them, and a context's own end, pass unchanged. The original stays
// reachable with errors.As.
func (c *Conn) Translate(err error) error {
	var told *problem.Error
	var status apierrors.APIStatus
	switch {
	case err == nil, errors.As(err, &told), errors.Is(err, context.Canceled):
		return err
	case errors.As(err, &status):
		return apierr.Explain(status.Status(), apierr.About{Host: c.Host()}).Because(err)
	case strings.Contains(err.Error(), "getting credentials:"):
		return c.noCredentials(err)
	case errors.Is(err, context.DeadlineExceeded) && !errors.As(err, new(*silence)): // the caller's, not the network's
		return err
	case errors.Is(err, errTooMuch):
		return problem.Fail("the API server "+c.Host()+" sends an answer that is too large",
			fmt.Sprintf("it has more than %d MB", maxAnswer>>20),
			"check the server in the kubeconfig: oc whoami --show-server").Because(err)
	}
	why, next := cause(err) // there is no answer: which server, and why
	next = cmp.Or(next, "check the network, the VPN and the server in the kubeconfig: oc whoami --show-server")
	return problem.Fail("cannot reach the API server "+c.Host(), why, next).Because(err)
}

// oneLine keeps texts of others from breaking the layout, and the credentials that
// they may quote from being shown.
func oneLine(text string) string { return secret.Hide(plain.Line(text)) }

// cause gives the reason in the reader's terms, and what to do where that
// is something else than looking at the network.
func cause(err error) (why, next string) {
	if why, next := certificate(err); why != "" {
		return why, next
	}
	var dns *net.DNSError
	var quiet *silence
	var timeout net.Error
	switch {
	case errors.As(err, &dns) && dns.IsNotFound:
		return fmt.Sprintf("the name %q is not known to DNS", dns.Name), ""
	case errors.As(err, &dns):
		return fmt.Sprintf("DNS does not answer for %q", dns.Name), ""
	case errors.As(err, &quiet) && quiet.asked:
		return quiet.Error() + ", the limit set by --request-timeout", "give it more time with --request-timeout"
	case errors.As(err, &quiet):
		return quiet.Error(), ""
	case strings.Contains(err.Error(), "proxyconnect"):
		return "the proxy does not let us through: " + innermost(err), "check HTTPS_PROXY, NO_PROXY and proxy-url in the kubeconfig"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused: nothing listens there", ""
	case errors.As(err, &timeout) && timeout.Timeout():
		return "no connection within " + dialLimit.String() + ": packets are dropped on the way", ""
	case isHangUp(err), errors.As(err, new(hungUp)):
		return hungUp{}.Error(), ""
	case strings.Contains(err.Error(), "server gave HTTP response to HTTPS client"):
		return "it does not speak TLS", "correct the URL of the server in the kubeconfig: http or https, and the port"
	}
	return innermost(err), ""
}

// certificate is about TLS: the server answers, but is not believed.
func certificate(err error) (why, next string) {
	var authority x509.UnknownAuthorityError
	var name x509.HostnameError
	var invalid x509.CertificateInvalidError
	switch {
	case errors.As(err, &authority):
		return "its certificate is signed by an unknown authority",
			"log in again (oc login), or give the CA of the cluster with --certificate-authority"
	case errors.As(err, &name):
		return "its certificate is for another name: " + name.Error(),
			"correct the name of the server in the kubeconfig, or give that of the certificate with --tls-server-name"
	case errors.As(err, &invalid):
		return "its certificate is not valid: " + invalid.Error(), "check this machine's clock, then ask the cluster's admin"
	}
	return "", ""
}

// innermost drops the layers that repeat method and URL.
func innermost(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return oneLine(err.Error())
}

// noCredentials is for a credential plugin of the kubeconfig that failed.
func (c *Conn) noCredentials(err error) error {
	_, why, _ := strings.Cut(oneLine(err.Error()), "getting credentials: ")
	why = strings.TrimPrefix(why, "exec: ")
	what := "run the command"
	if strings.Contains(why, "not found") {
		what = "install the program"
	}
	next := what + " that the kubeconfig names for this user (" + advice.Command("oc config view --minify") + "), or log in again: " + advice.Command("oc login", c.Host())
	return problem.Fail("no credentials for the API server "+c.Host(),
		"the kubeconfig's credential plugin failed: "+why,
		next).Because(err)
}
