package testbed

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/project"
)

// settle waits until the cluster is as a user finds one: a node that is ready,
// service accounts in new namespaces, all APIs served.
func (b *Bed) settle(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, ready := range []func(context.Context) error{b.nodeReady, b.accountReady, b.projectsServed, b.rightsAggregated, b.controllerReady} {
		if err := Poll(ctx, 100*time.Millisecond, ready); err != nil {
			return fmt.Errorf("%w\nlogs: %s", err, b.LogDir)
		}
	}
	return nil
}

func (b *Bed) nodeReady(ctx context.Context) error {
	node, err := b.Client.CoreV1().Nodes().Get(ctx, "worker-0", metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, condition := range node.Status.Conditions {
		if condition.Type == corev1.NodeReady && condition.Status == corev1.ConditionTrue {
			return nil
		}
	}
	return errors.New("node worker-0 is not ready")
}

func (b *Bed) accountReady(ctx context.Context) error {
	_, err := b.Client.CoreV1().ServiceAccounts("default").Get(ctx, "default", metav1.GetOptions{})
	return err
}

func (b *Bed) projectsServed(context.Context) error {
	if !b.Platform.OpenShift() {
		return nil
	}
	_, err := b.Client.Discovery().ServerResourcesForGroupVersion(project.Group + "/v1")
	return err
}

// rightsAggregated: the controller manager has put together ClusterRole admin.
func (b *Bed) rightsAggregated(ctx context.Context) error {
	if !b.furnished() || b.NoBucketRights {
		return nil
	}
	role, err := b.Client.RbacV1().ClusterRoles().Get(ctx, "admin", metav1.GetOptions{})
	if err != nil {
		return err
	}
	for _, rule := range role.Rules {
		for _, resource := range rule.Resources {
			if resource == "buckets" {
				return nil
			}
		}
	}
	return errors.New("ClusterRole admin has no rights on buckets yet")
}

// NewNamespace makes a namespace as a cluster admin would, with the users as
// its admins, and waits until they may use it as one that is older: on a busy machine
// that takes a while. On OpenShift users make their own by requesting projects.
func (b *Bed) NewNamespace(ctx context.Context, name string, admins ...string) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: name}}
	if _, err := b.Client.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{}); err != nil {
		return err
	}
	if len(admins) == 0 {
		return nil
	}
	binding := &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "admin"},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "admin"},
	}
	for _, user := range admins {
		binding.Subjects = append(binding.Subjects, rbacv1.Subject{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: user})
	}
	if _, err := b.Client.RbacV1().RoleBindings(name).Create(ctx, binding, metav1.CreateOptions{}); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, startLimit)
	defer cancel()
	for _, user := range admins {
		if err := Poll(ctx, 50*time.Millisecond, func(ctx context.Context) error { return b.isAdmin(ctx, user, name) }); err != nil {
			return err
		}
	}
	return Poll(ctx, 50*time.Millisecond, func(ctx context.Context) error {
		_, err := b.Client.CoreV1().ServiceAccounts(name).Get(ctx, "default", metav1.GetOptions{})
		return err
	})
}

// isAdmin: the API server's authorizer, which reads RoleBindings from a cache of its own,
// knows that a user is an admin of a namespace.
func (b *Bed) isAdmin(ctx context.Context, user, namespace string) error {
	review, err := b.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
		Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               user,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: namespace, Verb: "create", Resource: "configmaps"},
		},
	}, metav1.CreateOptions{})
	if err == nil && !review.Status.Allowed {
		err = fmt.Errorf("%s is no admin of %s yet", user, namespace)
	}
	return err
}

func (b *Bed) auditLog() string { return filepath.Join(b.Dir, "audit.log") }
