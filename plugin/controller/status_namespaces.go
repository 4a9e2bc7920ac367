package controller

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
)

// TrustedNamespace is a namespace that the permissions of a controller depend on.
type TrustedNamespace struct {
	status.Part
	Namespace string `json:"namespace"`
	// Writers are those who can write to it, and could not do so in every namespace; the
	// first of them.
	Writers []string `json:"writers,omitempty"`
}

// trustedNamespaces judges them.
func trustedNamespaces(trusts []live.Trust) []TrustedNamespace {
	var all []TrustedNamespace
	for _, one := range trusts {
		all = append(all, TrustedNamespace{Part: trustPart(one), Namespace: one.Namespace, Writers: one.Writers.Names()})
	}
	return all
}

func trustPart(t live.Trust) status.Part {
	switch {
	case t.Missing:
		return part(status.Warning, "does not exist: a user who can create it can create the service account that the policy exempts", "oc ostoy-s3 controller install")
	case len(t.Writers) > 0:
		return part(status.Warning, t.Writers.Why(), t.Ways())
	case t.Needs != "":
		return part(status.Unknown, "who can write to it was not checked: requires "+t.Needs, "")
	case t.Err != nil:
		return unseen(t.Err)
	}
	return part(status.OK, "no RoleBinding lets anybody but cluster admins write to it", "")
}
