package chart_test

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
)

const (
	accountID = "123456789012"
	region    = "us-east-2"
	issuer    = "issuer.example.com/clusters/chart"
	audience  = "sts.amazonaws.com"
	// helperKey is the key whose owner may do everything (aws/seen.py).
	helperKey = "AKIATESTBEDHELPER001"
)

// account is an AWS account in which a cluster's issuer is known, and the key
// that cluster signs tokens with.
type account struct {
	url string
	key *rsa.PrivateKey
	iam *iam.Client
	s3  *s3.Client
}

func newAccount(t *testing.T) *account {
	t.Helper()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	der, err := x509.MarshalPKIXPublicKey(&key.PublicKey)
	if err != nil {
		t.Fatal(err)
	}
	public := filepath.Join(t.TempDir(), "sa.pub")
	if err := os.WriteFile(public, pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der}), 0o644); err != nil {
		t.Fatal(err)
	}
	a := &account{url: startAWS(t, public), key: key}
	config := awssdk.Config{
		Region:       region,
		BaseEndpoint: &a.url,
		Credentials:  credentials.NewStaticCredentialsProvider(helperKey, "not-a-secret", ""),
	}
	a.iam = iam.NewFromConfig(config)
	a.s3 = s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true })
	_, err = a.iam.CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url:            awssdk.String("https://" + issuer),
		ClientIDList:   []string{audience},
		ThumbprintList: []string{"0123456789012345678901234567890123456789"},
	})
	if err != nil {
		t.Fatal(err)
	}
	return a
}

// token signs a service account token of namespace, as the API server would,
// into a file.
func (a *account) token(t *testing.T, namespace, audience string) string {
	t.Helper()
	part := func(value any) string {
		text, err := json.Marshal(value)
		if err != nil {
			t.Fatal(err)
		}
		return base64.RawURLEncoding.EncodeToString(text)
	}
	signed := part(map[string]any{"alg": "RS256", "kid": "chart"}) + "." + part(map[string]any{
		"iss": "https://" + issuer, "aud": []string{audience}, "exp": 4102444800,
		"sub": "system:serviceaccount:" + namespace + ":ostoy-sa",
	})
	sum := sha256.Sum256([]byte(signed))
	signature, err := rsa.SignPKCS1v15(rand.Reader, a.key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	file := filepath.Join(t.TempDir(), "token")
	text := signed + "." + base64.RawURLEncoding.EncodeToString(signature)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// addRole makes the role of namespace, which may do nothing yet.
func (a *account) addRole(ctx context.Context, namespace string) error {
	trust, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
			"Principal": map[string]any{"Federated": "arn:aws:iam::" + accountID + ":oidc-provider/" + issuer},
			"Condition": map[string]any{"StringEquals": map[string]any{
				issuer + ":sub": "system:serviceaccount:" + namespace + ":ostoy-sa",
				issuer + ":aud": audience,
			}},
		}},
	})
	if err != nil {
		return err
	}
	_, err = a.iam.CreateRole(ctx, &iam.CreateRoleInput{RoleName: &namespace, AssumeRolePolicyDocument: awssdk.String(string(trust))})
	return err
}

// allowList lets the role of namespace list its bucket.
func (a *account) allowList(ctx context.Context, namespace string) error {
	policy, err := json.Marshal(map[string]any{
		"Version": "2012-10-17",
		"Statement": []any{map[string]any{
			"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::" + namespace + "-bucket",
		}},
	})
	if err != nil {
		return err
	}
	_, err = a.iam.PutRolePolicy(ctx, &iam.PutRolePolicyInput{
		RoleName: &namespace, PolicyName: awssdk.String("bucket"), PolicyDocument: awssdk.String(string(policy)),
	})
	return err
}

// addBucket makes the bucket of namespace.
func (a *account) addBucket(ctx context.Context, namespace string) error {
	_, err := a.s3.CreateBucket(ctx, &s3.CreateBucketInput{
		Bucket:                    awssdk.String(namespace + "-bucket"),
		CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: region},
	})
	return err
}
