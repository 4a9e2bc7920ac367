package render

import (
	"errors"
	"net/url"
	"path"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// ARN is an Amazon Resource Name in its parts.
type ARN struct {
	Partition string // aws, aws-us-gov, ...
	Service   string // iam, s3, ...
	Region    string // empty for global services
	Account   string // twelve digits, "aws" for AWS's own policies, or empty
	Resource  string // all that follows, colons included
}

// String is the ARN as AWS writes it.
func (a ARN) String() string {
	return strings.Join([]string{"arn", a.Partition, a.Service, a.Region, a.Account, a.Resource}, ":")
}

// Name is the last part of the resource: NAME of role/PATH/NAME.
func (a ARN) Name() string { return a.Resource[strings.LastIndex(a.Resource, "/")+1:] }

// Path is what stands between the kind and the name: /PATH/ of role/PATH/NAME, / of
// role/NAME.
func (a ARN) Path() string {
	_, rest, _ := strings.Cut(a.Resource, "/")
	return "/" + rest[:strings.LastIndex(rest, "/")+1]
}

// ParseARN takes an ARN apart. It checks the form, not whether the thing
// exists; a *problem.Error says what is wrong.
func ParseARN(s string) (ARN, error) {
	parts := strings.SplitN(s, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" {
		return ARN{}, arnError(s, "an ARN has six parts: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE")
	}
	a := ARN{Partition: parts[1], Service: parts[2], Region: parts[3], Account: parts[4], Resource: parts[5]}
	switch {
	case a.Partition != "aws" && !strings.HasPrefix(a.Partition, "aws-"), !awsName.MatchString(a.Partition):
		return ARN{}, arnError(s, "its partition is not one of AWS's: "+strings.Join(Partitions(), ", "))
	case a.Service == "" || !awsName.MatchString(a.Service):
		return ARN{}, arnError(s, "it names no service")
	case !awsName.MatchString(a.Region):
		return ARN{}, arnError(s, "its region is malformed")
	case a.Account != "" && a.Account != "aws" && !accountForm.MatchString(a.Account):
		return ARN{}, arnError(s, "its account is not twelve digits")
	case !printable.MatchString(a.Resource):
		return ARN{}, arnError(s, "it names no resource, or one with spaces")
	}
	return a, nil
}

// ParseARNOf is ParseARN for a flag that takes one kind of thing: service
// "iam" and kind "policy" accept arn:aws:iam::123456789012:policy/NAME.
func ParseARNOf(s, service, kind string) (ARN, error) {
	a, err := ParseARN(s)
	if err != nil {
		return ARN{}, err
	}
	if a.Service != service {
		return ARN{}, arnError(s, "it is of the service "+a.Service+", and one of "+service+" is needed")
	}
	if name, ok := strings.CutPrefix(a.Resource, kind+"/"); !ok || name == "" {
		return ARN{}, arnError(s, "it does not name a "+kind+" ("+kind+"/NAME)")
	}
	return a, nil
}

func arnError(s, why string) error {
	return problem.Input("ARN "+quote(s), why, "copy the whole ARN as AWS shows it")
}

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
// the end. A *problem.Error says what is wrong; for an empty issuer and for
// https://kubernetes.default.svc its cause is ErrNotSTS.
func NormalizeIssuer(s string) (string, error) {
	trimmed := strings.TrimRight(s, "/")
	host, _, _ := strings.Cut(IssuerHostPath(trimmed), "/")
	if trimmed == "" || host == inClusterIssuer || strings.HasPrefix(host, inClusterIssuer+".") {
		return "", notSTS(s)
	}
	if why := issuerFlaw(trimmed); why != "" {
		return "", problem.Input("issuer "+quote(s), why, "give it as the cluster spells it, for example https://oidc.example.com/2abc")
	}
	return trimmed, nil
}

// notSTS is the error for a cluster whose issuer is not public.
func notSTS(issuer string) error {
	why := "its service account issuer is empty, that is https://" + inClusterIssuer
	if issuer != "" {
		why = "its service account issuer is " + issuer
	}
	return problem.Input("the cluster does not use AWS STS",
		why+", which AWS cannot reach to check tokens",
		"use a cluster with an issuer known to IAM (rosa create cluster --sts, OpenShift set up with ccoctl, EKS), or give that issuer with --oidc-issuer").Because(ErrNotSTS)
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
	case !issuerPathForm.MatchString(u.Path) || strings.TrimSuffix(path.Clean("/"+u.Path), "/") != u.Path || u.RawPath != "" || strings.Contains(s, "%"):
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
		if !dnsLabel.MatchString(label) {
			return false
		}
	}
	return true
}
