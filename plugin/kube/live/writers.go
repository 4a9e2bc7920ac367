package live

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
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

// WritersOf are those who can write to a namespace, and could not do so in every one. The
// error is that of the RoleBindings, or of a server that does not answer: then nothing
// is known.
func WritersOf(ctx context.Context, w *World, namespace string) (Writers, error) {
	project, err := w.Get(ctx, kinds.Namespace.GVR(), "", namespace)
	if err != nil && !apierrors.IsForbidden(err) {
		return nil, err
	}
	bindings, err := w.List(ctx, kinds.RoleBinding.GVR(), namespace, "")
	if err != nil {
		return nil, err
	}
	var grants []grant
	for _, binding := range bindings {
		for _, one := range subjectsOf(binding, namespace) {
			grants = append(grants, grant{one, roleOf(binding, namespace)})
		}
	}
	granted, unread, err := thatAllowWrites(ctx, w, grants)
	if err != nil {
		return nil, err
	}
	some, unasked, err := withoutAdmins(ctx, w, append(requesterOf(project, namespace), granted...))
	if err != nil {
		return nil, err
	}
	if unseen := unread + unasked; unseen > 0 {
		some = append(some, Writer{Unseen: unseen})
	}
	return some, nil
}

// subjectsOf are the subjects of a RoleBinding that are somebody: the service accounts
// of the namespace itself are as good as the namespace.
func subjectsOf(binding *unstructured.Unstructured, namespace string) Writers {
	var some Writers
	for _, one := range health.Maps(binding.Object, "subjects") {
		s := Writer{
			Kind: health.Text(one, "kind"), Name: health.Text(one, "name"),
			By: "RoleBinding " + binding.GetName(), Binding: binding.GetName(),
		}
		if s.Kind == "ServiceAccount" {
			in := cmp.Or(health.Text(one, "namespace"), namespace)
			s.Kind, s.Name = "User", operator.AccountName(in, s.Name)
		}
		if !reserved(s.Name, namespace) {
			some = append(some, s)
		}
	}
	return some
}

// roleOf is the role that a RoleBinding gives.
func roleOf(binding *unstructured.Unstructured, namespace string) objectKey {
	name := health.Text(binding.Object, "roleRef", "name")
	if health.Text(binding.Object, "roleRef", "kind") == "ClusterRole" {
		return objectKey{kinds.ClusterRole.GVR(), "", name}
	}
	return objectKey{kinds.Role.GVR(), namespace, name}
}

// thatAllowWrites are those whose role allows to write, or is not known, and how many
// have a role that was not read.
func thatAllowWrites(ctx context.Context, w *World, grants []grant) (some Writers, unread int, err error) {
	var roles []objectKey
	for _, one := range grants {
		if !slices.Contains(roles, one.role) && len(roles) < mostAsked {
			roles = append(roles, one.role)
		}
	}
	get := func(role objectKey) (*unstructured.Unstructured, error) {
		return w.Get(ctx, role.resource, role.namespace, role.name)
	}
	_, _ = access.Answers(new(errgroup.Group), roles, get) // they are kept
	for _, one := range grants {
		if !slices.Contains(roles, one.role) {
			unread++
			continue
		}
		switch role, err := get(one.role); {
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
func withoutAdmins(ctx context.Context, w *World, candidates Writers) (some Writers, unasked int, err error) {
	if len(candidates) == 0 {
		return nil, 0, nil
	}
	var asked Writers // one for each
	for _, one := range candidates {
		if len(asked) < mostAsked && !slices.ContainsFunc(asked, func(w Writer) bool { return w.who() == one.who() }) {
			asked = append(asked, one)
		}
	}
	admins, err := admins(ctx, w, asked)
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
func admins(ctx context.Context, w *World, asked Writers) (map[subject]bool, error) {
	groups, err := groups(ctx, w)
	if err != nil {
		return nil, err
	}
	group, ctx := errgroup.WithContext(ctx)
	answers, err := access.Answers(group, asked, func(one Writer) (bool, error) {
		user, in := one.identity(groups)
		return access.SubjectMay(ctx, w.Conn, user, in, access.Right{Verb: "create", Resource: "serviceaccounts/token"})
	})
	if err != nil {
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
func groups(ctx context.Context, w *World) ([]*unstructured.Unstructured, error) {
	served, err := w.Conn.Discovery(ctx)
	if err != nil || !served.Has(kinds.Group) {
		return nil, err
	}
	list, err := w.List(ctx, kinds.Group.GVR(), "", "")
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil, nil
	}
	return list, err
}

// Trust is who can act as a controller, by permissions in its namespace.
type Trust struct {
	Namespace string
	Missing   bool    // it does not exist: a user who can create it can do so
	Writers   Writers // known to be some, or not looked at because there are so many
	Needs     string  // the permission that you lack to know of others, "" if it is known
	Err       error   // why nothing is known, if not for a permission
}

// Trusts are those of the namespaces that the permissions of controllers depend on,
// sorted: of the service accounts that the policy exempts, and of the proven ones among
// accounts, which are those of Deployments. Other Deployments do not count, because
// every project editor can create one.
func Trusts(ctx context.Context, w *World, exempt, accounts []string) []Trust {
	proven, err := w.ProvenAccounts(ctx, accounts)
	needs := map[string]string{} // by namespace
	for _, user := range exempt {
		if namespace, _, is := splitAccount(user); is {
			needs[namespace] = ""
		}
	}
	for _, user := range accounts {
		namespace, _, _ := splitAccount(user)
		if _, known := needs[namespace]; !known && err != nil {
			needs[namespace] = access.Reviewing
		} else if proven[user] {
			needs[namespace] = ""
		}
	}
	all := make([]Trust, 0, len(needs))
	for namespace, needed := range needs {
		one := Trust{Namespace: namespace, Needs: needed}
		if needed != "" && !apierrors.IsForbidden(err) {
			one.Needs, one.Err = "", err
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b Trust) int { return strings.Compare(a.Namespace, b.Namespace) })
	var group errgroup.Group
	for n := range all {
		if all[n].Needs == "" && all[n].Err == nil {
			group.Go(func() error { all[n] = trust(ctx, w, all[n].Namespace); return nil })
		}
	}
	_ = group.Wait() // none gives an error
	return all
}

func trust(ctx context.Context, w *World, namespace string) Trust {
	t := Trust{Namespace: namespace}
	project, unread := w.Get(ctx, kinds.Namespace.GVR(), "", namespace)
	if t.Missing = unread == nil && project == nil; t.Missing {
		return t
	}
	writers, err := WritersOf(ctx, w, namespace)
	switch {
	case apierrors.IsForbidden(err):
		t.Needs = "list rolebindings." + rbacGroup + " in " + namespace
	case err != nil:
		t.Err = err
	default:
		t.Needs = writers.Needs()
		t.Writers = slices.DeleteFunc(writers, func(one Writer) bool { return one.Needs != "" })
		if unread != nil && t.Needs == "" { // who requested the project is not known
			t.Needs = "get namespaces"
		}
	}
	return t
}

// Ways are what to do about the writers, one command a line. To delete RoleBindings is
// not enough if the user requested the project.
func (t Trust) Ways() string {
	commands := t.Writers.Revoke(t.Namespace)
	if slices.ContainsFunc(t.Writers, func(one Writer) bool { return one.Binding == "" && one.Unseen == 0 }) {
		commands = append(commands,
			advice.Command("oc ostoy-s3 controller uninstall", "-n", t.Namespace), advice.Command("oc ostoy-s3 controller install -n NAMESPACE", "--bucket-pattern", render.OwnBucketPattern))
	}
	return strings.Join(commands, "\n")
}
