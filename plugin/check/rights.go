package check

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	authorization "k8s.io/api/authorization/v1"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
)

// BucketAPI is the group and version of ACK's Bucket.
const BucketAPI = "s3.services.k8s.aws/v1alpha1"

const bucketGroup = "s3.services.k8s.aws"

// right is one thing a user may or may not do.
type right struct{ verb, group, resource string }

func (r right) String() string {
	if r.group == "" {
		return r.verb + " " + r.resource
	}
	return r.verb + " " + r.resource + "." + r.group
}

// grantBuckets is what an admin types so that project admins may make Buckets
// (FACTS 10.1: OLM does it for the CRDs of an operator, Helm does not).
const grantBuckets = `a cluster admin lets project admins make Buckets:
oc create clusterrole ostoy-s3-buckets --resource=buckets.s3.services.k8s.aws --verb=get,list,watch,create,update,patch,delete
oc label clusterrole ostoy-s3-buckets rbac.authorization.k8s.io/aggregate-to-admin=true rbac.authorization.k8s.io/aggregate-to-edit=true`

// clusterRights asks what this user may do in the namespace. One rules review
// answers for all; it may be incomplete, so each right it does not show is
// asked for by itself, and that answer counts.
func (t Target) clusterRights(ctx context.Context) Finding {
	needed, err := t.neededRights(ctx)
	if err != nil {
		return Fail(err)
	}
	rules, err := t.rules(ctx)
	if err != nil {
		return Fail(err)
	}
	unsure := slices.DeleteFunc(needed, func(r right) bool { return allowedByRules(rules, r) })
	missing, err := t.denied(ctx, t.Facts.Namespace.Value, unsure)
	if err != nil {
		return Fail(err)
	}
	return t.missingRights(missing)
}

func (t Target) missingRights(missing []right) Finding {
	if len(missing) == 0 {
		return Pass()
	}
	names := make([]string, len(missing))
	next := fmt.Sprintf("a project or cluster admin grants it: oc adm policy add-role-to-user admin YOU -n %s", t.Facts.Namespace.Value)
	for i, r := range missing {
		names[i] = r.String()
		if r.group == bucketGroup {
			next = grantBuckets
		}
	}
	return Finding{
		Status: Failed,
		What:   "you may not make everything in project " + t.Facts.Namespace.Value,
		Why:    "not allowed: " + strings.Join(names, ", "),
		Next:   next,
	}
}

// MayMakeBuckets asks whether this user may make Buckets in a namespace.
func MayMakeBuckets(ctx context.Context, conn *cluster.Conn, namespace string) Finding {
	missing, err := Target{Conn: conn}.denied(ctx, namespace, []right{{"create", bucketGroup, "buckets"}})
	if err != nil {
		return Fail(err)
	}
	if len(missing) > 0 {
		return Finding{Status: Failed, What: "you may not make Buckets in project " + namespace, Why: "not allowed: " + missing[0].String(), Next: grantBuckets}
	}
	return Pass()
}

// neededRights follow from the objects and from what is watched afterwards.
func (t Target) neededRights(ctx context.Context) ([]right, error) {
	served, err := t.Conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	watched := []string{"Bucket", "Deployment", "PersistentVolumeClaim", "Route", "Ingress"}
	needed := []right{{"list", "", "pods"}, {"watch", "", "pods"}}
	for _, object := range t.Objects {
		mapping, err := served.Mapping(object.GroupVersionKind())
		if err != nil {
			return nil, err
		}
		verbs := []string{"get", "create", "patch"}
		if slices.Contains(watched, object.GetKind()) {
			verbs = append(verbs, "list", "watch")
		}
		for _, verb := range verbs {
			r := right{verb, mapping.Resource.Group, mapping.Resource.Resource}
			if !slices.Contains(needed, r) {
				needed = append(needed, r)
			}
		}
	}
	return needed, nil
}

// rules are what the API server lists as allowed to this user here.
func (t Target) rules(ctx context.Context) ([]authorization.ResourceRule, error) {
	review := &authorization.SelfSubjectRulesReview{
		Spec: authorization.SelfSubjectRulesReviewSpec{Namespace: t.Facts.Namespace.Value},
	}
	err := t.review(ctx, "SelfSubjectRulesReview", review)
	return review.Status.ResourceRules, err
}

func allowedByRules(rules []authorization.ResourceRule, r right) bool {
	has := func(list []string, item string) bool {
		return slices.Contains(list, "*") || slices.Contains(list, item)
	}
	return slices.ContainsFunc(rules, func(rule authorization.ResourceRule) bool {
		return len(rule.ResourceNames) == 0 && has(rule.Verbs, r.verb) && has(rule.APIGroups, r.group) && has(rule.Resources, r.resource)
	})
}

// denied asks for each right, all at the same time, and returns those refused.
// An empty namespace asks for all namespaces.
func (t Target) denied(ctx context.Context, namespace string, rights []right) ([]right, error) {
	const atOnce = 8
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(atOnce)
	var mu sync.Mutex
	var refused []right
	for _, r := range rights {
		group.Go(func() error {
			allowed, err := t.allowed(ctx, namespace, r)
			if err == nil && !allowed {
				mu.Lock()
				refused = append(refused, r)
				mu.Unlock()
			}
			return err
		})
	}
	err := group.Wait()
	slices.SortFunc(refused, func(a, b right) int { return strings.Compare(a.String(), b.String()) })
	return refused, err
}

func (t Target) allowed(ctx context.Context, namespace string, r right) (bool, error) {
	review := &authorization.SelfSubjectAccessReview{
		Spec: authorization.SelfSubjectAccessReviewSpec{
			ResourceAttributes: &authorization.ResourceAttributes{
				Namespace: namespace, Verb: r.verb, Group: r.group, Resource: r.resource,
			},
		},
	}
	err := t.review(ctx, "SelfSubjectAccessReview", review)
	return review.Status.Allowed, err
}

// review posts a review and reads the answer back into it. Reviews persist
// nothing, not even outside a dry run.
func (t Target) review(ctx context.Context, kind string, review any) error {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(review)
	if err != nil {
		return err
	}
	gvk := authorization.SchemeGroupVersion.WithKind(kind)
	object := &unstructured.Unstructured{Object: content}
	object.SetGroupVersionKind(gvk)
	client, err := t.Conn.Resource(ctx, gvk, "")
	if err != nil {
		return err
	}
	answer, err := client.Create(ctx, object, metav1.CreateOptions{})
	if err != nil {
		return t.Conn.Translate(err)
	}
	return runtime.DefaultUnstructuredConverter.FromUnstructured(answer.Object, review)
}

// projectRights asks whether a project can be made and will let its maker make
// Buckets. A review in a namespace that is not there says no to everybody, so
// the ClusterRole admin is read instead, which everybody on OpenShift may read.
func (t Target) projectRights(ctx context.Context) Finding {
	served, err := t.Conn.Discovery(ctx)
	if err != nil {
		return Fail(err)
	}
	make := right{"create", "", "namespaces"}
	if served.ServesGroup("project.openshift.io") {
		make = right{"create", "project.openshift.io", "projectrequests"}
	}
	buckets := right{"create", bucketGroup, "buckets"}
	var refused []right
	var admin *rbac.ClusterRole
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		refused, err = t.denied(groupCtx, "", []right{make, buckets})
		return err
	})
	group.Go(func() error {
		admin = t.adminRole(groupCtx)
		return nil
	})
	if err := group.Wait(); err != nil {
		return Fail(err)
	}
	if slices.Contains(refused, make) {
		return Finding{
			Status: Failed,
			What:   "you may not make a project",
			Why:    "project " + t.Facts.Namespace.Value + " is not there, or you may not see it; not allowed: " + make.String(),
			Next:   "ask for a project and give it with -n, or ask a cluster admin for the right to request projects",
		}
	}
	if !slices.Contains(refused, buckets) {
		return Pass()
	}
	return judgeAdminRole(admin)
}

func judgeAdminRole(admin *rbac.ClusterRole) Finding {
	switch {
	case admin == nil:
		return Warn("cannot tell whether you may make Buckets in a new project", "the ClusterRole admin cannot be read", "")
	case roleHoldsBuckets(admin):
		return Pass()
	default:
		return Finding{
			Status: Failed,
			What:   "project admins may not make Buckets on this cluster",
			Why:    "the ClusterRole admin does not hold create buckets.s3.services.k8s.aws",
			Next:   grantBuckets,
		}
	}
}

// adminRole is the ClusterRole admin, or nil where this user may not read it.
func (t Target) adminRole(ctx context.Context) *rbac.ClusterRole {
	role := &rbac.ClusterRole{}
	client, err := t.Conn.Resource(ctx, schema.GroupVersionKind{Group: rbac.GroupName, Version: "v1", Kind: "ClusterRole"}, "")
	if err != nil {
		return nil
	}
	object, err := client.Get(ctx, "admin", metav1.GetOptions{})
	if err != nil {
		return nil
	}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, role); err != nil {
		return nil
	}
	return role
}

func roleHoldsBuckets(role *rbac.ClusterRole) bool {
	rules := make([]authorization.ResourceRule, 0, len(role.Rules))
	for _, rule := range role.Rules {
		rules = append(rules, authorization.ResourceRule{
			Verbs: rule.Verbs, APIGroups: rule.APIGroups, Resources: rule.Resources, ResourceNames: rule.ResourceNames,
		})
	}
	return allowedByRules(rules, right{"create", bucketGroup, "buckets"})
}
