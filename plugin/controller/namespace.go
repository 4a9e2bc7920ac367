package controller

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// The AWS role and the exemption from the admission policy belong to a service account
// of the controller's namespace. A user who can create tokens, pods or RoleBindings in
// that namespace, or impersonate its service accounts, acts as the controller. On
// OpenShift every user can create a project, also one that is named ack-system. So a
// namespace that exists is looked at before it is trusted.

// requester is where OpenShift writes the user who requested a project.
const requester = "openshift.io/requester"

func namespaced(resource string) schema.GroupVersionResource {
	return schema.GroupVersionResource{Group: rbacGroup, Version: "v1", Resource: resource}
}

// subject is a user, group or service account with permissions in a namespace.
type subject struct {
	kind, name string // User mallory; a service account has its user name
	by         string // "RoleBinding admin"
	binding    string // the name of that, "" for the user who requested the project
}

func (s subject) String() string {
	return strings.ToLower(s.kind) + " " + strings.Join(printable([]string{s.name}), "") + " (" + s.by + ")"
}

// mayTrust refuses a namespace in which somebody who is no cluster admin can act as the
// controller. If the controller runs there already, or this tool created the namespace,
// it is a warning: a cluster admin gave these permissions, and the controller needs
// its updates.
func (p *Plan) mayTrust(ctx context.Context) error {
	if p.found.Project == nil || p.Mode == Used {
		return nil
	}
	subjects, err := p.found.intruders(ctx)
	if err != nil || len(subjects) == 0 {
		return err
	}
	refusal := p.distrust(subjects)
	if p.found.NamespaceOurs() || p.established(ctx) {
		p.Admission.warn(refusal.Error(), refusal.Next)
		return nil
	}
	return refusal
}

// established reports whether the controller that this tool installed works in the
// namespace: its service account may do what only a cluster admin can allow.
func (p *Plan) established(ctx context.Context) bool {
	if len(p.found.Mine()) == 0 {
		return false
	}
	own := operator.Account(p.facts)
	proven, err := p.found.World.ProvenAccounts(ctx, []string{own})
	return err == nil && proven[own]
}

func (p *Plan) distrust(subjects []subject) *problem.Error {
	var names, next []string
	for _, s := range subjects {
		names = append(names, s.String())
		if s.binding != "" {
			next = append(next, shell.Words("oc", "delete", "rolebinding", s.binding, "-n", p.found.Namespace))
		}
	}
	slices.Sort(next)
	next = append(slices.Compact(next), "or use another namespace: oc ostoy-s3 controller install -n NAMESPACE")
	return &problem.Error{
		Kind: problem.Refused,
		What: "namespace " + p.found.Namespace + " cannot be trusted with the ACK S3 controller",
		Why: "with permissions in it, but not in the whole cluster: " + strings.Join(names, ", ") + ". They can act as the controller's service account, " +
			"which has the controller's AWS role and is exempt from the admission policy for Buckets",
		Next: strings.Join(next, "\n"), More: "docs/security.md",
	}
}

// intruders are those who can write to the controller's namespace, and could not do so
// in every namespace.
func (f *Found) intruders(ctx context.Context) ([]subject, error) {
	w := f.World
	bindings, err := w.List(ctx, namespaced("rolebindings"), f.Namespace, "")
	if err != nil {
		return nil, w.Conn.Translate(err)
	}
	var candidates []subject
	for _, binding := range bindings {
		from := subjectsOf(binding, f.Namespace)
		if len(from) == 0 {
			continue
		}
		writes, err := f.writes(ctx, binding)
		if err != nil {
			return nil, err
		}
		if writes {
			candidates = append(candidates, from...)
		}
	}
	if name := f.Project.GetAnnotations()[requester]; name != "" && !f.NamespaceOurs() && !reserved(name, f.Namespace) {
		candidates = append(candidates, subject{kind: "User", name: name, by: "requested the project"})
	}
	return f.withoutAdmins(ctx, candidates)
}

// subjectsOf are the subjects of a RoleBinding that are somebody: the service accounts
// of the namespace itself are as good as the namespace.
func subjectsOf(binding *unstructured.Unstructured, namespace string) []subject {
	var some []subject
	for _, one := range health.Maps(binding.Object, "subjects") {
		s := subject{
			kind: health.Text(one, "kind"), name: health.Text(one, "name"),
			by: "RoleBinding " + binding.GetName(), binding: binding.GetName(),
		}
		if s.kind == "ServiceAccount" {
			in := health.Text(one, "namespace")
			if in == "" {
				in = namespace
			}
			s.kind, s.name = "User", operator.AccountName(in, s.name)
		}
		if !reserved(s.name, namespace) {
			some = append(some, s)
		}
	}
	return some
}

// reserved reports whether the name of a user or group is one that Kubernetes or
// OpenShift give to their own parts, and no user of a project can have. The groups of
// everybody are not, and neither are service accounts: only in namespaces that
// OpenShift lets nobody request ("openshift-", "kube-"), and in the one itself.
func reserved(name, namespace string) bool {
	const accounts, account = "system:serviceaccounts", "system:serviceaccount:"
	everybody := []string{"system:authenticated", "system:authenticated:oauth", "system:unauthenticated", accounts}
	in := ""
	switch {
	case !strings.HasPrefix(name, "system:"):
		return false
	case slices.Contains(everybody, name):
		return false
	case strings.HasPrefix(name, accounts+":"):
		in = strings.TrimPrefix(name, accounts+":")
	case strings.HasPrefix(name, account):
		in, _, _ = strings.Cut(strings.TrimPrefix(name, account), ":")
	default:
		return true
	}
	return in == namespace || strings.HasPrefix(in, "openshift-") || strings.HasPrefix(in, "kube-")
}

// writes reports whether the role of a RoleBinding allows more than to look. To read
// Secrets is more: they can hold tokens of service accounts. A role that you are not
// allowed to read counts, one that does not exist allows nothing.
func (f *Found) writes(ctx context.Context, binding *unstructured.Unstructured) (bool, error) {
	resource, namespace := namespaced("roles"), f.Namespace
	if health.Text(binding.Object, "roleRef", "kind") == "ClusterRole" {
		resource, namespace = live.ClusterRoles(), ""
	}
	role, err := f.World.Get(ctx, resource, namespace, health.Text(binding.Object, "roleRef", "name"))
	switch {
	case apierrors.IsForbidden(err):
		return true, nil
	case err != nil:
		return false, f.World.Conn.Translate(err)
	case role == nil:
		return false, nil
	}
	return slices.ContainsFunc(health.Maps(role.Object, "rules"), ruleWrites), nil
}

func ruleWrites(rule map[string]any) bool {
	texts := func(field string) []string {
		list, _, _ := unstructured.NestedStringSlice(rule, field)
		return list
	}
	if len(texts("resources")) == 0 { // URLs, which no RoleBinding gives
		return false
	}
	looks := func(verb string) bool { return slices.Contains([]string{"get", "list", "watch"}, verb) }
	secret := func(resource string) bool { return resource == "*" || resource == "secrets" }
	return slices.ContainsFunc(texts("verbs"), func(verb string) bool {
		return !looks(verb) || slices.ContainsFunc(texts("resources"), secret)
	})
}

// withoutAdmins leaves out who runs this command, and who is allowed in every namespace
// what makes a user of this one dangerous.
func (f *Found) withoutAdmins(ctx context.Context, candidates []subject) ([]subject, error) {
	if len(candidates) == 0 {
		return nil, nil
	}
	self, err := access.Self(ctx, f.World.Conn)
	if err != nil {
		return nil, err
	}
	groups, err := f.groups(ctx)
	if err != nil {
		return nil, err
	}
	var some []subject
	for _, s := range candidates {
		if s.kind == "User" && s.name == self {
			continue
		}
		admin, err := f.isAdmin(ctx, s, groups)
		if err != nil {
			return nil, err
		}
		if !admin {
			some = append(some, s)
		}
	}
	return some, nil
}

// isAdmin reports whether a subject may create tokens of service accounts in all
// namespaces. If you are not allowed to ask, it is not known to be one.
func (f *Found) isAdmin(ctx context.Context, s subject, groups []*unstructured.Unstructured) (bool, error) {
	user, in := s.name, []string{"system:authenticated"}
	switch account, is := strings.CutPrefix(s.name, "system:serviceaccount:"); {
	case s.kind == "Group":
		user, in = "", append(in, s.name)
	case is:
		namespace, _, _ := strings.Cut(account, ":")
		in = append(in, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	case s.name == "kube:admin": // OpenShift's first user, who is in no Group object
		in = append(in, "system:cluster-admins")
	}
	for _, group := range groups {
		if users, _, _ := unstructured.NestedStringSlice(group.Object, "users"); s.kind == "User" && slices.Contains(users, s.name) {
			in = append(in, group.GetName())
		}
	}
	admin, err := access.SubjectMay(ctx, f.World.Conn, user, in, access.Right{Verb: "create", Resource: "serviceaccounts/token"})
	if apierrors.IsForbidden(err) {
		return false, nil
	}
	return admin, err
}

// groups are the Groups of OpenShift, which say which users they have; none elsewhere,
// or where you are not allowed to list them.
func (f *Found) groups(ctx context.Context) ([]*unstructured.Unstructured, error) {
	const group, version = "user.openshift.io", "v1"
	w := f.World
	served, err := w.Conn.Discovery(ctx)
	if err != nil || !served.Serves(group+"/"+version, "Group") {
		return nil, err
	}
	list, err := w.List(ctx, schema.GroupVersionResource{Group: group, Version: version, Resource: "groups"}, "", "")
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return nil, nil
	}
	return list, w.Conn.Translate(err)
}
