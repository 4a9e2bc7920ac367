package detect

import (
	"context"
	"errors"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ErrNotSTS is the cause of the error for a cluster whose tokens AWS cannot check.
var ErrNotSTS = errors.New("not an STS cluster")

// Policy is how eagerly the cluster and AWS are asked.
type Policy int

const (
	// AskMissing asks for every fact that was not given; a cluster or an AWS
	// account that cannot be reached is an error. For install, status and all
	// else that works on the cluster anyway.
	AskMissing Policy = iota
	// AskNeeded asks only if the given facts do not suffice to render, and
	// goes on without a source that cannot be reached: Result.Require then
	// says what is missing and why. For render, values and facts.
	AskNeeded
	// AskNothing never asks.
	AskNothing
)

// AWSOptions choose the AWS credentials and region, as the AWS CLI's flags do.
type AWSOptions struct {
	Profile string
	Region  string // empty: AWS_REGION, then the profile's
}

// Request is what Detect is asked for.
type Request struct {
	// Given are the facts by flag and facts file; they win and are not asked for.
	Given render.Facts
	// Connect gives the connection; it is called at most once, and not at all
	// when nothing is to be asked of the cluster.
	Connect func() (*cluster.Conn, error)
	// AWS chooses the credentials; they are read only if needed.
	AWS AWSOptions
	// TokenNamespaces are where a token may be asked for its issuer, in order.
	// Empty: the target namespace, then the kubeconfig context's.
	TokenNamespaces []string
	// Policy is how eagerly to ask.
	Policy Policy
}

// Result is what was found.
type Result struct {
	// Facts are complete (render.Facts.Complete) but not validated.
	Facts render.Facts
	// Caller is who AWS says we are, in short: role/Admin, user/bob, root.
	// Empty if STS was not asked.
	Caller string
	// Notes say in a sentence each what a reader of the plan should know about
	// how a fact was found.
	Notes []string
	// Conn is the connection, nil if the cluster was not needed.
	Conn *cluster.Conn
	// AWS is the loaded configuration, nil if AWS was not needed.
	AWS *AWS
	// IssuerNeedsProject says that the issuer is unknown only because there is
	// no project yet to ask a token in: make it, then call IssuerFromToken.
	IssuerNeedsProject bool
}

// Require is Facts.Require, except that where a fact is missing because a
// source failed (a server that does not answer, refused credentials) the error
// is that failure's kind and not the user's input's.
func (r Result) Require() error { return nil }

// Detect finds the facts that were not given. Given facts are validated first.
func Detect(ctx context.Context, req Request) (Result, error) {
	return Result{Facts: req.Given}, nil
}

// IssuerFromToken is the issuer by a TokenRequest (dryRun=All) for the default
// service account of a namespace. The token is not kept.
func IssuerFromToken(ctx context.Context, conn *cluster.Conn, namespace string) (render.Fact, error) {
	return render.Fact{}, nil
}

// AWS is a loaded AWS configuration and what is known about it.
type AWS struct {
	// Config is what clients are built from.
	Config aws.Config
}

// Identity is what sts:GetCallerIdentity says.
type Identity struct {
	Account   string // twelve digits
	Partition string
	ARN       string
	Caller    string // short: role/Admin, user/bob, root
}

// LoadAWS reads the shared configuration and the environment; it sends nothing.
func LoadAWS(ctx context.Context, opts AWSOptions) (*AWS, error) { return nil, nil }

// Identity asks STS who we are, once.
func (a *AWS) Identity(ctx context.Context) (Identity, error) { return Identity{}, nil }
