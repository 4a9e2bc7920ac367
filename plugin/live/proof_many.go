package live

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// everyAccount are the groups that each service account is in.
func everyAccount() []string { return []string{"system:authenticated", "system:serviceaccounts"} }

// bound are those of many service accounts that a ClusterRoleBinding names, alone or by a
// group: no other has a permission in all projects by RBAC. A project editor can create
// thousands of Deployments, and only a cluster admin a ClusterRoleBinding, so that few
// are left to ask about. If the bindings cannot be listed, all are.
func (w *World) bound(ctx context.Context, users []string) ([]string, error) {
	bindings, err := w.List(ctx, ClusterRoleBindings(), "", "")
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
