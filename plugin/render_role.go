package plugin

import (
	"context"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/folder"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// settled is the role that the manifests name. A role that an earlier version created has
// a shorter name and keeps it: manifests in the output directory name it, or IAM has it.
func (a *App) settled(ctx context.Context, found detect.Result, request RenderRequest) RoleRequest {
	role, f := request.Role, found.Facts
	if role.Name != "" || request.Engine != "" { // what leads an engine to manifests names no role
		return role
	}
	earlier := role
	earlier.Name = render.EarlierRoleName(f.Issuer.Value, f.Namespace.Value)
	switch {
	case request.OutputDir == "":
		return a.usualRole(ctx, found, role)
	case folder.HasValue(request.OutputDir, iam.ARN(f, earlier)):
		return earlier
	case !askedAWS(found):
		return role
	}
	return a.usualRole(ctx, found, role)
}

// askedAWS reports whether AWS was asked for the account: if the facts are given, no
// server is asked anything.
func askedAWS(found detect.Result) bool { return found.AWS != nil && found.Caller != "" }

// unansweredIAM is how long IAM is waited for. Some private networks reach STS and not IAM.
const unansweredIAM = 10 * time.Second

// usualRole is the request with the name of the role that IAM has for the app.
func (a *App) usualRole(ctx context.Context, found detect.Result, role RoleRequest) RoleRequest {
	earlier := render.EarlierRoleName(found.Facts.Issuer.Value, found.Facts.Namespace.Value)
	return a.named(ctx, found, role, earlier, func(ctx context.Context, api iam.Finder) (string, error) {
		return iam.UsualName(ctx, api, found.Facts)
	})
}

// usualControllerRole is usualRole for the role of the ACK S3 controller.
func (a *App) usualControllerRole(ctx context.Context, found detect.Result, role ControllerRoleRequest) ControllerRoleRequest {
	earlier := render.ControllerRoleNames(found.Facts.Issuer.Value)[1]
	role.RoleOptions = a.named(ctx, found, role.RoleOptions, earlier, func(ctx context.Context, api iam.Finder) (string, error) {
		return iam.UsualControllerName(ctx, api, found.Facts)
	})
	return role
}

// named is the request with the name that ask returns, unless the request has a name. IAM
// is asked only if AWS was. If it does not answer, the user is told which name to give if
// an earlier version created the role.
func (a *App) named(ctx context.Context, found detect.Result, role RoleRequest, earlier string, ask func(context.Context, iam.Finder) (string, error)) RoleRequest {
	if role.Name != "" || !askedAWS(found) || !found.Facts.Issuer.Known() {
		return role
	}
	asked, cancel := context.WithTimeout(ctx, unansweredIAM)
	defer cancel()
	name, err := ask(asked, iam.New(found.AWS.In(found.Facts.Region)))
	if err != nil && ctx.Err() == nil {
		a.UI.Warn("whether an earlier version created the role "+advice.RoleName(earlier).String()+" is not known: "+inLine(err.Error()),
			"if it did: "+advice.Command("--role-name", advice.RoleName(earlier).Word()))
	}
	role.Name = name
	return role
}
