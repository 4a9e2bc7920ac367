package live

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

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
func (w *World) Trusts(ctx context.Context, exempt, accounts []string) []Trust {
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
			group.Go(func() error { all[n] = w.trust(ctx, all[n].Namespace); return nil })
		}
	}
	_ = group.Wait() // none gives an error
	return all
}

func (w *World) trust(ctx context.Context, namespace string) Trust {
	t := Trust{Namespace: namespace}
	project, unread := w.Get(ctx, Namespaces(), "", namespace)
	if t.Missing = unread == nil && project == nil; t.Missing {
		return t
	}
	writers, err := w.Writers(ctx, namespace)
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
			advice.Command("oc ostoy-s3 controller uninstall", "-n", t.Namespace), "oc ostoy-s3 controller install -n NAMESPACE")
	}
	return strings.Join(commands, "\n")
}
