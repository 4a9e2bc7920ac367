package uninstall

import (
	"cmp"
	"slices"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// app is what the user and the cluster say of the app that is to be removed.
//
// The inventory, the service account and the Bucket resource can be written by everybody
// who can edit the project, and can name any role of the account and any region. Such a
// name leads to a question to AWS. If AWS does not confirm it, the run continues with what
// the cluster and AWS say.
type app struct {
	request  Request
	conn     *cluster.Conn // nil with RoleOnly if there is no cluster to ask
	applier  *apply.Applier
	state    project.State
	removal  *apply.Removal
	detected detect.Result
	facts    render.Facts
	now      func() time.Time
}

func (a app) namespace() string { return a.facts.Namespace.Value }

func (a app) bucketName() string { return render.BucketName(a.namespace()) }

// again is the command with other flags. What you gave to say whose role and bucket are
// meant is repeated: after this run the inventory no longer says it. So is --keep-role,
// which is not about what the other flags remove.
func (a app) again(flags ...string) string {
	words := append([]string{"-n", a.namespace()}, flags...)
	if a.request.KeepRole && !slices.Contains(flags, "--role-only") {
		words = append(words, "--keep-role")
	}
	if issuer := a.request.Facts.Given.Issuer; issuer.Known() {
		words = append(words, "--oidc-issuer", issuer.Value)
	}
	if profile := a.request.Facts.Profile; profile != "" {
		words = append(words, "--profile", profile)
	}
	return advice.Command("oc ostoy-s3 uninstall", words...)
}

// keepsRole reports whether the role is kept in this run, whatever it says: because of
// --keep-role, or because the inventory says that install did not create it (--iam=skip,
// --adopt). --role-only removes that one, too.
func (a app) keepsRole() bool {
	origin := a.removal.Inventory.RoleOrigin
	notCreated := origin == apply.OriginExisting || origin == apply.OriginAdopted
	return a.request.KeepRole || notCreated && !a.request.RoleOnly
}

// owns reports whether a bucket looks like this project's: by its tags, or, if S3 does
// not show the caller whose it is, by what ACK says in our Bucket resource. Both can be
// written from inside the project: more is needed to remove it.
func (a app) owns(state bucket.State) bool {
	if state.Kind == bucket.Ours {
		return true
	}
	object := a.removal.Bucket
	return state.Unmarked() && object != nil && ack.Managed(object.Live) && !ack.Adopted(object.Live) &&
		ack.Account(object.Live) == a.facts.Account.Value
}

// adopts reports whether --adopt=bucket replaces the role as the proof: for a bucket with
// the tags of this project, or one without any that S3 shows. A bucket whose tags are
// another's is kept.
func (a app) adopts(state bucket.State) bool {
	return a.request.Adopt.Bucket() && (state.Kind == bucket.Ours || state.Unmarked())
}

// bucketOrigin is whether install created the bucket or found it: by the inventory, and
// if that does not say, by what ACK says in the Bucket resource. The inventory comes
// first, because ACK calls every bucket adopted whose Bucket resource is created a second
// time, also one that install had created. "" means that nobody knows.
func (a app) bucketOrigin() string {
	recorded := a.removal.Inventory.BucketOrigin
	object := a.removal.Bucket
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

// nameOf is the name in the ARN of a role of this account, "" for anything else.
func (a app) nameOf(arn string) string {
	parsed, err := render.ParseARNOf(arn, "iam", "role")
	if err != nil || parsed.Account != a.facts.Account.Value || parsed.Partition != a.facts.Partition.Value ||
		!advice.RoleName(parsed.Name()).Legal() {
		return ""
	}
	return parsed.Name()
}

// usualNames are the names that install gives or gave to the role.
func (a app) usualNames() []string {
	if !a.facts.Issuer.Known() {
		return nil
	}
	return render.RoleNames(a.facts.Issuer.Value, a.namespace())
}

// roleNames are the names that the role may have, the most likely first.
func (a app) roleNames() []string {
	record := a.removal.Inventory.Record
	candidates := []string{a.nameOf(record.RoleARN), a.nameOf(record.RoleBegun)}
	for _, item := range a.removal.Objects {
		if item.Ref.Kind == "ServiceAccount" {
			candidates = append(candidates, a.nameOf(item.Live.GetAnnotations()[ack.RoleAnnotation]))
		}
	}
	var names []string
	for _, name := range append(candidates, a.usualNames()...) {
		if name != "" && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// onlyNamed reports whether a role is looked at only because the inventory or the service
// account names it.
func (a app) onlyNamed(role string) bool { return !slices.Contains(a.usualNames(), role) }

// confirmedFacts are the facts without an issuer that only the inventory gives: that may
// be the one of another cluster, so a role of it proves nothing.
func (a app) confirmedFacts() render.Facts {
	facts := a.facts
	if facts.Issuer.Source == project.OnRecord {
		facts.Issuer = render.Fact{}
	}
	return facts
}

// ownTags reports whether the tags of a role are this project's and, as far as the issuer
// is known, this cluster's.
func (a app) ownTags(actual *iam.Actual) bool {
	facts := a.facts
	if !facts.Issuer.Known() {
		facts.Issuer.Value = cmp.Or(actual.Tags[render.TagIssuer], "unknown")
	}
	return render.Ours(actual.Tags, facts) && render.AnotherCluster(actual.Tags, facts) == ""
}
