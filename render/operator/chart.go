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

// HelmInstall is the line that installs ACK's chart, the newest there is, with
// Helm itself. valuesFrom is where Helm reads the values, as the shell is to see
// it: a file, or <(COMMAND).
func HelmInstall(f render.Facts, valuesFrom string) string {
	return "helm install " + Release + " " + Chart + " --namespace " + namespace(f) + " --create-namespace -f " + valuesFrom
}
