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
// usual names.
func (f Found) Controllers() bool {
	return f.Path == render.ControllerRolePath || slices.Contains(render.ControllerRoleNames(f.Issuer()), f.Name)
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
// A caller who is not allowed to list the roles of a path gets the roles of the usual
// names beside those of the other path, if the issuer is known; without it
// awserr.Denied(err) is true. A role that the caller is not allowed to read is left out;
// if it has a name that install gives or gave, and no other role is found,
// awserr.Denied(err) is true. A role under a path of the user's is not found. Nor is the
// controller's, where the namespace is the controller's, too: FindController finds that
// one.
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
		names = append(names, h.usualNames(f.Issuer.Value, f.Namespace.Value)...)
	}
	return h.lookAtAll(ctx, api, slices.Compact(sorted(names)), f)
}

// lookAtAll returns the roles with these names that are the project's and the holder's.
func (h holder) lookAtAll(ctx context.Context, api Finder, names []string, f render.Facts) ([]Found, error) {
	looked := make([]*Found, len(names))
	refused := make([]error, len(names))
	g, ctx := errgroup.WithContext(ctx)
	g.SetLimit(maxLooks)
	for i, name := range names {
		g.Go(func() (err error) {
			looked[i], err = h.lookAt(ctx, api, name, f)
			if awserr.Denied(err) {
				refused[i], err = err, nil
			}
			return err
		})
	}
	if err := g.Wait(); err != nil {
		return nil, err
	}
	var found []Found
	var unseen error
	for i, name := range names {
		if looked[i] != nil {
			found = append(found, *looked[i])
		}
		if refused[i] != nil && h.likeOurs(name, f) {
			unseen = cmp.Or(unseen, refused[i])
		}
	}
	if len(found) > 0 {
		unseen = nil
	}
	slices.SortFunc(found, func(a, b Found) int { return cmp.Compare(a.Name, b.Name) })
	return found, unseen
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
	a, err := roleAlone(ctx, api, name)
	switch {
	case err != nil:
		return nil, err
	case !a.Exists || !sameOwner(a.Tags, f) || h.another(name, a):
		return nil, nil
	}
	return &Found{Name: name, ARN: a.ARN, Path: a.Path, Tags: a.Tags}, nil
}

// likeOurs reports whether a role has a name that install gives or gave.
func (h holder) likeOurs(name string, f render.Facts) bool {
	usual := h.usualNames(f.Issuer.Value, f.Namespace.Value)
	if f.Issuer.Known() {
		return slices.Contains(usual, name)
	}
	return slices.ContainsFunc(usual, func(one string) bool {
		stem := one[:strings.LastIndex(one, "-")+1] // without the hash
		return len(name) == len(one) && strings.HasPrefix(name, stem)
	})
}
