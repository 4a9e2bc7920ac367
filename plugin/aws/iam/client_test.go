package iam

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// answer is one answer of a server that plays IAM.
type answer struct {
	status int
	body   string
}

func failure(status int, code, message string) answer {
	return answer{status, fmt.Sprintf(`<ErrorResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>r</RequestId></ErrorResponse>`, code, message)}
}

// attempts are those of the clients, as package detect configures them.
const attempts = 8

// serve answers one after the other, the last one for ever, and gives a client
// that does not pause between attempts, and the actions it was asked for.
func serve(t *testing.T, change func(*aws.Config), answers ...answer) (*Client, func() []string) {
	t.Helper()
	var asked []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.FormValue("Action"))
		a := answers[min(len(asked), len(answers))-1]
		w.Header().Set("Content-Type", "text/xml")
		w.WriteHeader(a.status)
		_, _ = fmt.Fprint(w, a.body)
	}))
	t.Cleanup(server.Close)
	cfg := aws.Config{
		Region:       "us-east-2",
		BaseEndpoint: aws.String(server.URL),
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIAEXAMPLEKEY123456", SecretAccessKey: "x"}, nil
		}),
		RetryMaxAttempts: attempts,
		Retryer: func() aws.Retryer {
			return retry.NewStandard(func(o *retry.StandardOptions) {
				o.Backoff = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })
			})
		},
	}
	if change != nil {
		change(&cfg)
	}
	return New(cfg), func() []string { return asked }
}

func TestClientRepeats(t *testing.T) {
	const done = `<TagRoleResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata></TagRoleResponse>`
	tag := func(c *Client) error {
		_, err := c.TagRole(t.Context(), &awsiam.TagRoleInput{RoleName: aws.String("x"), Tags: toTags(map[string]string{"a": "b"})})
		return err
	}
	client, asked := serve(t, nil,
		failure(400, "Throttling", "Rate exceeded"), failure(409, "ConcurrentModification", "again"),
		failure(409, "EntityTemporarilyUnmodifiable", "again"), failure(500, "ServiceFailure", ""), failure(503, "ServiceUnavailable", ""),
		answer{200, done})
	if err := tag(client); err != nil || len(asked()) != 6 {
		t.Errorf("%d requests, %v", len(asked()), err)
	}
	client, asked = serve(t, nil, failure(400, "Throttling", "Rate exceeded"))
	err := tag(client)
	if len(asked()) != attempts || awserr.Code(err) != "Throttling" {
		t.Errorf("%d requests, %v", len(asked()), err)
	}
	wantProblem(t, awserr.Translate(err, "iam:TagRole", "x"), problem.Failed, "too many requests")
	client, asked = serve(t, nil, failure(403, "AccessDenied", "no"))
	if err := tag(client); len(asked()) != 1 || !awserr.Denied(err) || awserr.Status(err) != 403 {
		t.Errorf("%d requests, %v", len(asked()), err)
	}
	client, asked = serve(t, func(c *aws.Config) { c.RetryMaxAttempts = 2 }, failure(400, "Throttling", "Rate exceeded"))
	if err := tag(client); len(asked()) != 2 || err == nil {
		t.Errorf("AWS_MAX_ATTEMPTS=2: %d requests, %v", len(asked()), err)
	}
}

func TestClientWithoutCredentials(t *testing.T) {
	client, asked := serve(t, func(c *aws.Config) {
		c.Credentials = aws.NewCredentialsCache(aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{}, errors.New("no EC2 IMDS role found")
		}))
	}, failure(500, "x", "x"))
	_, err := Read(t.Context(), client, "x", true)
	wantProblem(t, err, problem.Failed, "no usable AWS credentials", "aws sts get-caller-identity")
	if len(asked()) != 0 {
		t.Errorf("asked %v", asked())
	}
}

func TestProvider(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/2abc"
	const there = `<GetOpenIDConnectProviderResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><GetOpenIDConnectProviderResult><ClientIDList><member>openshift</member><member>sts.amazonaws.com</member></ClientIDList><Url>oidc.example.com/2abc</Url></GetOpenIDConnectProviderResult></GetOpenIDConnectProviderResponse>`
	client, asked := serve(t, nil, answer{200, there})
	p, err := Provider(t.Context(), client, arn)
	if err != nil || !p.Exists || !p.Takes("sts.amazonaws.com") || p.Takes("vault") {
		t.Errorf("%+v, %v", p, err)
	}
	if want := []string{"GetOpenIDConnectProvider"}; !slices.Equal(asked(), want) {
		t.Errorf("asked %v", asked())
	}
	client, _ = serve(t, nil, failure(404, "NoSuchEntity", "OpenIDConnect Provider not found for arn "+arn))
	if p, err := Provider(t.Context(), client, arn); err != nil || p.Exists || p.Takes("sts.amazonaws.com") {
		t.Errorf("absent: %+v, %v", p, err)
	}
	client, _ = serve(t, nil, failure(403, "AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:GetOpenIDConnectProvider on resource: "+arn+" because no identity-based policy allows the iam:GetOpenIDConnectProvider action"))
	_, err = Provider(t.Context(), client, arn)
	if !awserr.Denied(err) {
		t.Errorf("not allowed: %v", err)
	}
	wantProblem(t, err, problem.Failed, "iam:GetOpenIDConnectProvider on "+arn, "user/bob")
}
