package render

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// demoFacts are facts as a user gives them who has neither cluster nor AWS at hand.
func demoFacts(platform, region, issuer string) Facts {
	return Facts{
		Namespace: Fact{Value: "demo", Source: "flag --namespace"},
		Account:   Fact{Value: "123456789012", Source: "flag --account-id"},
		Region:    Fact{Value: region, Source: "flag --region"},
		Issuer:    Fact{Value: issuer, Source: "flag --oidc-issuer"},
		Platform:  Fact{Value: platform, Source: "flag --platform"},
	}.Complete()
}

func rosa() Facts {
	return demoFacts(PlatformROSAHCP, "us-east-2", "https://oidc.op1.openshiftapps.com/2abc")
}

func withRole(f Facts, o Options) Options {
	o.RoleARN = RoleARN(f.Partition.Value, f.Account.Value, RolePath, RoleName(f.Issuer.Value, f.Namespace.Value))
	return o
}

func objectsOf(t testing.TB, f Facts, o Options) []*unstructured.Unstructured {
	t.Helper()
	renderer, err := New()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := renderer.Objects(f, withRole(f, o))
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// TestGolden compares decoded objects, so that another YAML writer is no
// failure. `go test ./render -update` rewrites the files.
func TestGolden(t *testing.T) {
	const eks = "https://oidc.eks.us-east-2.amazonaws.com/id/ABCDEF0123456789ABCDEF0123456789"
	for name, c := range map[string]struct {
		facts   Facts
		options Options
	}{
		"rosa-hcp":     {rosa(), Options{}},
		"rosa-classic": {demoFacts(PlatformROSAClassic, "eu-central-1", "https://rh-oidc.s3.us-east-1.amazonaws.com/2abc"), Options{}},
		"openshift":    {demoFacts(PlatformOpenShift, "us-gov-west-1", "https://prefix-oidc-x.s3.us-gov-west-1.amazonaws.com"), Options{}},
		"eks":          {demoFacts(PlatformEKS, "us-east-2", eks), Options{Set: []string{"expose=ingress,ingress.host=ostoy.example.com"}}},
		"kubernetes":   {demoFacts(PlatformKubernetes, "cn-north-1", "https://issuer.example.com/path"), Options{IncludeNamespace: true}},
		"webhook":      {rosa(), Options{Set: []string{"podIdentity=webhook", "scc.restricted=true", "secrets.existing=true", "waitForBucket.enabled=false"}}},
	} {
		t.Run(name, func(t *testing.T) {
			got := objectsOf(t, c.facts, c.options)
			text, err := YAML(got)
			if err != nil {
				t.Fatal(err)
			}
			path := filepath.Join("testdata", "golden", name+".yaml")
			if *update {
				if err := os.WriteFile(path, text, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			golden, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want, err := Decode(golden)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("differs from %s (-golden +rendered):\n%s", path, diff)
			}
		})
	}
}

func TestSameBytesEveryTime(t *testing.T) {
	first, err := YAML(objectsOf(t, rosa(), Options{}))
	if err != nil {
		t.Fatal(err)
	}
	for range 5 {
		again, err := YAML(objectsOf(t, rosa(), Options{}))
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(first, again) {
			t.Fatal("two renders of the same facts differ")
		}
	}
}

// TestUnknownFactsChangeNothing holds what a project admin may not read
// (platform, cluster id) out of the objects; the cluster id is a tag and no more.
func TestUnknownFactsChangeNothing(t *testing.T) {
	known, unknown := rosa(), rosa()
	unknown.Platform = Fact{Why: "forbidden"}
	if diff := cmp.Diff(objectsOf(t, known, Options{}), objectsOf(t, unknown, Options{})); diff != "" {
		t.Errorf("the platform shows in the objects:\n%s", diff)
	}
	known.KubeVersion = Fact{Value: "v1.37.2"}
	if diff := cmp.Diff(objectsOf(t, known, Options{}), objectsOf(t, unknown, Options{})); diff != "" {
		t.Errorf("the Kubernetes version shows in the objects:\n%s", diff)
	}
}

func TestApplyOrder(t *testing.T) {
	var order []string
	for _, object := range objectsOf(t, rosa(), Options{IncludeNamespace: true}) {
		order = append(order, object.GetKind()+"/"+object.GetName())
	}
	want := []string{
		"Namespace/demo", "ServiceAccount/ostoy-sa", "Secret/ostoy-secret", "Secret/ostoy-secret-env",
		"ConfigMap/ostoy-configmap-files", "Bucket/demo-bucket", "Service/ostoy-frontend-svc",
		"Service/ostoy-microservice-svc", "NetworkPolicy/ostoy-frontend", "NetworkPolicy/ostoy-microservice",
		"Route/ostoy-route", "Deployment/ostoy-microservice",
		"PersistentVolumeClaim/ostoy-pvc", "Deployment/ostoy-frontend",
	}
	if diff := cmp.Diff(want, order); diff != "" {
		t.Error(diff)
	}
}

// TestF15RoleNameVector fixes the names: a release that computes others does not find the
// roles that exist. They were computed by other programs:
// printf 'ISSUER\nNAMESPACE' | sha256sum | cut -c1-12 (-8 for an earlier role).
func TestF15RoleNameVector(t *testing.T) {
	const issuer = "https://oidc.op1.openshiftapps.com/2abc"
	for namespace, want := range map[string][]string{
		"demo":                  {"demo-ostoy-sa-7560009f8082", "demo-ostoy-sa-7560009f"},
		strings.Repeat("a", 56): {strings.Repeat("a", 40) + "-ostoy-sa-afffdc3275f1", strings.Repeat("a", 40) + "-ostoy-sa-afffdc32"},
	} {
		got := []string{RoleName(issuer, namespace), EarlierRoleName(issuer, namespace)}
		if !slices.Equal(got, want) || !slices.Equal(RoleNames(issuer, namespace), want) {
			t.Errorf("role names for %q in %q: %q, want %q", issuer, namespace, got, want)
		}
	}
}

// TestF15ControllerRoleNameVector is the same for the controller's role:
// printf ISSUER | sha256sum | cut -c1-12 (-8 for an earlier role).
func TestF15ControllerRoleNameVector(t *testing.T) {
	for issuer, want := range map[string][]string{
		"https://oidc.op1.openshiftapps.com/2abc": {"ack-s3-controller-82ac7e8b0493", "ack-s3-controller-82ac7e8b"},
		"https://oidc.op1.openshiftapps.com/2xyz": {"ack-s3-controller-cccce8146bdd", "ack-s3-controller-cccce814"},
	} {
		if got := ControllerRoleNames(issuer); !slices.Equal(got, want) || ControllerRoleName(issuer) != want[0] {
			t.Errorf("names of the controller's role for %q: %q, want %q", issuer, got, want)
		}
	}
}

func TestValueErrors(t *testing.T) {
	file := func(text string) Options {
		return Options{Files: []ValueFile{{Name: "mine.yaml", Data: []byte(text)}}}
	}
	plain := demoFacts(PlatformKubernetes, "us-east-2", "https://issuer.example.com")
	for name, c := range map[string]struct {
		facts   Facts
		options Options
		says    string
	}{
		"unknown key":          {rosa(), Options{Set: []string{"frontnd.replicas=1"}}, "frontnd"},
		"wrong type":           {rosa(), Options{Set: []string{"waitForBucket.enabled=perhaps"}}, "boolean"},
		"no assignment":        {rosa(), Options{Set: []string{"expose"}}, "--set expose"},
		"bad expression":       {rosa(), Options{SetString: []string{"a[=1"}}, "--set-string a[=..."},
		"list file":            {rosa(), file("- a\n- b\n"), "list"},
		"scalar file":          {rosa(), file("hello"), "mapping"},
		"no yaml":              {rosa(), file("a: b: c"), "not YAML"},
		"against a fact":       {rosa(), Options{Set: []string{"aws.region=eu-west-1"}}, "--region"},
		"against the role":     {rosa(), Options{Set: []string{"aws.roleARN=arn:aws:iam::123456789012:role/x"}}, "--role-name"},
		"route without router": {plain, Options{Set: []string{"expose=route"}}, "route.openshift.io/v1"},
	} {
		t.Run(name, func(t *testing.T) {
			renderer, err := New()
			if err != nil {
				t.Fatal(err)
			}
			_, err = renderer.Objects(c.facts, withRole(c.facts, c.options))
			var input *problem.Error
			if !problem.IsInput(err) || !errors.As(err, &input) {
				t.Fatalf("got %v, want a problem of the input", err)
			}
			if text := input.Error() + input.Next; !strings.Contains(text, c.says) || input.Next == "" {
				t.Errorf("the error does not say %q and what to do: %s\n%s", c.says, input.Error(), input.Next)
			}
		})
	}
}

// TestValuesRoundTrip feeds the printed values back in, as
// `helm upgrade -f <(oc ostoy-s3 values)` and `render -f` users do.
func TestValuesRoundTrip(t *testing.T) {
	renderer, err := New()
	if err != nil {
		t.Fatal(err)
	}
	facts := rosa()
	options := withRole(facts, Options{Set: []string{"frontend.replicas=0", "bucket.tags.team=blue"}, SetString: []string{"bucket.tags.cost=0042"}})
	values, err := renderer.Values(facts, options)
	if err != nil {
		t.Fatal(err)
	}
	text, err := YAML([]*unstructured.Unstructured{{Object: values}})
	if err != nil {
		t.Fatal(err)
	}
	want := objectsOf(t, facts, options)
	got := objectsOf(t, facts, Options{Files: []ValueFile{{Name: "values", Data: text}}})
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

// TestFilesThenSets is Helm's order: later files win over earlier ones, --set
// over files, --set-string over --set.
func TestFilesThenSets(t *testing.T) {
	renderer, err := New()
	if err != nil {
		t.Fatal(err)
	}
	values, err := renderer.Values(rosa(), withRole(rosa(), Options{
		Files: []ValueFile{
			{Name: "a", Data: []byte("storage: {size: 2Gi}\nbucket: {tags: {a: file, b: file, c: file}}")},
			{Name: "b", Data: []byte("storage: {size: 3Gi}")},
		},
		Set:       []string{"bucket.tags.b=set,bucket.tags.c=set"},
		SetString: []string{"bucket.tags.c=12"},
	}))
	if err != nil {
		t.Fatal(err)
	}
	tags, _, _ := unstructured.NestedStringMap(values, "bucket", "tags")
	if diff := cmp.Diff(map[string]string{"a": "file", "b": "set", "c": "12"}, tags); diff != "" {
		t.Error(diff)
	}
	if size, _, _ := unstructured.NestedString(values, "storage", "size"); size != "3Gi" {
		t.Errorf("size is %s, want the later file's", size)
	}
}

// TestPrintedValuesKeepWhatIsTakenAway: what `values` prints leaves the number of
// pods to an autoscaler as the flag did, also for Helm.
func TestPrintedValuesKeepWhatIsTakenAway(t *testing.T) {
	renderer, err := New()
	if err != nil {
		t.Fatal(err)
	}
	values, err := renderer.Values(rosa(), withRole(rosa(), Options{Set: []string{"microservice.replicas=null"}}))
	if err != nil {
		t.Fatal(err)
	}
	replicas, there := values["microservice"].(map[string]any)["replicas"]
	if replicas != nil || !there {
		t.Errorf("replicas: %v, %t", replicas, there)
	}
}
