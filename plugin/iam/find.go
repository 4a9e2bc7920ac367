package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
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

// Controllers reports whether the role is of an ACK S3 controller, by its path or its
// usual name.
func (f Found) Controllers() bool {
	return f.Path == render.ControllerRolePath || f.Name == render.ControllerRoleName(f.Issuer())
}

// maxLooks is how many roles are looked at at the same time: a workshop's
// account has many, and IAM throttles the account as a whole.
const maxLooks = 6

// FindOurs looks for the namespace's role where no inventory names it: among
// the roles of our path, by their tags, which take a GetRole each because a list
// has none. Where the facts do not know the issuer, or the cluster's id, those
// do not count: there may then be several, of several clusters, and the caller
// must ask which. They are sorted by name; none is no error.
//
// A caller who may not list the roles of a path gets the role of the usual name beside
// those of the other path, if the issuer is known; without it awserr.Denied(err) is true. A role the caller may not
// look at is left out, unless it has the name that ours would have. A role under
// a path of the user's is not found. Nor is the controller's, where the namespace
// is the controller's, too: FindController finds that one.
func FindOurs(ctx context.Context, api Finder, f render.Facts) ([]Found, error) {
	return theApp.find(ctx, api, f)
}

// FindController is FindOurs for the role of the ACK S3 controller; the facts'
// namespace is the controller's.
func FindController(ctx context.Context, api Finder, f render.Facts) ([]Found, error) {
	return theController.find(ctx, api, f)
}

func (h holder) find(ctx context.Context, api Finder, f render.Facts) ([]Found, error) {
	if !f.Namespace.Known() {
		return nil, &render.InputError{What: "the namespace is not known", Why: "roles are told apart by it", Next: "-n NAMESPACE"}
	}
	names, denied, err := h.listNames(ctx, api)
	if err != nil {
		return nil, err
	}
	if denied != nil {
		if !f.Issuer.Known() {
			return nil, denied
		}
		names = sorted(append(names, h.usualName(f.Issuer.Value, f.Namespace.Value)))
	}
	looked := make([]*Found, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxLooks)
	for i, name := range names {
		g.Go(func() (err error) {
			looked[i], err = h.lookAt(ctx, api, name, f)
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var found []Found
	for _, one := range looked {
		if one != nil {
			found = append(found, *one)
		}
	}
	slices.SortFunc(found, func(a, b Found) int { return cmp.Compare(a.Name, b.Name) })
	return found, nil
}

// listNames are the names of all roles that are where the holder's may be. Where the
// caller may not list one of the paths, the others are listed and denied is the refusal.
func (h holder) listNames(ctx context.Context, api Finder) (names []string, denied, err error) {
	lists := make([][]string, len(h.paths()))
	refusals := make([]error, len(h.paths()))
	group, ctx := errgroup.WithContext(ctx)
	for i, path := range h.paths() {
		group.Go(func() error {
			listed, err := List(ctx, api, path)
			if awserr.Denied(err) {
				refusals[i], err = err, nil
			}
			for _, role := range listed {
				lists[i] = append(lists[i], role.Name)
			}
			return err
		})
	}
	err = group.Wait()
	for _, refusal := range refusals {
		if denied == nil {
			denied = refusal
		}
	}
	return slices.Concat(lists...), denied, err
}

// lookAt gives back the role if it is ours and the holder's.
func (h holder) lookAt(ctx context.Context, api Finder, name string, f render.Facts) (*Found, error) {
	a := &Actual{}
	err := readRole(ctx, api, name, a)
	switch {
	case awserr.Denied(err) && !h.likeOurs(name, f):
		return nil, nil
	case err != nil:
		return nil, err
	case !a.Exists || !sameOwner(a.Tags, f) || h.another(name, a):
		return nil, nil
	}
	return &Found{Name: name, ARN: a.ARN, Path: a.Path, Tags: a.Tags}, nil
}

// likeOurs reports whether a role has the name that install would give it.
func (h holder) likeOurs(name string, f render.Facts) bool {
	usual := h.usualName(f.Issuer.Value, f.Namespace.Value)
	if f.Issuer.Known() {
		return name == usual
	}
	const hash = 8
	return len(name) == len(usual) && strings.HasPrefix(name, usual[:len(usual)-hash])
}
