package charts_test

import (
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const tokenDir = "/var/run/secrets/eks.amazonaws.com/serviceaccount"

// pod is the pod template's spec of a Deployment.
func pod(t *testing.T, found objects, deployment string) map[string]any {
	t.Helper()
	return at(t, found.get(t, "Deployment "+deployment).Object, "spec", "template", "spec").(map[string]any)
}

// container returns the container of a name, nil if there is none.
func container(spec map[string]any, name string) map[string]any {
	for _, list := range []string{"initContainers", "containers"} {
		members, _ := spec[list].([]any)
		for _, member := range members {
			if c := member.(map[string]any); c["name"] == name {
				return c
			}
		}
	}
	return nil
}

// env is the environment of a container; references show as their path or key.
func env(t *testing.T, c map[string]any) map[string]string {
	t.Helper()
	variables := map[string]string{}
	for _, member := range c["env"].([]any) {
		v := member.(map[string]any)
		name := v["name"].(string)
		if _, twice := variables[name]; twice {
			t.Errorf("%s is set twice in %s", name, c["name"])
		}
		switch from, _ := v["valueFrom"].(map[string]any); {
		case from["fieldRef"] != nil:
			variables[name] = "field " + at(t, from, "fieldRef", "fieldPath").(string)
		case from["secretKeyRef"] != nil:
			variables[name] = "secret " + at(t, from, "secretKeyRef", "name").(string) + "/" + at(t, from, "secretKeyRef", "key").(string)
		default:
			variables[name] = v["value"].(string)
		}
	}
	return variables
}

// tokenMount is the mount of the AWS token in a container, nil if there is none.
func tokenMount(c map[string]any) any {
	mounts, _ := c["volumeMounts"].([]any)
	for _, mount := range mounts {
		if mount.(map[string]any)["name"] == "aws-iam-token" {
			return mount
		}
	}
	return nil
}

// volume returns the volume of a name, nil if there is none.
func volume(spec map[string]any, name string) any {
	volumes, _ := spec["volumes"].([]any)
	for _, v := range volumes {
		if v.(map[string]any)["name"] == name {
			return v
		}
	}
	return nil
}

func TestPodIdentity(t *testing.T) {
	always := map[string]string{
		"NAMESPACE":                  "field metadata.namespace",
		"AWS_REGION":                 "us-east-2",
		"AWS_STS_REGIONAL_ENDPOINTS": "regional",
	}
	const evictKey = "cluster-autoscaler.kubernetes.io/safe-to-evict-local-volumes"
	evictable := map[string]any{evictKey: "tmp"}
	projected := maps.Clone(always)
	projected["AWS_ROLE_ARN"] = roleARN
	projected["AWS_WEB_IDENTITY_TOKEN_FILE"] = tokenDir + "/token"
	for _, tc := range []struct {
		mode        string
		env         map[string]string
		mount       any
		volume      any
		annotations map[string]any
	}{
		{
			mode: "projected", env: projected, annotations: evictable,
			mount: map[string]any{"name": "aws-iam-token", "mountPath": tokenDir, "readOnly": true},
			volume: map[string]any{"name": "aws-iam-token", "projected": map[string]any{
				"defaultMode": int64(420),
				"sources": []any{map[string]any{"serviceAccountToken": map[string]any{
					"audience": "my.audience", "expirationSeconds": int64(3600), "path": "token",
				}}},
			}},
		},
		{
			// The webhook brings role and token, and looks at the account only
			// when a pod is made: what changes there has to change the pod.
			mode: "webhook", env: always,
			annotations: map[string]any{"ostoy-s3/role-arn": roleARN, "ostoy-s3/audience": "my.audience", evictKey: "tmp"},
		},
	} {
		t.Run(tc.mode, func(t *testing.T) {
			found := render(t, input{set: []string{"podIdentity=" + tc.mode, "audience=my.audience"}})
			spec := pod(t, found, "ostoy-frontend")
			for _, name := range []string{"wait-for-bucket", "ostoy-frontend"} {
				c := container(spec, name)
				got := env(t, c)
				maps.DeleteFunc(got, func(key, _ string) bool {
					return !strings.HasPrefix(key, "AWS_") && key != "NAMESPACE"
				})
				if diff := cmp.Diff(tc.env, got); diff != "" {
					t.Errorf("environment of %s (-want +got):\n%s", name, diff)
				}
				if diff := cmp.Diff(tc.mount, tokenMount(c)); diff != "" {
					t.Errorf("mount in %s (-want +got):\n%s", name, diff)
				}
			}
			if diff := cmp.Diff(tc.volume, normal(t, volume(spec, "aws-iam-token"))); diff != "" {
				t.Errorf("volume (-want +got):\n%s", diff)
			}
			annotations := at(t, found.get(t, "Deployment ostoy-frontend").Object, "spec", "template", "metadata", "annotations")
			if diff := cmp.Diff(any(tc.annotations), annotations); diff != "" {
				t.Errorf("pod annotations (-want +got):\n%s", diff)
			}
		})
	}
}

func TestFrontend(t *testing.T) {
	found := render(t, input{})
	deployment := found.get(t, "Deployment ostoy-frontend")
	if got := at(t, deployment.Object, "spec", "strategy", "type"); got != "Recreate" {
		t.Errorf("strategy %v: two pods cannot share the volume", got)
	}
	spec := pod(t, found, "ostoy-frontend")
	if spec["serviceAccountName"] != "ostoy-sa" || spec["automountServiceAccountToken"] != false {
		t.Errorf("service account %v, API token mounted: %v", spec["serviceAccountName"], spec["automountServiceAccountToken"])
	}
	c := container(spec, "ostoy-frontend")
	if got := c["image"]; got != "quay.io/ostoylab/ostoy-frontend:1.6.0" {
		t.Errorf("image %v", got)
	}
	got := env(t, c)
	for name, want := range map[string]string{
		"NAMESPACE":         "field metadata.namespace",
		"MICROSERVICE_NAME": "OSTOY_MICROSERVICE_SVC",
		"ENV_TOY_SECRET":    "secret ostoy-secret-env/ENV_TOY_SECRET",
	} {
		if got[name] != want {
			t.Errorf("%s is %q, want %q", name, got[name], want)
		}
	}
	for _, probe := range []string{"livenessProbe", "readinessProbe"} {
		if path := at(t, c, probe, "httpGet", "path"); path != "/health" {
			t.Errorf("%s asks %v", probe, path)
		}
	}
	mounts := map[string]string{}
	for _, m := range c["volumeMounts"].([]any) {
		mounts[m.(map[string]any)["mountPath"].(string)] = m.(map[string]any)["name"].(string)
	}
	wantMounts := map[string]string{"/var/config": "configvol", "/var/secret": "secretvol", "/var/demo_files": "datavol", "/tmp": "tmp", tokenDir: "aws-iam-token"}
	if diff := cmp.Diff(wantMounts, mounts); diff != "" {
		t.Errorf("mounts (-want +got):\n%s", diff)
	}
}

func TestMicroservice(t *testing.T) {
	spec := pod(t, render(t, input{}), "ostoy-microservice")
	if spec["automountServiceAccountToken"] != false {
		t.Error("the API token is mounted, and nobody needs it")
	}
	c := container(spec, "ostoy-microservice")
	if got := c["image"]; got != "quay.io/ostoylab/ostoy-microservice:1.5.0" {
		t.Errorf("image %v", got)
	}
	if got := normal(t, at(t, c, "ports", 0, "containerPort")); got != int64(8080) {
		t.Errorf("port %v", got)
	}
}

// What the wait sees must be what OSToy will see.
func TestWaitIsMadeLikeTheFrontend(t *testing.T) {
	each(t, func(t *testing.T, found objects, in input) {
		spec := pod(t, found, "ostoy-frontend")
		wait := container(spec, "wait-for-bucket")
		if slices.Contains(in.set, "waitForBucket.enabled=false") {
			if wait != nil || spec["initContainers"] != nil {
				t.Error("the wait is switched off, and there")
			}
			return
		}
		app := container(spec, "ostoy-frontend")
		for _, field := range []string{"image", "imagePullPolicy", "securityContext", "resources"} {
			if diff := cmp.Diff(app[field], wait[field]); diff != "" {
				t.Errorf("%s differs (-app +wait):\n%s", field, diff)
			}
		}
		if diff := cmp.Diff(tokenMount(app), tokenMount(wait)); diff != "" {
			t.Errorf("token mount differs (-app +wait):\n%s", diff)
		}
		if got := wait["terminationMessagePolicy"]; got != "FallbackToLogsOnError" {
			t.Errorf("termination message policy %v", got)
		}
		if got := env(t, wait)["WAIT_FOR_BUCKET_SECONDS"]; got != "60" {
			t.Errorf("waits %q seconds", got)
		}
	})
}

// The kubelet puts values in the place of $(NAME) and makes $$ a single $ in
// command and args: the scripts must reach the shell as they are written.
func TestScriptsSurviveTheKubelet(t *testing.T) {
	wait := container(pod(t, render(t, input{}), "ostoy-frontend"), "wait-for-bucket")
	command, args := wait["command"].([]any), wait["args"].([]any)
	if len(command) != 4 || command[0] != "sh" || command[1] != "-c" || len(args) != 1 {
		t.Fatalf("command %d, args %d", len(command), len(args))
	}
	for name, text := range map[string]any{"wait-for-bucket.sh": command[2], "wait-for-bucket.js": args[0]} {
		var want string
		for _, file := range load(t).Files {
			if file.Name == "files/"+name {
				want = strings.TrimSpace(string(file.Data))
			}
		}
		if got := strings.TrimSpace(text.(string)); got != want || want == "" {
			t.Errorf("%s is not in the Deployment as it is in the chart:\n%s", name, cmp.Diff(want, got))
		}
		for _, special := range []string{"$(", "$$"} {
			if strings.Contains(text.(string), special) {
				t.Errorf("%s has %s, which the kubelet would change", name, special)
			}
		}
	}
}

// A selector cannot be changed, so nothing that varies may be in it.
func TestSelectorsNeverVary(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
			want := map[string]any{"app": name}
			deployment := found.get(t, "Deployment "+name)
			if diff := cmp.Diff(want, at(t, deployment.Object, "spec", "selector", "matchLabels")); diff != "" {
				t.Errorf("selector of Deployment %s (-want +got):\n%s", name, diff)
			}
			if diff := cmp.Diff(want, at(t, found.get(t, "Service "+name+"-svc").Object, "spec", "selector")); diff != "" {
				t.Errorf("selector of Service %s-svc (-want +got):\n%s", name, diff)
			}
			if got := at(t, deployment.Object, "spec", "template", "metadata", "labels", "app"); got != name {
				t.Errorf("pods of %s are labelled app=%v", name, got)
			}
		}
	})
}

func TestTopology(t *testing.T) {
	found := render(t, input{})
	for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
		deployment := found.get(t, "Deployment "+name)
		if got := deployment.GetLabels()["app.openshift.io/runtime"]; got != "nodejs" {
			t.Errorf("%s: runtime %q", name, got)
		}
		if got := deployment.GetAnnotations()["app.openshift.io/vcs-uri"]; got == "" {
			t.Errorf("%s has no vcs-uri", name)
		}
	}
	want := `[{"apiVersion":"apps/v1","kind":"Deployment","name":"ostoy-microservice"}]`
	if got := found.get(t, "Deployment ostoy-frontend").GetAnnotations()["app.openshift.io/connects-to"]; got != want {
		t.Errorf("connects-to %s", got)
	}
}

func TestImagesAndReplicas(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	found := render(t, input{set: []string{
		"frontend.image.repository=registry.example.com:5000/lab/ostoy", "frontend.image.digest=" + digest,
		"frontend.image.pullPolicy=Always", "frontend.replicas=0",
	}})
	c := container(pod(t, found, "ostoy-frontend"), "ostoy-frontend")
	if c["image"] != "registry.example.com:5000/lab/ostoy@"+digest || c["imagePullPolicy"] != "Always" {
		t.Errorf("image %v, pulled %v", c["image"], c["imagePullPolicy"])
	}
	if got := normal(t, at(t, found.get(t, "Deployment ostoy-frontend").Object, "spec", "replicas")); got != int64(0) {
		t.Errorf("replicas %v, want 0", got)
	}
	found = render(t, input{set: []string{"microservice.replicas=null", "imagePullSecrets[0]=pull-me"}})
	spec := at(t, found.get(t, "Deployment ostoy-microservice").Object, "spec").(map[string]any)
	if _, stated := spec["replicas"]; stated {
		t.Error("replicas are stated: an autoscaler would be fought over")
	}
	want := []any{map[string]any{"name": "pull-me"}}
	for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
		if diff := cmp.Diff(want, pod(t, found, name)["imagePullSecrets"]); diff != "" {
			t.Errorf("pull secrets of %s (-want +got):\n%s", name, diff)
		}
	}
}
