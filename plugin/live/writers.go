package live

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
)

const rbacGroup = "rbac.authorization.k8s.io"

// What Writers needs besides, as `oc auth can-i` takes it.
const needsRoles = "get roles." + rbacGroup + " and clusterroles." + rbacGroup

// mostAsked is how many roles of RoleBindings are read, and how many of their subjects are
// asked about: a user who can create RoleBindings decides how many there are.
const mostAsked = 100

// grant is a subject of a RoleBinding and the role that it is given.
type grant struct {
	Writer
	role objectKey
}

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
	var grants []grant
	for _, binding := range bindings {
		for _, one := range subjectsOf(binding, namespace) {
			grants = append(grants, grant{one, roleOf(binding, namespace)})
		}
	}
	granted, unread, err := w.thatAllowWrites(ctx, grants)
	if err != nil {
		return nil, err
	}
	some, unasked, err := w.withoutAdmins(ctx, append(requesterOf(project, namespace), granted...))
	if err != nil {
		return nil, err
	}
	if unseen := unread + unasked; unseen > 0 {
		some = append(some, Writer{Unseen: unseen})
	}
	return some, nil
}

// roleOf is the role that a RoleBinding gives.
func roleOf(binding *unstructured.Unstructured, namespace string) objectKey {
	name := health.Text(binding.Object, "roleRef", "name")
	if health.Text(binding.Object, "roleRef", "kind") == "ClusterRole" {
		return objectKey{ClusterRoles(), "", name}
	}
	return objectKey{Roles(), namespace, name}
}

// thatAllowWrites are those whose role allows to write, or is not known, and how many
// have a role that was not read.
func (w *World) thatAllowWrites(ctx context.Context, grants []grant) (some Writers, unread int, err error) {
	var roles []objectKey
	for _, one := range grants {
		if !slices.Contains(roles, one.role) && len(roles) < mostAsked {
			roles = append(roles, one.role)
		}
	}
	var group errgroup.Group
	group.SetLimit(reviewsAtOnce)
	for _, role := range roles { // the answers are kept
		group.Go(func() error { _, _ = w.Get(ctx, role.resource, role.namespace, role.name); return nil })
	}
	_ = group.Wait() // none gives an error
	for _, one := range grants {
		if !slices.Contains(roles, one.role) {
			unread++
			continue
		}
		role, err := w.Get(ctx, one.role.resource, one.role.namespace, one.role.name)
		switch {
		case apierrors.IsForbidden(err):
			some = append(some, Writers{one.Writer}.needing(needsRoles)...)
		case err != nil:
			return nil, 0, err
		case allowsWrites(role):
			some = append(some, one.Writer)
		}
	}
	return some, unread, nil
}

// subject is somebody to ask about, once.
type subject struct{ kind, name string }

func (w Writer) who() subject { return subject{w.Kind, w.Name} }

// withoutAdmins leaves out who is allowed in every namespace what makes a user of this
// one dangerous, and counts those who were not asked about.
func (w *World) withoutAdmins(ctx context.Context, candidates Writers) (some Writers, unasked int, err error) {
	if len(candidates) == 0 {
		return nil, 0, nil
	}
	var asked Writers // one for each
	for _, one := range candidates {
		if len(asked) < mostAsked && !slices.ContainsFunc(asked, func(w Writer) bool { return w.who() == one.who() }) {
			asked = append(asked, one)
		}
	}
	admins, err := w.admins(ctx, asked)
	if apierrors.IsForbidden(err) {
		return candidates.needing(access.Reviewing), 0, nil
	}
	if err != nil {
		return nil, 0, err
	}
	for _, one := range candidates {
		admin, known := admins[one.who()]
		switch {
		case !known:
			unasked++
		case !admin:
			some = append(some, one)
		}
	}
	return some, unasked, nil
}

// admins reports of each whether they may create tokens of service accounts in all
// namespaces. An error is the first refusal: it is the same for all.
func (w *World) admins(ctx context.Context, asked Writers) (map[subject]bool, error) {
	groups, err := w.groups(ctx)
	if err != nil {
		return nil, err
	}
	answers := make([]bool, len(asked))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(reviewsAtOnce)
	for n, one := range asked {
		group.Go(func() (err error) {
			user, in := one.identity(groups)
			answers[n], err = access.SubjectMay(ctx, w.Conn, user, in, access.Right{Verb: "create", Resource: "serviceaccounts/token"})
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	all := map[subject]bool{}
	for n, one := range asked {
		all[one.who()] = answers[n]
	}
	return all, nil
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
