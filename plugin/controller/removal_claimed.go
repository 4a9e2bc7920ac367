package controller

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// What ostoy-s3 applied may have become part of an installation that it does not
// manage: ServiceAccount and settings of the operator have the same names for every
// Subscription, and the role trusts that ServiceAccount. It is then kept.

// neededBy says why an object that could be deleted is kept, "" where it is not.
func (r *Removal) neededBy(object *unstructured.Unstructured) string {
	claimants := strings.Join(r.claimants(), ", ")
	switch name := object.GetName(); {
	case object.GetKind() == "OperatorGroup":
		if others := r.otherOperators(); len(others) > 0 {
			return "other operators of the namespace need it: " + strings.Join(others, ", ")
		}
	case claimants == "" || r.found.shared(object):
	case object.GetKind() == "ServiceAccount" && name == operator.ServiceAccount,
		object.GetKind() == "ConfigMap" && name == operator.UserConfig:
		return claimants + ", not managed by ostoy-s3, works with it"
	}
	return ""
}

// keepClaimedRole keeps the role where pods that ostoy-s3 does not manage may use it.
func (r *Removal) keepClaimedRole() {
	if claimants := r.claimants(); len(claimants) > 0 {
		r.keepRole(strings.Join(claimants, ", ") + ", not managed by ostoy-s3, may use it: the role trusts the ServiceAccount " + operator.ServiceAccount)
	}
}

// decideInventory deletes the inventory with what it lists. As long as something of
// that is kept for others it is needed, by the run that deletes that.
func (r *Removal) decideInventory() {
	if !r.objects.InventoryOurs {
		return
	}
	p := r.add(&Part{Subject: TheInventory, Object: "ConfigMap " + apply.ControllerInventoryName, Fate: Removed})
	if claimants := r.claimants(); len(claimants) > 0 {
		p.keep("it lists what is kept for "+strings.Join(claimants, ", "), r.again())
	}
}

// newVersions decides about the versions that were not there when the removal was
// planned. One that comes while somebody else subscribes is not ours.
type newVersions struct {
	*Removal
	ours map[types.UID]bool
}

// goes reports whether a version is to be deleted.
func (n *newVersions) goes(ctx context.Context, version *unstructured.Unstructured) (bool, error) {
	uid := version.GetUID()
	if goes, known := n.ours[uid]; known {
		return goes, nil
	}
	for _, p := range n.going(TheVersion, nil) {
		if p.uid == uid {
			n.ours[uid] = true
			return true, nil
		}
	}
	goes := n.versionOurs(version.GetName())
	if goes {
		now, err := cluster.ListAll(ctx, n.conn.Dynamic.Resource(olm.Subscriptions()).Namespace(n.found.Namespace), metav1.ListOptions{})
		if err != nil {
			return false, err
		}
		for _, s := range now {
			goes = goes && (!ofPackage(s) || apply.Ours(s))
		}
	}
	n.ours[uid] = goes
	return goes, nil
}
