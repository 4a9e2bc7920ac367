package controller

import (
	"context"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

const (
	olmGroup  = "operators.coreos.com"
	rbacGroup = "rbac.authorization.k8s.io"
)

// grant is what one may do with a resource: its verbs, with blanks between.
type grant struct{ group, resource, verbs string }

// rightsIn are rights in a namespace; "" is all namespaces, and what is in none.
func rightsIn(namespace string, grants ...grant) []access.Right {
	var rights []access.Right
	for _, g := range grants {
		for _, verb := range strings.Fields(g.verbs) {
			rights = append(rights, access.Right{Verb: verb, Group: g.group, Resource: g.resource, Namespace: namespace})
		}
	}
	return rights
}

// lookRights are what Look takes.
func lookRights(withOLM bool, namespace string) []access.Right {
	definitions := kinds.CustomResourceDefinition.GVR()
	everywhere := []grant{{"apps", "deployments", "list"}, {definitions.Group, definitions.Resource, "get"}, {"", "namespaces", "get"}}
	here := []grant{{"", "configmaps", "get"}}
	if withOLM {
		everywhere = append(everywhere, grant{olmGroup, "subscriptions", "list"})
		here = append(here, grant{olmGroup, "operatorgroups", "list"}, grant{olmGroup, "installplans", "list"}, grant{olmGroup, "clusterserviceversions", "list"})
	}
	return append(rightsIn("", everywhere...), rightsIn(namespace, here...)...)
}

// olmRights are what an installation by OLM takes besides.
func olmRights(served *cluster.Served, namespace string) []access.Right {
	return slices.Concat(followRights(namespace), roleRights(served), rightsIn(namespace,
		grant{"", "serviceaccounts", "get create patch"},
		grant{olmGroup, "operatorgroups", "get create patch"},
		grant{olmGroup, "subscriptions", "get list watch create patch"},
		grant{olmGroup, "installplans", "get list watch patch"},
		grant{olmGroup, "clusterserviceversions", "list watch"}))
}

// toApply are the verbs that a server-side apply takes, with the look before it.
const toApply = "get create patch"

// namespaceRights are what a namespace takes that the controller's role trusts: to
// create it, or to see who has permissions in it.
func namespaceRights(namespace string) []access.Right {
	return append(rightsIn("", grant{"", "namespaces", "create"}), rightsIn(namespace,
		grant{rbacGroup, "rolebindings", "list"},
		grant{rbacGroup, "roles", "get"})...)
}

// followRights are what bringing a controller takes, whichever way it comes: the
// namespace, the inventory, and a look at what becomes of it.
func followRights(namespace string) []access.Right {
	return append(namespaceRights(namespace), rightsIn(namespace,
		grant{"", "configmaps", toApply},
		grant{"", "serviceaccounts", "list watch"},
		grant{"", "pods", "list watch delete"},
		grant{"", "pods/log", "get"},
		grant{"apps", "deployments", "list watch"})...)
}

// roleRights are what giving projects their Buckets takes, with the policy where that is
// served.
func roleRights(served *cluster.Served) []access.Right {
	return append(admissionRights(served, toApply), rightsIn("", grant{rbacGroup, "clusterroles", toApply})...)
}

// admissionRights are what the policy takes, where it is served.
func admissionRights(served *cluster.Served, verbs string) []access.Right {
	if !live.ServesAdmission(served) {
		return nil
	}
	return rightsIn("",
		grant{operator.AdmissionGroup, "validatingadmissionpolicies", verbs},
		grant{operator.AdmissionGroup, "validatingadmissionpolicybindings", verbs})
}

// MayLook refuses, with all permissions that are missing, if you may not see which
// controllers exist: without that nothing shows whether one may be installed.
func MayLook(ctx context.Context, conn *cluster.Conn, namespace string) error {
	served, err := conn.Discovery(ctx)
	if err != nil {
		return err
	}
	look := lookRights(olm.Served(served), namespace)
	var lacking []access.Right
	if olm.Served(served) {
		lacking, err = denied(ctx, conn, namespace, append(look, olmRights(served, namespace)...))
	} else {
		lacking, err = deniedFirst(ctx, conn, namespace, look, append(roleRights(served), followRights(namespace)...))
	}
	return orRefused(lacking, err, namespace, mayNotInstall())
}

// mayInstall is MayLook for the objects of the plan, where OLM does not bring them.
func mayInstall(ctx context.Context, p *Plan) error {
	if p.Mode == ByOLM {
		return nil
	}
	conn := p.found.World.Conn
	served, err := conn.Discovery(ctx)
	if err != nil {
		return err
	}
	var rights []access.Right
	if p.Mode == ByHand { // to wait for the controller that Helm installs
		rights = followRights(p.found.Namespace)
	}
	for _, object := range p.set {
		mapping, err := served.Mapping(object.GroupVersionKind())
		if err != nil {
			return err
		}
		rights = append(rights, rightsIn(object.GetNamespace(), grant{mapping.Resource.Group, mapping.Resource.Resource, toApply})...)
	}
	lacking, err := denied(ctx, conn, p.found.Namespace, rights)
	return orRefused(lacking, err, p.found.Namespace, mayNotInstall())
}

func mayNotInstall() *problem.Error {
	return problem.Refuse("you may not install the ACK S3 controller", "",
		"ask a cluster admin to run the same command, or to apply what this prints:\n"+advice.Command("oc ostoy-s3 controller render"))
}

// orRefused names all permissions that are missing.
func orRefused(lacking []access.Right, err error, namespace string, refusal *problem.Error) error {
	if err != nil || len(lacking) == 0 {
		return err
	}
	refusal.Why = "not allowed: " + inWords(lacking, namespace)
	return refusal.See("docs/controller.md")
}

// denied are those of the rights, in the namespace and everywhere, that this user
// has not.
func denied(ctx context.Context, conn *cluster.Conn, namespace string, rights []access.Right) ([]access.Right, error) {
	var everywhere, here []access.Right
	for n, right := range rights {
		switch {
		case slices.Contains(rights[:n], right): // each once
		case right.Namespace == "":
			everywhere = append(everywhere, right)
		default:
			here = append(here, right)
		}
	}
	var lacking, lackingHere []access.Right
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { lacking, err = access.Denied(ctx, conn, everywhere); return err })
	group.Go(func() (err error) { lackingHere, err = access.Missing(ctx, conn, namespace, here); return err })
	err := group.Wait()
	return append(lacking, lackingHere...), err
}

// deniedFirst is denied for those first, and, where any of them is, for the others,
// too: who may not even look is told the whole at once.
func deniedFirst(ctx context.Context, conn *cluster.Conn, namespace string, first, others []access.Right) ([]access.Right, error) {
	lacking, err := denied(ctx, conn, namespace, first)
	if err != nil || len(lacking) == 0 {
		return nil, err
	}
	others = slices.DeleteFunc(slices.Clone(others), func(r access.Right) bool { return slices.Contains(first, r) })
	more, err := denied(ctx, conn, namespace, others)
	return append(lacking, more...), err
}

// inWords tells rights by what they are on, "get, create configmaps", first those
// in the whole cluster, then those in the namespace.
func inWords(rights []access.Right, namespace string) string {
	var out []string
	for _, where := range []string{"", namespace} {
		verbs := map[string][]string{}
		for _, r := range rights {
			if r.Namespace == where {
				name := strings.TrimPrefix(r.String(), r.Verb+" ")
				verbs[name] = append(verbs[name], r.Verb)
			}
		}
		var names []string
		for _, name := range slices.Sorted(maps.Keys(verbs)) {
			slices.Sort(verbs[name])
			names = append(names, strings.Join(verbs[name], ", ")+" "+name)
		}
		in := "in the whole cluster: "
		if where != "" {
			in = "in " + where + ": "
		}
		if len(names) > 0 {
			out = append(out, in+strings.Join(names, "; "))
		}
	}
	return strings.Join(out, "\n")
}
