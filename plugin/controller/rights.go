package controller

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const (
	olmGroup  = "operators.coreos.com"
	rbacGroup = "rbac.authorization.k8s.io"
)

// lookRights are what Look takes.
func lookRights(withOLM bool) []access.Right {
	rights := []access.Right{
		{Verb: "list", Group: "apps", Resource: "deployments"},
		{Verb: "get", Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"},
		{Verb: "get", Resource: "namespaces"},
	}
	if withOLM {
		rights = append(rights, access.Right{Verb: "list", Group: olmGroup, Resource: "subscriptions"})
	}
	return rights
}

// olmRights are what an installation by OLM takes besides, in our namespace.
func olmRights(namespace string) []access.Right {
	var rights []access.Right
	for _, one := range []struct {
		group, resource string
		verbs           string
	}{
		{"", "configmaps", "get create patch"},
		{"", "serviceaccounts", "get list watch create patch"},
		{"", "pods", "list watch delete"},
		{"", "pods/log", "get"},
		{"apps", "deployments", "list watch"},
		{olmGroup, "operatorgroups", "get list create patch"},
		{olmGroup, "subscriptions", "get list watch create patch"},
		{olmGroup, "installplans", "list watch patch"},
		{olmGroup, "clusterserviceversions", "list watch"},
	} {
		for _, verb := range strings.Fields(one.verbs) {
			rights = append(rights, access.Right{Verb: verb, Group: one.group, Resource: one.resource, Namespace: namespace})
		}
	}
	rights = append(rights, roleRights()...)
	return append(rights, access.Right{Verb: "create", Resource: "namespaces"})
}

// applyRights are what applying objects takes, and what following a chart's
// controller to its end does.
func applyRights(served *cluster.Served, namespace string, mode Mode, objects []*unstructured.Unstructured) ([]access.Right, error) {
	var rights []access.Right
	if mode == ByChart {
		rights = followRights(namespace)
	}
	for _, object := range objects {
		mapping, err := served.Mapping(object.GroupVersionKind())
		if err != nil {
			return nil, err
		}
		for _, verb := range []string{"get", "create", "patch"} {
			r := access.Right{Verb: verb, Group: mapping.Resource.Group, Resource: mapping.Resource.Resource, Namespace: object.GetNamespace()}
			if !slices.Contains(rights, r) {
				rights = append(rights, r)
			}
		}
	}
	return rights, nil
}

func followRights(namespace string) []access.Right {
	rights := []access.Right{{Verb: "create", Resource: "namespaces"}}
	for _, one := range []struct{ group, resource, verbs string }{
		{"", "configmaps", "get create patch"}, // the inventory
		{"", "serviceaccounts", "list watch"},
		{"", "pods", "list watch delete"},
		{"", "pods/log", "get"},
		{"apps", "deployments", "list watch"},
	} {
		for _, verb := range strings.Fields(one.verbs) {
			rights = append(rights, access.Right{Verb: verb, Group: one.group, Resource: one.resource, Namespace: namespace})
		}
	}
	return rights
}

// usualChartRights are what ACK's chart takes, for who may not even look and so is
// told before anything is known of the chart (FACTS 1.8).
func usualChartRights(namespace string) []access.Right {
	rights := followRights(namespace)
	for _, verb := range []string{"get", "create", "patch"} {
		rights = append(rights,
			access.Right{Verb: verb, Resource: "serviceaccounts", Namespace: namespace},
			access.Right{Verb: verb, Group: "apps", Resource: "deployments", Namespace: namespace},
			access.Right{Verb: verb, Group: rbacGroup, Resource: "roles", Namespace: namespace},
			access.Right{Verb: verb, Group: rbacGroup, Resource: "rolebindings", Namespace: namespace},
			access.Right{Verb: verb, Group: rbacGroup, Resource: "clusterrolebindings"},
			access.Right{Verb: verb, Group: "apiextensions.k8s.io", Resource: "customresourcedefinitions"})
	}
	return rights
}

const renderCommand = "oc ostoy-s3 controller render"

// renderOf prints what a chart brings, or, without one, the values for it.
func renderOf(chart string) string {
	if chart == "" {
		return renderCommand
	}
	return renderCommand + " --chart " + chart
}

func roleRights() []access.Right {
	var rights []access.Right
	for _, verb := range []string{"get", "create", "patch"} {
		rights = append(rights, access.Right{Verb: verb, Group: rbacGroup, Resource: "clusterroles"})
	}
	return rights
}

// MayLook refuses, with everything that is missing, who may not see what there is
// of controllers: nobody else can tell whether one may be installed. chart is where
// the chart is that it is to come by, "" for none.
func MayLook(ctx context.Context, conn *cluster.Conn, namespace, chart string) error {
	byChart := chart != ""
	served, err := conn.Discovery(ctx)
	if err != nil {
		return err
	}
	withOLM := served.Serves("operators.coreos.com/v1alpha1", "Subscription")
	look := lookRights(withOLM)
	if withOLM && !byChart {
		return refuseWithout(ctx, conn, namespace, renderCommand, append(look, olmRights(namespace)...))
	}
	if withOLM {
		for _, resource := range []string{"operatorgroups", "installplans", "clusterserviceversions"} {
			look = append(look, access.Right{Verb: "list", Group: olmGroup, Resource: resource, Namespace: namespace})
		}
	}
	look = append(look, access.Right{Verb: "get", Resource: "configmaps", Namespace: namespace})
	lacking, err := missing(ctx, conn, namespace, look)
	if err != nil || len(lacking) == 0 {
		return err // what else it takes, the plan says
	}
	look = append(look, roleRights()...)
	if byChart {
		for _, right := range usualChartRights(namespace) {
			if !slices.Contains(look, right) {
				look = append(look, right)
			}
		}
	}
	return refuseWithout(ctx, conn, namespace, renderOf(chart), look)
}

// mayInstall is MayLook for the objects of the plan, where OLM does not bring them.
func (p *Plan) mayInstall(ctx context.Context) error {
	if p.Mode == ByOLM {
		return nil
	}
	conn := p.found.World.Conn
	served, err := conn.Discovery(ctx)
	if err != nil {
		return err
	}
	rights, err := applyRights(served, p.found.Namespace, p.Mode, p.set)
	if err != nil {
		return err
	}
	return refuseWithout(ctx, conn, p.found.Namespace, renderOf(p.options.ChartFrom), rights)
}

// refuseWithout names every right that is missing, at once. render is the command
// that prints what an admin can apply instead.
func refuseWithout(ctx context.Context, conn *cluster.Conn, namespace, render string, rights []access.Right) error {
	missing, err := missing(ctx, conn, namespace, rights)
	if err != nil || len(missing) == 0 {
		return err
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "you may not install the ACK S3 controller",
		Why:  "not allowed: " + strings.Join(missing, "\n"),
		Next: "ask a cluster admin to run the same command, or to apply what this prints:\n" + render,
		More: "docs/controller.md",
	}
}

// missing tells which of the rights, in the namespace and everywhere, this user
// has not.
func missing(ctx context.Context, conn *cluster.Conn, namespace string, rights []access.Right) ([]string, error) {
	everywhere := slices.DeleteFunc(slices.Clone(rights), func(r access.Right) bool { return r.Namespace != "" })
	here := slices.DeleteFunc(slices.Clone(rights), func(r access.Right) bool { return r.Namespace == "" })
	denied, err := access.Denied(ctx, conn, everywhere)
	if err != nil {
		return nil, err
	}
	deniedHere, err := access.Missing(ctx, conn, namespace, here)
	return lines(denied, deniedHere, namespace), err
}

// lines tells rights by what they are on, "get, create configmaps".
func lines(everywhere, here []access.Right, namespace string) []string {
	var out []string
	for _, part := range []struct {
		rights []access.Right
		where  string
	}{{everywhere, "in the whole cluster"}, {here, "in " + namespace}} {
		var names []string
		verbs := map[string][]string{}
		for _, r := range part.rights {
			name := strings.TrimPrefix(r.String(), r.Verb+" ")
			if !slices.Contains(names, name) {
				names = append(names, name)
			}
			verbs[name] = append(verbs[name], r.Verb)
		}
		slices.Sort(names)
		for n, name := range names {
			names[n] = strings.Join(verbs[name], ", ") + " " + name
		}
		if len(names) > 0 {
			out = append(out, fmt.Sprintf("%s: %s", part.where, strings.Join(names, "; ")))
		}
	}
	return out
}
