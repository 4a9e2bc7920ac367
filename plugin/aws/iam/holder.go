package iam

import (
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Holder is whom a role of ours is made for, by the name of the service account.
// Tags do not tell: they have the namespace, and an app may be in the
// controller's. The role's name and its trust policy do.
type Holder string

// The holders.
const (
	App        Holder = render.ServiceAccount
	Controller Holder = render.ControllerAccount
)

// String is the holder in a sentence.
func (h Holder) String() string {
	if h == Controller {
		return "the controller"
	}
	return "the app"
}

// Names are the names that the holder's role has unless the user gave another: that
// of a new role, and that of one which an earlier version created.
func (h Holder) Names(issuer, namespace string) []string {
	if h == Controller {
		return render.ControllerRoleNames(issuer)
	}
	return render.RoleNames(issuer, namespace)
}

// paths are where the holder's role may be, the usual one first. A controller's from
// earlier versions is where the roles of apps are.
func (h Holder) paths() []string {
	if h == Controller {
		return []string{render.ControllerRolePath, render.RolePath}
	}
	return []string{render.RolePath}
}

// madeFor is whom a role of ours was made for: by its name if that is a usual one,
// else by whom it trusts; "" where neither tells.
func madeFor(name string, a *Actual) Holder {
	for _, h := range []Holder{App, Controller} {
		if slices.Contains(h.Names(a.Tags[render.TagIssuer], a.Tags[render.TagNamespace]), name) {
			return h
		}
	}
	trust, err := ParseDocument(a.Trust)
	if err != nil {
		return ""
	}
	_, subjects := namedBy(trust)
	trusts := func(h Holder) bool {
		return slices.ContainsFunc(subjects, func(subject string) bool { return strings.HasSuffix(subject, ":"+string(h)) })
	}
	switch app, controller := trusts(App), trusts(Controller); {
	case app && !controller:
		return App
	case controller && !app:
		return Controller
	}
	return ""
}

// another reports whether a role is seen to be made for another than this one.
func (h Holder) another(name string, a *Actual) bool {
	is := madeFor(name, a)
	return is != "" && is != h
}

// Owns reports whether a role exists, is the project's, and was made for the holder.
func (h Holder) Owns(name string, a *Actual, f render.Facts) bool {
	return a != nil && a.Exists && render.OfThisCluster(a.Tags, f) && !h.another(name, a)
}

// whoseIs is awserr.Whose, which goes by the tags, for a role that may be
// another's all the same.
func (h Holder) whoseIs(name string, a *Actual, f render.Facts) string {
	if render.OfThisCluster(a.Tags, f) && h.another(name, a) {
		return "its name or its trust policy says that it is " + of(madeFor(name, a), a)
	}
	return awserr.Whose(a.Tags, f)
}

// of says whose a role is.
func of(h Holder, a *Actual) string {
	if h == Controller {
		return "the ACK S3 controller's"
	}
	return "the app's in namespace " + advice.Project(a.Tags[render.TagNamespace]).String()
}

// refuseAnothers is the error for a role that is to go with one holder and was
// made for the other. No leave helps: the other has a command of its own.
func (h Holder) refuseAnothers(name string, a *Actual) error {
	what := fmt.Sprintf("the role %s is %s and stays", name, of(madeFor(name, a), a))
	if h == App {
		return refuse(what, "without it no project of the cluster gets a bucket, or gets rid of one",
			"--keep-role to leave it; then "+advice.Command("oc ostoy-s3 controller uninstall", advice.ControllerIn(a.Tags[render.TagNamespace])...)+" removes it, with the controller")
	}
	return refuse(what, "the app reads and writes its bucket with it",
		advice.Command("oc ostoy-s3 uninstall -n", advice.Project(a.Tags[render.TagNamespace]).Word())+" removes it, with the app")
}

// Counts says which roles count as the project's besides those with its tags.
type Counts struct {
	Trusting bool // those whose trust policy names its service account (install --iam=skip)
	Any      bool // all: --adopt=role takes them over
}

// Usual finds the holder's role if neither the user nor a record names it. For the
// controller, the namespace of the facts is the controller's. IAM is asked for the name
// that a new role gets. If that role does not exist, or is not this project's, IAM is
// asked for the name that an earlier version computed, and that role is chosen if it is
// this project's: by its tags, or because of what else counts. The result is the chosen
// name, with IAM's answer for it as Look returns it.
//
// A caller who is not allowed to read one of the two gets the other, if that is this
// project's, and otherwise the answer for the name of a new role, which may be a refusal.
func (h Holder) Usual(ctx context.Context, api Reader, f render.Facts, also Counts) (name string, actual *Actual, err error) {
	return h.usual(f, also, func(name string) (*Actual, error) { return lookFor(ctx, api, name) })
}

// UsualName is the name of Usual alone, which takes fewer requests.
func (h Holder) UsualName(ctx context.Context, api awsiam.GetRoleAPIClient, f render.Facts) (string, error) {
	name, _, err := h.usual(f, Counts{}, func(name string) (*Actual, error) { return roleAlone(ctx, api, name) })
	return name, err
}

// usual is Usual; the caller says how a role is read.
func (h Holder) usual(f render.Facts, also Counts, look func(name string) (*Actual, error)) (string, *Actual, error) {
	names := h.Names(f.Issuer.Value, f.Namespace.Value)
	isOwn := func(name string, a *Actual, err error) bool {
		return err == nil && a.Exists && (also.Any || h.Owns(name, a, f) || also.Trusting && a.names(f))
	}
	actual, err := look(names[0])
	if isOwn(names[0], actual, err) || err != nil && !awserr.Denied(err) {
		return names[0], actual, err
	}
	earlier, unread := look(names[1])
	switch {
	case isOwn(names[1], earlier, unread):
		return names[1], earlier, nil
	case err == nil && unread != nil && !awserr.Denied(unread):
		// It may exist, and a second role is not created beside it.
		return names[0], nil, unread
	}
	return names[0], actual, err
}

// OwnAmong is the first of the roles with these names that is the project's and was made
// for the holder, by one request each; "" if none is. A role that cannot be read is an
// error only if no other is the project's.
func (h Holder) OwnAmong(ctx context.Context, api awsiam.GetRoleAPIClient, f render.Facts, names []string) (string, error) {
	var unread error
	for _, name := range names {
		actual, err := roleAlone(ctx, api, name)
		if err == nil && h.Owns(name, actual, f) {
			return name, nil
		}
		unread = cmp.Or(unread, err)
	}
	return "", unread
}

// ClaimedBy reads a role that a project says it has, and reports whether IAM agrees: its
// tags are those of the issuer and the namespace, or its trust policy names the service
// account of the app, by name and not by a pattern. Writing either takes AWS
// permissions, which nobody has by what they may do in the project. A role that does
// not exist, or has another path, is not the one that was claimed.
func ClaimedBy(ctx context.Context, api awsiam.GetRoleAPIClient, claimed render.ARN, f render.Facts) (bool, error) {
	actual, err := roleAlone(ctx, api, claimed.Name())
	if err != nil {
		return false, err
	}
	if !actual.Exists || actual.ARN != claimed.String() {
		return false, nil
	}
	return render.Ours(actual.Tags, f) || actual.names(f), nil
}

// names reports whether the trust policy names the app's service account.
func (a *Actual) names(f render.Facts) bool {
	document, err := ParseDocument(a.Trust)
	if err != nil {
		return false
	}
	subject := "system:serviceaccount:" + f.Namespace.Value + ":" + render.ServiceAccount
	provider := render.ProviderARN(f.Partition.Value, f.Account.Value, f.Issuer.Value)
	return slices.ContainsFunc(Admissions(document, f.Issuer.Value), func(one Admission) bool {
		named, open := Named(one.Subject)
		return !one.Deny && one.ByToken && len(one.Strange) == 0 && !open &&
			slices.Contains(one.Principal["Federated"], provider) && slices.Contains(named, subject)
	})
}

// A permissions policy that an earlier version of ostoy-s3 printed denies the tags that
// the version did not know. A person who has it can still update a role that exists.

// notSetEarlier is the reason of a step that only sets such tags.
const notSetEarlier = "that earlier versions did not set"

// canDoWithout reports whether the rest of the plan is of use if AWS denies a step. The
// tag that names a managed policy is required for attaching the policy.
func (p *Plan) canDoWithout(s Step) bool {
	attaches := slices.ContainsFunc(p.Steps, func(one Step) bool { return one.Kind == AttachPolicy })
	return s.Kind == TagRole && s.Reason == notSetEarlier && !(attaches && s.Tags[render.TagPolicy] != "")
}

// Untagged is what Execute could not do and could do without: the tags, and why AWS
// denied them.
type Untagged struct {
	Tags map[string]string
	Err  error
}

// Warning is a sentence and what to do about it; both are "" if nothing was denied.
func (u Untagged) Warning() (what, next string) {
	told, ok := errors.AsType[*problem.Error](u.Err)
	if !ok {
		return "", ""
	}
	what = "the role has no tag " + strings.Join(keysOf(u.Tags), ", ") + ", which earlier versions did not set: " + told.What
	if told.Why != "" {
		what += ": " + told.Why
	}
	return what, told.Next
}

// What was asked for of a role is kept in tags of the role. The inventory in the project,
// and tags of the S3 bucket, which the controller sets from the Bucket resource, can be
// written by everybody who may edit the project: they prove nothing.

// policyTag is the value of render.TagPolicy for a managed policy: its ARN, or a hash
// where the value of a tag cannot hold it ("Rules for tagging in IAM" in the IAM User
// Guide: at most 256 characters, and no comma or exclamation mark).
func policyTag(arn string) string {
	if badTag(render.TagPolicy, arn) == "" {
		return arn
	}
	sum := sha256.Sum256([]byte(arn))
	return hashPrefix + hex.EncodeToString(sum[:])
}

const hashPrefix = "sha256:"

// askedTags are the tags of a role that keep what was asked for.
func askedTags(bucket, policyARN string) map[string]string {
	tags := map[string]string{render.TagBucket: bucket}
	if policyARN != "" {
		tags[render.TagPolicy] = policyTag(policyARN)
	}
	return tags
}

// AskedPolicy is the attached managed policy that the role's tag names: the one that
// install was asked for by --policy-arn. "" without one. The tag alone is not enough: a
// policy that is no longer attached is no longer wanted.
func (a *Actual) AskedPolicy() string {
	if a == nil || !a.namesPolicy() {
		return ""
	}
	for _, arn := range a.Attached {
		if policyTag(arn) == a.Tags[render.TagPolicy] {
			return arn
		}
	}
	return ""
}

// noPolicy is the value of render.TagPolicy where a policy that was asked for once is no
// longer wanted: removing a tag takes a permission that install does not need otherwise.
const noPolicy = "none"

// namesPolicy reports whether the role has a tag that names a managed policy, attached
// or not.
func (a *Actual) namesPolicy() bool {
	return a.Tags[render.TagPolicy] != "" && a.Tags[render.TagPolicy] != noPolicy
}
