package awserr

import (
	"context"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"syscall"
)

// explainNetwork recognises that AWS was not reached at all.
func explainNetwork(err error) (explanation, bool) {
	text := err.Error()
	const again = "run the same command again"
	switch {
	case strings.Contains(text, "Missing Region"), strings.Contains(text, "MissingRegion"),
		strings.Contains(text, "AWS region is required"):
		return explanation{
			kind: usage, what: "no AWS region is known", why: "neither flag, environment nor profile names one",
			next: "--region REGION, for example us-east-2",
		}, true
	case isDNS(err):
		host := dnsHost(err)
		return explanation{
			why:  "the name " + host + " is not known: the region or AWS_ENDPOINT_URL may be misspelt, or there is no network",
			next: "check --region and AWS_ENDPOINT_URL, then " + again,
		}, true
	case isUntrusted(err):
		return explanation{
			why:  "the server's certificate is signed by nobody this machine trusts, as behind a proxy that opens TLS",
			next: "export AWS_CA_BUNDLE=FILE with the certificate of the proxy, then " + again,
		}, true
	case errors.Is(err, syscall.ECONNREFUSED):
		return explanation{
			why:  "nothing listens at the endpoint" + at(err),
			next: "check AWS_ENDPOINT_URL and HTTPS_PROXY, then " + again,
		}, true
	case errors.Is(err, context.DeadlineExceeded), isTimeout(err):
		return explanation{
			why:  "no answer in time" + at(err),
			next: "check the network and HTTPS_PROXY, or give more --timeout, then " + again,
		}, true
	case isOp(err), strings.Contains(text, "request send failed"):
		return explanation{why: "the connection broke" + at(err), next: "check the network, then " + again}, true
	}
	return explanation{}, false
}

func isDNS(err error) bool { _, ok := errors.AsType[*net.DNSError](err); return ok }

func dnsHost(err error) string {
	if d, ok := errors.AsType[*net.DNSError](err); ok {
		return d.Name
	}
	return ""
}

func isOp(err error) bool { _, ok := errors.AsType[*net.OpError](err); return ok }

func isTimeout(err error) bool {
	n, ok := errors.AsType[net.Error](err)
	return ok && n.Timeout()
}

func isUntrusted(err error) bool {
	if _, ok := errors.AsType[x509.UnknownAuthorityError](err); ok {
		return true
	}
	if _, ok := errors.AsType[x509.HostnameError](err); ok {
		return true
	}
	_, ok := errors.AsType[x509.CertificateInvalidError](err)
	return ok
}

// at names the address a connection went to, where the error knows it.
func at(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Addr != nil {
		return " (" + op.Addr.String() + ")"
	}
	return ""
}
