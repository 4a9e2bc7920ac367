package plugin

import (
	"context"

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
	if role.Name != "" {
		return role
	}
	earlier := role
	earlier.Name = render.EarlierRoleName(f.Issuer.Value, f.Namespace.Value)
	if request.OutputDir != "" && folder.HasValue(request.OutputDir, iam.ARN(f, earlier)) {
		return earlier
	}
	return a.usualRole(ctx, found, role)
}

// usualRole is the request with the name of the role that IAM has for the app.
func (a *App) usualRole(ctx context.Context, found detect.Result, role RoleRequest) RoleRequest {
	earlier := render.EarlierRoleName(found.Facts.Issuer.Value, found.Facts.Namespace.Value)
	return a.named(found, role, earlier, func(api *iam.Client) (string, error) { return iam.UsualName(ctx, api, found.Facts) })
}

// usualControllerRole is usualRole for the role of the ACK S3 controller.
func (a *App) usualControllerRole(ctx context.Context, found detect.Result, role ControllerRoleRequest) ControllerRoleRequest {
	earlier := render.ControllerRoleNames(found.Facts.Issuer.Value)[1]
	role.RoleOptions = a.named(found, role.RoleOptions, earlier, func(api *iam.Client) (string, error) {
		return iam.UsualControllerName(ctx, api, found.Facts)
	})
	return role
}

// named is the request with the name that ask returns, unless the request has a name. IAM
// is asked only if AWS was asked for the account: if the facts are given, no server is.
func (a *App) named(found detect.Result, role RoleRequest, earlier string, ask func(*iam.Client) (string, error)) RoleRequest {
	if role.Name != "" || found.AWS == nil || found.Caller == "" || !found.Facts.Issuer.Known() {
		return role
	}
	name, err := ask(iam.New(found.AWS.In(found.Facts.Region)))
	if err != nil {
		a.UI.Warn("whether an earlier version created the role "+advice.RoleName(earlier).String()+" is not known: "+inLine(err.Error()),
			"if it did: "+advice.Command("--role-name", advice.RoleName(earlier).Word()))
	}
	role.Name = name
	return role
}
