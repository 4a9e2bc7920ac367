package testbed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

// Access keys by which the wrapper knows who asks (aws/seen.py has the same).
// Twenty capitals and digits, or moto does not take them for keys.
const (
	userKey       = "AKIATESTBEDADMIN0001"
	controllerKey = "AKIATESTBEDACKCTRL01"
	helperKey     = "AKIATESTBEDHELPER001"
	anySecret     = "not-a-secret"
)

// Env is what a user of the bed has in the environment, as KEY=VALUE: the
// cluster admin's KUBECONFIG, PROJECT_ADMIN_KUBECONFIG, a PATH with the bed's
// kubectl first, and AWS. Append it to os.Environ(); it overrides what could
// lead elsewhere.
func (b *Bed) Env() []string {
	return append([]string{
		"KUBECONFIG=" + b.Kubeconfig,
		"PROJECT_ADMIN_KUBECONFIG=" + b.ProjectAdmin,
		"PATH=" + b.BinDir + string(os.PathListSeparator) + os.Getenv("PATH"),
	}, b.AWSEnv()...)
}

// AWSEnv is the AWS part of Env.
func (b *Bed) AWSEnv() []string {
	return []string{
		"AWS_ENDPOINT_URL=" + b.AWSEndpoint,
		"AWS_ACCESS_KEY_ID=" + userKey,
		"AWS_SECRET_ACCESS_KEY=" + anySecret,
		"AWS_SESSION_TOKEN=",
		"AWS_PROFILE=",
		"AWS_REGION=" + Region,
		"AWS_EC2_METADATA_DISABLED=true",
		"AWS_CONFIG_FILE=" + filepath.Join(b.Dir, "aws-config"),
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(b.Dir, "aws-credentials"),
	}
}

// awsConfig is for clients with a given key.
func (b *Bed) awsConfig(key, secret, session string) awssdk.Config {
	return awssdk.Config{
		Region:       Region,
		BaseEndpoint: &b.AWSEndpoint,
		Credentials:  credentials.NewStaticCredentialsProvider(key, secret, session),
	}
}

// IAM is a client of the account whose requests meet no faults or delays.
func (b *Bed) IAM() *iam.Client {
	return iam.NewFromConfig(b.awsConfig(helperKey, anySecret, ""), madeAllTheSame)
}

// S3 is a client of the account whose requests meet no faults or delays.
func (b *Bed) S3() *s3.Client {
	return s3.NewFromConfig(b.awsConfig(helperKey, anySecret, ""), pathStyle)
}

// OtherS3 is a client of another account, for buckets that are not ours.
func (b *Bed) OtherS3(ctx context.Context, account string) (*s3.Client, error) {
	other, err := b.Other(ctx, account)
	if err != nil {
		return nil, err
	}
	return other.S3(), nil
}

// Other is the root user of another account.
func (b *Bed) Other(ctx context.Context, account string) (Identity, error) {
	asker := sts.NewFromConfig(b.awsConfig(helperKey, anySecret, ""))
	got, err := asker.AssumeRole(ctx, &sts.AssumeRoleInput{
		RoleArn:         awssdk.String("arn:aws:iam::" + account + ":role/other"),
		RoleSessionName: awssdk.String("testbed"),
	})
	if err != nil {
		return Identity{}, fmt.Errorf("enter account %s: %w", account, err)
	}
	c := got.Credentials
	return b.identity("arn:aws:iam::"+account+":root", *c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken), nil
}

// pathStyle because bucket names do not resolve on loopback.
func pathStyle(o *s3.Options) { o.UsePathStyle = true }
