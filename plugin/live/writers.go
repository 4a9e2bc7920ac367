package live

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
)

const rbacGroup = "rbac.authorization.k8s.io"

// What Writers needs besides, as `oc auth can-i` takes it.
const (
	needsRoles    = "get roles." + rbacGroup + " and clusterroles." + rbacGroup
	needsSubjects = "create subjectaccessreviews.authorization.k8s.io"
)

// Writers are those who can write to a namespace, and could not do so in every one. The
// error is that of the RoleBindings, or of a server that does not answer: then nothing
// is known.
func (w *World) Writers(ctx context.Context, namespace string) (Writers, error) {
	project, err := w.Get(ctx, Namespaces(), "", namespace)
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	bindings, err := w.List(ctx, RoleBindings(), namespace, "")
	if err != nil {
		return nil, err
	}
	var candidates Writers
	for _, binding := range bindings {
		from := subjectsOf(binding, namespace)
		if len(from) == 0 {
			continue
		}
		role, err := w.roleOf(ctx, namespace, binding)
		if err != nil && !apierrors.IsForbidden(err) {
			return nil, err
		}
		switch {
		case err != nil:
			candidates = append(candidates, from.needing(needsRoles)...)
		case allowsWrites(role):
			candidates = append(candidates, from...)
		}
	}
	return w.withoutAdmins(ctx, append(candidates, requesterOf(project, namespace)...))
}

// roleOf is the role that a RoleBinding gives; nil where it does not exist.
func (w *World) roleOf(ctx context.Context, namespace string, binding *unstructured.Unstructured) (*unstructured.Unstructured, error) {
	resource := Roles()
	if health.Text(binding.Object, "roleRef", "kind") == "ClusterRole" {
		resource, namespace = ClusterRoles(), ""
	}
	return w.Get(ctx, resource, namespace, health.Text(binding.Object, "roleRef", "name"))
}

// withoutAdmins leaves out who is allowed in every namespace what makes a user of this
// one dangerous.
func (w *World) withoutAdmins(ctx context.Context, candidates Writers) (Writers, error) {
	if len(candidates) == 0 {
		return nil, nil
	}
	groups, err := w.groups(ctx)
	if err != nil {
		return nil, err
	}
	var some Writers
	for _, one := range candidates {
		admin, err := w.writesEverywhere(ctx, one, groups)
		switch {
		case apierrors.IsForbidden(err):
			some = append(some, Writers{one}.needing(needsSubjects)...)
		case err != nil:
			return nil, err
		case !admin:
			some = append(some, one)
		}
	}
	return some, nil
}

// writesEverywhere reports whether somebody may create tokens of service accounts in
// all namespaces.
func (w *World) writesEverywhere(ctx context.Context, one Writer, groups []*unstructured.Unstructured) (bool, error) {
	user, in := one.identity(groups)
	return access.SubjectMay(ctx, w.Conn, user, in, access.Right{Verb: "create", Resource: "serviceaccounts/token"})
}

// groups are the Groups of OpenShift, which say which users they have; none elsewhere,
// or where you are not allowed to list them.
func (w *World) groups(ctx context.Context) ([]*unstructured.Unstructured, error) {
	const group, version = "user.openshift.io", "v1"
	served, err := w.Conn.Discovery(ctx)
	if err != nil || !served.Serves(group+"/"+version, "Group") {
		return nil, err
	}
	list, err := w.List(ctx, schema.GroupVersionResource{Group: group, Version: version, Resource: "groups"}, "", "")
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil, nil
	}
	return list, err
}
