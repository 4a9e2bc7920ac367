package live

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
)

// The AWS role and the exemption from the admission policy belong to a service account
// of the controller's namespace. A user who can create tokens, pods or RoleBindings in
// that namespace, or impersonate its service accounts, acts as the controller. On
// OpenShift every user can create a project, also one that is named ack-system. So a
// namespace that exists is looked at before it is trusted, and after.

// Requester is where OpenShift writes the user who requested a project.
const Requester = "openshift.io/requester"

// Writer is a user, group or service account with permissions in a namespace.
type Writer struct {
	Kind, Name string // User mallory; a service account has its user name
	By         string // "RoleBinding admin"
	Binding    string // the name of that, "" for the user who requested the project
	// Needs is the permission that you lack to know that it is one; "" if it is.
	Needs string
	// Unseen is, where it is not 0, how many were not looked at; then this is nobody.
	Unseen int
}

// Writers are some of them.
type Writers []Writer

// Known are those of whom it is known.
func (w Writers) Known() Writers {
	return slices.DeleteFunc(slices.Clone(w), func(one Writer) bool { return one.Needs != "" || one.Unseen > 0 })
}

// unknown are those of whom you lack a permission to know it.
func (w Writers) unknown() Writers {
	return slices.DeleteFunc(slices.Clone(w), func(one Writer) bool { return one.Needs == "" })
}

// unseen is how many were not looked at.
func (w Writers) unseen() int {
	n := 0
	for _, one := range w {
		n += one.Unseen
	}
	return n
}

// Needs are the permissions that you lack to know of the others, "" if there are none.
func (w Writers) Needs() string {
	var all []string
	for _, one := range w.unknown() {
		all = append(all, one.Needs)
	}
	return strings.Join(sorted(all), " and ")
}

// Without are the others than a user.
func (w Writers) Without(user string) Writers {
	return slices.DeleteFunc(slices.Clone(w), func(one Writer) bool { return one.Kind == "User" && one.Name == user })
}

func (w Writers) needing(permission string) Writers {
	some := slices.Clone(w)
	for n := range some {
		if some[n].Needs == "" {
			some[n].Needs = permission
		}
	}
	return some
}

// identity is the user, "" for nobody in particular, and the groups that a permission
// of a writer is asked for. groups are those of OpenShift.
func (w Writer) identity(groups []*unstructured.Unstructured) (user string, in []string) {
	user, in = w.Name, []string{"system:authenticated"}
	namespace, _, account := splitAccount(w.Name)
	switch {
	case w.Kind == "Group":
		return "", append(in, w.Name)
	case account:
		in = append(in, "system:serviceaccounts", "system:serviceaccounts:"+namespace)
	case w.Name == "kube:admin": // OpenShift's first user, who is in no Group object
		in = append(in, "system:cluster-admins")
	}
	for _, group := range groups {
		if users, _, _ := unstructured.NestedStringSlice(group.Object, "users"); slices.Contains(users, w.Name) {
			in = append(in, group.GetName())
		}
	}
	return user, in
}

// splitAccount takes the user name of a service account apart.
func splitAccount(user string) (namespace, name string, is bool) {
	account, is := strings.CutPrefix(user, "system:serviceaccount:")
	namespace, name, _ = strings.Cut(account, ":")
	return namespace, name, is
}

// requesterOf is the user who requested a project on OpenShift, if it was one.
func requesterOf(project *unstructured.Unstructured, namespace string) Writers {
	if project == nil {
		return nil
	}
	name := project.GetAnnotations()[Requester]
	if name == "" || reserved(name, namespace) {
		return nil
	}
	return Writers{{Kind: "User", Name: name, By: "requested the project"}}
}

// reserved reports whether the name of a user or group is one that Kubernetes or
// OpenShift give to their own parts, and no user of a project can have. The groups of
// everybody are not, and neither are service accounts: only in namespaces that
// OpenShift lets nobody request ("openshift-", "kube-"), and in the one itself.
func reserved(name, namespace string) bool {
	const accounts = "system:serviceaccounts"
	everybody := []string{"system:authenticated", "system:authenticated:oauth", "system:unauthenticated", accounts}
	in, _, account := splitAccount(name)
	switch {
	case !strings.HasPrefix(name, "system:"), slices.Contains(everybody, name):
		return false
	case strings.HasPrefix(name, accounts+":"):
		in = strings.TrimPrefix(name, accounts+":")
	case !account:
		return true
	}
	return in == namespace || strings.HasPrefix(in, "openshift-") || strings.HasPrefix(in, "kube-")
}

// allowsWrites reports whether a role, nil for one that does not exist, allows more
// than to look.
func allowsWrites(role *unstructured.Unstructured) bool {
	return role != nil && slices.ContainsFunc(health.Maps(role.Object, "rules"), ruleWrites)
}

// ruleWrites knows one verb that no API server asks for: OpenShift's ClusterRole view
// has "view" on jenkins.
func ruleWrites(rule map[string]any) bool {
	texts := func(field string) []string {
		list, _, _ := unstructured.NestedStringSlice(rule, field)
		return list
	}
	if len(texts("resources")) == 0 { // URLs, which no RoleBinding gives
		return false
	}
	reads := func(verb string) bool { return slices.Contains([]string{"get", "list", "watch", "view"}, verb) }
	uses := func(resource string) bool { return !readIsLooking(resource) }
	return slices.ContainsFunc(texts("verbs"), func(verb string) bool {
		return !reads(verb) || slices.ContainsFunc(texts("resources"), uses)
	})
}

// readIsLooking reports whether to read a resource is no more than to look. Secrets can
// hold tokens of service accounts. Of subresources only those in the ClusterRoles view of
// Kubernetes and OpenShift and in image-puller are: to "get" pods/exec, pods/attach,
// pods/portforward or pods/proxy is to use them (a WebSocket begins with a GET; Kubernetes
// 1.35, feature gate AuthorizePodWebsocketUpgradeCreatePermission, is the first to want
// more for three of them).
func readIsLooking(resource string) bool {
	_, sub, is := strings.Cut(resource, "/")
	if !is {
		return resource != "*" && resource != "secrets"
	}
	return slices.Contains([]string{"log", "status", "scale", "layers", "webhooks"}, sub)
}

// How many are named: in a sentence, and in a list. A user who can create RoleBindings
// decides how many there are.
const (
	mostInText = 5
	mostListed = 20
)

// ActAs is what follows from permissions to write to the namespace of a controller.
const ActAs = "They can act as the controller's service account, " +
	"which has the controller's AWS role and is exempt from the admission policy for Buckets"

// plainName is a name that an advised command repeats. RBAC allows nearly any name: one
// that begins with a dash is an option, and one with a line feed is a command of its own
// (apimachinery, IsValidPathSegmentName).
func plainName(name string) bool {
	return regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9:._-]{0,252}$`).MatchString(name)
}

func (w Writer) String() string {
	by := w.By
	if w.Binding != "" && !plainName(w.Binding) {
		by = "a RoleBinding whose name is not repeated"
	}
	return strings.ToLower(w.Kind) + " " + shownName(w.Name) + " (" + plain.Line(by) + ")"
}

// shownName is the name of a user or group on one line, and no longer than one.
func shownName(name string) string {
	const longest = 100
	runes := []rune(plain.Line(name))
	if len(runes) > longest {
		return string(runes[:longest]) + "..."
	}
	return string(runes)
}

// Names are those of whom it is known, the first twenty.
func (w Writers) Names() []string { return w.Known().first(mostListed) }

func (w Writers) first(most int) []string {
	var names []string
	for _, one := range w[:min(len(w), most)] {
		names = append(names, one.String())
	}
	return names
}

// few names the first of some, and how many there are besides.
func (w Writers) few() string {
	names := w.first(mostInText)
	text := strings.Join(names, ", ")
	if more := len(w) - len(names); more > 0 {
		text += fmt.Sprintf(" and %d more", more)
	}
	return text
}

// Why is who they are and what follows from it, in sentences, those of whom it is known
// apart from the others.
func (w Writers) Why() string {
	var all []string
	if known := w.Known(); len(known) > 0 {
		all = append(all, "with permissions in it, but not in the whole cluster: "+known.few()+". "+ActAs)
	}
	if unknown := w.unknown(); len(unknown) > 0 {
		all = append(all, "whether these can act as the controller is not known: "+unknown.few()+"; requires "+w.Needs())
	}
	if n := w.unseen(); n > 0 {
		all = append(all, fmt.Sprintf("subjects of RoleBindings that were not looked at, because at most %d are: %d", mostAsked, n))
	}
	return strings.Join(all, ". ")
}

// Revoke are the commands that delete the RoleBindings of those of whom it is known,
// sorted. Where there are others, or too many, or one whose name is not repeated, the
// last command lists the RoleBindings.
func (w Writers) Revoke(namespace string) []string {
	var commands []string
	list := len(w.Known()) < len(w)
	for _, one := range w.Known() {
		switch {
		case one.Binding == "":
		case !plainName(one.Binding):
			list = true
		default:
			commands = append(commands, advice.Command("oc delete", "-n", namespace, "rolebinding/"+one.Binding))
		}
	}
	if commands = sorted(commands); len(commands) > mostListed {
		commands, list = commands[:mostListed], true
	}
	if list {
		commands = append(commands, advice.Command("oc get rolebindings", "-n", namespace))
	}
	return commands
}
