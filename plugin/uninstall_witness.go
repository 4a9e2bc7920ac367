package plugin

import (
	"context"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// What shows that a bucket is this project's is a role in IAM that names it: everything
// else, the inventory, the Bucket resource and the tags that the controller sets from it,
// can be written by everybody who may edit the project. Without that role the bucket
// stays, also an empty one, unless the user says --adopt=bucket.

// keepsRole reports whether the role stays in this run, whatever it says.
func (u *uninstall) keepsRole() bool { return u.request.KeepRole || u.othersRole() }

// lookForProof reads roles that stay, for what they say about the bucket. Roles that go
// are read anyway. A role that may not be read proves nothing and ends nothing.
func (u *uninstall) lookForProof(ctx context.Context) error {
	names := u.roleNames()
	for _, name := range names {
		if err := u.readForProof(ctx, name); err != nil || u.proof.Proven {
			return err
		}
	}
	if !u.facts.Issuer.Known() || u.facts.Issuer.Source == onRecord {
		return nil
	}
	found, err := iam.FindOurs(ctx, u.roles, u.facts)
	if err != nil && !awserr.Denied(err) {
		return err
	}
	for _, role := range found {
		if slices.Contains(names, role.Name) {
			continue
		}
		if err := u.readForProof(ctx, role.Name); err != nil || u.proof.Proven {
			return err
		}
	}
	return nil
}

func (u *uninstall) readForProof(ctx context.Context, name string) error {
	actual, err := iam.Look(ctx, u.roles, name)
	switch {
	case awserr.Denied(err):
		u.unread = append(u.unread, name)
	case err != nil:
		return err
	case actual.Exists:
		u.consider(name, actual)
	default:
		u.missing = append(u.missing, name)
	}
	return nil
}

// consider takes note of what a role says about the bucket. An issuer that only the
// inventory tells may be that of another cluster, so its role proves nothing.
func (u *uninstall) consider(name string, actual *iam.Actual) {
	if u.proof.Proven {
		return
	}
	facts := u.facts
	if facts.Issuer.Source == onRecord {
		facts.Issuer = render.Fact{}
	}
	if proof := actual.Proves(name, u.bucketName(), facts); proof.Proven || u.proof.Why == "" {
		u.proof = proof
	}
}

func (u *uninstall) bucketName() string { return render.BucketName(u.namespace()) }

// adopts reports whether the user's word takes the place of a role: for a bucket with the
// tags of this project, or one without any that S3 shows. What the tags say is another's
// stays.
func (u *uninstall) adopts() bool {
	return u.request.Adopt.Bucket() && (u.bucket.Kind == bucket.Ours || unmarked(u.bucket))
}

// mayRemoveBucket reports whether the bucket may be removed at all.
func (u *uninstall) mayRemoveBucket() bool {
	return u.adopts() || u.ourBucket() && u.proof.Proven
}

// unproven says why a bucket with the tags of this project stays.
func (u *uninstall) unproven() string {
	text := "no IAM role shows that it is this project's (" + u.noProof() + "), and its tags can be written from inside the project; " +
		"if you know that it is: " + u.withoutRole()
	if u.contents != nil && u.contents.Data() {
		text = amount(u.contents) + "; " + text
	}
	return text
}

// noProof says why no role shows that the bucket is this project's.
func (u *uninstall) noProof() string {
	switch {
	case u.proof.Why != "":
		return u.proof.Why
	case u.hidden != "":
		return "AWS refuses to show the role " + u.hidden
	case len(u.unread) > 0:
		return "you are not allowed to read the role " + u.unread[0]
	}
	return "none exists"
}

// withoutRole are the flags that remove the bucket although no role names it. For a
// bucket with data --delete-data is needed, which deletes the volume, too.
func (u *uninstall) withoutRole() string {
	data := "--delete-data --adopt=bucket"
	if names := u.volumesLeft(); names != "" {
		data += " (--delete-data also deletes the volume " + names + ")"
	}
	switch {
	case u.contents == nil:
		return "--adopt=bucket removes it while it is empty, otherwise " + data
	case u.contents.Data():
		return data
	}
	return "--adopt=bucket"
}

// volumesLeft are the volumes that are not deleted in this run.
func (u *uninstall) volumesLeft() string {
	if u.request.DeleteData {
		return ""
	}
	var names []string
	for _, item := range u.removal.Volumes {
		names = append(names, item.Ref.Name)
	}
	return strings.Join(names, ", ")
}

// later is the command that removes a bucket which stays: if its role goes in this run,
// nothing but the user's word says afterwards that it is this project's. "" if nothing
// says it now. An empty bucket does not need --delete-data, which deletes the volume, too.
func (u *uninstall) later() string {
	word := u.request.Adopt.Bucket() || u.proof.Proven && u.roleGoes()
	switch {
	case (word || u.proof.Proven) && u.contents != nil && !u.contents.Data():
		return u.again("--adopt=bucket")
	case word:
		return u.again("--delete-data", "--adopt=bucket")
	case u.proof.Proven, u.keepsRole():
		return u.again("--delete-data")
	}
	return ""
}

// roleAfterBucket puts the commands for what stays in order: without the role nothing
// shows that the bucket is this project's.
func (u *uninstall) roleAfterBucket() {
	role, bucket := u.one(theRole), u.one(theBucket)
	if !u.request.KeepRole || role == nil || role.fate != fateKept || bucket == nil {
		return
	}
	if bucket.fate == fateLeft || bucket.fate == fateKept && bucket.Next != "" && !u.request.Adopt.Bucket() {
		role.Next = "once the bucket is removed: " + u.again("--role-only")
	}
}

func (u *uninstall) roleGoes() bool {
	return !u.keepsRole() && u.role != nil && !u.role.Empty() && u.roleUser(u.role.Name) == ""
}

// waitForBucket keeps the role as long as a bucket that is to go is there: the next run
// needs it to know that the bucket is this project's.
func (u *uninstall) waitForBucket(role *line) bool {
	if l := u.one(theBucket); l == nil || l.fate != fateLeft {
		return false
	}
	role.keep("it is deleted after the bucket, because it shows that the bucket is this project's", "")
	return true
}

// attachedByUs is the managed policy that install attached: the one that the role's tag
// names, or on a role from before there was that tag, which has no policy of ours, the
// only one, because install gives a role one or the other. The inventory is not asked.
func (u *uninstall) attachedByUs(actual *iam.Actual) string {
	if asked := actual.AskedPolicy(); asked != "" {
		return asked
	}
	if actual.Tags[render.TagBucket] == "" && actual.Inline == "" && len(actual.Inlines) == 0 && len(actual.Attached) == 1 {
		return actual.Attached[0]
	}
	return ""
}

// created says since when the bucket exists, for the question before it is deleted.
func (u *uninstall) created(ctx context.Context) string {
	at, err := u.buckets.Created(ctx, u.target())
	switch {
	case awserr.Denied(err):
		return "created at a time that cannot be seen without s3:ListAllMyBuckets"
	case err != nil, at.IsZero():
		return "created at an unknown time"
	}
	return "created " + at.UTC().Format("2006-01-02 15:04") + " UTC"
}
