package ostoy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/sts"
	authentication "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// s3 is a client with the pod's identity. Without one OSToy would fall back to
// the node's role, which has no rights.
func (a *app) s3(ctx context.Context) (*s3.Client, error) {
	env := a.environment()
	role, region := env["AWS_ROLE_ARN"], env["AWS_REGION"]
	if region == "" {
		region = a.Region
	}
	if role == "" || env["AWS_WEB_IDENTITY_TOKEN_FILE"] == "" {
		return nil, errors.New("AccessDenied: the node's role may not do this")
	}
	token, err := a.token(ctx)
	if err != nil {
		return nil, err
	}
	config := aws.Config{Region: region, BaseEndpoint: &a.Endpoint, Credentials: aws.AnonymousCredentials{}, AppID: "ostoy"}
	got, err := sts.NewFromConfig(config).AssumeRoleWithWebIdentity(ctx, &sts.AssumeRoleWithWebIdentityInput{
		RoleArn: &role, RoleSessionName: aws.String("ostoy"), WebIdentityToken: &token,
	})
	if err != nil {
		return nil, err
	}
	c := got.Credentials
	config.Credentials = credentials.NewStaticCredentialsProvider(*c.AccessKeyId, *c.SecretAccessKey, *c.SessionToken)
	return s3.NewFromConfig(config, func(o *s3.Options) { o.UsePathStyle = true }), nil
}

// awaitBucket is the init container of the chart, where the pod has it.
func (a *app) awaitBucket(ctx context.Context) {
	pause := 200 * time.Millisecond
	waits := slices.ContainsFunc(a.pod.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == "wait-for-bucket" })
	for waits && ctx.Err() == nil {
		client, err := a.s3(ctx)
		if err == nil {
			_, err = client.HeadBucket(ctx, &s3.HeadBucketInput{Bucket: &a.bucket})
		}
		if err == nil {
			return
		}
		select {
		case <-ctx.Done():
		case <-time.After(pause):
			pause = min(pause+pause/4, time.Second)
		}
	}
}

// environment holds the literal variables of the container.
func (a *app) environment() map[string]string {
	env := map[string]string{}
	for _, c := range a.pod.Spec.Containers {
		if c.Name == container {
			for _, variable := range c.Env {
				env[variable.Name] = variable.Value
			}
		}
	}
	return env
}

// token is what kubelet would have put into the pod's token volume.
func (a *app) token(ctx context.Context) (string, error) {
	audience := a.audience()
	if audience == "" {
		return "", errors.New("ENOENT: no such file or directory, open the web identity token")
	}
	request := &authentication.TokenRequest{Spec: authentication.TokenRequestSpec{
		Audiences: []string{audience},
		BoundObjectRef: &authentication.BoundObjectReference{
			APIVersion: "v1", Kind: "Pod", Name: a.pod.Name, UID: a.pod.UID,
		},
	}}
	accounts := a.Client.CoreV1().ServiceAccounts(a.pod.Namespace)
	got, err := accounts.CreateToken(ctx, a.pod.Spec.ServiceAccountName, request, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("token of %s: %w", a.pod.Spec.ServiceAccountName, err)
	}
	return got.Status.Token, nil
}

// audience is the token volume's, "" if the pod has no such volume.
func (a *app) audience() string {
	for _, volume := range a.pod.Spec.Volumes {
		if volume.Name == "aws-iam-token" && volume.Projected != nil {
			return tokenAudience(volume.Projected.Sources)
		}
	}
	return ""
}

func tokenAudience(sources []corev1.VolumeProjection) string {
	for _, source := range sources {
		if source.ServiceAccountToken != nil {
			return source.ServiceAccountToken.Audience
		}
	}
	return ""
}
