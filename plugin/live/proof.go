package live

import (
	"context"
	"slices"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// A Deployment proves no controller: every editor of a project can create one that
// looks like it. What proves one is that its service account is allowed to do in all
// projects what a controller of the whole cluster does.

// reviewsAtOnce is how many SubjectAccessReviews, and roles, are asked for at the same time.
const reviewsAtOnce = 8

// ProvenAccounts reports of each service account, by its user name, whether it may
// list and update Buckets in all projects. If you are not allowed to create
// SubjectAccessReviews, the error is the server's refusal.
func (w *World) ProvenAccounts(ctx context.Context, users []string) (map[string]bool, error) {
	proven := make([]bool, len(users))
	var group errgroup.Group // without a context: one refusal ends none of the other questions
	group.SetLimit(reviewsAtOnce)
	for n, user := range users {
		group.Go(func() (err error) {
			proven[n], err = w.proofs.get(ctx, user, func() (bool, error) { return w.proof(ctx, user) })
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	out := map[string]bool{}
	for n, user := range users {
		out[user] = proven[n]
	}
	return out, nil
}

func (w *World) proof(ctx context.Context, user string) (bool, error) {
	_, groups := Writer{Kind: "User", Name: user}.identity(nil)
	for _, verb := range []string{"list", "update"} {
		may, err := access.SubjectMay(ctx, w.Conn, user, groups, access.Right{Verb: verb, Group: Buckets().Group, Resource: Buckets().Resource})
		if err != nil || !may {
			return false, err
		}
	}
	return true, nil
}

// ProvenControllers are those of some controllers whose service account is proven.
func (w *World) ProvenControllers(ctx context.Context, all []ack.Controller) ([]ack.Controller, error) {
	proven, err := w.ProvenAccounts(ctx, AccountsOf(all))
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(c ack.Controller) bool { return !proven[accountOf(c)] }), nil
}

// UnusedAccounts are the service accounts of a policy's exemption, by their user
// names, that no controller uses: no Deployment names them, or they are not proven. If
// none of the Deployments is a controller, one may run in another way, and what is
// proven counts. The error is why nothing could be proven; then nothing is known, because
// a Deployment that is not proven must not change what is said of the others.
func (w *World) UnusedAccounts(ctx context.Context, exempt []string, controllers []ack.Controller) ([]string, error) {
	if len(exempt) == 0 {
		return nil, nil
	}
	named := AccountsOf(controllers)
	proven, err := w.ProvenAccounts(ctx, slices.Compact(slices.Sorted(slices.Values(slices.Concat(exempt, named)))))
	if err != nil {
		return nil, err
	}
	found := slices.ContainsFunc(named, func(user string) bool { return proven[user] })
	return slices.DeleteFunc(slices.Clone(exempt), func(user string) bool {
		return proven[user] && (!found || slices.Contains(named, user))
	}), nil
}

func accountOf(c ack.Controller) string { return operator.AccountName(c.Namespace, c.Account()) }

// AccountsOf are the service accounts of controllers by their user names, sorted.
func AccountsOf(all []ack.Controller) []string {
	var users []string
	for _, c := range all {
		users = append(users, accountOf(c))
	}
	slices.Sort(users)
	return slices.Compact(users)
}
