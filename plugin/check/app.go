package check

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// appLook are the checks of what runs in the project.
type appLook struct{ *live.World }

func appChecks(w *live.World) []Check {
	a := appLook{w}
	return []Check{
		{
			ID: IDInstalled, Group: App, Severity: Error, Needs: []string{IDServer},
			Title: "something is installed in the project", Run: a.installed,
		},
	}
}

// installed goes by the frontend and by the inventory: either is enough, since
// GitOps leaves no inventory.
func (a appLook) installed(ctx context.Context) Finding {
	frontend, err := a.One(ctx, live.Deployments(), "ostoy-frontend")
	if err != nil {
		return Fail(a.Conn.Translate(err))
	}
	inventory, err := a.Inventory(ctx)
	if err != nil {
		return Fail(err)
	}
	if frontend != nil || inventory.Found {
		return Pass()
	}
	return Refuse(
		"nothing is installed in project "+a.Namespace,
		"there is neither a Deployment ostoy-frontend nor an inventory",
		"oc ostoy-s3 check --pre -n "+a.Namespace+", then oc ostoy-s3 install -n "+a.Namespace,
	)
}
