package charts_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/validation"
)

// waveAnnotation orders the objects, for Argo CD and for install.
const waveAnnotation = "argocd.argoproj.io/sync-wave"

// base is what every rendering has.
func base() []string {
	return []string{
		"Bucket demo-bucket",
		"ConfigMap ostoy-configmap-files",
		"Deployment ostoy-frontend",
		"Deployment ostoy-microservice",
		"PersistentVolumeClaim ostoy-pvc",
		"Secret ostoy-secret",
		"Secret ostoy-secret-env",
		"Service ostoy-frontend-svc",
		"Service ostoy-microservice-svc",
		"ServiceAccount ostoy-sa",
	}
}

func TestWhichObjects(t *testing.T) {
	scc := "RoleBinding system:openshift:scc:restricted"
	policies := []string{"NetworkPolicy ostoy-frontend", "NetworkPolicy ostoy-microservice"}
	route := append([]string{"Route ostoy-route"}, policies...)
	for _, tc := range []struct {
		name    string
		in      input
		with    []string
		without []string
	}{
		{name: "none on plain Kubernetes"},
		{name: "route where the API is served", in: input{apis: []string{"v1", "route.openshift.io/v1"}}, with: route},
		{name: "route where only its kind is named", in: input{apis: []string{"route.openshift.io/v1/Route"}}, with: route},
		{name: "another group is no route API", in: input{apis: []string{"config.openshift.io/v1"}}},
		{name: "route by hand", in: input{set: []string{"expose=route"}}, with: []string{"Route ostoy-route"}},
		{name: "ingress", in: input{apis: []string{"route.openshift.io/v1"}, set: []string{"expose=ingress"}}, with: append([]string{"Ingress ostoy-ingress"}, policies...)},
		{name: "none although there are routes", in: input{apis: []string{"route.openshift.io/v1"}, set: []string{"expose=none"}}, with: policies},
		{name: "open by hand", in: input{apis: []string{"route.openshift.io/v1"}, set: []string{"networkPolicy.ingress=open"}}, with: []string{"Route ostoy-route"}},
		{name: "restricted by hand", in: input{set: []string{"networkPolicy.ingress=restricted"}}, with: policies},
		{name: "only egress restricted", in: input{set: []string{"networkPolicy.egress=restricted"}}, with: policies},
		{name: "scc", in: input{set: []string{"scc.restricted=true"}}, with: []string{scc}},
		{name: "own secrets", in: input{set: []string{"secrets.existing=true"}}, without: []string{"Secret ostoy-secret", "Secret ostoy-secret-env"}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			want := slices.DeleteFunc(append(base(), tc.with...), func(name string) bool { return slices.Contains(tc.without, name) })
			slices.Sort(want)
			if diff := cmp.Diff(want, render(t, tc.in).names()); diff != "" {
				t.Errorf("objects (-want +got):\n%s", diff)
			}
		})
	}
}

// A wrong group would only be noticed by the server.
func TestAPIVersions(t *testing.T) {
	want := map[string]string{
		"Bucket": "s3.services.k8s.aws/v1alpha1", "ConfigMap": "v1", "Deployment": "apps/v1",
		"Ingress": "networking.k8s.io/v1", "NetworkPolicy": "networking.k8s.io/v1", "PersistentVolumeClaim": "v1",
		"RoleBinding": "rbac.authorization.k8s.io/v1", "Route": "route.openshift.io/v1",
		"Secret": "v1", "Service": "v1", "ServiceAccount": "v1",
	}
	each(t, func(t *testing.T, found objects, _ input) {
		for key, object := range found {
			if got := object.GetAPIVersion(); got != want[object.GetKind()] || got == "" {
				t.Errorf("%s is of %q", key, got)
			}
		}
	})
}

// Every object says where it lives and when its turn is.
func TestNamespaceAndWave(t *testing.T) {
	want := map[string]string{
		"ServiceAccount": "0", "ConfigMap": "0", "Secret": "0", "Service": "0", "Bucket": "0",
		"Route": "0", "Ingress": "0", "RoleBinding": "0", "NetworkPolicy": "0",
		"Deployment ostoy-microservice": "1",
		"PersistentVolumeClaim":         "2", "Deployment ostoy-frontend": "2",
	}
	each(t, func(t *testing.T, found objects, in input) {
		for key, object := range found {
			namespace := in.namespace
			if namespace == "" {
				namespace = "demo"
			}
			if got := object.GetNamespace(); got != namespace {
				t.Errorf("%s is in namespace %q", key, got)
			}
			wave, byName := want[key]
			if !byName {
				wave = want[object.GetKind()]
			}
			if got := object.GetAnnotations()[waveAnnotation]; got != wave || wave == "" {
				t.Errorf("%s has wave %q, want %q", key, got, wave)
			}
		}
	})
}

// A claim that waits for its first consumer never binds in an earlier wave.
func TestClaimNotBeforeItsConsumer(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		claims := map[string]int{}
		first := map[string]int{}
		for key, object := range found {
			wave, err := strconv.Atoi(object.GetAnnotations()[waveAnnotation])
			if err != nil {
				t.Fatalf("%s: %v", key, err)
			}
			if object.GetKind() == "PersistentVolumeClaim" {
				claims[object.GetName()] = wave
			}
			volumes, _, _ := unstructured.NestedSlice(object.Object, "spec", "template", "spec", "volumes")
			for _, volume := range volumes {
				name, mounted, _ := unstructured.NestedString(volume.(map[string]any), "persistentVolumeClaim", "claimName")
				if before, seen := first[name]; mounted && (!seen || wave < before) {
					first[name] = wave
				}
			}
		}
		if len(claims) == 0 {
			t.Fatal("no claims: the test looks at nothing")
		}
		for name, wave := range claims {
			consumer, used := first[name]
			if !used {
				t.Errorf("nobody mounts claim %s", name)
			}
			if wave < consumer {
				t.Errorf("claim %s has wave %d, its first consumer %d", name, wave, consumer)
			}
		}
	})
}

func TestDataIsKept(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		for key, object := range found {
			data := object.GetKind() == "Bucket" || object.GetKind() == "PersistentVolumeClaim"
			got := [4]string{
				object.GetAnnotations()["helm.sh/resource-policy"],
				object.GetAnnotations()["argocd.argoproj.io/sync-options"],
				object.GetAnnotations()["argocd.argoproj.io/compare-options"],
				object.GetAnnotations()["kustomize.toolkit.fluxcd.io/prune"],
			}
			want := [4]string{}
			if data {
				want = [4]string{"keep", "Prune=false,Delete=false", "IgnoreExtraneous", "disabled"}
			}
			if got != want {
				t.Errorf("%s: %v, want %v", key, got, want)
			}
		}
	})
}

func TestServiceAccount(t *testing.T) {
	each(t, func(t *testing.T, found objects, in input) {
		annotations := found.get(t, "ServiceAccount ostoy-sa").GetAnnotations()
		want := map[string]string{
			"eks.amazonaws.com/role-arn":               roleARN,
			"eks.amazonaws.com/audience":               "sts.amazonaws.com",
			"eks.amazonaws.com/sts-regional-endpoints": "true",
			"eks.amazonaws.com/token-expiration":       "3600",
			waveAnnotation:                             "0",
		}
		for _, set := range in.set {
			if arn, ok := strings.CutPrefix(set, "aws.roleARN="); ok {
				want["eks.amazonaws.com/role-arn"] = arn
			}
		}
		if diff := cmp.Diff(want, annotations); diff != "" {
			t.Errorf("annotations (-want +got):\n%s", diff)
		}
	})
}

func TestBucket(t *testing.T) {
	found := render(t, input{set: []string{
		`tags.ostoy-s3/namespace=demo`, `tags.app\.kubernetes\.io/managed-by=ostoy-s3`,
		`bucket.tags.team=blue`, `bucket.tags.ostoy-s3/namespace=somebody-else`,
	}})
	bucket := found.get(t, "Bucket demo-bucket")
	wantAnnotations := map[string]string{
		waveAnnotation:                       "0",
		"argocd.argoproj.io/sync-options":    "Prune=false,Delete=false",
		"argocd.argoproj.io/compare-options": "IgnoreExtraneous",
		"kustomize.toolkit.fluxcd.io/prune":  "disabled",
		"helm.sh/resource-policy":            "keep",
		"services.k8s.aws/region":            "us-east-2",
		"services.k8s.aws/deletion-policy":   "retain",
		"services.k8s.aws/adoption-policy":   "adopt-or-create",
	}
	if diff := cmp.Diff(wantAnnotations, bucket.GetAnnotations()); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	spec, ok := bucket.Object["spec"].(map[string]any)
	if !ok {
		t.Fatalf("spec is %T", bucket.Object["spec"])
	}
	if _, text := spec["policy"].(string); !text {
		t.Errorf("policy is %T, the controller wants a string", spec["policy"])
	}
	delete(spec, "policy")
	want := map[string]any{
		"name": "demo-bucket",
		"publicAccessBlock": map[string]any{
			"blockPublicACLs": true, "blockPublicPolicy": true, "ignorePublicACLs": true, "restrictPublicBuckets": true,
		},
		"encryption": map[string]any{"rules": []any{map[string]any{
			"applyServerSideEncryptionByDefault": map[string]any{"sseAlgorithm": "AES256"},
			"bucketKeyEnabled":                   false,
		}}},
		"ownershipControls": map[string]any{"rules": []any{map[string]any{"objectOwnership": "BucketOwnerEnforced"}}},
		"tagging": map[string]any{"tagSet": []any{
			map[string]any{"key": "app.kubernetes.io/managed-by", "value": "ostoy-s3"},
			map[string]any{"key": "ostoy-s3/namespace", "value": "demo"},
			map[string]any{"key": "team", "value": "blue"},
		}},
	}
	if diff := cmp.Diff(want, spec); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

// The policy denies what is not TLS, in the partition of the bucket.
func TestBucketPolicy(t *testing.T) {
	for _, tc := range []struct{ partition, region string }{
		{"aws", "us-east-2"},
		{"aws-us-gov", "us-gov-west-1"},
		{"aws-cn", "cn-north-1"},
		{"aws-eusc", "eusc-de-east-1"},
	} {
		t.Run(tc.partition, func(t *testing.T) {
			found := render(t, input{set: []string{
				"aws.partition=" + tc.partition, "aws.region=" + tc.region,
				"aws.roleARN=arn:" + tc.partition + ":iam::123456789012:role/x",
			}})
			text, _ := at(t, found.get(t, "Bucket demo-bucket").Object, "spec", "policy").(string)
			var got map[string]any
			if err := json.Unmarshal([]byte(text), &got); err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			arn := "arn:" + tc.partition + ":s3:::demo-bucket"
			want := map[string]any{
				"Version": "2012-10-17",
				"Statement": []any{map[string]any{
					"Sid": "DenyInsecureTransport", "Effect": "Deny", "Principal": "*", "Action": "s3:*",
					"Resource":  []any{arn, arn + "/*"},
					"Condition": map[string]any{"Bool": map[string]any{"aws:SecureTransport": "false"}},
				}},
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("policy (-want +got):\n%s", diff)
			}
		})
	}
}

// The Bucket is there whatever else is left out and whatever is served.
func TestBucketIsNeverConditional(t *testing.T) {
	each(t, func(t *testing.T, found objects, in input) {
		name := "demo"
		if in.namespace != "" {
			name = in.namespace
		}
		found.get(t, "Bucket "+name+"-bucket")
	})
}

func TestRoute(t *testing.T) {
	route := render(t, input{set: []string{"expose=route"}}).get(t, "Route ostoy-route")
	want := map[string]any{
		"to":             map[string]any{"kind": "Service", "name": "ostoy-frontend-svc", "weight": int64(100)},
		"wildcardPolicy": "None",
	}
	if diff := cmp.Diff(want, normal(t, route.Object["spec"])); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

func TestIngress(t *testing.T) {
	backend := []any{map[string]any{
		"path": "/", "pathType": "Prefix",
		"backend": map[string]any{"service": map[string]any{
			"name": "ostoy-frontend-svc", "port": map[string]any{"name": "ostoy"},
		}},
	}}
	for _, tc := range []struct {
		name        string
		set         []string
		want        map[string]any
		annotations map[string]string
	}{
		{
			name:        "any host, default class",
			want:        map[string]any{"rules": []any{map[string]any{"http": map[string]any{"paths": backend}}}},
			annotations: map[string]string{waveAnnotation: "0"},
		},
		{
			name: "all given",
			set:  []string{"ingress.host=ostoy.example.com", "ingress.className=alb", "ingress.annotations.a/b=c", `ingress.annotations.argocd\.argoproj\.io/sync-wave=last`},
			want: map[string]any{
				"ingressClassName": "alb",
				"rules":            []any{map[string]any{"host": "ostoy.example.com", "http": map[string]any{"paths": backend}}},
			},
			annotations: map[string]string{waveAnnotation: "0", "a/b": "c"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			ingress := render(t, input{set: append(tc.set, "expose=ingress")}).get(t, "Ingress ostoy-ingress")
			if diff := cmp.Diff(tc.want, ingress.Object["spec"]); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.annotations, ingress.GetAnnotations()); diff != "" {
				t.Errorf("annotations (-want +got):\n%s", diff)
			}
		})
	}
}

// The grant stays inside the project.
func TestSCCGrantIsNamespaced(t *testing.T) {
	binding := render(t, input{set: []string{"scc.restricted=true"}}).get(t, "RoleBinding system:openshift:scc:restricted")
	want := map[string]any{"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": "system:openshift:scc:restricted"}
	if diff := cmp.Diff(want, binding.Object["roleRef"]); diff != "" {
		t.Errorf("roleRef (-want +got):\n%s", diff)
	}
	subjects := []any{map[string]any{"kind": "ServiceAccount", "name": "ostoy-sa", "namespace": "demo"}}
	if diff := cmp.Diff(subjects, binding.Object["subjects"]); diff != "" {
		t.Errorf("subjects (-want +got):\n%s", diff)
	}
}

// stringData comes back as data, and every comparison would find a difference.
func TestSecretsAreData(t *testing.T) {
	for key, object := range render(t, input{}) {
		if object.GetKind() != "Secret" {
			continue
		}
		if object.Object["stringData"] != nil || len(at(t, object.Object, "data").(map[string]any)) == 0 {
			t.Errorf("%s: stringData %v, data %v", key, object.Object["stringData"], object.Object["data"])
		}
	}
}

func TestStorage(t *testing.T) {
	spec := at(t, render(t, input{}).get(t, "PersistentVolumeClaim ostoy-pvc").Object, "spec").(map[string]any)
	if _, stated := spec["storageClassName"]; stated {
		t.Error("the empty class is stated: it means none, not the default one")
	}
	spec = at(t, render(t, input{set: []string{"storage.size=2Gi", "storage.storageClassName=gp3"}}).get(t, "PersistentVolumeClaim ostoy-pvc").Object, "spec").(map[string]any)
	want := map[string]any{
		"accessModes": []any{"ReadWriteOnce"}, "volumeMode": "Filesystem", "storageClassName": "gp3",
		"resources": map[string]any{"requests": map[string]any{"storage": "2Gi"}},
	}
	if diff := cmp.Diff(want, spec); diff != "" {
		t.Errorf("spec (-want +got):\n%s", diff)
	}
}

// The labels the documents of Kubernetes and OpenShift recommend for every
// object, and none that would depend on who applies it.
func TestLabels(t *testing.T) {
	each(t, func(t *testing.T, found objects, _ input) {
		for key, object := range found {
			labels := object.GetLabels()
			for _, name := range []string{"name", "instance", "version", "component", "part-of"} {
				value := labels["app.kubernetes.io/"+name]
				if problems := validation.IsValidLabelValue(value); value == "" || len(problems) > 0 {
					t.Errorf("%s: label %s is %q: %v", key, name, value, problems)
				}
			}
			if labels["app.kubernetes.io/part-of"] != "ostoy" {
				t.Errorf("%s is part of %q", key, labels["app.kubernetes.io/part-of"])
			}
			for _, foreign := range []string{"app.kubernetes.io/managed-by", "helm.sh/chart"} {
				if labels[foreign] != "" {
					t.Errorf("%s has the label %s, which differs with the tool", key, foreign)
				}
			}
		}
	})
}

// An image tag may be longer than a label and end in what a label may not.
func TestVersionLabelOfAnyTag(t *testing.T) {
	for _, tag := range []string{"1.6.0", "_nightly", "1.0-", strings.Repeat("x", 62) + "-y"} {
		found := render(t, input{set: []string{"frontend.image.tag=" + tag}})
		label := found.get(t, "Deployment ostoy-frontend").GetLabels()["app.kubernetes.io/version"]
		if problems := validation.IsValidLabelValue(label); label == "" || len(problems) > 0 {
			t.Errorf("tag %q gives the label %q: %v", tag, label, problems)
		}
	}
}

// The same input gives the same text.
func TestDeterministic(t *testing.T) {
	each(t, func(t *testing.T, _ objects, in input) {
		first, err := tryRender(t, in)
		if err != nil {
			t.Fatal(err)
		}
		second, err := tryRender(t, in)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(first, second); diff != "" {
			t.Error(diff)
		}
	})
}

// Nothing in a template may depend on the cluster, the clock, chance or the
// release: render, install and a GitOps engine would not agree. A word is
// looked for in actions only, not in comments and plain text.
func TestTemplatesArePure(t *testing.T) {
	action := regexp.MustCompile(`(?s)\{\{-?\s*(/\*.*?\*/|.*?)\s*-?\}\}`)
	impure := regexp.MustCompile(`\b(lookup|now|date|ago|rand\w*|uuidv4|gen\w+|derivePassword|getHostByName|env|expandenv)\b|\.Release\.(Name|Service|Revision|IsInstall|IsUpgrade)\b`)
	seen := 0
	for _, file := range load(t).Templates {
		text := string(file.Data)
		for _, match := range action.FindAllStringSubmatch(text, -1) {
			seen++
			if word := impure.FindString(match[1]); word != "" && !strings.HasPrefix(match[1], "/*") {
				t.Errorf("%s uses %s", file.Name, word)
			}
		}
		if strings.Contains(text, "helm.sh/hook") {
			t.Errorf("%s is a hook: only Helm would run it", file.Name)
		}
	}
	if seen < 100 {
		t.Errorf("only %d actions found: the test looks at nothing", seen)
	}
}

// normal passes a value through JSON so that numbers compare.
func normal(t *testing.T, value any) any {
	t.Helper()
	object := unstructured.Unstructured{}
	text, err := json.Marshal(map[string]any{"apiVersion": "v1", "kind": "X", "v": value})
	if err != nil {
		t.Fatal(err)
	}
	if err := object.UnmarshalJSON(text); err != nil {
		t.Fatal(err)
	}
	return object.Object["v"]
}
