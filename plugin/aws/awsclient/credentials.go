package awsclient

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsconfig "github.com/aws/aws-sdk-go-v2/config"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awsconf"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	asking "github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/once"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/waiting"
)

// once is the credentials of a configuration, got once also if that fails: each request,
// and each attempt of it, would run the program of the profile again, or ask AWS again.
func once(config aws.Config, limits Limits, profile string) aws.CredentialsProvider {
	if config.Credentials == nil {
		return nil
	}
	c := &credentials{next: config.Credentials, profile: profile}
	if of := processProfile(config.ConfigSources); of != "" {
		c.process, c.limit = "the credential_process of the AWS profile "+plain.InLine(of), limits.Process
	}
	return c
}

// processProfile is the profile whose program gives the credentials, also those by which a
// role is assumed; "" if there is none.
func processProfile(sources []any) string {
	for _, source := range sources {
		shared, ok := source.(awsconfig.SharedConfig)
		if !ok {
			continue
		}
		for from := &shared; from != nil; from = from.Source {
			if from.CredentialProcess != "" {
				return from.Profile
			}
		}
	}
	return ""
}

type credentials struct {
	next    aws.CredentialsProvider
	profile string        // of --profile
	process string        // that they come from; "": another source
	limit   time.Duration // of the process
	failed  asking.Answer[struct{}]
}

// Retrieve implements aws.CredentialsProvider.
func (c *credentials) Retrieve(ctx context.Context) (aws.Credentials, error) {
	var got aws.Credentials
	_, err := c.failed.Keep(ctx, func(error) bool { return true }, func() (_ struct{}, err error) {
		got, err = c.retrieve(ctx)
		return struct{}{}, err
	})
	if err == nil && got == (aws.Credentials{}) { // an earlier request got them: the SDK keeps them
		return c.next.Retrieve(ctx)
	}
	return got, err
}

func (c *credentials) retrieve(ctx context.Context) (aws.Credentials, error) {
	limited, cancel := ctx, func() {}
	if c.process != "" {
		var done func()
		ctx, done = waiting.For(ctx, c.process)
		defer done()
		limited, cancel = context.WithTimeout(ctx, c.limit)
	}
	defer cancel()
	got, err := c.next.Retrieve(limited)
	if err == nil || ctx.Err() != nil {
		return got, err
	}
	failure := &awserr.CredentialFailure{Process: c.process, Err: err}
	if limited.Err() != nil {
		failure.Late = c.limit
	} else if told := awsconf.Explain(err, sourceOf(ctx, c.profile)); told != nil {
		failure.Err = told
	}
	return got, failure
}
