package check

import (
	"context"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// clusterLook are the checks of what the cluster gives every project.
type clusterLook struct{ *live.World }

func clusterChecks(w *live.World) []Check {
	c := clusterLook{w}
	return []Check{
		{
			ID: "project-terminating", Group: Cluster, Severity: Error, Needs: []string{IDServer},
			Title: "the project is not on its way out", Run: c.terminating,
		},
	}
}

func (c clusterLook) terminating(ctx context.Context) Finding {
	project, err := c.Project(ctx)
	switch {
	case apierrors.IsForbidden(err):
		return Unseen("get namespaces "+c.Namespace, "whether it is being deleted")
	case err != nil:
		return Fail(c.Conn.Translate(err))
	case project == nil || project.GetDeletionTimestamp() == nil:
		return Pass()
	}
	return Refuse(
		"project "+c.Namespace+" is being deleted",
		"nothing can be made in it any more",
		"oc ostoy-s3 uninstall -n "+c.Namespace+" lets go of what it hangs on",
	)
}
