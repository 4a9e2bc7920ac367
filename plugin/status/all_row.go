package status

import (
	"context"
	"fmt"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// RoleWord is the role in a table.
type RoleWord string

// The words. A role is stale when it does not trust this cluster's app, or allows
// it something else than install would.
const (
	RoleOK      RoleWord = "ok"
	RoleStale   RoleWord = "stale"
	RoleMissing RoleWord = "missing"
	RoleUnknown RoleWord = "unknown"
)

// Row is one install among all of a cluster.
type Row struct {
	Namespace string      `json:"namespace"`
	Mark      report.Mark `json:"state"`
	Bucket    string      `json:"bucket"`
	Objects   *int64      `json:"objects,omitempty"`
	More      bool        `json:"moreObjects,omitempty"` // than Objects
	Role      RoleWord    `json:"role"`
	RoleARN   string      `json:"roleARN,omitempty"`
	Ready     int64       `json:"readyPods"`
	Want      int64       `json:"wantedPods"`
	Drift     string      `json:"drift"` // no, cluster, iam, "cluster,iam", or ? where it cannot be told
	URL       string      `json:"url,omitempty"`
	Since     time.Time   `json:"since,omitzero"`
	Version   string      `json:"version,omitempty"`
	By        string      `json:"by,omitempty"`
	Region    string      `json:"region,omitempty"`
	Problems  []string    `json:"problems,omitempty"`
}

// Seen is what lists told of one install.
type Seen struct {
	Found   Found // without what AWS says of one install
	Desired iam.Role
	// Role is what was seen of the role, nil if it is not there. RoleErr is why it could
	// not be looked at.
	Role    *iam.Listed
	RoleErr error
	// PolicyDrift is how its permissions differ, where they were compared, which
	// takes a request for each role.
	PolicyDrift string
	PolicyErr   error
}

// RowOf judges one install by what lists tell.
func RowOf(s Seen) Row {
	f := s.Found
	name, i := f.Facts.Namespace.Value, installed(f)
	object, way := f.only("Bucket", f.bucketHealth), route(f)
	all, pods, _ := workloads(f, object.Mark == report.OK)
	row := Row{
		Namespace: name, Bucket: render.BucketName(name), RoleARN: f.RoleARN, Region: f.Facts.Region.Value,
		Since: i.Since, Version: i.Version, By: i.By, URL: way.URL,
	}
	marks := []report.Mark{row.note("bucket", object), row.note("route", way.Part)}
	for _, w := range all {
		row.Ready, row.Want = row.Ready+w.Ready, row.Want+w.Want
		marks = append(marks, row.note(w.Name, w.Part))
	}
	for _, p := range pods {
		if p.Missing != "" {
			marks = append(marks, row.note("pod "+p.Name, report.Part{Mark: p.Mark, Text: "without its AWS identity: " + p.Missing}))
		}
	}
	marks = append(marks, row.judgeRole(s), row.judgeDrift(s))
	row.Mark = report.Worst(marks...)
	return row
}

// note keeps what is wrong with a part for the reader.
func (r *Row) note(what string, p report.Part) report.Mark {
	if p.Mark.Bad() || p.Mark == report.Busy {
		r.Problems = append(r.Problems, plain.Line(what+": "+p.Text))
	}
	return p.Mark
}

func (r *Row) judgeRole(s Seen) report.Mark {
	switch {
	case s.RoleErr != nil:
		r.Role = RoleUnknown
		return report.Unknown
	case s.Role == nil:
		r.Role = RoleMissing
		return r.note("role", report.Part{Mark: report.Wrong, Text: "it is not there"})
	}
	r.Role = RoleOK
	if wide := s.usedAsIs(); wide != "" {
		return r.note("role", report.Part{Mark: report.Warning, Text: wide})
	}
	problems := r.Problems
	for _, part := range [][2]string{{"trust policy", iam.TrustDrift(s.Desired, s.Role.Trust)}, {"permissions", s.PolicyDrift}} {
		if drift := part[1]; drift != "" {
			r.Role = RoleStale
			r.note("role, "+part[0], report.Part{Mark: report.Wrong, Text: drift})
		}
	}
	switch {
	case r.Role == RoleStale && s.Found.Inventory.RoleOrigin == apply.OriginExisting:
		r.Role, r.Problems = RoleUnknown, problems // not install's to change
		return report.Unknown
	case r.Role == RoleStale:
		return report.Wrong
	}
	return report.OK
}

// usedAsIs says how a role that was there before install differs from one that
// install makes: it is used as it is as long as it lets the app in. "" for any other
// role, and for one that was narrowed since.
func (s Seen) usedAsIs() string {
	drift := iam.TrustDrift(s.Desired, s.Role.Trust)
	if s.Found.Inventory.RoleOrigin != apply.OriginAdopted || drift == "" || !s.Desired.Admits(s.Role.Trust, s.Found.Facts.Issuer.Value) {
		return ""
	}
	return "it was there before install, and " + drift + " (" + s.Found.Tighten + ")"
}

func (r *Row) judgeDrift(s Seen) report.Mark {
	unseen := r.Role == RoleUnknown || s.PolicyErr != nil
	changed := 0
	for _, item := range s.Found.Plan.Items {
		if drift, drifted := objectDrift(item); drifted {
			changed++
			r.note("drift", report.Part{Mark: report.Warning, Text: drift.inShort()})
		}
		unseen = unseen || item.Err != nil && item.Live == nil
	}
	iamDrift := r.Role == RoleStale || r.Role == RoleMissing
	switch {
	case changed > 0 && iamDrift:
		r.Drift = "cluster,iam"
	case changed > 0:
		r.Drift = "cluster"
	case iamDrift:
		r.Drift = "iam"
	case unseen:
		r.Drift = "?"
		return report.Unknown
	default:
		r.Drift = "no"
		return report.OK
	}
	return report.Warning
}

// inShort is a drift in one clause.
func (d ObjectDrift) inShort() string {
	switch {
	case d.Action == apply.Create || d.Why != "" && len(d.Changes) == 0:
		return d.Object + ": " + d.Why
	case len(d.Changes) == 1:
		return d.Object + ": " + d.Changes[0].Path + by(d.Changes[0].Manager)
	}
	return fmt.Sprintf("%s: %s%s and %d more", d.Object, d.Changes[0].Path, by(d.Changes[0].Manager), len(d.Changes)-1)
}

func by(manager string) string {
	if manager == "" {
		return ""
	}
	return " (changed by " + manager + ")"
}

// detailed reports whether everything is wanted, whatever it costs to ask.
func (r Request) detailed() bool { return r.Output != session.FormatTable }

// atOnce is how many roles or buckets are asked about at the same time: IAM
// throttles the account as a whole.
const atOnce = 6

// each calls ask for each of n, several at the same time.
func each(n int, ask func(int)) {
	var group errgroup.Group
	group.SetLimit(atOnce)
	for i := range n {
		group.Go(func() error { ask(i); return nil })
	}
	_ = group.Wait() // none gives an error
}

// listedRoles are the roles under render.RolePath, in one list.
type listedRoles struct {
	byARN map[string]iam.Listed
	err   error // why there is no list
}

func listRoles(ctx context.Context, from sources) (l listedRoles) {
	if from.noAWS == nil {
		l.byARN, l.err = iam.List(ctx, from.world.Roles, render.RolePath)
	}
	return l
}

// failed reports whether IAM gave no list, for another reason than that the user may not
// list: then it is not asked for single roles either.
func (l listedRoles) failed() bool { return l.err != nil && !awserr.Denied(l.err) }

// tells reports whether a role under a path that is not in the list does not exist.
func (l listedRoles) tells(path string) bool { return l.err == nil && path == render.RolePath }

// lookAtRoles looks for the role of each install in the list. A role is asked for by
// itself where no list has it: it is under a path of the user's, or the user may not list.
// What a role may do is in no list at all, so it is compared only where details were asked
// for.
func (o overview) lookAtRoles(ctx context.Context, seen []Seen, roles listedRoles, detailed bool) {
	each(len(seen), func(i int) {
		one := &seen[i]
		if one.RoleErr != nil {
			return
		}
		if one.Role, one.RoleErr = o.lookAtRole(ctx, *one, roles); detailed && one.Role != nil {
			one.PolicyDrift, one.PolicyErr = iam.PolicyDrift(ctx, o.from.world.Roles, one.Desired)
		}
	})
}

// lookAtRole is the role of an install, nil if it is not there.
func (o overview) lookAtRole(ctx context.Context, one Seen, roles listedRoles) (*iam.Listed, error) {
	account, mine := one.Found.Facts.Account.Value, o.facts.Account.Value
	switch listed, is := roles.byARN[one.Desired.ARN]; {
	case o.from.noAWS != nil:
		return nil, o.from.noAWS
	case account != mine:
		return nil, fmt.Errorf("the role is in account %s, the credentials are of %s", account, mine)
	case is:
		return &listed, nil
	case roles.failed():
		return nil, roles.err
	case !roles.tells(one.Desired.Path):
		return iam.Glance(ctx, o.from.world.Roles, one.Desired.Name)
	}
	return nil, nil
}

// count counts what is in the buckets, a request for each and no more: 1,000
// objects are many in a table.
func (o overview) count(ctx context.Context, seen []Seen, rows []Row) {
	if o.from.noAWS != nil {
		return
	}
	each(len(seen), func(i int) {
		contents, more, err := bucket.CountSome(ctx, o.from.world.Buckets, bucket.TargetOf(seen[i].Found.Facts), 1)
		if err == nil {
			rows[i].Objects, rows[i].More = &contents.Objects, more
		}
	})
}
