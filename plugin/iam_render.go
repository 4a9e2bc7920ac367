package plugin

import (
	"context"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/rolecode"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// RoleOf is whose role is meant.
type RoleOf string

// The roles there are.
const (
	RoleOfApp        RoleOf = "app"
	RoleOfController RoleOf = "controller"
)

// Known reports whether r is one of them.
func (r RoleOf) Known() bool { return r == RoleOfApp || r == RoleOfController }

// RoleFormats are the formats a role can be printed in, the default first.
func RoleFormats() []string {
	var names []string
	for _, format := range rolecode.Formats() {
		names = append(names, string(format))
	}
	return names
}

// IAMRequest is which role, and how it is to be.
type IAMRequest struct {
	Facts FactsRequest
	Of    RoleOf
	Role  ControllerRoleRequest // BucketPattern is for the controller's alone
}

// IAMRender prints the role as code to stdout. Where the facts are given it asks
// neither the cluster nor AWS. imported is for Terraform: the role exists.
func (a *App) IAMRender(ctx context.Context, request IAMRequest, format string, imported bool) error {
	found, role, err := a.wantedRole(ctx, request)
	if err != nil {
		return err
	}
	text, err := rolecode.Print(rolecode.Format(format), rolecode.Source{Role: role, Facts: found.Facts, Import: imported})
	if err != nil {
		return err
	}
	return a.WriteData(text)
}

// wantedRole is the role as install, or controller install, would make it.
func (a *App) wantedRole(ctx context.Context, request IAMRequest) (detect.Result, iam.Role, error) {
	found, err := a.roleFacts(ctx, request)
	if err != nil {
		return found, iam.Role{}, err
	}
	if request.Of == RoleOfController {
		request.Role = a.usualControllerRole(ctx, found, request.Role)
	} else {
		request.Role.RoleOptions = a.usualRole(ctx, found, request.Role.RoleOptions)
	}
	role, err := request.desired(found.Facts)
	return found, role, err
}

// roleFacts are the facts that the role depends on.
func (a *App) roleFacts(ctx context.Context, request IAMRequest) (detect.Result, error) {
	if request.Of == RoleOfController {
		return a.controllerFacts(ctx, request.Facts)
	}
	return a.found(ctx, request.Facts)
}

func (r IAMRequest) desired(f render.Facts) (iam.Role, error) {
	if r.Of == RoleOfController {
		return iam.DesiredController(f, r.Role)
	}
	return iam.Desired(f, r.Role.RoleOptions)
}

// valid reports what cannot be about the role, whatever it may do.
func (r IAMRequest) valid(f render.Facts) error {
	if r.Of == RoleOfController && r.Role.BucketPattern == "" && r.Role.PolicyARN == "" {
		r.Role.BucketPattern = iam.OwnBucketPattern
	}
	_, err := r.desired(f)
	return err
}

// read is the role that is meant, and its name.
func (r IAMRequest) read(ctx context.Context, api iam.Reader, f render.Facts) (string, *iam.Actual, error) {
	name := r.Role.Name
	var actual *iam.Actual
	var err error
	switch {
	case name != "":
		actual, err = iam.Read(ctx, api, name, false)
	case r.Of == RoleOfController:
		name, actual, err = iam.UsualController(ctx, api, f, iam.Counts{Any: r.Role.Adopt})
	default:
		name, actual, err = iam.Usual(ctx, api, f, iam.Counts{Any: r.Role.Adopt})
	}
	actual, err = iam.ToCreate(actual, err)
	return name, actual, err
}
