// Package awsclient loads the configuration that all clients of AWS are made from: whose
// credentials, which region, how long a request waits and how often it is repeated. It
// sends nothing by itself, and decides nothing else.
package awsclient

import (
	"context"
	"net"
	"net/http"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials/processcreds"
	"github.com/aws/smithy-go/logging"
	"github.com/aws/smithy-go/middleware"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awsconf"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/waiting"
)

// Options choose credentials and region, as the flags of the AWS CLI do.
type Options struct {
	Profile string
	Region  string // empty: AWS_REGION, then the profile's
	Limits  Limits // the zero value: the usual ones
}

// Load reads the shared configuration and the environment; it sends nothing. Errors are
// about what the user configured.
func Load(ctx context.Context, o Options) (aws.Config, error) {
	if o.Limits == (Limits{}) {
		o.Limits = UsualLimits(waiting.Attended(ctx))
	}
	source := sourceOf(ctx, o.Profile)
	// The files that it reads can be pipes.
	config, err := interrupt.Run(ctx, 0, func() (aws.Config, error) {
		if err := awsconf.Check(source); err != nil {
			return aws.Config{}, err
		}
		return awsconfig.LoadDefaultConfig(ctx, o.load()...)
	})
	switch {
	case err != nil && ctx.Err() != nil, problem.IsInput(err):
		return aws.Config{}, err
	case err != nil:
		return aws.Config{}, awsconf.Loading(err, source)
	}
	config.Credentials = once(config, o.Limits, o.Profile)
	return repeatedly(config), nil
}

// sourceOf is where the configuration is read from. A file can be on a server that does not
// answer.
func sourceOf(ctx context.Context, profile string) awsconf.Source {
	home, _ := os.UserHomeDir()
	return awsconf.Source{
		Getenv: os.Getenv, Home: home, Profile: profile,
		Read: func(file string) ([]byte, error) {
			return interrupt.Run(ctx, 0, func() ([]byte, error) { return os.ReadFile(file) })
		},
	}
}

func (o Options) load() []func(*awsconfig.LoadOptions) error {
	proxies := proxiesOf(os.Getenv)
	patience := newPatience(o.Limits, proxies)
	// The client's type matters: from it the SDK derives the one for the instance metadata
	// service, with limits of a fraction of a second, and only to it AWS_CA_BUNDLE is added.
	client := awshttp.NewBuildableClient().
		WithDialerOptions(func(d *net.Dialer) { d.Timeout = o.Limits.Dial }).
		WithTransportOptions(func(t *http.Transport) { t.Proxy, t.OnProxyConnectResponse = proxies.forRequest, refused })
	load := []func(*awsconfig.LoadOptions) error{
		awsconfig.WithHTTPClient(client),
		awsconfig.WithAPIOptions([]func(*middleware.Stack) error{patience.addTo}),
		awsconfig.WithLogger(logging.Nop{}), // without a logger the SDK writes to stderr itself
		awsconfig.WithProcessCredentialOptions(func(p *processcreds.Options) { p.Timeout = o.Limits.Process }),
	}
	if o.Profile != "" {
		load = append(load, awsconfig.WithSharedConfigProfile(o.Profile))
	}
	if o.Region != "" {
		load = append(load, awsconfig.WithRegion(o.Region))
	}
	return load
}
