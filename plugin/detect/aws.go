package detect

import (
	"cmp"
	"context"
	"errors"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awsclient"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/once"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	// anyRegion is where STS is asked if nothing tells a region; an account of
	// the partition aws is the same everywhere.
	anyRegion = "us-east-1"

	callerAction = "sts:GetCallerIdentity"
)

// AWS is a loaded AWS configuration and what is known about it.
type AWS struct {
	// Config is what clients are built from. After Detect it has a region.
	Config aws.Config
	// ConfiguredRegion is the region of AWSOptions, environment or profile.
	ConfiguredRegion string

	identity once.Answer[Identity]
}

// In is the configuration for a region that is known: the facts' is of the right
// partition, whatever is configured. The configured one stays where none is known.
func (a *AWS) In(region render.Fact) aws.Config {
	config := a.Config
	if region.Known() {
		config.Region = region.Value
	}
	return config
}

// Identity is what sts:GetCallerIdentity says.
type Identity struct {
	Account   string // twelve digits
	Partition string
	ARN       string
	Caller    string // short: role/Admin, user/bob, root
}

// LoadAWS reads the shared configuration and the environment; it sends
// nothing. Errors are translated by package awserr.
func LoadAWS(ctx context.Context, opts AWSOptions) (*AWS, error) {
	config, err := awsclient.Load(ctx, awsclient.Options{Profile: opts.Profile, Region: opts.Region})
	if err != nil {
		return nil, awserr.Translate(err, callerAction, "")
	}
	return &AWS{Config: config, ConfiguredRegion: config.Region}, nil
}

// ErrNoCredentials is the cause where nothing gives AWS credentials, as opposed
// to credentials that fail.
var ErrNoCredentials = errors.New("no AWS credentials")

// Identity asks STS who we are, once.
func (a *AWS) Identity(ctx context.Context) (Identity, error) {
	return a.identity.Value(ctx, func() (Identity, error) { return a.askIdentity(ctx) })
}

func (a *AWS) askIdentity(ctx context.Context) (Identity, error) {
	client := sts.NewFromConfig(a.Config, func(o *sts.Options) {
		o.Region = cmp.Or(o.Region, anyRegion)
	})
	out, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	if err != nil {
		return Identity{}, callerError(err)
	}
	identity := Identity{Account: aws.ToString(out.Account), ARN: aws.ToString(out.Arn)}
	arn, err := render.ParseARN(identity.ARN)
	if err != nil {
		return Identity{}, problem.Fail("AWS's answer to "+callerAction,
			err.Error(),
			"aws sts get-caller-identity shows it; give --account-id and --partition instead").Because(err)
	}
	identity.Partition, identity.Caller = arn.Partition, caller(arn)
	return identity, nil
}

// callerError marks the error for credentials that nobody gave. The SDK has no
// type for it: the last place it looks is the instance metadata service.
func callerError(err error) error {
	translated := awserr.Translate(err, callerAction, "")
	text := err.Error()
	p, ok := errors.AsType[*problem.Error](translated)
	if ok && p.Kind == problem.Failed && (strings.Contains(text, "no EC2 IMDS role found") || strings.Contains(text, "access disabled to EC2 IMDS")) {
		return p.Because(errors.Join(ErrNoCredentials, p.Err))
	}
	return translated
}

// caller shortens an ARN to what a person calls it: the session of an assumed
// role and paths are left out.
func caller(arn render.ARN) string {
	parts := strings.Split(arn.Resource, "/")
	switch {
	case parts[0] == "assumed-role" && len(parts) > 1:
		return "role/" + parts[1]
	case len(parts) > 2:
		return parts[0] + "/" + parts[len(parts)-1]
	}
	return arn.Resource
}

// askAWS loads the configuration and, if the account is wanted, asks who we
// are: at once where a region is configured, else as soon as the cluster has
// told its own, for credentials of one partition mean nothing to another.
func (s *search) askAWS(ctx context.Context) error {
	loaded, err := LoadAWS(ctx, s.req.AWS)
	if err != nil {
		return err
	}
	s.result.AWS = loaded
	loaded.Config.Region = cmp.Or(loaded.Config.Region, s.given.Region.Value)
	if s.given.Account.Known() {
		return nil
	}
	if loaded.Config.Region == "" {
		select {
		case <-s.infraDone:
			loaded.Config.Region = s.infra.region
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	identity, err := loaded.Identity(ctx)
	if err != nil {
		return err
	}
	s.result.Caller = identity.Caller
	s.result.Facts.Account = render.Fact{Value: identity.Account, Source: callerAction}
	if !s.given.Partition.Known() {
		s.result.Facts.Partition = render.Fact{Value: identity.Partition, Source: callerAction}
	}
	return nil
}
