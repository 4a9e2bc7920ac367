package plugin

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
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
		names = append(names, role.Name+" for issuer "+advice.Issuer(role.Issuer()).String())
		nexts = append(nexts, advice.Command("oc ostoy-s3 uninstall -n", u.namespace(), "--role-only", "--oidc-issuer", advice.Issuer(role.Issuer()).Word()))
	}
	p.Why = "they are of different clusters: " + strings.Join(names, ", ")
	p.Next = strings.Join(nexts, "\n")
	return p
}
