package controller

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
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
	inventory := f.Inventory
	if !inventory.Found || !inventory.Applied() {
		return false
	}
	for _, ref := range inventory.Objects {
		if ref.Group == olmGroup && ref.Kind == "Subscription" {
			return true
		}
	}
	return false
}

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
	var names []string
	for _, s := range f.otherSubscriptions(f.Namespace) {
		names = append(names, "Subscription "+s.GetName())
	}
	for _, version := range f.Versions {
		if !f.versionOurs(version.GetName()) {
			names = append(names, "ClusterServiceVersion "+version.GetName())
		}
	}
	return names
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
	inventory := f.Inventory
	return inventory.Found && inventory.Applied() && inventory.RoleARN != "" &&
		!slices.ContainsFunc(inventory.Objects, func(ref apply.Ref) bool { return ref.Kind == "Subscription" || ref.Kind == "Deployment" })
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
	switch identity := operator.Identity(f.Inventory.Identity); {
	case !f.Inventory.Found || !f.Inventory.Applied():
	case identity == operator.Subscription, identity == operator.Annotation:
		return identity
	}
	return ""
}

// subscribedIdentity is the mode that you asked for, or else that of the Subscription,
// which this tool applied: the one on record, or without the
// record, which earlier versions did not write: any part of what the mode adds shows
// it, and so do the fields that managedFields say this tool has set there.
func (f *Found) subscribedIdentity(asked operator.Identity, subscription *unstructured.Unstructured) operator.Identity {
	if asked != "" {
		return asked
	}
	if recorded := f.recordedIdentity(); recorded != "" {
		return recorded
	}
	names := func(field string) (all []string) {
		for _, one := range health.Maps(subscription.Object, "spec", "config", field) {
			all = append(all, health.Text(one, "name"))
		}
		return all
	}
	if slices.ContainsFunc(names("env"), identityVariable) ||
		slices.Contains(slices.Concat(names("volumes"), names("volumeMounts")), operator.TokenVolume) ||
		slices.Contains(apply.Setters(subscription, "spec", "config"), apply.Manager) {
		return operator.Subscription
	}
	return operator.Annotation
}

func identityVariable(name string) bool {
	return name == "AWS_ROLE_ARN" || name == "AWS_WEB_IDENTITY_TOKEN_FILE"
}

// namesRole reports whether a Subscription gives the controller its role as it is now.
func namesRole(subscription *unstructured.Unstructured) bool {
	return slices.ContainsFunc(health.Maps(subscription.Object, "spec", "config", "env"), func(v map[string]any) bool { return v["name"] == "AWS_ROLE_ARN" })
}
