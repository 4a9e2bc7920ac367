package status

import (
	"context"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
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

// kept is what is kept in projects in which the app is not installed.
func kept(ctx context.Context, o overview, projects []Seen) []presence.Document {
	all := make([]presence.Document, len(projects))
	each(len(projects), func(i int) {
		found := projects[i].Found
		seen := found.presence()
		if o.from.noAWS == nil && found.Facts.Account.Value == o.facts.Account.Value {
			w := &live.World{
				Conn: o.from.world.Conn, Namespace: seen.Namespace, Facts: found.Facts,
				Roles: o.from.world.Roles, Buckets: o.from.world.Buckets, RoleNamed: projects[i].Desired.Name,
			}
			seen = presence.InAWS(ctx, w, seen)
		}
		all[i] = seen.Document()
	})
	return slices.DeleteFunc(all, func(d presence.Document) bool { return len(d.Kept) == 0 })
}
