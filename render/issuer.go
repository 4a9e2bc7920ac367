package render

import (
	"errors"
	"net/url"
	"strings"
)

// ErrNotSTS is the cause of the error for an issuer that AWS cannot look up:
// the cluster's service account tokens then mean nothing to IAM.
var ErrNotSTS = errors.New("not an STS cluster")

// inClusterIssuer is what the API server signs as when no issuer was
// configured. It resolves inside the cluster only.
const inClusterIssuer = "kubernetes.default.svc"

// maxIssuer is IAM's limit for the URL of an OIDC provider.
const maxIssuer = 255

// NormalizeIssuer gives the issuer as the API server puts it into tokens and
// as this tool hashes, tags and compares it: https, host, path, no slash at
// the end. An *InputError says what is wrong; for an empty issuer and for
// https://kubernetes.default.svc its cause is ErrNotSTS.
func NormalizeIssuer(s string) (string, error) {
	trimmed := strings.TrimRight(s, "/")
	host, _, _ := strings.Cut(IssuerHostPath(trimmed), "/")
	if trimmed == "" || host == inClusterIssuer || strings.HasPrefix(host, inClusterIssuer+".") {
		return "", notSTS(s)
	}
	if why := issuerFlaw(trimmed); why != "" {
		return "", &InputError{
			What: "issuer " + quote(s),
			Why:  why,
			Next: "give it as the cluster spells it, for example https://oidc.example.com/2abc",
		}
	}
	return trimmed, nil
}

// notSTS is the error for a cluster whose issuer is not public.
func notSTS(issuer string) error {
	why := "its service account issuer is empty, that is https://" + inClusterIssuer
	if issuer != "" {
		why = "its service account issuer is " + issuer
	}
	return &InputError{
		What: "the cluster does not use AWS STS",
		Why:  why + ", which AWS cannot reach to check tokens",
		Next: "use a cluster with an issuer known to IAM (rosa create cluster --sts, OpenShift set up with ccoctl, EKS), or give that issuer with --oidc-issuer",
		Err:  ErrNotSTS,
	}
}

// issuerFlaw says why a string is no issuer that IAM takes, empty if it is one.
func issuerFlaw(s string) string {
	if len(s) > maxIssuer {
		return "IAM takes issuers of at most 255 characters"
	}
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return "it is not a URL"
	case u.Scheme != "https" || u.Opaque != "" || !strings.HasPrefix(s, "https://"):
		return "it must begin with https://"
	case u.User != nil:
		return "it must not carry a user or password"
	case u.Port() != "" || strings.Contains(u.Host, ":"):
		return "it must not name a port"
	case strings.Contains(s, "?"):
		return "it must not have a query"
	case strings.Contains(s, "#"):
		return "it must not have a fragment"
	case !isHost(u.Host):
		return "its host is not a DNS name"
	case !isIssuerPath(u.Path) || u.RawPath != "" || strings.Contains(s, "%"):
		return "its path may hold letters, digits and . _ ~ - only, between single slashes"
	}
	return ""
}

// isHost accepts DNS names, in lower case as IAM stores them.
func isHost(host string) bool {
	if len(host) > 253 {
		return false
	}
	for label := range strings.SplitSeq(host, ".") {
		if !isLabel(label) {
			return false
		}
	}
	return true
}

// isIssuerPath keeps out what would mean something else in an ARN or in a
// policy: wildcards, variables, quotes, and segments that a client resolves.
func isIssuerPath(path string) bool {
	if path == "" {
		return true
	}
	for segment := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if segment == "" || segment == "." || segment == ".." {
			return false
		}
		if !only(segment, func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("._~-", c) >= 0 }) {
			return false
		}
	}
	return true
}
