package tutorial

import (
	"encoding/base64"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

// Objects as the tutorial makes them. MANAGER has set what tells who made them.
const (
	deployment = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ostoy-frontend
  namespace: demo
  managedFields: [{manager: MANAGER, operation: Update, fieldsType: FieldsV1, fieldsV1: {f:spec: {f:selector: {}, f:template: {}}}}]
spec:
  selector: {matchLabels: {app: ostoy-frontend}}
  template: {spec: {containers: [{name: ostoy-frontend, image: quay.io/ostoylab/ostoy-frontend:1.5.0}]}}
`
	service = `
apiVersion: v1
kind: Service
metadata: {name: ostoy-frontend-svc, namespace: demo}
spec: {selector: {app: ostoy-frontend}}
`
	claim = `
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: ostoy-pvc, namespace: demo}
spec: {accessModes: [ReadWriteOnce]}
`
	route = `
apiVersion: route.openshift.io/v1
kind: Route
metadata:
  name: ostoy-route
  namespace: demo
  managedFields:
    - {manager: kubectl-client-side-apply, operation: Update, fieldsType: FieldsV1, fieldsV1: {f:spec: {f:to: {f:name: {}}}}}
    - {manager: a-router, operation: Update, fieldsType: FieldsV1, fieldsV1: {f:spec: {f:host: {}}}}
spec: {to: {kind: Service, name: ostoy-frontend-svc}}
`
	bucket = `
apiVersion: s3.services.k8s.aws/v1alpha1
kind: Bucket
metadata: {name: demo-bucket, namespace: demo}
spec: {name: demo-bucket}
`
	account = `
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ostoy-sa
  namespace: demo
  annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/ostoy-sa-role"}
`
	config = `
apiVersion: v1
kind: ConfigMap
metadata: {name: ostoy-configmap-files, namespace: demo}
data: {config.json: "{}"}
`
	secret = `
apiVersion: v1
kind: Secret
metadata: {name: ostoy-secret-env, namespace: demo}
data: {ENV_TOY_SECRET: VGhpcyBpcyBhIHRlc3Q=}
`
)

func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

// byHand is a Deployment that kubectl has applied.
func byHand() string { return strings.ReplaceAll(deployment, "MANAGER", "kubectl-client-side-apply") }

func TestTheTutorials(t *testing.T) {
	for _, text := range []string{
		byHand(), service, claim, route, bucket, account, config, secret,
		strings.ReplaceAll(deployment, "MANAGER", "Mozilla"),
		strings.Replace(byHand(), "quay.io/ostoylab/ostoy-frontend:1.5.0", "registry.lab:5000/mirror/ostoy-frontend@sha256:abc", 1),
	} {
		if o := read(t, text); Differs(o) != "" {
			t.Errorf("%s %s: %s", o.GetKind(), o.GetName(), Differs(o))
		}
	}
}

func TestNotTheTutorials(t *testing.T) {
	labelled := func(label string) string {
		return strings.Replace(service, "namespace: demo", "namespace: demo, labels: {"+label+"}", 1)
	}
	for want, text := range map[string]string{
		`label app.kubernetes.io/managed-by is "team"`: labelled("app.kubernetes.io/managed-by: team"),
		`label app.kubernetes.io/instance is "x"`:      labelled("app.kubernetes.io/instance: x"),
		"managed by Argo CD":                           strings.Replace(service, "namespace: demo", "namespace: demo, annotations: {argocd.argoproj.io/tracking-id: x}, managedFields: [{manager: argocd-controller, operation: Update}]", 1),
		"belongs to App mine":                          strings.Replace(service, "namespace: demo", "namespace: demo, ownerReferences: [{kind: App, name: mine}]", 1),
		"install has it already":                       strings.ReplaceAll(strings.ReplaceAll(deployment, "MANAGER", "ostoy-s3"), "operation: Update", "operation: Apply"),
		"set by HashiCorp, and not by hand":            strings.ReplaceAll(deployment, "MANAGER", "HashiCorp"),
		"spec.selector.matchLabels is map[app:other]":  strings.Replace(byHand(), "app: ostoy-frontend}", "app: other}", 1),
		"no container ostoy-frontend":                  strings.Replace(byHand(), "ostoylab/ostoy-frontend", "ostoylab/nginx", 1),
		"makes no Service of that name":                strings.Replace(service, "ostoy-frontend-svc", "their-svc", 1),
		"makes no Bucket of that name":                 strings.Replace(bucket, "demo-bucket, namespace", "other-bucket, namespace", 1),
		`spec.name is "theirs"`:                        strings.Replace(bucket, "{name: demo-bucket}", "{name: theirs}", 1),
		`spec.to.name is "theirs"`:                     strings.Replace(route, "name: ostoy-frontend-svc", "name: theirs", 1),
		"access modes are [ReadWriteMany]":             strings.Replace(claim, "ReadWriteOnce", "ReadWriteMany", 1),
		"keys are [config.json more]":                  strings.Replace(config, `{config.json: "{}"}`, `{config.json: "{}", more: x}`, 1),
		"value is not the tutorial's sample":           strings.Replace(secret, "VGhpcyBpcyBhIHRlc3Q=", base64.StdEncoding.EncodeToString([]byte("theirs")), 1),
	} {
		if have := Differs(read(t, text)); !strings.Contains(have, want) {
			t.Errorf("want %q, have %q", want, have)
		}
		if strings.Contains(Differs(read(t, text)), "theirs") && strings.Contains(text, "kind: Secret") {
			t.Error("it tells the value of a Secret")
		}
	}
}
