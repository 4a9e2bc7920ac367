package operator

import (
	"cmp"
	"maps"
	"strconv"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Waves, all before the app's: what the pod does not start without is there
// before OLM hears of the operator.
const (
	waveNamespace    = -4
	waveFurniture    = -3
	waveSubscription = -2
)

// Objects are what has OLM install the controller, in apply order: ServiceAccount,
// ConfigMap, Subscription, and, if the options ask for them, Namespace and
// OperatorGroup. Access is applied with them. The error is a *problem.Error that names
// the flag which gives what is missing.
//
// The Subscription asks for manual approval, so that OLM installs the version
// named and upgrades to no other by itself.
func Objects(f render.Facts, o Options) ([]*unstructured.Unstructured, error) {
	if err := cmp.Or(Validate(f, o), o.validateCatalog()); err != nil {
		return nil, err
	}
	objects := []*unstructured.Unstructured{serviceAccount(f, o), userConfig(f), subscription(f, o)}
	if o.Namespace {
		objects = append(objects, newObject("v1", "Namespace", "", namespace(f), waveNamespace))
	}
	if o.OperatorGroup {
		objects = append(objects, operatorGroup(f))
	}
	render.Sort(objects)
	return objects, nil
}

// newObject is an object with our labels and its wave. in is its namespace, ""
// for none.
func newObject(apiVersion, kind, in, name string, wave int) *unstructured.Unstructured {
	metadata := map[string]any{
		"name":        name,
		"labels":      map[string]any{"app.kubernetes.io/managed-by": render.ManagedBy, "app.kubernetes.io/part-of": Package},
		"annotations": map[string]any{render.WaveAnnotation: strconv.Itoa(wave)},
	}
	if in != "" {
		metadata["namespace"] = in
	}
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": apiVersion, "kind": kind, "metadata": metadata}}
}

// operatorGroup has operators in its namespace watch all namespaces, which is what
// an empty spec means.
func operatorGroup(f render.Facts) *unstructured.Unstructured {
	group := newObject("operators.coreos.com/v1", "OperatorGroup", namespace(f), GroupName, waveFurniture)
	group.Object["spec"] = map[string]any{}
	return group
}

// serviceAccount has no labels: at every InstallPlan OLM drops those that its own
// bundle does not set (EnsureServiceAccount in its pkg/controller/operators/catalog),
// and a second run would find a difference.
func serviceAccount(f render.Facts, o Options) *unstructured.Unstructured {
	account := newObject("v1", "ServiceAccount", namespace(f), ServiceAccount, waveFurniture)
	unstructured.RemoveNestedField(account.Object, "metadata", "labels")
	all := account.Object["metadata"].(map[string]any)["annotations"].(map[string]any)
	maps.Copy(all, annotations(f, o))
	return account
}

func userConfig(f render.Facts) *unstructured.Unstructured {
	data := map[string]any{}
	for key, value := range SafeConfig(f.Region.Value) {
		data[key] = value
	}
	config := newObject("v1", "ConfigMap", namespace(f), UserConfig, waveFurniture)
	config.Object["data"] = data
	return config
}

func subscription(f render.Facts, o Options) *unstructured.Unstructured {
	spec := map[string]any{
		"channel":             Channel,
		"name":                Package,
		"source":              o.Catalog,
		"sourceNamespace":     o.CatalogNamespace,
		"installPlanApproval": "Manual",
		"startingCSV":         o.StartingCSV,
	}
	if o.inPod() {
		spec["config"] = map[string]any{
			// The region too: a webhook that finds none in env puts in the cluster's,
			// which wins over the ConfigMap: that one is in envFrom.
			"env":          append(identityEnv(o), variable("AWS_REGION", f.Region.Value)),
			"volumes":      tokenVolumes(f),
			"volumeMounts": tokenMounts(),
		}
	}
	s := newObject("operators.coreos.com/v1alpha1", "Subscription", namespace(f), SubscriptionName, waveSubscription)
	s.Object["spec"] = spec
	return s
}

// tokenSeconds is how long a token lives: the webhook's default, a day. Kubelet
// renews it long before.
const tokenSeconds int64 = 86400

// annotations are the webhook's, for the service account. The audience is always said:
// the webhook's default is openshift on ROSA HCP and sts.amazonaws.com elsewhere.
func annotations(f render.Facts, o Options) map[string]any {
	return map[string]any{
		"eks.amazonaws.com/role-arn":               o.RoleARN,
		"eks.amazonaws.com/audience":               audience(f),
		"eks.amazonaws.com/sts-regional-endpoints": "true",
	}
}

// identityEnv are the variables by which the SDK takes the role. AWS's global STS
// endpoint is out of reach of private clusters, so the regional one is asked for.
func identityEnv(o Options) []any {
	return []any{
		variable("AWS_ROLE_ARN", o.RoleARN),
		variable("AWS_WEB_IDENTITY_TOKEN_FILE", TokenFile),
		variable("AWS_STS_REGIONAL_ENDPOINTS", "regional"),
	}
}

func variable(name, value string) map[string]any { return map[string]any{"name": name, "value": value} }

// tokenVolumes holds the token as the webhook would project it. The mode is the
// API server's default, said so that nothing has to be filled in.
func tokenVolumes(f render.Facts) []any {
	return []any{map[string]any{
		"name": TokenVolume,
		"projected": map[string]any{
			"defaultMode": int64(0o644),
			"sources": []any{map[string]any{
				"serviceAccountToken": map[string]any{
					"audience":          audience(f),
					"expirationSeconds": tokenSeconds,
					"path":              "token",
				},
			}},
		},
	}}
}

func tokenMounts() []any {
	return []any{map[string]any{"name": TokenVolume, "mountPath": TokenMount, "readOnly": true}}
}

// ChartValues are the values for ACK's own chart (s3-chart): the region, without
// which its controller does not start, and what gives its pod the role. Its
// defaults are not repeated, but for the service account's name, which the role's
// trust policy names. Facts and options are to be such that Validate has no
// complaint; those about OLM's catalogs do not matter.
//
// What Subscription means for OLM is said to the chart as extra volumes and
// variables of its Deployment.
func ChartValues(f render.Facts, o Options) map[string]any {
	values := map[string]any{
		"aws":            map[string]any{"region": f.Region.Value},
		"serviceAccount": map[string]any{"name": ServiceAccount, "annotations": annotations(f, o)},
	}
	if o.inPod() {
		values["deployment"] = map[string]any{
			// Not AWS_REGION: the chart sets that, and a list of variables with one
			// of them twice cannot be applied.
			"extraEnvVars":      identityEnv(o),
			"extraVolumes":      tokenVolumes(f),
			"extraVolumeMounts": tokenMounts(),
		}
	}
	return values
}

// HelmWords are what "helm install" is given to install ACK's chart, the newest there is:
// the words before its values.
func HelmWords(f render.Facts) []string {
	return []string{Release, Chart, "--namespace", namespace(f), "--create-namespace"}
}

// SafeConfig is the data of a UserConfig with which every version of the bundle
// starts. The bundle passes each key to a flag as $(KEY), which stays
// as it is, and ends the controller, where a key is missing; one too many does no
// harm. region is for example us-east-2.
func SafeConfig(region string) map[string]string {
	return map[string]string{
		"ACK_ENABLE_DEVELOPMENT_LOGGING":         "false",
		"ACK_LOG_LEVEL":                          "info",
		"ACK_RESOURCE_TAGS":                      "services.k8s.aws/controller-version=%CONTROLLER_SERVICE%-%CONTROLLER_VERSION%,services.k8s.aws/namespace=%K8S_NAMESPACE%",
		"ACK_WATCH_NAMESPACE":                    "",
		"AWS_ENDPOINT_URL":                       "",
		"AWS_REGION":                             region,
		"ENABLE_CARM":                            "true",
		"ENABLE_LEADER_ELECTION":                 "true",
		"FEATURE_GATES":                          "",
		"LEADER_ELECTION_NAMESPACE":              "",
		"RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS": "1",
	}
}
