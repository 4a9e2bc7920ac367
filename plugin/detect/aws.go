package detect

import (
	"cmp"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go/logging"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"k8s.io/klog/v2"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/once"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	// anyRegion is where STS is asked if nothing tells a region; an account of
	// the partition aws is the same everywhere.
	anyRegion = "us-east-1"

	dialLimit = 5 * time.Second

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
	client := awshttp.NewBuildableClient().WithDialerOptions(func(d *net.Dialer) { d.Timeout = dialLimit })
	// The client's type matters: from it the SDK derives the one for the
	// instance metadata service, with limits of a fraction of a second.
	// Without a logger the SDK writes to stderr itself.
	load := []func(*awsconfig.LoadOptions) error{awsconfig.WithHTTPClient(client), awsconfig.WithLogger(logging.Nop{})}
	if opts.Profile != "" {
		load = append(load, awsconfig.WithSharedConfigProfile(opts.Profile))
	}
	if opts.Region != "" {
		load = append(load, awsconfig.WithRegion(opts.Region))
	}
	// The files that it reads can be pipes.
	config, err := interrupt.Run(ctx, 0, func() (aws.Config, error) { return awsconfig.LoadDefaultConfig(ctx, load...) })
	if err != nil {
		return nil, awserr.Translate(err, callerAction, "")
	}
	return &AWS{Config: repeatedly(config), ConfiguredRegion: config.Region}, nil
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
		o.Retryer = newRetryer(o.RetryMaxAttempts, noConnection(fewAttempts))
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
	if ok && (strings.Contains(text, "no EC2 IMDS role found") || strings.Contains(text, "access disabled to EC2 IMDS")) {
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

const (
	// manyAttempts outlasts IAM's throttling, which is per account and not per
	// caller, unless AWS_MAX_ATTEMPTS says otherwise.
	manyAttempts = 8
	// fewAttempts is how often the first call tries to connect: without a network
	// the user should learn it soon.
	fewAttempts = 3
	// longestPause between two attempts. They grow, by chance, from under a second;
	// the SDK's own would become 20 s.
	longestPause = 4 * time.Second
	// worthTelling is a pause that -v tells of.
	worthTelling = 2 * time.Second
)

// repeatedly has every client of a configuration repeat what passes: what the
// SDK repeats, and what it leaves out, which is an answer that broke off and 429
// with a code that it does not know. Who has chosen the SDK's adaptive mode
// keeps it.
func repeatedly(config aws.Config) aws.Config {
	if config.RetryMaxAttempts == 0 {
		config.RetryMaxAttempts = manyAttempts
	}
	if config.RetryMode != aws.RetryModeAdaptive {
		config.Retryer = func() aws.Retryer { return newRetryer(config.RetryMaxAttempts) }
	}
	return config
}

// newRetryer makes a retryer; what first decides on is decided.
func newRetryer(attempts int, first ...retry.IsErrorRetryable) aws.Retryer {
	jitter := retry.NewExponentialJitterBackoff(longestPause)
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = attempts, longestPause
		o.Retryables = slices.Concat(first, o.Retryables, []retry.IsErrorRetryable{
			retry.IsErrorRetryableFunc(brokeOff),
			retry.RetryableErrorCode{Codes: map[string]struct{}{"TooManyRequests": {}}},
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}},
		})
		o.Backoff = retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
			pause, failed := jitter.BackoffDelay(attempt, err)
			if pause >= worthTelling {
				klog.V(1).Infof("AWS: %s; trying again in %s", inShort(err), pause.Round(time.Millisecond))
			}
			return pause, failed
		})
	})
}

// inShort names an error by its code, which holds no secrets.
func inShort(err error) string {
	if code := awserr.Code(err); code != "" {
		return code
	}
	return "no answer"
}

// brokeOff recognises an answer whose connection broke in its middle. Where it
// broke decides which of the SDK's readers tells it: S3's look for an error in an
// answer with status 200 before it is deserialized.
func brokeOff(err error) aws.Ternary {
	if _, ok := errors.AsType[*smithyhttp.ResponseError](err); ok && errors.Is(err, io.ErrUnexpectedEOF) {
		return aws.TrueTernary
	}
	return aws.UnknownTernary
}

// noConnection gives up after so many attempts to connect.
func noConnection(attempts int32) retry.IsErrorRetryableFunc {
	var failed atomic.Int32
	return func(err error) aws.Ternary {
		op, ok := errors.AsType[*net.OpError](err)
		if ok && op.Op == "dial" && failed.Add(1) >= attempts {
			return aws.FalseTernary
		}
		return aws.UnknownTernary
	}
}
