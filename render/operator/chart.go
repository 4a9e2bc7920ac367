package operator

import "github.com/oc-ostoy-s3/oc-ostoy-s3/render"

// ChartValues are the values for ACK's own chart (FACTS 1.8): the region, without
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
