package controller

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// OLM gives the operator's objects the same names in every cluster, whoever
// subscribed to it. So what OLM made is managed by ostoy-s3 only if the Subscription
// that it made it for is: by the managedFields of that Subscription, never by a name,
// by a label, or because a ClusterServiceVersion owns it.

// versionOurs reports whether OLM installed a ClusterServiceVersion of the namespace
// for a Subscription that ostoy-s3 manages. Where that Subscription was deleted, the
// inventory says that there was one; a Subscription that ostoy-s3 does not manage
// then counts more.
func (f *Found) versionOurs(csv string) bool {
	ours, others := f.Subscription(), f.otherSubscriptions(f.Namespace)
	switch {
	case len(others) == 0:
		return ours != nil || f.subscribed()
	case ours == nil:
		return false
	}
	return claims(ours, csv) && !slices.ContainsFunc(others, func(s *unstructured.Unstructured) bool { return claims(s, csv) })
}

// subscribed reports whether ostoy-s3 once applied a Subscription in the namespace.
// The label alone, which a copy of the inventory keeps, does not show that.
func (f *Found) subscribed() bool {
	return f.applied() && slices.ContainsFunc(f.Inventory.Objects, func(ref apply.Ref) bool {
		return ref.Group == olmGroup && ref.Kind == "Subscription"
	})
}

// applied reports whether this tool wrote the inventory.
func (f *Found) applied() bool { return f.Inventory.Found && f.Inventory.Applied() }

// claims reports whether OLM has installed a ClusterServiceVersion for a
// Subscription, or is about to.
func claims(subscription *unstructured.Unstructured, csv string) bool {
	is := olm.InstallOf(subscription)
	return csv != "" && (is.Installed == csv || is.Current == csv)
}

// shared reports whether an object is the operator's ServiceAccount and OLM wrote it
// for a Subscription that ostoy-s3 manages: OLM before 0.33 replaces it without what
// others set on it, and its managedFields then no longer name ostoy-s3.
func (f *Found) shared(object *unstructured.Unstructured) bool {
	if object.GetKind() != "ServiceAccount" || object.GetName() != operator.ServiceAccount {
		return false
	}
	owners := olm.OwningVersions(object, operator.Package)
	return len(owners) > 0 && !slices.ContainsFunc(owners, func(csv string) bool { return !f.versionOurs(csv) })
}

// claimants are what asks OLM for the operator in the namespace, or is installed of
// it, and is not managed by ostoy-s3.
func (f *Found) claimants() []string {
	names := each(f.otherSubscriptions(f.Namespace), func(s *unstructured.Unstructured) string { return "Subscription " + s.GetName() })
	versions := those(f.Versions, func(v *unstructured.Unstructured) bool { return !f.versionOurs(v.GetName()) })
	return append(names, each(versions, func(v *unstructured.Unstructured) string { return versionKind + " " + v.GetName() })...)
}

// Without OLM, you install ACK's chart with Helm. This tool creates what the chart does
// not: namespace, role, permissions and admission policy. It never changes what Helm
// installed.

// origins reports what installed the controller that this tool manages: a Subscription,
// whatever OLM has done for it so far, or a chart that an earlier version applied.
func (f *Found) origins() (byOLM, byChart bool) {
	byOLM = f.Subscription() != nil
	for _, c := range f.Mine() {
		byOLM = byOLM || c.Installer == ack.OLM
		byChart = byChart || c.Installer != ack.OLM
	}
	return byOLM, byChart
}

// prepared reports whether this tool created the role of a controller that Helm installs
// in the namespace: an inventory that it applied names a role, and nothing that runs a
// controller.
func (f *Found) prepared() bool {
	return f.applied() && f.Inventory.RoleARN != "" &&
		!slices.ContainsFunc(f.Inventory.Objects, func(ref apply.Ref) bool { return ref.Kind == "Subscription" || ref.Kind == "Deployment" })
}

// byHelm are the controllers that run as the service account that the role of this tool
// trusts, and that this tool did not install.
func (f *Found) byHelm() []ack.Controller {
	if !f.prepared() {
		return nil
	}
	return slices.DeleteFunc(f.notMine(f.Controllers.All), func(c ack.Controller) bool {
		return c.Namespace != f.Namespace || c.Account() != operator.ServiceAccount
	})
}

// otherwise reports whether a controller is proven that is not the one that Helm installs
// for the role of this tool.
func (f *Found) otherwise() bool {
	helms := f.byHelm()
	return slices.ContainsFunc(f.Others(), func(c ack.Controller) bool {
		return !slices.ContainsFunc(helms, c.Same)
	})
}

// The identity mode is what the user chose once, and it stays until they choose again.
// It is on record in the inventory: a Subscription from which somebody removed
// the variables looks like one that never had them. The inventory is in the
// controller's namespace, which only cluster admins write to, and it chooses between
// two ways to the same role.

// recordedIdentity is the mode on record, "" where none is. Only an inventory counts
// that this tool wrote.
func (f *Found) recordedIdentity() operator.Identity {
	identity := operator.Identity(f.Inventory.Identity)
	if f.applied() && (identity == operator.Subscription || identity == operator.Annotation) {
		return identity
	}
	return ""
}

// subscribedIdentity is the mode that you asked for, or else that of the Subscription,
// which this tool applied: the one on record, or without the
// record, which earlier versions did not write: any part of what the mode adds shows
// it, and so do the fields that managedFields say this tool has set there.
func (f *Found) subscribedIdentity(asked operator.Identity, subscription *unstructured.Unstructured) operator.Identity {
	if known := cmp.Or(asked, f.recordedIdentity()); known != "" {
		return known
	}
	names := func(field string) []string {
		return each(health.Maps(subscription.Object, "spec", "config", field), func(one map[string]any) string { return health.Text(one, "name") })
	}
	if slices.Contains(names("env"), "AWS_ROLE_ARN") || slices.Contains(names("env"), "AWS_WEB_IDENTITY_TOKEN_FILE") ||
		slices.Contains(slices.Concat(names("volumes"), names("volumeMounts")), operator.TokenVolume) ||
		slices.Contains(apply.Setters(subscription, "spec", "config"), apply.Manager) {
		return operator.Subscription
	}
	return operator.Annotation
}

// namesRole reports whether a Subscription gives the controller its role as it is now.
func namesRole(subscription *unstructured.Unstructured) bool {
	return slices.ContainsFunc(health.Maps(subscription.Object, "spec", "config", "env"), func(v map[string]any) bool { return v["name"] == "AWS_ROLE_ARN" })
}

// mayTrust refuses a namespace in which somebody who is no cluster admin can act as the
// controller (live.Writers). If the controller runs there already, or this tool created
// the namespace, it is a warning: a cluster admin gave these permissions, and the
// controller needs its updates.
func mayTrust(ctx context.Context, p *Plan) error {
	if p.found.Project == nil || p.Mode == Used {
		return nil
	}
	writers, err := live.WritersOf(ctx, p.found.World, p.found.Namespace)
	if err != nil {
		return p.found.World.Conn.Translate(err)
	}
	if len(writers) == 0 {
		return nil
	}
	// Who runs this command has the permissions of an installation anyway.
	self, err := access.Self(ctx, p.found.World.Conn)
	if err != nil {
		return err
	}
	if writers = writers.Without(self); len(writers) == 0 {
		return nil
	}
	refusal := distrust(p, writers)
	if p.found.NamespaceOurs() || established(ctx, p) {
		p.Admission.warn(refusal.Error(), refusal.Next)
		return nil
	}
	return refusal
}

// established reports whether the controller that this tool installed, or that Helm
// installed for its role, works in the namespace: its service account may do what only a cluster admin can allow.
func established(ctx context.Context, p *Plan) bool {
	if len(p.found.Mine()) == 0 && len(p.found.byHelm()) == 0 {
		return false
	}
	own := operator.Account(p.facts)
	proven, err := p.found.World.ProvenAccounts(ctx, []string{own})
	return err == nil && proven[own]
}

// distrust counts also those of whom you are not allowed to know, and says so.
func distrust(p *Plan, writers live.Writers) *problem.Error {
	next := "use another namespace: oc ostoy-s3 controller install -n NAMESPACE"
	if commands := writers.Revoke(p.found.Namespace); len(commands) > 0 {
		next = strings.Join(commands, "\n") + "\nor " + next
	}
	return problem.Refuse("namespace "+p.found.Namespace+" cannot be trusted with the ACK S3 controller",
		writers.Why(),
		next).See("docs/security.md")
}

// proof is which service accounts are those of controllers of the whole cluster: they
// are allowed to list and update Buckets in all projects. A Deployment proves nothing,
// because every project editor can create one.
type proof struct {
	accounts map[string]bool   // by user name
	named    map[string]string // the Deployments that are not this tool's, by the user name of their account
	unasked  bool              // you are not allowed to create SubjectAccessReviews
	exempt   []string          // then, whom the admission policy in the cluster exempts
}

// prove asks about this tool's own service account besides those of Found. If you are
// not allowed to ask, those that the admission policy exempts are proven: only a cluster
// admin can have written that.
func prove(ctx context.Context, p *Plan) error {
	f := p.found
	others := f.notMine(f.Controllers.All)
	if _, byChart := f.origins(); len(others) == 0 && !byChart {
		return nil
	}
	accounts := map[string]bool{operator.Account(p.facts): true}
	p.proof.named = map[string]string{}
	for _, c := range others {
		name := operator.AccountName(c.Namespace, c.Account())
		accounts[name], p.proof.named[name] = true, c.String()
	}
	if len(f.Controllers.Unverified) > 0 {
		return proveByPolicy(ctx, p)
	}
	var err error
	p.proof.accounts, err = f.World.ProvenAccounts(ctx, slices.Sorted(maps.Keys(accounts)))
	if apierrors.IsForbidden(err) {
		return proveByPolicy(ctx, p)
	}
	return err
}

func proveByPolicy(ctx context.Context, p *Plan) error {
	w := p.found.World
	p.proof.unasked = true
	found, err := live.ReadAdmission(ctx, w)
	if apierrors.IsForbidden(err) {
		return nil // the plan of its objects says so
	}
	if err != nil {
		return w.Conn.Translate(err)
	}
	p.proof.exempt = operator.Inspect(found.Policy, nil).Exempt
	p.found.Controllers = p.found.Controllers.With(p.proof.exempt)
	return nil
}

// refuseUnproven refuses to install a controller if something else may be one and you are not
// allowed to ask: two controllers undo each other's work.
func refuseUnproven(p *Plan) error {
	some := p.found.unverified()
	return problem.Refuse("whether an ACK S3 controller is installed already is not verified",
		namesOf(some)+" may be one, or only look like it; which of them is a controller depends on what its service account is allowed to do, and you are not allowed to "+
			access.Reviewing,
		"ask a cluster admin to run the same command, or for that permission").See("docs/controller.md")
}

// namesOf names the first few Deployments.
func namesOf(all []ack.Controller) string { return some(each(all, ack.Controller.String)) }
