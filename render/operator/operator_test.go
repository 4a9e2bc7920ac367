package operator

import (
	"errors"
	"flag"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// factsIn are the facts of a controller in a region, its namespace not given.
func factsIn(region string) render.Facts {
	return render.Facts{
		Account: render.Fact{Value: "123456789012"},
		Issuer:  render.Fact{Value: "https://oidc.op1.openshiftapps.com/2abc"},
		Region:  render.Fact{Value: region},
	}.Complete()
}

func named(f render.Facts, namespace string) render.Facts {
	f.Namespace = render.Fact{Value: namespace}
	return f
}

// full are options with which everything is made.
func full(partition string, identity Identity) Options {
	return Options{
		RoleARN:  render.RoleARN(partition, "123456789012", render.ControllerRolePath, "ack-s3-controller-7560009f"),
		Identity: identity, Catalog: "community-operators", CatalogNamespace: "openshift-marketplace",
		StartingCSV: "ack-s3-controller.v1.13.0", OperatorGroup: true,
	}
}

func objectsOf(t *testing.T, f render.Facts, o Options) []*unstructured.Unstructured {
	t.Helper()
	objects, err := Objects(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return objects
}

// TestGolden compares decoded objects, so that another YAML writer is no
// failure. `go test ./render/operator -update` rewrites the files.
func TestGolden(t *testing.T) {
	ohio, gov := factsIn("us-east-2"), factsIn("us-gov-west-1")
	subscription, annotation := full("aws", Subscription), full("aws", Annotation)
	noGroup, all := subscription, subscription
	noGroup.OperatorGroup, all.Namespace = false, true
	audience := ohio
	audience.Audience = render.Fact{Value: "openshift"}
	values := func(f render.Facts, o Options) []*unstructured.Unstructured {
		return []*unstructured.Unstructured{{Object: ChartValues(f, o)}}
	}
	for name, got := range map[string][]*unstructured.Unstructured{
		"subscription":              objectsOf(t, ohio, subscription),
		"annotation":                objectsOf(t, ohio, annotation),
		"govcloud":                  objectsOf(t, gov, full("aws-us-gov", Subscription)),
		"no-operatorgroup":          objectsOf(t, ohio, noGroup),
		"namespace":                 objectsOf(t, ohio, all),
		"another-namespace":         objectsOf(t, named(ohio, "openshift-operators"), all),
		"another-audience":          objectsOf(t, audience, subscription),
		"rights":                    Rights(),
		"rights-read":               Access(ohio, false, nil),
		"chart-values-subscription": values(ohio, subscription),
		"chart-values-annotation":   values(gov, full("aws-us-gov", Annotation)),
	} {
		t.Run(name, func(t *testing.T) { golden(t, filepath.Join("testdata", "golden", name+".yaml"), got) })
	}
}

func golden(t *testing.T, path string, got []*unstructured.Unstructured) {
	t.Helper()
	text, err := render.YAML(got)
	if err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(path, text, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	written, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	want, err := render.Decode(written)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("differs from %s (-golden +made):\n%s", path, diff)
	}
}

// TestOrder: the pod does not start without ConfigMap and service account, and
// Buckets are checked before anybody is allowed to write one: an apply in waves
// creates each in an earlier one than what needs it.
func TestOrder(t *testing.T) {
	options := full("aws", Subscription)
	options.Namespace = true
	objects := append(objectsOf(t, factsIn("us-east-2"), options), Access(factsIn("us-east-2"), true, nil)...)
	render.Sort(objects)
	at, wave := map[string]int{}, map[string]int{}
	for n, object := range objects {
		at[object.GetKind()], wave[object.GetKind()] = n, render.Wave(object)
	}
	if len(at) != 8 || at["Namespace"] != 0 || at["Subscription"] != len(objects)-1 {
		t.Errorf("places: %v", at)
	}
	for _, kind := range []string{"OperatorGroup", "ConfigMap", "ServiceAccount", "ClusterRole"} {
		if !(wave["Namespace"] < wave[kind] && wave[kind] < wave["Subscription"]) {
			t.Errorf("%s is not in a wave between the Namespace's and the Subscription's: %v", kind, wave)
		}
	}
	for _, kind := range []string{"ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"} {
		if wave[kind] >= wave["ClusterRole"] {
			t.Errorf("%s is not in a wave before the ClusterRoles': %v", kind, wave)
		}
	}
	if wave["Subscription"] >= 0 {
		t.Errorf("the app's wave 0 is not after the controller's: %v", wave)
	}
}

// TestFresh: what one caller changes, the next does not get.
func TestFresh(t *testing.T) {
	facts, options := factsIn("us-east-2"), full("aws", Subscription)
	before := objectsOf(t, facts, options)
	for _, object := range objectsOf(t, facts, options) {
		object.SetLabels(nil)
		object.SetAnnotations(map[string]string{"x": "y"})
		clear(object.Object["metadata"].(map[string]any))
	}
	SafeConfig("us-east-2")["AWS_REGION"] = "eu-west-1"
	if diff := cmp.Diff(before, objectsOf(t, facts, options)); diff != "" {
		t.Error(diff)
	}
}

// TestDefaults: facts that nobody completed give what complete ones give; above
// all no empty audience, which would be the API server's own.
func TestDefaults(t *testing.T) {
	explicit, options := named(factsIn("us-east-2"), DefaultNamespace), full("aws", Subscription)
	bare, short := render.Facts{Region: explicit.Region}, options
	short.Identity = ""
	if diff := cmp.Diff(objectsOf(t, explicit, options), objectsOf(t, bare, short)); diff != "" {
		t.Errorf("for OLM:\n%s", diff)
	}
	if diff := cmp.Diff(ChartValues(explicit, options), ChartValues(bare, short)); diff != "" {
		t.Errorf("for the chart:\n%s", diff)
	}
}

// TestAsTheWebhook: token and variables stand where the pod identity webhook puts
// them, or it would add its own beside ours.
func TestAsTheWebhook(t *testing.T) {
	s := subscription(factsIn("us-east-2"), full("aws", ""))
	env, _, err := unstructured.NestedSlice(s.Object, "spec", "config", "env")
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]any{}
	for _, one := range env {
		got[one.(map[string]any)["name"].(string)] = one.(map[string]any)["value"]
	}
	want := map[string]any{
		"AWS_REGION": "us-east-2", "AWS_STS_REGIONAL_ENDPOINTS": "regional",
		"AWS_ROLE_ARN":                "arn:aws:iam::123456789012:role/ostoy-s3-controller/ack-s3-controller-7560009f",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "/var/run/secrets/eks.amazonaws.com/serviceaccount/token",
	}
	if diff := cmp.Diff(want, got); diff != "" || len(env) != len(want) {
		t.Errorf("%d variables\n%s", len(env), diff)
	}
	// The chart sets the region itself, and a name must not be in the list twice.
	chart, _, _ := unstructured.NestedSlice(ChartValues(factsIn("us-east-2"), full("aws", "")), "deployment", "extraEnvVars")
	for _, one := range chart {
		delete(want, one.(map[string]any)["name"].(string))
	}
	if keys := slices.Collect(maps.Keys(want)); !slices.Equal(keys, []string{"AWS_REGION"}) {
		t.Errorf("the chart gets all but %v", keys)
	}
}

func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		facts  func(*render.Facts)
		option func(*Options)
		says   []string
	}{
		"another identity":      {option: func(o *Options) { o.Identity = "webhook" }, says: []string{`"webhook"`, "--identity subscription", "--identity annotation"}},
		"no role":               {option: func(o *Options) { o.RoleARN = "" }, says: []string{"role is missing", "--account-id"}},
		"role is no ARN":        {option: func(o *Options) { o.RoleARN = "ack" }, says: []string{`"ack"`, "six parts"}},
		"role is a policy":      {option: func(o *Options) { o.RoleARN = "arn:aws:iam::123456789012:policy/x" }, says: []string{"does not name a role"}},
		"role of another place": {option: func(o *Options) { o.RoleARN = "arn:aws-cn:iam::123456789012:role/x" }, says: []string{"aws-cn", "us-east-2", "--region"}},
		"no region":             {facts: func(f *render.Facts) { f.Region = render.Fact{Why: "not in the AWS configuration"} }, says: []string{"region is missing", "not in the AWS configuration", "--region"}},
		"region is none":        {facts: func(f *render.Facts) { f.Region.Value = "ohio" }, says: []string{`"ohio"`, "--region"}},
		"namespace is none":     {facts: func(f *render.Facts) { f.Namespace.Value = "a; rm" }, says: []string{`"a; rm"`, "--namespace"}},
		"no version":            {option: func(o *Options) { o.StartingCSV = "" }, says: []string{"version is missing", "--version"}},
		"version of another":    {option: func(o *Options) { o.StartingCSV = "ack-iam-controller.v1.13.0" }, says: []string{"ack-iam-controller", "--version"}},
		"version is none":       {option: func(o *Options) { o.StartingCSV = "ack-s3-controller.vlatest" }, says: []string{"vlatest", "--version"}},
		"no catalog":            {option: func(o *Options) { o.Catalog = "" }, says: []string{"CatalogSource", "packagemanifests"}},
		"a catalog nowhere":     {option: func(o *Options) { o.CatalogNamespace = "" }, says: []string{"CatalogSource", "packagemanifests"}},
	} {
		t.Run(name, func(t *testing.T) {
			facts, options := factsIn("us-east-2"), full("aws", Subscription)
			if c.facts != nil {
				c.facts(&facts)
			}
			if c.option != nil {
				c.option(&options)
			}
			objects, err := Objects(facts, options)
			var input *problem.Error
			if !problem.IsInput(err) || !errors.As(err, &input) || objects != nil {
				t.Fatalf("%v, %d objects", err, len(objects))
			}
			for _, text := range c.says {
				if !strings.Contains(input.Error()+"\n"+input.Next, text) {
					t.Errorf("does not say %q: %v\n%s", text, input, input.Next)
				}
			}
		})
	}
}

// TestChartNeedsNoCatalog: what only OLM needs is not asked of those without OLM.
func TestChartNeedsNoCatalog(t *testing.T) {
	options := Options{RoleARN: full("aws", "").RoleARN}
	if err := Validate(factsIn("us-east-2"), options); err != nil {
		t.Error(err)
	}
	var input *problem.Error
	if _, err := Objects(factsIn("us-east-2"), options); !problem.IsInput(err) || !errors.As(err, &input) {
		t.Errorf("for OLM: %v", err)
	}
}

func TestHelmWords(t *testing.T) {
	for namespace, want := range map[string]string{
		"":     "ack-s3-controller oci://public.ecr.aws/aws-controllers-k8s/s3-chart --namespace ack-system --create-namespace",
		"mine": "ack-s3-controller oci://public.ecr.aws/aws-controllers-k8s/s3-chart --namespace mine --create-namespace",
	} {
		if got := strings.Join(HelmWords(named(render.Facts{}, namespace)), " "); got != want {
			t.Errorf("%q:\n%s\n%s", namespace, got, want)
		}
	}
}

// TestF2WarnedNext: the command names the policy that is rendered.
func TestF2WarnedNext(t *testing.T) {
	if !strings.Contains(WarnedNext, " "+PolicyName+" -o yaml\n") {
		t.Error(WarnedNext)
	}
}

// TestPage: the roles that docs/rights.md has an admin apply are those we apply.
func TestPage(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "rights.md"))
	if err != nil {
		t.Fatal(err)
	}
	var roles []*unstructured.Unstructured
	for _, block := range regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(page, -1) {
		objects, err := render.Decode(block[1])
		if err != nil {
			t.Fatal(err)
		}
		for _, object := range objects {
			if object.GetKind() == "ClusterRole" {
				roles = append(roles, object)
			}
		}
	}
	if diff := cmp.Diff(roles, Rights()); diff != "" {
		t.Errorf("the page says otherwise (-page +made):\n%s", diff)
	}
}
