package status

import (
	"cmp"
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// installs divides the projects into those in which the app is installed, or may be because
// its Deployments cannot be listed, and the rest.
func installs(o overview, projects []Seen) (installed, rest []Seen) {
	for _, one := range projects {
		namespace := one.Found.Facts.Namespace.Value
		if one.Found.presence().Installed() || apierrors.IsForbidden(o.unseen(kinds.Deployment.GVR(), namespace)) {
			installed = append(installed, one)
		} else {
			rest = append(rest, one)
		}
	}
	return installed, rest
}

// kept is what is kept in projects in which the app is not installed. Of each only the
// bucket is asked for, and the tags of a role that the list has.
func kept(ctx context.Context, o overview, projects []Seen, roles listedRoles) []presence.Document {
	all := make([]presence.Document, len(projects))
	each(len(projects), func(i int) {
		found := projects[i].Found
		seen := found.presence()
		if o.from.noAWS == nil && found.Facts.Account.Value == o.facts.Account.Value {
			w := &live.World{
				Conn: o.from.world.Conn, Namespace: seen.Namespace, Facts: found.Facts,
				Roles: o.from.world.Roles, Buckets: o.from.world.Buckets,
			}
			seen = presence.WithAWS(ctx, w, seen, func() (string, error) { return keptRole(ctx, w, projects[i].Desired, roles) })
		}
		all[i] = seen.Document()
	})
	return slices.DeleteFunc(all, func(d presence.Document) bool { return len(d.Kept) == 0 })
}

// keptRole is the name of the role that a project has though the app is not installed, ""
// if it has none. Which role that would be is not known where too little else is known.
func keptRole(ctx context.Context, w *live.World, would iam.Role, roles listedRoles) (string, error) {
	f, path := w.Facts, cmp.Or(would.Path, render.RolePath)
	switch {
	case roles.failed():
		return "", roles.err
	case !f.Issuer.Known():
		return "", nil // nothing shows whose a role is
	}
	names := iam.App.Names(f.Issuer.Value, f.Namespace.Value)
	if would.Name != "" && !slices.Contains(names, would.Name) {
		names = []string{would.Name}
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		_, listed := roles.byARN[render.RoleARN(f.Partition.Value, f.Account.Value, path, name)]
		return roles.tells(path) && !listed
	})
	return iam.App.OwnAmong(ctx, w.Roles, f, names)
}
