package plugin

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The inventory, the service account and the Bucket resource can name any role of the
// account and any region. Such a name leads to a question to AWS. If AWS does not confirm
// it, the run continues with what the cluster and AWS say.

// onlyNamed reports whether a role is looked at only because the inventory or the service
// account names it: it does not have a name that install gives or gave.
func (u *uninstall) onlyNamed(role string) bool {
	return !u.facts.Issuer.Known() || !slices.Contains(render.RoleNames(u.facts.Issuer.Value, u.namespace()), role)
}

// ownTags reports whether the tags of a role are this project's and, as far as the issuer
// is known, this cluster's.
func (u *uninstall) ownTags(actual *iam.Actual) bool {
	facts := u.facts
	if !facts.Issuer.Known() {
		facts.Issuer.Value = cmp.Or(actual.Tags[render.TagIssuer], "unknown")
	}
	return render.Ours(actual.Tags, facts) && render.AnotherCluster(actual.Tags, facts) == ""
}

// notManaged keeps a role that the project names, and that is not the project's.
func (u *uninstall) notManaged(name string, actual *iam.Actual) {
	why, next := "the project names it, but it is not managed by ostoy-s3 for this project: "+awserr.Whose(actual.Tags, u.facts), ""
	if u.facts.Issuer.Known() && render.Ours(actual.Tags, u.withIssuer(actual.Tags[render.TagIssuer])) {
		next = "if the OIDC issuer of this cluster has changed since the installation: " + u.again("--role-only", "--oidc-issuer", "URL") + " with the earlier one"
	}
	l := &line{Object: "role " + name, about: aNamedRole}
	l.keep(why, next)
	u.named = append(u.named, l)
}

// withIssuer are the facts with another issuer.
func (u *uninstall) withIssuer(issuer string) render.Facts {
	facts := u.facts
	facts.Issuer = render.Fact{Value: issuer}
	return facts
}

// decideKeptRole names the role that stays. That is the one that AWS shows to be the
// project's, if there is one, whatever the inventory names: its permissions stay, too.
func (u *uninstall) decideKeptRole() {
	recorded := u.nameOf(u.removal.Inventory.RoleARN)
	name := u.proof.Role
	if name == "" && !slices.Contains(u.missing, recorded) {
		name = recorded
	}
	if name == "" {
		u.warnOfNoRole()
		return
	}
	l := u.add(&line{Object: "role " + name, about: theRole})
	l.keep("--keep-role", u.again("--role-only"))
	if !u.request.KeepRole {
		l.keep(u.keptByRecord(name, recorded))
	}
	u.roleAfterBucket()
}

// keptByRecord is the reason why a role stays because of what the inventory says, and
// the command that removes it, if its tags are the project's.
func (u *uninstall) keptByRecord(name, recorded string) (why, next string) {
	adopted := u.removal.Inventory.RoleOrigin == apply.OriginAdopted
	why = "the inventory says that it was installed with --iam=skip"
	if adopted {
		why = "the inventory says that it was there before install"
	}
	if name != recorded {
		why += ", but names the role " + cmp.Or(recorded, "(none)") + "; this one is the project's by its tags"
	}
	if adopted && u.proof.Role == "" {
		return why, ""
	}
	return why, u.again("--role-only")
}

// warnOfNoRole says that no role was found for a project that has an install, and which
// role this may miss.
func (u *uninstall) warnOfNoRole() {
	if u.needsAWS() && (u.removal.Inventory.Found || len(u.removal.Objects) > 0) {
		u.UI.Warn("no IAM role of this project was found; a role that install created with --role-name and --role-path is found only if the inventory or the service account names it", "")
	}
}

// lookInRegion looks at the bucket. If S3 cannot be asked in a region that only the
// project names, it is asked in the one that was detected.
func (u *uninstall) lookInRegion(ctx context.Context, facts *render.Facts) (bucket.State, error) {
	state, err := u.buckets.Look(ctx, *facts)
	named, detected := facts.Region, u.found.Facts.Region
	if err == nil || ctx.Err() != nil || named.Source != onRecord || !detected.Known() || detected.Value == named.Value {
		return state, err
	}
	again := *facts
	again.Region = detected
	found, failed := u.buckets.Look(ctx, again)
	if failed != nil {
		return state, err
	}
	u.UI.Warn(fmt.Sprintf("S3 cannot be asked in region %s, which the project names; it was asked in %s", named.Value, detected.Value), "")
	*facts = again
	return found, nil
}
