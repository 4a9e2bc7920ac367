package iam

import (
	"context"
	"errors"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Finder is what looking for our role takes.
type Finder interface {
	GetRole(context.Context, *awsiam.GetRoleInput, ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error)
	ListRoles(context.Context, *awsiam.ListRolesInput, ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error)
}

// Found is a role that is ours by its tags. Its policies were not looked at:
// Read does.
type Found struct {
	Name string
	ARN  string
	Path string
	Tags map[string]string
}

// Issuer is the issuer the role was made for.
func (f Found) Issuer() string { return f.Tags[render.TagIssuer] }

// FindOurs looks for the namespace's role where no inventory names it: among
// the roles of our path, by their tags. Where the facts do not know the issuer,
// or the cluster's id, those do not count: there may then be several, of
// several clusters, and the caller must ask which. They are sorted by name;
// none is no error. A role under a path of the user's is not found.
func FindOurs(ctx context.Context, api Finder, f render.Facts) ([]Found, error) {
	return nil, errors.ErrUnsupported
}
