package render

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// ValueFile is a values file as the user gave it.
type ValueFile struct {
	Name string // for messages
	Data []byte // YAML or JSON
}

// Options is everything besides the Facts that decides what is rendered.
type Options struct {
	// RoleARN goes into the service account's annotation and the pod.
	RoleARN string
	// Recorded are values of the last install, as Recall gives them; weaker than all that
	// follow. Reset says that the user does not want them.
	Recorded map[string]any
	Reset    bool
	// Files, Set and SetString are the user's values, weakest first, as in Helm.
	Files     []ValueFile
	Set       []string
	SetString []string
	// IncludeNamespace puts the Namespace in front of the objects.
	IncludeNamespace bool
}

// Expose values of the chart.
const (
	exposeAuto  = "auto"
	exposeRoute = "route"
	exposeNone  = "none"
)

// routeAPI is the group and version a cluster with OpenShift's router serves.
const routeAPI = "route.openshift.io/v1"

// Values computes the chart's values: the chart's defaults, then what the
// user gave, then what follows from the Facts. A user may repeat a computed
// value, as a file made by `oc ostoy-s3 values` does, but not contradict it.
//
// A default that the user took away is there as null, so that whoever reads the
// values as a file, Helm or we, does not put it back.
func (r *Renderer) Values(f Facts, o Options) (map[string]any, error) {
	values, err := r.values(f, o)
	if err != nil {
		return nil, err
	}
	return withNulls(values, r.chart.chart.Values), nil
}

// withNulls are the values with what only the defaults have as null.
func withNulls(values, defaults map[string]any) map[string]any {
	all := maps.Clone(values)
	for key, by := range defaults {
		have, there := all[key]
		if !there {
			all[key] = nil
			continue
		}
		haveTable, _ := have.(map[string]any)
		if table, ok := by.(map[string]any); ok && haveTable != nil {
			all[key] = withNulls(haveTable, table)
		}
	}
	return all
}

// values are those that the chart is rendered with.
func (r *Renderer) values(f Facts, o Options) (map[string]any, error) {
	user, err := userValues(o)
	if err != nil {
		return nil, err
	}
	computed := factValues(f, o.RoleARN)
	if err := contradiction(user, computed, nil); err != nil {
		return nil, err
	}
	values, err := r.chart.defaults(layOver(user, computed))
	if err != nil {
		return nil, err
	}
	resolvePolicy(values, f)
	return values, resolveExpose(values, f)
}

// factValues are the chart values that the Facts decide.
func factValues(f Facts, roleARN string) map[string]any {
	tags := map[string]any{}
	for key, value := range OwnershipTags(f) {
		tags[key] = value
	}
	return map[string]any{
		"aws": map[string]any{
			"accountID": f.Account.Value,
			"partition": f.Partition.Value,
			"region":    f.Region.Value,
			"roleARN":   roleARN,
		},
		"audience": f.Audience.Value,
		"tags":     tags,
	}
}

// userValues merges the record, files, --set and --set-string in Helm's order.
func userValues(o Options) (map[string]any, error) {
	merged := runtime.DeepCopyJSON(over(o.Recorded, nil)) // an expression of --set changes tables in place
	for _, file := range o.Files {
		values, err := parseValueFile(file)
		if err != nil {
			return nil, err
		}
		merged = over(merged, values)
	}
	for _, set := range []struct {
		flag        string
		expressions []string
		asString    bool
	}{{"--set", o.Set, false}, {"--set-string", o.SetString, true}} {
		for _, expression := range set.expressions {
			if err := parseSet(merged, expression, set.asString); err != nil {
				return nil, problem.Input(set.flag+" "+setKey(expression), setFault(err),
					"write it as key=value or key.inner=value, several separated by commas").Because(err)
			}
		}
	}
	return merged, nil
}

func parseValueFile(file ValueFile) (map[string]any, error) {
	wrong := func(why string, err error) error {
		return problem.Input("values file "+file.Name, why,
			"give a YAML file whose top level is a mapping, as oc ostoy-s3 values prints").Because(err)
	}
	var content any
	if err := yaml.Unmarshal(file.Data, &content); err != nil {
		return nil, wrong("it is not YAML: "+yamlFault(err), err)
	}
	switch values := content.(type) {
	case nil:
		return map[string]any{}, nil
	case map[string]any:
		return values, nil
	case []any:
		return nil, wrong("it holds a list, not a mapping", nil)
	default:
		return nil, wrong(fmt.Sprintf("it holds a single %T, not a mapping", content), nil)
	}
}

// contradiction reports the first value the user set otherwise than the Facts
// say: a bucket must not end up in a region the role was not planned for.
func contradiction(user, computed map[string]any, at []string) error {
	for _, key := range slices.Sorted(maps.Keys(computed)) {
		given, set := user[key]
		if !set || given == nil {
			continue
		}
		here := append(slices.Clone(at), key)
		want, table := computed[key].(map[string]any)
		if inner, ok := given.(map[string]any); ok && table {
			if err := contradiction(inner, want, here); err != nil {
				return err
			}
			continue
		}
		if !reflect.DeepEqual(given, computed[key]) {
			return problem.Input(fmt.Sprintf("value %s=%s", strings.Join(here, "."), plain(given)),
				fmt.Sprintf("it follows from the facts, which say %q", fmt.Sprint(computed[key])),
				"give the fact instead, for example --region, --account-id, --audience or --role-name")
		}
	}
	return nil
}

// resolveExpose decides "auto" and refuses a Route the cluster does not serve.
func resolveExpose(values map[string]any, f Facts) error {
	served := servesRoutes(f)
	switch values["expose"] {
	case exposeAuto:
		values["expose"] = exposeNone
		if served {
			values["expose"] = exposeRoute
		}
	case exposeRoute:
		if !served {
			return problem.Input("value expose=route", "the cluster does not serve "+routeAPI,
				"use --set expose=ingress or --set expose=none, or name the API with --api-versions "+routeAPI)
		}
	}
	return nil
}

// servesRoutes reports whether the cluster serves OpenShift's Routes.
func servesRoutes(f Facts) bool {
	return slices.ContainsFunc(f.APIVersions.Values, func(v string) bool {
		return v == routeAPI || strings.HasPrefix(v, routeAPI+"/")
	})
}

// openShiftClass is the ingress class of OpenShift's default router.
const openShiftClass = "openshift-default"

// byOtherIngress reports whether the app is exposed by an Ingress of another class than
// OpenShift's. Its controller can be in any namespace, so no policy that the chart could
// write is known to allow it. The annotation is what named the class before
// ingressClassName.
func byOtherIngress(values map[string]any) bool {
	if values["expose"] != "ingress" {
		return false
	}
	class, _, _ := unstructured.NestedString(values, "ingress", "className")
	if class == "" {
		class, _, _ = unstructured.NestedString(values, "ingress", "annotations", "kubernetes.io/ingress.class")
	}
	return class != "" && class != openShiftClass
}

// resolvePolicy decides "auto" of networkPolicy.ingress, so that the values that are
// printed give Helm the same objects, whatever it knows of the cluster. A value that
// the user removed with null counts as "auto", as in the templates.
func resolvePolicy(values map[string]any, f Facts) {
	policy, _ := values["networkPolicy"].(map[string]any)
	if policy["ingress"] != nil && policy["ingress"] != "auto" {
		return
	}
	resolved := map[string]any{}
	maps.Copy(resolved, policy)
	resolved["ingress"] = "open"
	if servesRoutes(f) && !byOtherIngress(values) {
		resolved["ingress"] = "restricted"
	}
	values["networkPolicy"] = resolved
}
