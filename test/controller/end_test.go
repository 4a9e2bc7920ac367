package controller_test

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// end is everything that there is when a command has ended well, in words that do
// not differ from one time to the next.
type end = world.World

// end looks at the controller's namespace, its role, the cluster, the Buckets and
// S3.
func (s *scene) end(t *testing.T) end {
	t.Helper()
	all := world.Look(t, s.Bed, namespace)
	all.Roles(t, s.Bed, "ack-s3-controller")
	for _, one := range s.bucketsEverywhere(t) {
		all["object of "+one.GetNamespace()+"/"+one.GetName()] = "there"
	}
	for _, kind := range []string{"namespaces", "customresourcedefinitions", "clusterroles", "clusterrolebindings", "apiservices", "persistentvolumes"} {
		all["names of "+kind] = strings.Join(s.names(t, kind), " ")
	}
	for _, role := range []string{"ostoy-s3-buckets-edit", "ostoy-s3-buckets-view"} {
		all["clusterrole/"+role] = s.clusterRole(t, role)
	}
	for _, kind := range admissionKinds() {
		all[kind.Resource] = "not there"
		if policy := s.admission(t, kind); policy != nil {
			all[kind.Resource] = world.InJSON([]any{policy.GetLabels(), policy.GetAnnotations(), policy.Object["spec"]})
		}
	}
	neutral := end{}
	plan := regexp.MustCompile(`\binstall-[a-z0-9]{5}\b`)
	uid := regexp.MustCompile(`\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b`)
	for key, text := range all.Comparable(s.Bed, namespace) {
		text = uid.ReplaceAllString(plan.ReplaceAllString(inOrder(text), "PLAN"), "UID")
		if kind, _, _ := strings.Cut(key, "/"); kind == "installplans" { // named by chance
			key = kind + "/" + text
		}
		neutral[key] = text
	}
	return neutral
}

// inOrder puts an object's managers, which are listed by time, in order.
func inOrder(text string) string {
	object := &unstructured.Unstructured{}
	if json.Unmarshal([]byte(text), &object.Object) != nil {
		return text
	}
	managers := object.GetManagedFields()
	slices.SortFunc(managers, func(a, b metav1.ManagedFieldsEntry) int {
		return strings.Compare(a.Manager+" "+string(a.Operation), b.Manager+" "+string(b.Operation))
	})
	object.SetManagedFields(managers)
	return world.InJSON(object.Object)
}

func (s *scene) bucketsEverywhere(t *testing.T) []unstructured.Unstructured {
	t.Helper()
	list, err := s.Dynamic.Resource(buckets()).List(t.Context(), metav1.ListOptions{})
	must(t, ignoreAbsent(err))
	if err != nil {
		return nil
	}
	return list.Items
}

func (s *scene) names(t *testing.T, kind string) []string {
	t.Helper()
	groups := map[string]string{
		"customresourcedefinitions": "apiextensions.k8s.io", "clusterroles": "rbac.authorization.k8s.io",
		"clusterrolebindings": "rbac.authorization.k8s.io", "apiservices": "apiregistration.k8s.io",
	}
	list, err := s.Dynamic.Resource(resource(groups[kind], "v1", kind)).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	var names []string
	for _, one := range list.Items {
		names = append(names, one.GetName())
	}
	return names
}

func (s *scene) clusterRole(t *testing.T, name string) string {
	t.Helper()
	role, err := s.Client.RbacV1().ClusterRoles().Get(t.Context(), name, metav1.GetOptions{})
	must(t, ignoreAbsent(err))
	if err != nil {
		return "not there"
	}
	return world.InJSON([]any{role.Labels, role.Annotations, role.Rules})
}

// wantEnd wants everything to be as it was at the end of another run, once the
// cluster's own controllers have done what they do in their own time.
func (s *scene) wantEnd(t *testing.T, want end) {
	t.Helper()
	const patience = 20 * time.Second
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	err := testbed.Poll(ctx, 200*time.Millisecond, func(context.Context) error {
		if !maps.Equal(want, s.end(t)) {
			return errors.New("not the same")
		}
		return nil
	})
	if err != nil {
		want.WantSame(t, s.end(t))
	}
}
