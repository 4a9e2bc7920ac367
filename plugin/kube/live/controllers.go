package live

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// A Deployment proves no controller: every editor of a project can create one that
// looks like it. What proves one is that its service account is allowed to do in all
// projects what a controller of the whole cluster does.

// Controllers are the Deployments that look like the ACK S3 controller, by whether they
// are one. Only Proven are to be judged, or to decide anything.
type Controllers struct {
	// All are in the order in which the server lists them.
	All    []ack.Controller
	Proven []ack.Controller
	// Unproven are no controllers of the cluster: their service accounts are not allowed
	// to do what one does.
	Unproven []ack.Controller
	// Unverified are all of them if you are not allowed to create SubjectAccessReviews:
	// which of them are controllers is not known.
	Unverified []ack.Controller
}

// With are the same, and these service accounts, by their user names, are proven.
func (c Controllers) With(accounts []string) Controllers {
	out := Controllers{All: c.All}
	for _, one := range c.All {
		switch {
		case slices.Contains(accounts, accountOf(one)), slices.ContainsFunc(c.Proven, one.Same):
			out.Proven = append(out.Proven, one)
		case slices.ContainsFunc(c.Unproven, one.Same):
			out.Unproven = append(out.Unproven, one)
		default:
			out.Unverified = append(out.Unverified, one)
		}
	}
	return out
}

// Controllers are those of the whole cluster. If you are not allowed to list Deployments
// in all projects, the error is the server's refusal.
func (w *World) Controllers(ctx context.Context) (Controllers, error) {
	return ask(ctx, w, about{"controllers", ""}, func() (Controllers, error) { return w.findControllers(ctx, w) })
}

// ControllersHere are those in the World's own namespace.
func (w *World) ControllersHere(ctx context.Context) (Controllers, error) {
	return w.findControllers(ctx, here{w})
}

// here lists in the World's namespace what is asked for in all.
type here struct{ world *World }

// List lists there.
func (h here) List(ctx context.Context, resource schema.GroupVersionResource, _, selector string) ([]*unstructured.Unstructured, error) {
	return h.world.List(ctx, resource, h.world.Namespace, selector)
}

// findControllers looks among the Deployments with the usual labels, and, if none of
// those is a controller, among all: one that only has the labels does not hide another.
func (w *World) findControllers(ctx context.Context, from ack.Lister) (Controllers, error) {
	labelled, err := ack.FindLabelled(ctx, from)
	if err != nil {
		return Controllers{}, err
	}
	found, err := w.Prove(ctx, labelled)
	if err != nil || len(found.Proven) > 0 {
		return found, err
	}
	all, err := ack.FindAll(ctx, from)
	if err != nil {
		return Controllers{}, err
	}
	if len(found.Unverified) > 0 { // the answer to another question is the same refusal
		return Controllers{All: all, Unverified: all}, nil
	}
	return w.Prove(ctx, all)
}

// Prove asks about some Deployments that look like the controller. That you are not
// allowed to ask is no error.
func (w *World) Prove(ctx context.Context, all []ack.Controller) (Controllers, error) {
	c := Controllers{All: all}
	proven, err := w.ProvenAccounts(ctx, AccountsOf(all))
	switch {
	case apierrors.IsForbidden(err):
		c.Unverified = all
		return c, nil
	case err != nil:
		return Controllers{}, err
	}
	for _, one := range all {
		if proven[accountOf(one)] {
			c.Proven = append(c.Proven, one)
		} else {
			c.Unproven = append(c.Unproven, one)
		}
	}
	return c, nil
}

// Runs reports whether a ready pod of a controller is anywhere in the cluster: one of a
// service account that is proven, or of which nothing is known because you are not
// allowed to ask. If you are not allowed to list pods in all projects, the error is the
// server's refusal.
func (w *World) Runs(ctx context.Context) (bool, error) {
	return ack.Running(ctx, w.Conn.Dynamic, func(account ack.ServiceAccount) (bool, error) {
		user := operator.AccountName(account.Namespace, account.Name)
		proven, err := w.ProvenAccounts(ctx, []string{user})
		if apierrors.IsForbidden(err) {
			return true, nil
		}
		return proven[user], err
	})
}

// ProvenAccounts reports of each service account, by its user name, whether it may
// list and update Buckets in all projects. If you are not allowed to create
// SubjectAccessReviews, the error is the server's refusal.
func (w *World) ProvenAccounts(ctx context.Context, users []string) (map[string]bool, error) {
	out := make(map[string]bool, len(users))
	for _, user := range users {
		out[user] = false
	}
	if len(users) > mostAsked {
		var err error
		if users, err = w.bound(ctx, users); err != nil {
			return nil, err
		}
	}
	// A group without a context: one refusal ends none of the other questions.
	proven, err := access.Answers(new(errgroup.Group), users, func(user string) (bool, error) {
		return ask(ctx, w, about{"proof", user}, func() (bool, error) { return w.proof(ctx, user) })
	})
	if err != nil {
		return nil, err
	}
	for n, user := range users {
		out[user] = proven[n]
	}
	return out, nil
}

func (w *World) proof(ctx context.Context, user string) (bool, error) {
	_, groups := Writer{Kind: "User", Name: user}.identity(nil)
	return w.everywhere(ctx, user, groups)
}

// everywhere reports whether a user who is in some groups may list and update Buckets in
// all projects.
func (w *World) everywhere(ctx context.Context, user string, groups []string) (bool, error) {
	for _, verb := range []string{"list", "update"} {
		may, err := access.SubjectMay(ctx, w.Conn, user, groups, access.Right{Verb: verb, Group: kinds.Bucket.GVR().Group, Resource: kinds.Bucket.GVR().Resource})
		if err != nil || !may {
			return false, err
		}
	}
	return true, nil
}

// UnusedAccounts are the service accounts of a policy's exemption, by their user
// names, that no controller uses: no Deployment names them, or they are not proven. If
// none of the Deployments is a controller, one may run in another way, and what is
// proven counts. The error is why nothing could be proven; then nothing is known, because
// a Deployment that is not proven must not change what is said of the others.
func (w *World) UnusedAccounts(ctx context.Context, exempt []string, controllers []ack.Controller) ([]string, error) {
	if len(exempt) == 0 {
		return nil, nil
	}
	named := AccountsOf(controllers)
	proven, err := w.ProvenAccounts(ctx, sorted(slices.Concat(exempt, named)))
	if err != nil {
		return nil, err
	}
	found := slices.ContainsFunc(named, func(user string) bool { return proven[user] })
	return slices.DeleteFunc(slices.Clone(exempt), func(user string) bool {
		return proven[user] && (!found || slices.Contains(named, user))
	}), nil
}

func accountOf(c ack.Controller) string { return operator.AccountName(c.Namespace, c.Account()) }

// AccountsOf are the service accounts of controllers by their user names, sorted.
func AccountsOf(all []ack.Controller) []string {
	var users []string
	for _, c := range all {
		users = append(users, accountOf(c))
	}
	return sorted(users)
}

// sorted sorts and drops repetitions, in place.
func sorted(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// everyAccount are the groups that each service account is in.
func everyAccount() []string { return []string{"system:authenticated", "system:serviceaccounts"} }

// bound are those of many service accounts that a ClusterRoleBinding names, alone or by a
// group: no other has a permission in all projects by RBAC. A project editor can create
// thousands of Deployments, and only a cluster admin a ClusterRoleBinding, so that few
// are left to ask about. If the bindings cannot be listed, all are.
func (w *World) bound(ctx context.Context, users []string) ([]string, error) {
	bindings, err := w.List(ctx, kinds.ClusterRoleBinding.GVR(), "", "")
	if apierrors.IsForbidden(err) || apierrors.IsNotFound(err) {
		return users, nil
	}
	if err != nil {
		return nil, err
	}
	named, groups := map[string]bool{}, map[string]bool{}
	for _, binding := range bindings {
		for _, one := range health.Maps(binding.Object, "subjects") {
			switch name := health.Text(one, "name"); health.Text(one, "kind") {
			case "ServiceAccount":
				named[operator.AccountName(health.Text(one, "namespace"), name)] = true
			case "Group":
				groups[name] = true
			default:
				named[name] = true
			}
		}
	}
	all, err := w.everywhere(ctx, "", everyAccount())
	if err != nil || all {
		return users, err
	}
	allowed := map[string]bool{} // the namespaces of which all service accounts are
	for group := range groups {
		if namespace, is := strings.CutPrefix(group, "system:serviceaccounts:"); is {
			if allowed[namespace], err = w.everywhere(ctx, "", append(everyAccount(), group)); err != nil {
				return nil, err
			}
		}
	}
	return slices.DeleteFunc(slices.Clone(users), func(user string) bool {
		namespace, _, _ := splitAccount(user)
		return !named[user] && !allowed[namespace]
	}), nil
}
