package plugin

import (
	"context"
	"fmt"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/rolecode"
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
	_, err = fmt.Fprint(a.Streams.Out, text)
	return err
}

// wantedRole is the role as install, or controller install, would make it.
func (a *App) wantedRole(ctx context.Context, request IAMRequest) (detect.Result, iam.Role, error) {
	if request.Of == RoleOfController {
		found, err := a.controllerFacts(ctx, request.Facts)
		if err != nil {
			return found, iam.Role{}, err
		}
		role, err := iam.DesiredController(found.Facts, request.Role)
		return found, role, err
	}
	found, err := a.found(ctx, request.Facts)
	if err != nil {
		return found, iam.Role{}, err
	}
	role, err := iam.Desired(found.Facts, request.Role.RoleOptions)
	return found, role, err
}
