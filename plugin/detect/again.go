package detect

import (
	"errors"
	"io"
	"net"
	"net/http"
	"slices"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"k8s.io/klog/v2"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
)

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
