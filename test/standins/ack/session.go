package ack

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/aws/aws-sdk-go-v2/service/s3"
	authentication "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
)

// Assume exchanges a token for the session of a role and returns the S3 client of a
// region that works with it. AWS's refusals are returned unchanged.
type Assume func(ctx context.Context, region, role, token string) (*s3.Client, error)

// session is the S3 client of the pod that works.
type session struct {
	lock   sync.Mutex
	pod    types.UID
	region string
	client *s3.Client
}

// errNoPod means that no pod of the controller runs yet.
var errNoPod = errors.New("no pod of the controller runs")

// client is the S3 client of a region: with Config.Assume that of the role which the
// controller's pod has, as the SDK in the real controller does it. A pod whose
// credentials come from a Secret has no role and gets the controller's own key.
func (c *Controller) client(ctx context.Context, region string) (*s3.Client, error) {
	if c.config.Assume == nil {
		return c.config.S3(region), nil
	}
	pod := c.leader()
	if pod == nil {
		return nil, errNoPod
	}
	c.session.lock.Lock()
	defer c.session.lock.Unlock()
	if c.session.client != nil && c.session.pod == pod.UID && c.session.region == region {
		return c.session.client, nil
	}
	made, err := c.assumed(ctx, pod, region)
	if err == nil {
		c.session.pod, c.session.region, c.session.client = pod.UID, region, made
	}
	return made, err
}

// leader is a pod that runs, nil if there is none.
func (c *Controller) leader() *corev1.Pod {
	c.pods.lock.Lock()
	defer c.pods.lock.Unlock()
	for _, known := range c.pods.known {
		if known.running {
			return known.pod
		}
	}
	return nil
}

// assumed takes the role of a pod by a token of its service account.
func (c *Controller) assumed(ctx context.Context, pod *corev1.Pod, region string) (*s3.Client, error) {
	container := &pod.Spec.Containers[containerOf(pod)]
	env, missing, err := c.environment(ctx, pod, container)
	switch {
	case err != nil:
		return nil, err
	case missing != "":
		return nil, errors.New(missing)
	case env["AWS_ROLE_ARN"] == "":
		return c.config.S3(region), nil
	}
	source := tokenSource(pod, container, env["AWS_WEB_IDENTITY_TOKEN_FILE"])
	if source == nil {
		return nil, fmt.Errorf("open %s: no such file or directory", env["AWS_WEB_IDENTITY_TOKEN_FILE"])
	}
	got, err := c.config.Client.CoreV1().ServiceAccounts(pod.Namespace).CreateToken(ctx, pod.Spec.ServiceAccountName, &authentication.TokenRequest{
		Spec: authentication.TokenRequestSpec{
			Audiences:      []string{source.Audience},
			BoundObjectRef: &authentication.BoundObjectReference{APIVersion: "v1", Kind: "Pod", Name: pod.Name, UID: pod.UID},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		return nil, fmt.Errorf("token of %s: %w", pod.Spec.ServiceAccountName, err)
	}
	return c.config.Assume(ctx, region, env["AWS_ROLE_ARN"], got.Status.Token)
}

// tokenSource is what the kubelet projects into the token file.
func tokenSource(pod *corev1.Pod, container *corev1.Container, file string) *corev1.ServiceAccountTokenProjection {
	for _, mount := range container.VolumeMounts {
		if !strings.HasPrefix(file, strings.TrimSuffix(mount.MountPath, "/")+"/") {
			continue
		}
		for _, volume := range pod.Spec.Volumes {
			if volume.Name != mount.Name || volume.Projected == nil {
				continue
			}
			for _, source := range volume.Projected.Sources {
				if source.ServiceAccountToken != nil {
					return source.ServiceAccountToken
				}
			}
		}
	}
	return nil
}

// unidentified is the line the controller ends with if STS refuses its identity: it
// asks STS who it is before it begins.
func (c *Controller) unidentified(ctx context.Context, pod *corev1.Pod) string {
	if c.config.Assume == nil {
		return ""
	}
	if _, err := c.assumed(ctx, pod, c.config.Region); err != nil {
		return failed("unable to determine account info: unable to get caller identity: operation error STS: GetCallerIdentity," +
			" get identity: get credentials: failed to refresh cached credentials, failed to retrieve credentials, " + err.Error())
	}
	return ""
}
