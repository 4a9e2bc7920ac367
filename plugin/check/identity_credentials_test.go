package check

import (
	"net/http"
	"strings"
	"testing"

	core "k8s.io/api/core/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// TestWinsOverRole: whatever OSToy's SDK finds before the role's token is named, in every
// container, by names alone, also by way of a whole ConfigMap or Secret, one of which this
// user may not read.
func TestWinsOverRole(t *testing.T) {
	server := clustertest.New(t, "v1.33.0", "v1/Secret", "v1/ConfigMap", "apps/v1/Deployment", "v1/Pod")
	server.Handle("GET /api/v1/namespaces/demo/secrets/keys", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write([]byte(`{"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"}, "data": {"ACCESS_KEY_ID": "bm90LXRvLWJlLXNlZW4=", "X": ""}}`))
	})
	server.Handle("GET /api/v1/namespaces/demo/secrets/hidden", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"apiVersion": "v1", "kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": "no"}`))
	})
	server.Answer("GET /api/v1/namespaces/demo/configmaps/settings", fromYAML(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: settings}, data: {AWS_PROFILE: a, other: x}}`).Object)
	deployment := fromYAML(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: ostoy-frontend}, spec: {template: {spec: {containers: [{name: ostoy-frontend, env: [
  {name: AWS_ACCESS_KEY_ID, value: x}]}]}}}}`)
	server.Answer("GET /apis/apps/v1/namespaces/demo/deployments", map[string]any{"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": map[string]any{}, "items": []any{deployment.Object}})
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	from := func(name, prefix string) core.EnvFromSource {
		return core.EnvFromSource{Prefix: prefix, SecretRef: &core.SecretEnvSource{LocalObjectReference: core.LocalObjectReference{Name: name}}}
	}
	own := func(name, value string) func(*core.Pod) {
		return func(p *core.Pod) {
			c := &p.Spec.Containers[0]
			c.Env = append(c.Env, core.EnvVar{Name: name, Value: value})
		}
	}
	all := func(some ...core.EnvFromSource) func(*core.Pod) {
		return func(p *core.Pod) { p.Spec.Containers[0].EnvFrom = some }
	}
	ref := func(name string, from core.EnvVarSource) func(*core.Pod) {
		return func(p *core.Pod) { p.Spec.Containers[0].Env = []core.EnvVar{{Name: name, ValueFrom: &from}} }
	}
	key := func(object, key string, optional bool) core.EnvVarSource {
		return core.EnvVarSource{SecretKeyRef: &core.SecretKeySelector{LocalObjectReference: core.LocalObjectReference{Name: object}, Key: key, Optional: &optional}}
	}
	volume := func(at, subPath string, source core.VolumeSource) func(*core.Pod) {
		return func(p *core.Pod) {
			p.Spec.Volumes = append(p.Spec.Volumes, core.Volume{Name: "files", VolumeSource: source})
			p.Spec.Containers[0].VolumeMounts = append(p.Spec.Containers[0].VolumeMounts, core.VolumeMount{Name: "files", MountPath: at, SubPath: subPath})
		}
	}
	const file = "volume files at "
	items := []core.KeyToPath{{Key: "x", Path: ".aws/credentials"}}
	for name, c := range map[string]struct {
		change func(*core.Pod)
		want   Status
		says   string
	}{
		"none":                    {func(*core.Pod) {}, Passed, ""},
		"its own":                 {own("AWS_ACCESS_KEY_ID", "not-to-be-seen"), Failed, "AWS_ACCESS_KEY_ID"},
		"its own, to unset":       {own("AWS_ACCESS_KEY_ID", "x"), Failed, "oc set env deployment/ostoy-frontend AWS_ACCESS_KEY_ID- AWS_SECRET_ACCESS_KEY- -n demo"},
		"an empty one":            {own("AWS_ACCESS_KEY_ID", ""), Passed, ""},
		"of Amazon":               {own("AMAZON_ACCESS_KEY_ID", "x"), Failed, "AMAZON_ACCESS_KEY_ID"},
		"a profile":               {own("AWS_PROFILE", "admin"), Failed, "AWS_PROFILE"},
		"a credentials file":      {own("AWS_SHARED_CREDENTIALS_FILE", "/creds"), Failed, "AWS_SHARED_CREDENTIALS_FILE"},
		"a credentials file, off": {own("AWS_SHARED_CREDENTIALS_FILE", "/dev/null"), Passed, ""},
		"a configuration file":    {own("AWS_CONFIG_FILE", "/config"), Failed, "AWS_CONFIG_FILE"},
		"ECS":                     {own("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "/x"), Failed, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"},
		"EKS Pod Identity": {
			own("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://169.254.170.23/v1/credentials"), Failed,
			"aws eks list-pod-identity-associations --cluster-name CLUSTER --namespace demo --service-account ostoy-sa",
		},
		"a webhook's profile": {own("AWS_PROFILE", "x"), Failed, "oc get mutatingwebhookconfigurations"},
		"another variable":    {own("AWS_EC2_METADATA_DISABLED", "true"), Passed, ""},
		"half a key":          {own("AWS_SECRET_ACCESS_KEY", "x"), Passed, ""},
		"by reference":        {ref("AMAZON_ACCESS_KEY_ID", core.EnvVarSource{}), Failed, "AMAZON_ACCESS_KEY_ID"},
		"by a key":            {ref("AWS_ACCESS_KEY_ID", key("hidden", "x", false)), Failed, "AWS_ACCESS_KEY_ID of Secret hidden"},
		"by a key if it is there": {
			ref("AWS_ACCESS_KEY_ID", key("keys", "ACCESS_KEY_ID", true)), Failed, "AWS_ACCESS_KEY_ID of Secret keys",
		},
		"by a key that is not there":         {ref("AWS_ACCESS_KEY_ID", key("keys", "none", true)), Passed, ""},
		"by a key that nobody sees":          {ref("AWS_ACCESS_KEY_ID", key("hidden", "x", true)), NotAllowed, "get secrets hidden in demo"},
		"of a Secret":                        {all(from("keys", "AWS_")), Failed, "AWS_ACCESS_KEY_ID of Secret keys"},
		"of another prefix":                  {all(from("keys", "")), Passed, ""},
		"of nothing":                         {all(core.EnvFromSource{}), Passed, ""},
		"of what may be hidden":              {all(from("hidden", "")), NotAllowed, "get secrets hidden in demo"},
		"of a ConfigMap":                     {all(core.EnvFromSource{ConfigMapRef: &core.ConfigMapEnvSource{LocalObjectReference: core.LocalObjectReference{Name: "settings"}}}), Failed, "AWS_PROFILE of ConfigMap settings"},
		"of a Secret, but its own wins":      {func(p *core.Pod) { all(from("keys", "AWS_"))(p); own("AWS_ACCESS_KEY_ID", "")(p) }, Passed, ""},
		"files in a home":                    {volume("/home/app/.aws", "", core.VolumeSource{}), Failed, file + "/home/app/.aws"},
		"one file in a home":                 {volume("/.aws/credentials", "x", core.VolumeSource{}), Failed, file + "/.aws/credentials"},
		"files below a home, of Secret":      {volume("/home/app", "", core.VolumeSource{Secret: &core.SecretVolumeSource{Items: items}}), Failed, file + "/home/app"},
		"files below a home, of several":     {volume("/", "", core.VolumeSource{Projected: &core.ProjectedVolumeSource{Sources: []core.VolumeProjection{{ConfigMap: &core.ConfigMapProjection{Items: items}}}}}), Failed, file + "/"},
		"files below a home, of annotations": {volume("/home/app", "", core.VolumeSource{DownwardAPI: &core.DownwardAPIVolumeSource{Items: []core.DownwardAPIVolumeFile{{Path: ".aws/config"}}}}), Failed, file + "/home/app"},
		"files elsewhere":                    {volume("/var/aws", "", core.VolumeSource{Secret: &core.SecretVolumeSource{}}), Passed, ""},
		"in a sidecar": {func(p *core.Pod) {
			p.Spec.Containers[1].Env = []core.EnvVar{{Name: "AWS_ACCESS_KEY_ID", Value: "x"}}
		}, Failed, "sidecar in pod"},
		"in any init container": {func(p *core.Pod) {
			p.Spec.InitContainers = append(p.Spec.InitContainers, core.Container{Name: "first", Env: []core.EnvVar{{Name: "AWS_PROFILE", Value: "x"}}})
		}, Failed, "first in pod"},
	} {
		t.Run(name, func(t *testing.T) {
			look := identityLook{World: &live.World{Conn: conn, Namespace: "demo", Facts: identityFacts()}}
			finding := podCredentials(t.Context(), look, goodPod(c.change))
			wantFinding(t, finding, c.want, c.says)
			if text := finding.What + finding.Why + finding.Next; strings.Contains(text, "not-to-be-seen") || strings.Contains(text, "bm90") {
				t.Errorf("a value is shown: %s", text)
			}
		})
	}
}

// TestWinsOverRoleBeforePods: what a webhook adds is seen in the pods; if there is none,
// the template says what the next one has.
func TestWinsOverRoleBeforePods(t *testing.T) {
	now := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	const pods, deployments = "/api/v1/namespaces/demo/pods", "/apis/apps/v1/namespaces/demo/deployments"
	none := now.with(pods, map[string]any{"apiVersion": "v1", "kind": "PodList", "metadata": map[string]any{}, "items": []any{}})
	keyed := fromYAML(t, `{apiVersion: apps/v1, kind: Deployment, metadata: {name: ostoy-frontend}, spec: {template: {spec: {containers: [{name: ostoy-frontend, env: [{name: AWS_PROFILE, value: x}]}]}}}}`)
	template := map[string]any{"apiVersion": "apps/v1", "kind": "DeploymentList", "metadata": map[string]any{}, "items": []any{keyed.Object}}
	played := newStage(t, now)
	wantFinding(t, identityLook{World: played.world(now)}.credentials(t.Context()), Passed)
	wantFinding(t, identityLook{World: played.world(none)}.credentials(t.Context()), Skipped)
	wantFinding(t, identityLook{World: played.world(none.with(deployments, template))}.credentials(t.Context()), Failed, "AWS_PROFILE", "pod template of deployment/ostoy-frontend")
	wantFinding(t, identityLook{World: played.world(now.with(deployments, template))}.credentials(t.Context()), Passed)
}

// TestRoleElsewhere: a role by reference is read from a ConfigMap, and otherwise not
// verified.
func TestRoleElsewhere(t *testing.T) {
	server := clustertest.New(t, "v1.33.0", "v1/ConfigMap")
	conn, err := cluster.Connect(server.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	server.Answer("GET /api/v1/namespaces/demo/configmaps/role", fromYAML(t, `{apiVersion: v1, kind: ConfigMap, metadata: {name: role}, data: {good: "`+goodARN+`", other: "arn:aws:iam::123456789012:role/other"}}`).Object)
	record := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "ostoy-s3", "labels": map[string]any{"app.kubernetes.io/managed-by": "oc-ostoy-s3"}}, "data": map[string]any{"roleARN": goodARN}}
	server.Answer("GET /api/v1/namespaces/demo/configmaps/ostoy-s3", record)
	of := func(key string) *core.EnvVarSource {
		return &core.EnvVarSource{ConfigMapKeyRef: &core.ConfigMapKeySelector{LocalObjectReference: core.LocalObjectReference{Name: "role"}, Key: key}}
	}
	for name, c := range map[string]struct {
		from *core.EnvVarSource
		last string // a later entry of the same name
		want Status
		says string
	}{
		"in the pod":              {nil, "", Passed, ""},
		"of a ConfigMap":          {of("good"), "", Passed, ""},
		"of another":              {of("other"), "", Failed, "role/other"},
		"of another, and not set": {of("other"), goodARN, Passed, ""},
		"of a Secret":             {&core.EnvVarSource{SecretKeyRef: &core.SecretKeySelector{}}, "", NotAllowed, "which role pod ostoy-frontend-1 assumes"},
		"of an annotation":        {&core.EnvVarSource{FieldRef: &core.ObjectFieldSelector{}}, "", NotAllowed, "which role pod ostoy-frontend-1 assumes"},
	} {
		pod := goodPod()
		if c.from != nil {
			pod.Spec.Containers[0].Env[0] = core.EnvVar{Name: roleVariable, ValueFrom: c.from}
		}
		if c.last != "" {
			pod.Spec.Containers[0].Env = append(pod.Spec.Containers[0].Env, core.EnvVar{Name: roleVariable, Value: c.last})
		}
		look := identityLook{World: &live.World{Conn: conn, Namespace: "demo", Facts: identityFacts()}}
		t.Run(name, func(t *testing.T) { wantFinding(t, roleElsewhere(t.Context(), look, pod), c.want, c.says) })
	}
}
