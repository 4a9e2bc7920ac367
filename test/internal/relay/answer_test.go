package relay

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// behind serves what a play makes of requests to a server that always says the
// same.
func behind(t *testing.T, aws bool, play Play) (*Relay, string) {
	t.Helper()
	r := &Relay{play: play}
	well := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("all is well")) })
	server := httptest.NewServer(r.between(aws)(well))
	t.Cleanup(server.Close)
	return r, server.URL
}

// calls are one request to each service of AWS, by the name it is to get.
func calls(url string) map[string]func(context.Context) error {
	config := aws.Config{
		Region: "us-east-2", BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("A", "B", ""),
		Retryer: func() aws.Retryer { return aws.NopRetryer{} },
	}
	return map[string]func(context.Context) error{
		"iam GetRole": func(ctx context.Context) error {
			_, err := iam.NewFromConfig(config).GetRole(ctx, &iam.GetRoleInput{RoleName: aws.String("r")})
			return err
		},
		"sts GetCallerIdentity": func(ctx context.Context) error {
			_, err := sts.NewFromConfig(config).GetCallerIdentity(ctx, &sts.GetCallerIdentityInput{})
			return err
		},
		"s3 GET /b?tagging=": func(ctx context.Context) error {
			client := s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
			_, err := client.GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: aws.String("b")})
			return err
		},
	}
}

// TestAnswersOfAWS: the real clients read code and text from what is answered in
// a server's place.
func TestAnswersOfAWS(t *testing.T) {
	for kind, codes := range map[Kind][]string{
		TooManyLater: {"TooManyRequestsException", "TooManyRequests"}, TooMany: {"TooManyRequestsException", "TooManyRequests"},
		Throttling: {"Throttling", "SlowDown"}, Internal: {"InternalFailure", "InternalError"}, Unavailable: {"ServiceUnavailable"},
	} {
		r, url := behind(t, true, func(e *Exchange) { e.Answer(refusal(e, kind)) })
		for name, call := range calls(url) {
			err := call(t.Context())
			if asked := r.Requests(); len(asked) == 0 || asked[len(asked)-1] != name {
				t.Errorf("%s is called %q", name, asked)
			}
			var answer smithy.APIError
			if !errors.As(err, &answer) || !slices.Contains(codes, answer.ErrorCode()) || answer.ErrorMessage() == "" {
				t.Errorf("%s, %s: %v", name, kind, err)
			}
		}
	}
}

// TestAnswersOfKubernetes, to a write, which client-go repeats only where it is
// told when.
func TestAnswersOfKubernetes(t *testing.T) {
	for kind, is := range map[Kind]func(error) bool{
		TooMany: apierrors.IsTooManyRequests, Internal: apierrors.IsInternalError, Unavailable: apierrors.IsServiceUnavailable,
	} {
		_, url := behind(t, false, func(e *Exchange) { e.Answer(refusal(e, kind)) })
		if err := create(t, url); !is(err) {
			t.Errorf("%s: %v", kind, err)
		}
	}
	told := false
	r, url := behind(t, false, func(e *Exchange) {
		if told {
			e.Cut()
		}
		told = true
		e.Answer(refusal(e, TooManyLater))
	})
	if err := create(t, url); err == nil || len(r.Requests()) != 2 {
		t.Errorf("client-go does not read Retry-After: %v, %q", err, r.Requests())
	}
}

func create(t *testing.T, url string) error {
	t.Helper()
	client, err := kubernetes.NewForConfig(&rest.Config{Host: url})
	if err != nil {
		t.Fatal(err)
	}
	_, err = client.CoreV1().ConfigMaps("a").Create(t.Context(), &corev1.ConfigMap{}, metav1.CreateOptions{})
	return err
}
