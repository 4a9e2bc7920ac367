package plugin

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// whichRole is the error for several roles that may be meant, each of another
// cluster.
func (u *uninstall) whichRole(found []iam.Found) error {
	p := &problem.Error{
		Kind: problem.Refused,
		What: "several roles were made for a project named " + u.facts.Namespace.Value,
		Next: "",
	}
	var names, nexts []string
	for _, role := range found {
		names = append(names, role.Name+" for issuer "+role.Issuer())
		nexts = append(nexts, "oc ostoy-s3 uninstall -n "+u.facts.Namespace.Value+" --role-only --oidc-issuer "+role.Issuer())
	}
	p.Why = "they are of different clusters: " + strings.Join(names, ", ")
	p.Next = strings.Join(nexts, "\n")
	return p
}
