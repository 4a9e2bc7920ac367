// Package access asks the API server what this user may do, before it is tried.
// Reviews persist nothing, so they are asked in dry runs as well. It decides
// nothing: which rights are needed, and what it means that one is missing, is
// its callers'.
package access

import (
	"context"
	"slices"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"
	authentication "k8s.io/api/authentication/v1"
	authorization "k8s.io/api/authorization/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
)

// Right is one thing a user may or may not do.
type Right struct {
	Verb, Group, Resource string
	// Namespace is where; "" is all namespaces, and what is in none.
	Namespace string
	// Name is the one object that is meant; "" is all of them.
	Name string
}

// String is the right as `oc auth can-i` takes it: "create subscriptions.operators.coreos.com".
func (r Right) String() string {
	return strings.TrimSuffix(r.Verb+" "+r.Resource+"."+r.Group, ".")
}

// Answers are those to one question about each of all, a few at the same time. The error
// is the first; whether it ends the other questions is the group's to say.
func Answers[Of, Answer any](group *errgroup.Group, all []Of, question func(Of) (Answer, error)) ([]Answer, error) {
	const atOnce = 8
	group.SetLimit(atOnce)
	answers := make([]Answer, len(all))
	for n, one := range all {
		group.Go(func() (err error) { answers[n], err = question(one); return err })
	}
	return answers, group.Wait()
}

// Denied asks for each right by itself, all at the same time, and gives those
// that are refused, sorted. In a namespace that is not there yet everybody is
// refused who is not allowed everywhere.
func Denied(ctx context.Context, conn *cluster.Conn, rights []Right) (refused []Right, err error) {
	group, ctx := errgroup.WithContext(ctx)
	may, err := Answers(group, rights, func(r Right) (bool, error) { return allowed(ctx, conn, r) })
	for n, r := range rights {
		if err == nil && !may[n] {
			refused = append(refused, r)
		}
	}
	slices.SortFunc(refused, func(a, b Right) int { return strings.Compare(a.String()+a.Namespace, b.String()+b.Namespace) })
	return refused, err
}

// Missing is Denied for rights in one namespace. One rules review answers for
// all; it may be incomplete, so each right it does not show is asked for by
// itself, and that answer counts.
func Missing(ctx context.Context, conn *cluster.Conn, namespace string, rights []Right) ([]Right, error) {
	review := &authorization.SelfSubjectRulesReview{Spec: authorization.SelfSubjectRulesReviewSpec{Namespace: namespace}}
	if err := ask(ctx, conn, authorization.SchemeGroupVersion.WithKind("SelfSubjectRulesReview"), review); err != nil {
		return nil, err
	}
	unsure := slices.DeleteFunc(slices.Clone(rights), func(r Right) bool { return Shown(review.Status.ResourceRules, r) })
	return Denied(ctx, conn, unsure)
}

// Shown reports whether rules hold a right for every object of its resource.
func Shown(rules []authorization.ResourceRule, r Right) bool {
	has := func(list []string, item string) bool {
		return slices.Contains(list, "*") || slices.Contains(list, item)
	}
	return slices.ContainsFunc(rules, func(rule authorization.ResourceRule) bool {
		return len(rule.ResourceNames) == 0 && has(rule.Verbs, r.Verb) && has(rule.APIGroups, r.Group) && has(rule.Resources, r.Resource)
	})
}

// allowed asks for one right, and again while an API server that has just started
// may not know of it yet.
func allowed(ctx context.Context, conn *cluster.Conn, r Right) (bool, error) {
	return untilKnown(ctx, conn, func() (bool, error) {
		review := &authorization.SelfSubjectAccessReview{}
		review.Spec.ResourceAttributes = &authorization.ResourceAttributes{Namespace: r.Namespace, Verb: r.Verb, Group: r.Group, Resource: r.Resource, Name: r.Name}
		err := ask(ctx, conn, authorization.SchemeGroupVersion.WithKind("SelfSubjectAccessReview"), review)
		return review.Status.Allowed, err
	})
}

func untilKnown(ctx context.Context, conn *cluster.Conn, review func() (bool, error)) (bool, error) {
	began := time.Now()
	for {
		allowed, err := review()
		if err != nil || allowed || !conn.AwaitRights(ctx, began) {
			return allowed, err
		}
	}
}

// ask posts a review and reads the answer back into it.
func ask(ctx context.Context, conn *cluster.Conn, gvk schema.GroupVersionKind, review any) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(review)
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(gvk)
	client, err := conn.Resource(ctx, gvk, "")
	if err != nil {
		return err
	}
	answer, err := client.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return conn.Translate(err)
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(answer.Object, review)
}

// Self is the user name that the API server knows this user by, "" where the cluster
// does not serve SelfSubjectReviews (Kubernetes before 1.28).
func Self(ctx context.Context, conn *cluster.Conn) (string, error) {
	gvk := authentication.SchemeGroupVersion.WithKind("SelfSubjectReview")
	served, err := conn.Discovery(ctx)
	if err != nil || !served.Serves(gvk.GroupVersion().String(), gvk.Kind) {
		return "", err
	}
	review := &authentication.SelfSubjectReview{}
	err = ask(ctx, conn, gvk, review)
	return review.Status.UserInfo.Username, err
}

// Reviewing is the permission that SubjectMay requires, as `oc auth can-i` takes it.
const Reviewing = "create subjectaccessreviews.authorization.k8s.io"

// SubjectMay reports whether a user, "" for nobody in particular, who is in some groups
// has a permission, by a SubjectAccessReview. Only cluster admins are usually allowed to
// create one: where this user is not, the error is the server's refusal. It is asked
// again while an API server that has just started may not know of the permission yet.
func SubjectMay(ctx context.Context, conn *cluster.Conn, user string, groups []string, r Right) (bool, error) {
	resource, subresource, _ := strings.Cut(r.Resource, "/")
	return untilKnown(ctx, conn, func() (bool, error) {
		review := &authorization.SubjectAccessReview{Spec: authorization.SubjectAccessReviewSpec{User: user, Groups: groups}}
		review.Spec.ResourceAttributes = &authorization.ResourceAttributes{
			Namespace: r.Namespace, Verb: r.Verb, Group: r.Group, Resource: resource, Subresource: subresource,
		}
		err := ask(ctx, conn, authorization.SchemeGroupVersion.WithKind("SubjectAccessReview"), review)
		return err == nil && review.Status.Allowed, err
	})
}
