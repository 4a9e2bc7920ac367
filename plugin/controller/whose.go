package controller

import (
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
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
// it, and is not managed by ostoy-s3; ours says which versions are.
func (f *Found) claimants(ours func(csv string) bool) []string {
	var names []string
	for _, s := range f.otherSubscriptions(f.Namespace) {
		names = append(names, "Subscription "+s.GetName())
	}
	for _, version := range f.Versions {
		if !ours(version.GetName()) {
			names = append(names, "ClusterServiceVersion "+version.GetName())
		}
	}
	return names
}

// ofOLM reports whether OLM installed a controller for a Subscription that ostoy-s3
// manages.
func (f *Found) ofOLM(c ack.Controller) bool {
	return c.Namespace == f.Namespace && f.versionOurs(c.Labels["olm.owner"])
}
