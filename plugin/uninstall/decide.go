package uninstall

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// decision is what is to be removed, what is kept, and what the user has to confirm.
type decision struct {
	lines  removal.Lines
	doubts []string
	notes  []string // what the reader should know before
}

// decide says of each thing that was found what is to be done with it.
func decide(e evidence) decision {
	a := e.app
	role, notes := decideRole(e)
	if a.request.RoleOnly {
		return decision{role, e.role.doubts, notes}
	}
	var d decision
	for _, item := range a.removal.Gone {
		d.notes = append(d.notes, item.Ref.String()+" is forgotten: "+item.Why)
	}
	if a.conn != nil && a.state.Missing() && !a.state.Unseen {
		d.notes = append(d.notes, "project "+a.namespace()+" does not exist; this is what is left of it in AWS")
	}
	d.notes = append(d.notes, notes...)
	d.lines = decideObjects(a)
	if l := decideBucket(e); l != nil {
		d.lines = append(d.lines, l)
	}
	d.lines = slices.Concat(d.lines, decideVolumes(a), role)
	roleAfterBucket(a, d.lines)
	if a.removal.InventoryOurs {
		d.lines = append(d.lines, &removal.Line{Object: "ConfigMap " + apply.InventoryName, Subject: removal.Inventory, Fate: removal.Removed})
	}
	d.doubts = append(e.role.doubts, doubts(a, d.lines)...)
	if l := decideProject(a, d.lines); l != nil {
		d.lines = append(d.lines, l)
	}
	return d
}

func decideObjects(a app) removal.Lines {
	var lines removal.Lines
	for _, item := range a.removal.Objects {
		lines = append(lines, &removal.Line{Object: item.Ref.String(), Subject: removal.Object, Fate: removal.Removed, Item: item})
	}
	if item := a.removal.Bucket; item != nil {
		lines = append(lines, &removal.Line{Object: "object " + item.Ref.String(), Subject: removal.BucketResource, Fate: removal.Removed, Item: item})
	}
	for _, item := range a.removal.Kept {
		l := &removal.Line{Object: item.Ref.String(), Subject: removal.Object, Fate: removal.Kept, Why: item.Why, Item: item}
		l.Next, l.Nexts = nextOfKept(a.namespace(), item)
		lines = append(lines, l)
	}
	return lines
}

func decideVolumes(a app) removal.Lines {
	var lines removal.Lines
	for _, item := range a.removal.Volumes {
		l := &removal.Line{Object: "volume " + item.Ref.Name, Subject: removal.Volume, Fate: removal.Removed, Item: item}
		switch {
		case a.request.DeleteData:
		case a.state.Terminating:
			l.Keep("it goes with the project, which is being deleted", "")
		default:
			l.Keep("it is data", a.again("--delete-data"))
		}
		lines = append(lines, l)
	}
	return lines
}

// doubts are what the user has to confirm because of what is removed in AWS.
func doubts(a app, lines removal.Lines) (doubts []string) {
	inAWS := lines.Removes(removal.Bucket, removal.Role)
	if a.state.Unseen && inAWS {
		doubts = append(doubts, fmt.Sprintf("project %s does not exist, or you have no access to it; if it exists, its OSToy loses what is removed here", a.namespace()))
	}
	if unseen := unseenUsers(a.removal, lines); len(unseen) > 0 {
		doubts = append(doubts, fmt.Sprintf("whether somebody's objects in project %s still use what is removed in AWS cannot be seen: you may not list %s",
			a.namespace(), strings.Join(unseen, " and ")))
	}
	// Tags are compared with the issuer: by editing the inventory somebody could choose
	// whose role and bucket are removed.
	if a.facts.Issuer.Source == project.OnRecord && inAWS {
		doubts = append(doubts, fmt.Sprintf("that this cluster issues tokens as %s is only what the inventory says; what is removed in AWS is that issuer's", a.facts.Issuer.Value))
	}
	return doubts
}

// decideProject removes a project only if this tool made it and the user said so. That
// there is nothing else in it is left to keepForOthers. nil says nothing of it.
func decideProject(a app, all removal.Lines) *removal.Line {
	l := &removal.Line{Object: "project " + a.namespace(), Subject: removal.Project, Fate: removal.Removed}
	byHand := deleteProjectCommand(a.namespace(), all)
	kept := all.With(removal.Kept).One(removal.Volume)
	switch created, wanted := a.state.Ours, a.request.DeleteNamespace; {
	case !a.state.Exists, !created && !wanted:
		return nil
	case a.state.Terminating && created && wanted: // an interrupted run may have come this far
	case a.state.Terminating:
		return nil
	case !created:
		l.Keep("this tool did not make it", byHand)
	case !wanted:
		l.Keep("made by this tool", a.again("--delete-namespace"))
	case kept != nil:
		l.Keep("it holds "+kept.Object+", which is data", a.again("--delete-data", "--delete-namespace"))
	}
	return l
}

// In AWS, tags say what is this project's; they stay when the objects of an install are
// released to Argo CD or Flux. What an object that is not managed by ostoy-s3 still
// depends on is in use, and stays.

// bucketUser is why the bucket stays: a Bucket resource of its name that is not managed
// by ostoy-s3; "" without one.
func bucketUser(a app) string {
	return userAmong(a.removal.Kept, func(item *apply.Item) bool {
		return item.Ref.IsBucket() && item.Ref.Name == a.bucketName()
	})
}

// roleUser is the same for a role: the service account that the role is for, and that
// names it.
func roleUser(a app, role string) string {
	return userAmong(a.removal.Kept, func(item *apply.Item) bool {
		return item.Ref.Kind == "ServiceAccount" && item.Ref.Name == render.ServiceAccount && item.Live != nil &&
			a.nameOf(item.Live.GetAnnotations()[ack.RoleAnnotation]) == role
	})
}

func userAmong(items []*apply.Item, uses func(*apply.Item) bool) string {
	n := slices.IndexFunc(items, uses)
	if n < 0 {
		return ""
	}
	return items[n].Ref.String() + " uses it, and is not ours: " + strings.TrimPrefix(items[n].Why, "it is not ours: ")
}

// unseenUsers are the resources among which there might be a user of what is removed, and
// which may not be listed. What the inventory names has been looked at anyway.
func unseenUsers(found *apply.Removal, lines removal.Lines) []string {
	var unseen []string
	for _, user := range []struct {
		of             removal.Subject
		kind, resource string
	}{
		{removal.Bucket, "Bucket", "buckets.s3.services.k8s.aws"},
		{removal.Role, "ServiceAccount", "serviceaccounts"},
	} {
		unlisted := slices.ContainsFunc(found.Unlisted, func(k schema.GroupVersionKind) bool { return k.Kind == user.kind })
		named := slices.ContainsFunc(found.Inventory.Objects, func(r apply.Ref) bool { return r.Kind == user.kind })
		if lines.Removes(user.of) && unlisted && !named {
			unseen = append(unseen, user.resource)
		}
	}
	return unseen
}

// decideRole says what is done with the role, and lists roles of others that the project
// names.
func decideRole(e evidence) (lines removal.Lines, notes []string) {
	a, seen := e.app, e.role
	var l *removal.Line
	switch {
	case a.keepsRole():
		l = keptRole(a, seen)
	case seen.plan != nil && !seen.plan.Empty():
		l = &removal.Line{Object: "role " + seen.plan.Name, Subject: removal.Role, Fate: removal.Removed}
		if user := roleUser(a, seen.plan.Name); user != "" {
			l.Keep(user, "once that is gone: "+a.again("--role-only")) // which does not look for users
		} else {
			notes = seen.plan.Notes
		}
	case seen.plan == nil && seen.hidden != "":
		l = &removal.Line{Object: "role " + seen.hidden, Subject: removal.Role}
		l.Keep("AWS refuses to show it, in the words that it uses for a role that does not exist, too",
			"ask an AWS administrator to allow iam:GetRole on role "+seen.hidden+", then "+a.again("--role-only"))
	}
	installed := a.removal.Inventory.Found || len(a.removal.Objects) > 0
	if l == nil && (seen.plan == nil || a.keepsRole()) && a.request.needsAWS() && installed {
		notes = append(notes, "no IAM role of this project was found; a role that install created with --role-name and --role-path is found only if the inventory or the service account names it")
	}
	if l != nil {
		lines = removal.Lines{l}
	}
	return append(lines, seen.others...), notes
}

// keptRole names the role that stays. That is the one that AWS shows to be the project's,
// if there is one, whatever the inventory names: its permissions stay, too. nil if there
// is none.
func keptRole(a app, seen roleSeen) *removal.Line {
	recorded := a.nameOf(a.removal.Inventory.RoleARN)
	name := seen.proof.Role
	if name == "" && !slices.Contains(seen.missing, recorded) {
		name = recorded
	}
	if name == "" {
		return nil
	}
	l := &removal.Line{Object: "role " + name, Subject: removal.Role}
	if a.request.KeepRole {
		l.Keep("--keep-role", a.again("--role-only"))
		return l
	}
	adopted := a.removal.Inventory.RoleOrigin == apply.OriginAdopted
	why, next := "the inventory says that it was installed with --iam=skip", a.again("--role-only")
	if adopted {
		why = "the inventory says that it was there before install"
	}
	if name != recorded {
		why += ", but names the role " + cmp.Or(recorded, "(none)") + "; this one is the project's by its tags"
	}
	if adopted && seen.proof.Role == "" { // that it is the project's is only what the inventory says
		next = ""
	}
	l.Keep(why, next)
	return l
}

// roleAfterBucket puts the commands for what stays in order: without the role nothing
// shows that the bucket is this project's.
func roleAfterBucket(a app, lines removal.Lines) {
	role, bucket := lines.One(removal.Role), lines.One(removal.Bucket)
	if !a.request.KeepRole || role == nil || role.Fate != removal.Kept || bucket == nil {
		return
	}
	if bucket.Fate == removal.Left || bucket.Fate == removal.Kept && bucket.Next != "" && !a.request.Adopt.Bucket() {
		role.Next = "once the bucket is removed: " + a.again("--role-only")
	}
}
