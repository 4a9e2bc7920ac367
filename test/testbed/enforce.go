package testbed

import (
	"context"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	authentication "k8s.io/api/authentication/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// Identity is an IAM user or the session of a role. A bed with Options.Enforce holds
// it to its policies.
type Identity struct {
	// ARN of the user or of the role.
	ARN string
	// Env is the AWS part of Bed.Env with the identity's keys.
	Env    []string
	config awssdk.Config
}

// IAM is a client with the identity's keys.
func (i Identity) IAM() *iam.Client { return iam.NewFromConfig(i.config, once) }

// STS is a client with the identity's keys.
func (i Identity) STS() *sts.Client { return sts.NewFromConfig(i.config) }

// S3 is a client with the identity's keys.
func (i Identity) S3() *s3.Client { return s3.NewFromConfig(i.config, pathStyle) }

// once: a refusal does not become another one by asking again.
func once(o *iam.Options) { o.RetryMaxAttempts = 1 }

// managedLimit is how long a managed policy may be, without white space ("IAM and STS
// quotas"). Inline policies of a user may have 2,048 characters in all, which is too
// few, so that User attaches managed ones.
const managedLimit = 6144

var space = regexp.MustCompile(`\s`)

// User creates an IAM user with these policies (JSON). boundary is the ARN of a
// permissions boundary, "" for none.
func (b *Bed) User(ctx context.Context, name, boundary string, policies ...string) (Identity, error) {
	input := &iam.CreateUserInput{UserName: &name}
	if boundary != "" {
		input.PermissionsBoundary = &boundary
	}
	user, err := b.IAM().CreateUser(ctx, input)
	if err != nil {
		return Identity{}, fmt.Errorf("create user %s: %w", name, err)
	}
	for n, text := range policies {
		arn, err := b.Policy(ctx, fmt.Sprintf("%s-%d", name, n), text)
		if err != nil {
			return Identity{}, err
		}
		if _, err := b.IAM().AttachUserPolicy(ctx, &iam.AttachUserPolicyInput{UserName: &name, PolicyArn: &arn}); err != nil {
			return Identity{}, fmt.Errorf("attach %s: %w", arn, err)
		}
	}
	key, err := b.IAM().CreateAccessKey(ctx, &iam.CreateAccessKeyInput{UserName: &name})
	if err != nil {
		return Identity{}, fmt.Errorf("create access key of %s: %w", name, err)
	}
	return b.identity(*user.User.Arn, *key.AccessKey.AccessKeyId, *key.AccessKey.SecretAccessKey, ""), nil
}

// Policy creates a managed policy and returns its ARN.
func (b *Bed) Policy(ctx context.Context, name, text string) (string, error) {
	if !json.Valid([]byte(text)) {
		return "", fmt.Errorf("policy %s is not JSON: %s", name, text)
	}
	if length := len(space.ReplaceAllString(text, "")); length > managedLimit {
		return "", fmt.Errorf("policy %s has %d characters, a managed policy may have %d", name, length, managedLimit)
	}
	made, err := b.IAM().CreatePolicy(ctx, &iam.CreatePolicyInput{PolicyName: &name, PolicyDocument: &text})
	if err != nil {
		return "", fmt.Errorf("create policy %s: %w", name, err)
	}
	return *made.Policy.Arn, nil
}

// Token is a token of a service account.
func (b *Bed) Token(ctx context.Context, namespace, account, audience string) (string, error) {
	request := &authentication.TokenRequest{Spec: authentication.TokenRequestSpec{Audiences: []string{audience}}}
	got, err := b.Client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of %s/%s: %w", namespace, account, err)
	}
	return got.Status.Token, nil
}

// Assume exchanges a token for the session of a role. AWS's refusals are returned
// unchanged.
func (b *Bed) Assume(ctx context.Context, role, token string) (Identity, error) {
	config := b.awsConfig("", "", "")
	config.Credentials = awssdk.AnonymousCredentials{}
	got, err := sts.NewFromConfig(config).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &role, RoleSessionName: awssdk.String("testbed"), WebIdentityToken: &token,
	})
	if err != nil {
		return Identity{}, err
	}
	c := got.Credentials
	return b.identity(role, *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken), nil
}

// AssumeRole is the session of a role whose trust policy names the account.
func (b *Bed) AssumeRole(ctx context.Context, role string) (Identity, error) {
	input := &sts.AssumeRoleInput{RoleArn: &role, RoleSessionName: awssdk.String("testbed")}
	got, err := sts.NewFromConfig(b.awsConfig(helperKey, anySecret, "")).AssumeRole(ctx, input)
	if err != nil {
		return Identity{}, err
	}
	c := got.Credentials
	return b.identity(role, *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken), nil
}

func (b *Bed) identity(arn, key, secret, session string) Identity {
	env := append(b.AWSEnv(), "AWS_ACCESS_KEY_ID="+key, "AWS_SECRET_ACCESS_KEY="+secret, "AWS_SESSION_TOKEN="+session)
	return Identity{ARN: arn, Env: env, config: b.awsConfig(key, secret, session)}
}

// controllerSession is the ACK stand-in's client with the session of its role. The
// log of AWS then calls it "controller" by its user agent (aws/webidentity.py).
func (b *Bed) controllerSession(ctx context.Context, region, role, token string) (*s3.Client, error) {
	session, err := b.Assume(ctx, role, token)
	if err != nil {
		return nil, err
	}
	config := session.config
	config.Region, config.AppID = region, "ack-s3"
	return s3.NewFromConfig(config, pathStyle), nil
}

// controllerRole is the role that the controller's manifests name, on a bed that has
// the controller from the start and evaluates policies.
func (b *Bed) controllerRole(ctx context.Context) error {
	if !b.Enforce || !b.furnished() {
		return nil
	}
	name, provider := "ack-s3-controller", strings.TrimPrefix(b.Issuer, "https://")
	trust := fmt.Sprintf(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::%s:oidc-provider/%s"},
"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"%[2]s:sub":"system:serviceaccount:%s:%s"}}}]}`,
		Account, provider, ControllerNamespace, name)
	if _, err := b.IAM().CreateRole(ctx, &iam.CreateRoleInput{RoleName: &name, AssumeRolePolicyDocument: &trust}); err != nil {
		return fmt.Errorf("the controller's role: %w", err)
	}
	// What ACK's documentation recommends for the S3 controller.
	arn := "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	_, err := b.IAM().AttachRolePolicy(ctx, &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: &arn})
	return err
}
