package awsclient

import (
	"errors"
	"io"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"k8s.io/klog/v2"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
)

const (
	// manyAttempts outlasts IAM's throttling, which is per account and not per
	// caller, unless AWS_MAX_ATTEMPTS says otherwise.
	manyAttempts = 8
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

func newRetryer(attempts int) aws.Retryer {
	jitter := retry.NewExponentialJitterBackoff(longestPause)
	return retry.NewStandard(func(o *retry.StandardOptions) {
		o.MaxAttempts, o.MaxBackoff = attempts, longestPause
		o.Retryables = append(o.Retryables,
			retry.IsErrorRetryableFunc(brokeOff),
			retry.RetryableErrorCode{Codes: map[string]struct{}{"TooManyRequests": {}}},
			retry.RetryableHTTPStatusCode{Codes: map[int]struct{}{http.StatusTooManyRequests: {}}})
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
