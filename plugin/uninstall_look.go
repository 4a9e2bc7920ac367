package plugin

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// look asks AWS for the bucket and the role, at the same time.
func (u *uninstall) look(ctx context.Context) error {
	if !u.needsAWS() {
		return nil
	}
	if u.buckets == nil {
		config := u.found.AWS.In(u.facts.Region)
		u.buckets, u.roles = bucket.New(config), iam.New(config)
	}
	// What the bucket shows of the facts is written when both are done: the other reads them.
	facts := u.facts
	group, ctx := errgroup.WithContext(ctx)
	if u.removesBucket() {
		group.Go(func() error { return u.lookAtBucket(ctx, &facts) })
	}
	switch {
	case !u.keepsRole():
		group.Go(func() error { return u.lookAtRole(ctx) })
	default:
		group.Go(func() error { return u.lookForProof(ctx) })
	}
	err := group.Wait()
	u.facts = facts
	return err
}

// removesBucket reports whether a bucket may go in this run.
func (u *uninstall) removesBucket() bool { return !u.request.KeepBucket && !u.request.RoleOnly }

// othersRole reports whether the role is on record as one that this tool did not make:
// that somebody else makes (install --iam=skip), or that was there before (install
// --adopt). Whoever wants it gone all the same says --role-only.
func (u *uninstall) othersRole() bool {
	origin := u.removal.Inventory.RoleOrigin
	return (origin == apply.OriginExisting || origin == apply.OriginAdopted) && !u.request.RoleOnly
}

// lookAtBucket finds out whose the bucket is, where it is, which it notes in the facts,
// and what is in it.
func (u *uninstall) lookAtBucket(ctx context.Context, facts *render.Facts) (err error) {
	if u.bucket, err = u.lookInRegion(ctx, facts); err != nil {
		return err
	}
	if u.bucket.Kind == bucket.OtherRegion && u.bucket.Region != "" {
		// The region on record was wrong; a name is used once in all regions.
		facts.Region = render.Fact{Value: u.bucket.Region, Source: "s3:HeadBucket"}
		if u.bucket, err = u.buckets.Look(ctx, *facts); err != nil {
			return err
		}
	}
	if !u.ourBucket() && !u.adopts() {
		return nil
	}
	contents, err := u.buckets.Count(ctx, bucket.TargetOf(*facts))
	switch {
	case errors.Is(err, bucket.ErrGone):
		u.bucket = bucket.State{Kind: bucket.Free, Name: u.bucket.Name, Sure: true}
	case awserr.Denied(err): // S3 itself will refuse if there is something in it
	case err != nil:
		return err
	default:
		u.contents = &contents
	}
	return nil
}

func (u *uninstall) target() bucket.Target { return bucket.TargetOf(u.facts) }

// ourBucket reports whether the bucket looks like ours: by its tags, or, where S3 does
// not tell the caller whose it is, by ACK's word on our own Bucket. Both can be written
// from inside the project: mayRemoveBucket asks for more.
func (u *uninstall) ourBucket() bool {
	if u.bucket.Kind == bucket.Ours {
		return true
	}
	object := u.removal.Bucket
	return unmarked(u.bucket) && object != nil && ack.Managed(object.Live) && !ack.Adopted(object.Live) &&
		ack.Account(object.Live) == u.facts.Account.Value
}

// lookAtRole finds the role of the project: by the names that the inventory and the
// service account give, by its usual names, and, if it is none of these, by its path and
// tags. Everybody who can edit the project chooses what the first two name: that ends
// neither the run nor the search.
func (u *uninstall) lookAtRole(ctx context.Context) error {
	var refused, unread error
	for _, name := range u.roleNames() {
		actual, err := u.readRole(ctx, name)
		switch {
		// As one that does not exist, to a caller who may not read every role.
		case awserr.Hidden(err), awserr.Denied(err) && u.onlyNamed(name):
			u.hidden = cmp.Or(u.hidden, name)
			continue
		case awserr.Denied(err): // the other usual name may be the role's
			unread = cmp.Or(unread, err)
			continue
		case err != nil:
			return err
		case !actual.Exists:
			u.missing = append(u.missing, name)
			continue
		}
		u.consider(name, actual)
		plan, err := iam.RemovalPlan(actual, u.facts, u.removalOptions(name, actual))
		switch {
		case err == nil:
			u.role = plan
			return nil
		case u.onlyNamed(name) && !u.ownTags(actual):
			u.notManaged(name, actual)
		default:
			refused = cmp.Or(refused, u.notBelieved(name, actual), err)
		}
	}
	if err := cmp.Or(refused, unread); err != nil {
		return err
	}
	return u.searchRole(ctx)
}

// notBelieved is the error for a role that is refused, if only the inventory says that it
// is of this cluster's issuer: no command is suggested that changes it. nil otherwise.
func (u *uninstall) notBelieved(name string, actual *iam.Actual) error {
	if u.facts.Issuer.Source != onRecord {
		return nil
	}
	facts := u.facts
	facts.Issuer = render.Fact{}
	_, err := iam.RemovalPlan(actual, facts, iam.RemovalOptions{Name: name})
	return err
}

// readRole looks at a role. One of an install that ran a moment ago is looked
// for more than once: were it called absent, it would stay behind, and the
// record that names it would go.
func (u *uninstall) readRole(ctx context.Context, name string) (*iam.Actual, error) {
	const aMoment = 2 * time.Minute
	record := u.removal.Inventory
	if name == u.nameOf(record.RoleARN) && u.Now().Sub(record.Written()) < aMoment {
		return iam.ReadNew(ctx, u.roles, name)
	}
	return iam.Read(ctx, u.roles, name, true)
}

// roleNames are the names our role may have, the most likely first.
func (u *uninstall) roleNames() []string {
	var names []string
	add := func(name string) {
		for _, known := range names {
			if known == name {
				return
			}
		}
		if name != "" {
			names = append(names, name)
		}
	}
	add(u.nameOf(u.removal.Inventory.RoleARN))
	for _, item := range u.removal.Objects {
		if item.Ref.Kind == "ServiceAccount" {
			add(u.nameOf(item.Live.GetAnnotations()[ack.RoleAnnotation]))
		}
	}
	if u.facts.Issuer.Known() {
		for _, name := range render.RoleNames(u.facts.Issuer.Value, u.facts.Namespace.Value) {
			add(name)
		}
	}
	return names
}

// nameOf is the name in the ARN of a role of our account, "" for anything else.
func (u *uninstall) nameOf(arn string) string {
	parsed, err := render.ParseARNOf(arn, "iam", "role")
	if err != nil || parsed.Account != u.facts.Account.Value || parsed.Partition != u.facts.Partition.Value ||
		!advice.RoleName(parsed.Name()).Legal() {
		return ""
	}
	return parsed.Name()
}

// removalOptions repeats --adopt=role only for a role whose tags are this project's and
// this cluster's: the flag is about the policies that others attached to it. The
// inventory and the service account can name any role of the account, and the inventory
// any issuer.
func (u *uninstall) removalOptions(name string, actual *iam.Actual) iam.RemovalOptions {
	known := u.facts.Issuer.Known() && u.facts.Issuer.Source != onRecord
	tagged := render.Ours(actual.Tags, u.facts) && render.AnotherCluster(actual.Tags, u.facts) == ""
	return iam.RemovalOptions{
		Name:      name,
		PolicyARN: u.attachedByUs(actual),
		Adopt:     u.request.Adopt.Role() && known && tagged,
	}
}

// searchRole looks among all roles of our path. Where the issuer is not known,
// one that was made for a namespace of this name may be another cluster's: the
// user has to say yes to it.
func (u *uninstall) searchRole(ctx context.Context) error {
	found, err := iam.FindOurs(ctx, u.roles, u.facts)
	if err != nil {
		return u.searchRefused(err)
	}
	switch {
	case len(found) == 0:
		return nil
	case len(found) > 1:
		return u.whichRole(found)
	}
	actual, err := iam.Read(ctx, u.roles, found[0].Name, true)
	if err != nil {
		return err
	}
	u.consider(found[0].Name, actual)
	options := u.removalOptions(found[0].Name, actual)
	if options.AnyIssuer = !u.facts.Issuer.Known(); options.AnyIssuer {
		options.Adopt = u.request.Adopt.Role() // for a role that IAM lists, and that you are asked about
	}
	if u.role, err = iam.RemovalPlan(actual, u.facts, options); err != nil {
		return err
	}
	if options.AnyIssuer && !u.role.Empty() {
		u.doubts = append(u.doubts, fmt.Sprintf("role %s was made for a project %s of issuer %s; whether that is this cluster is not known",
			found[0].Name, u.facts.Namespace.Value, found[0].Issuer()))
	}
	return nil
}

// searchRefused: if you are not allowed to list roles, those whose names were tried are
// all that is found, which is all there usually is.
func (u *uninstall) searchRefused(err error) error {
	if awserr.Denied(err) && len(u.roleNames()) > 0 {
		u.UI.Warn("roles under another name were not looked for: it needs iam:ListRoles", "")
		return nil
	}
	return err
}

// origin is whether install made the bucket or found it: by the inventory, and where
// that does not say, by ACK's word on the object. The inventory comes first, because
// ACK calls every bucket adopted whose Bucket resource is created a second time, also
// one that install had created. "" means that nobody knows.
func (u *uninstall) origin() string {
	recorded := u.removal.Inventory.BucketOrigin
	object := u.removal.Bucket
	switch {
	case recorded == apply.OriginAdopted, recorded == apply.OriginCreated:
		return recorded
	case object != nil && ack.Adopted(object.Live):
		return apply.OriginAdopted
	case object != nil && ack.Managed(object.Live):
		return apply.OriginCreated
	}
	return ""
}
