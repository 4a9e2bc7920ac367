package iam

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Finder is what looking for our role takes.
type Finder interface {
	awsiam.GetRoleAPIClient
	awsiam.ListRolesAPIClient
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

// Find looks for the holder's role where no inventory names it: among
// the roles of our path, by their tags, which take a GetRole each because a list
// has none. Where the facts do not know the issuer, or the cluster's id, those
// do not count: there may then be several, of several clusters, and the caller
// must ask which. They are sorted by name; none is no error.
//
// A caller who is not allowed to list the roles of a path gets the roles of the usual
// names beside those of the other path, if the issuer is known; without it
// awserr.Denied(err) is true. A role that the caller is not allowed to read is left out;
// if it has a name that install gives or gave, and no other role is found,
// awserr.Denied(err) is true. A role under a path of the user's is not found. Nor is
// another holder's, where an app is in the controller's namespace.
func (h Holder) Find(ctx context.Context, api Finder, f render.Facts) ([]Found, error) {
	if !f.Namespace.Known() {
		return nil, problem.Input("the namespace is not known", "roles are told apart by it", "-n NAMESPACE")
	}
	names, denied, err := h.listNames(ctx, api)
	if err != nil {
		return nil, err
	}
	if denied != nil {
		if !f.Issuer.Known() {
			return nil, denied
		}
		names = append(names, h.Names(f.Issuer.Value, f.Namespace.Value)...)
	}
	return h.lookAtAll(ctx, api, sorted(names), f)
}

// lookAtAll returns the roles with these names that are the project's and the holder's.
func (h Holder) lookAtAll(ctx context.Context, api Finder, names []string, f render.Facts) ([]Found, error) {
	found, refused, err := lookAtEach(ctx, api, names, func(name string, a *Actual) bool {
		return sameOwner(a.Tags, f) && !h.another(name, a)
	})
	if err != nil || len(found) > 0 {
		return found, err
	}
	for _, name := range names {
		if refused[name] != nil && h.likeOurs(name, f) {
			return nil, refused[name]
		}
	}
	return nil, nil
}

// lookAtEach returns the roles with these names that exist and that are wanted, sorted by
// name. refused has those that the caller may not look at.
func lookAtEach(ctx context.Context, api awsiam.GetRoleAPIClient, names []string, wanted func(name string, a *Actual) bool) (found []Found, refused map[string]error, err error) {
	looked, errs := make([]*Actual, len(names)), make([]error, len(names))
	group, groupCtx := errgroup.WithContext(ctx)
	group.SetLimit(maxLooks)
	for i, name := range names {
		group.Go(func() error {
			looked[i], errs[i] = roleAlone(groupCtx, api, name)
			if awserr.Denied(errs[i]) {
				return nil
			}
			return errs[i]
		})
	}
	if err := group.Wait(); err != nil {
		return nil, nil, err
	}
	refused = map[string]error{}
	for i, name := range names {
		if a := looked[i]; errs[i] != nil {
			refused[name] = errs[i]
		} else if a.Exists && wanted(name, a) {
			found = append(found, Found{Name: name, ARN: a.ARN, Path: a.Path, Tags: a.Tags})
		}
	}
	slices.SortFunc(found, func(a, b Found) int { return cmp.Compare(a.Name, b.Name) })
	return found, refused, nil
}

// listNames are the names of all roles that are where the holder's may be. Where the
// caller may not list one of the paths, the others are listed and denied is the refusal.
func (h Holder) listNames(ctx context.Context, api Finder) (names []string, denied, err error) {
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
	return slices.Concat(lists...), cmp.Or(refusals...), err
}

// likeOurs reports whether a role has a name that install gives or gave.
func (h Holder) likeOurs(name string, f render.Facts) bool {
	usual := h.Names(f.Issuer.Value, f.Namespace.Value)
	if f.Issuer.Known() {
		return slices.Contains(usual, name)
	}
	return slices.ContainsFunc(usual, func(one string) bool {
		stem := one[:strings.LastIndex(one, "-")+1] // without the hash
		return len(name) == len(one) && strings.HasPrefix(name, stem)
	})
}

// Listed is what a list tells of a role: who it trusts, but neither its tags nor
// what it may do.
type Listed struct {
	Name, ARN string
	Trust     string // as IAM gives it
}

// List gives the roles under a path, by ARN, whosever they are: one request for
// every 100. Those of apps are under render.RolePath. For a caller who may not list
// roles awserr.Denied(err) is true.
func List(ctx context.Context, api awsiam.ListRolesAPIClient, path string) (map[string]Listed, error) {
	all := map[string]Listed{}
	pages := awsiam.NewListRolesPaginator(api, &awsiam.ListRolesInput{PathPrefix: aws.String(path)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, awserr.Translate(err, "iam:ListRoles", "the roles of the path "+path)
		}
		for _, role := range page.Roles {
			arn := aws.ToString(role.Arn)
			all[arn] = Listed{aws.ToString(role.RoleName), arn, aws.ToString(role.AssumeRolePolicyDocument)}
		}
	}
	return all, nil
}

// Glance looks at one role as a list would show it; one that is not there is nil,
// which is no error. It is for roles that a list does not have: under a path of
// the user's, or for a caller who may not list.
func Glance(ctx context.Context, api awsiam.GetRoleAPIClient, name string) (*Listed, error) {
	a, err := roleAlone(ctx, api, name)
	if err != nil || !a.Exists {
		return nil, err
	}
	return &Listed{Name: name, ARN: a.ARN, Trust: a.Trust}, nil
}

// TrustDrift says in a clause what a trust policy does instead of what it should,
// "" where it is as it should be.
func TrustDrift(desired Role, trust string) string {
	return firstReason(trustSteps(desired, &Actual{Trust: trust}))
}

func firstReason(steps []Step) string {
	if len(steps) == 0 {
		return ""
	}
	return steps[0].Reason
}

// PolicyDrift reads the inline policy alone and says what it does instead of what
// it should, "" where it is as it should be. A role that is to have a managed
// policy instead has no drift here; one without the inline policy is asked for its
// tags, which say so.
func PolicyDrift(ctx context.Context, api Reader, desired Role) (string, error) {
	if desired.Policy == nil {
		return "", nil
	}
	inline, err := InlinePolicy(ctx, api, desired.Name, PolicyName)
	switch {
	case awserr.Missing(err):
		tagged := &Actual{}
		if err := readRole(ctx, api, desired.Name, tagged); err != nil || tagged.namesPolicy() {
			return "", err
		}
	case err != nil:
		return "", err
	}
	return firstReason(inlineSteps(desired, &Actual{Exists: true, Inline: inline})), nil
}

// Recall gives the words of a command that name the role of an earlier install, if it is
// not the one that install uses without flags. The project's inventory names that role,
// and everybody who can edit the project can write the inventory: a command with a name
// from there could have a cluster admin create a role that policies of the account allow
// something. So recorded, an ARN, is repeated only if read, which may give nil, shows that
// IAM has a role with this ARN and that it is this project's.
//
// An install changes a role only if it has the tags of the project. used says that it only
// uses this one (--iam=skip): then the trust policy proves it as well, and without a
// proof there are placeholders, because the usual role is not the one that is meant.
func Recall(recorded string, used bool, f render.Facts, read func() *Actual) []string {
	arn, legal := advice.Role(recorded)
	flags := advice.RoleFlags(arn.Name(), arn.Path(), render.RoleNames(f.Issuer.Value, f.Namespace.Value)...)
	switch {
	case recorded == "", legal && len(flags) == 0:
		return nil
	case legal && f.Issuer.Known() && arn.Account == f.Account.Value && proves(read(), arn, used, f):
		return flags
	case used:
		return advice.RoleFlags(advice.RoleName("").Word(), advice.RolePath("").Word())
	}
	return nil
}

func proves(a *Actual, claimed render.ARN, used bool, f render.Facts) bool {
	if a == nil || !a.Exists || a.ARN != claimed.String() {
		return false
	}
	return App.Owns(claimed.Name(), a, f) || used && a.names(f)
}

// OnlyUsed reports whether IAM shows that an install cannot have made the role of an
// earlier one, and only uses it (--iam=skip): the role admits the project's app and does
// not have the project's tags. A role that was made from printed code has the tags, and
// looks like one that install made.
func OnlyUsed(recorded string, f render.Facts, a *Actual) bool {
	arn, legal := advice.Role(recorded)
	return legal && f.Issuer.Known() && arn.Account == f.Account.Value && proves(a, arn, true, f) && !App.Owns(arn.Name(), a, f)
}
