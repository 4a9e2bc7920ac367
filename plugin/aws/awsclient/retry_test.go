package awsclient

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const identityAnswer = `<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>` +
	`<Arn>arn:aws:iam::123456789012:user/bob</Arn><UserId>X</UserId><Account>123456789012</Account></GetCallerIdentityResult></GetCallerIdentityResponse>`

func refusal(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>m</Message></Error></ErrorResponse>`, code)
	}
}

// unhurried does not pause between attempts.
type unhurried struct{ aws.Retryer }

func (unhurried) RetryDelay(int, error) (time.Duration, error) { return 0, nil }

// TestRepeatedly: what passes is repeated to the last attempt but not beyond,
// and what does not is told at once.
func TestRepeatedly(t *testing.T) {
	for name, c := range map[string]struct {
		fail http.HandlerFunc
		want int64
	}{
		"Throttling":               {refusal(400, "Throttling"), manyAttempts},
		"TooManyRequestsException": {refusal(429, "TooManyRequestsException"), manyAttempts},
		"TooManyRequests":          {refusal(429, "TooManyRequests"), manyAttempts},
		"429 with its own code":    {refusal(429, "Whatever"), manyAttempts},
		"SlowDown":                 {refusal(503, "SlowDown"), manyAttempts},
		"500":                      {refusal(500, "InternalFailure"), manyAttempts},
		"503":                      {refusal(503, "ServiceUnavailable"), manyAttempts},
		"hangs up":                 {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, manyAttempts},
		"breaks off": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", fmt.Sprint(len(identityAnswer)))
			fmt.Fprint(w, identityAnswer[:100])
			_ = http.NewResponseController(w).Flush()
			panic(http.ErrAbortHandler)
		}, manyAttempts},
		"AccessDenied": {refusal(403, "AccessDenied"), 1},
		"Malformed":    {refusal(400, "MalformedPolicyDocument"), 1},
	} {
		t.Run(name, func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				c.fail(w, r)
			}))
			t.Cleanup(server.Close)
			if err := ask(t.Context(), server.URL); err == nil {
				t.Error("no error")
			}
			if asked.Load() != c.want {
				t.Errorf("asked %d times, want %d", asked.Load(), c.want)
			}
		})
	}
}

// TestS3BreaksOff: an answer of S3 that breaks off is asked for again wherever it
// broke: before, in and behind the element by which S3 tells errors with status 200.
func TestS3BreaksOff(t *testing.T) {
	const whole = `<?xml version="1.0"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/"><Name>demo-bucket</Name></ListBucketResult>`
	for _, sent := range []int{0, 10, 50, 100, len(whole) - 1} {
		t.Run(fmt.Sprint(sent), func(t *testing.T) {
			var asked atomic.Int64
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Length", fmt.Sprint(len(whole)))
				if asked.Add(1) > 2 {
					fmt.Fprint(w, whole)
					return
				}
				fmt.Fprint(w, whole[:sent])
				_ = http.NewResponseController(w).Flush()
				panic(http.ErrAbortHandler)
			}))
			t.Cleanup(server.Close)
			client := s3.NewFromConfig(at(server.URL), func(o *s3.Options) { o.Retryer, o.UsePathStyle = unhurried{o.Retryer}, true })
			if out, err := client.ListObjects(t.Context(), &s3.ListObjectsInput{Bucket: aws.String("demo-bucket")}); err != nil || aws.ToString(out.Name) != "demo-bucket" {
				t.Errorf("after %d attempts: %v", asked.Load(), err)
			}
		})
	}
}

// at is a configuration for an endpoint, as repeatedly has it.
func at(endpoint string) aws.Config {
	return repeatedly(aws.Config{
		Region: "us-east-2", BaseEndpoint: &endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "A", SecretAccessKey: "B"}, nil
		}),
	})
}

func ask(ctx context.Context, endpoint string) error {
	client := sts.NewFromConfig(at(endpoint), func(o *sts.Options) { o.Retryer = unhurried{o.Retryer} })
	_, err := client.GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
	return err
}

// TestChosenByTheUser: the number of attempts and the mode of AWS's own
// configuration win.
func TestChosenByTheUser(t *testing.T) {
	config := repeatedly(aws.Config{RetryMaxAttempts: 2})
	if n := config.Retryer().MaxAttempts(); n != 2 {
		t.Errorf("%d attempts", n)
	}
	if config := repeatedly(aws.Config{RetryMode: aws.RetryModeAdaptive}); config.Retryer != nil {
		t.Error("the adaptive mode is lost")
	}
}
