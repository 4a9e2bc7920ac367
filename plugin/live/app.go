package live

import (
	"context"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
)

// Services of any namespace.
func Services() schema.GroupVersionResource { return core("services") }

// Plan is what install, called as this look was, would do to the objects here.
// Its error is install's own refusal. Nil, and no error, where nobody can plan.
func (w *World) Plan(ctx context.Context) (*apply.Plan, error) {
	return w.plan.get(ctx, func() (*apply.Plan, error) {
		if w.Planner == nil {
			return nil, nil
		}
		return w.Planner(ctx)
	})
}

// MayUseSCC reports whether a service account of the project may use OpenShift's
// SecurityContextConstraints of that name.
func (w *World) MayUseSCC(ctx context.Context, account, name string) (bool, error) {
	user := "system:serviceaccount:" + w.Namespace + ":" + account
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1",
		"kind":       "LocalSubjectAccessReview",
		"metadata":   map[string]any{"namespace": w.Namespace},
		"spec": map[string]any{
			"user":   user,
			"groups": []any{"system:serviceaccounts", "system:serviceaccounts:" + w.Namespace, "system:authenticated"},
			"resourceAttributes": map[string]any{
				"namespace": w.Namespace, "verb": "use", "name": name,
				"group": "security.openshift.io", "resource": "securitycontextconstraints",
			},
		},
	}}
	resource := schema.GroupVersionResource{Group: "authorization.k8s.io", Version: "v1", Resource: "localsubjectaccessreviews"}
	answer, err := w.Conn.Dynamic.Resource(resource).Namespace(w.Namespace).Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	allowed, _, _ := unstructured.NestedBool(answer.Object, "status", "allowed")
	return allowed, nil
}

// Warnings are what controllers last complained of about an object of the
// project, newest last. Who may not list events, or finds none, gets none: they
// only ever add a reason to what is known anyway.
func (w *World) Warnings(ctx context.Context, kind, name string) []string {
	opts := metav1.ListOptions{FieldSelector: "type=Warning,involvedObject.kind=" + kind + ",involvedObject.name=" + name}
	list, err := w.Conn.Dynamic.Resource(core("events")).Namespace(w.Namespace).List(ctx, opts)
	if err != nil {
		return nil
	}
	slices.SortStableFunc(list.Items, func(a, b unstructured.Unstructured) int { return strings.Compare(lastSeen(a), lastSeen(b)) })
	var texts []string
	for _, event := range list.Items {
		reason, _, _ := unstructured.NestedString(event.Object, "reason")
		message, _, _ := unstructured.NestedString(event.Object, "message")
		texts = append(texts, reason+": "+message)
	}
	return texts
}

// lastSeen orders events: RFC 3339 times in UTC sort as texts.
func lastSeen(event unstructured.Unstructured) string {
	when, _, _ := unstructured.NestedString(event.Object, "lastTimestamp")
	if when == "" {
		when, _, _ = unstructured.NestedString(event.Object, "eventTime")
	}
	return when
}
