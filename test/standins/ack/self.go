package ack

import (
	"context"
	"sync"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/dynamic"
)

// self is the service account that the controller's pod runs as.
type self struct {
	lock               sync.Mutex
	namespace, account string
	client             dynamic.Interface
}

// is sets it.
func (s *self) is(namespace, account string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if s.namespace != namespace || s.account != account {
		s.namespace, s.account, s.client = namespace, account, nil
	}
}

// was reports whether it is that one.
func (s *self) was(namespace, account string) bool {
	s.lock.Lock()
	defer s.lock.Unlock()
	return s.namespace == namespace && s.account == account
}

// become lets the controller act as a pod does. One that is not allowed to change
// Buckets everywhere is a controller in name only: the one before goes on.
func (c *Controller) become(ctx context.Context, pod *corev1.Pod) {
	account := pod.Spec.ServiceAccountName
	if c.self.was(pod.Namespace, account) {
		return
	}
	review, err := c.config.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User:   "system:serviceaccount:" + pod.Namespace + ":" + account,
			Groups: []string{"system:serviceaccounts", "system:serviceaccounts:" + pod.Namespace, "system:authenticated"},
			ResourceAttributes: &authorizationv1.ResourceAttributes{
				Group: Resource().Group, Resource: Resource().Resource, Verb: "update",
			},
		},
	}, metav1.CreateOptions{})
	if err == nil && review.Status.Allowed {
		c.self.is(pod.Namespace, account)
	}
}

// own is the cluster as the controller's service account sees it.
func (c *Controller) own() (dynamic.Interface, error) {
	c.self.lock.Lock()
	defer c.self.lock.Unlock()
	if c.self.client == nil {
		client, err := c.config.As(c.self.namespace, c.self.account)
		if err != nil {
			return nil, err
		}
		c.self.client = client
	}
	return c.self.client, nil
}
