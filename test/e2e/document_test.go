package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// installDocument is what `install -o json` prints.
type installDocument struct {
	Namespace, Bucket, Role, DryRun, URL string
	Ready                                bool
	Changes                              []changeDocument
	Kept                                 []string
	DurationSeconds                      float64
}

type changeDocument struct {
	Object, Action string
	Fields         []fieldDocument
}

type fieldDocument struct {
	Path, Manager string
	Before, After any
}

// change finds the change of an object; the test ends if there is none.
func (d installDocument) change(t *testing.T, object string) changeDocument {
	t.Helper()
	at := slices.IndexFunc(d.Changes, func(c changeDocument) bool { return c.Object == object })
	if at < 0 {
		t.Fatalf("no change of %s in %+v", object, d.Changes)
	}
	return d.Changes[at]
}

// summary is what is done, one line a change.
func (d installDocument) summary() string {
	var lines []string
	for _, change := range d.Changes {
		lines = append(lines, change.Action+" "+change.Object)
	}
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}

// wantSummary is that of a first install on OpenShift.
func wantSummary(bed *testbed.Bed, namespace string) string {
	return fmt.Sprintf(`create Bucket %[1]s-bucket
create ConfigMap ostoy-configmap-files
create Deployment ostoy-frontend
create Deployment ostoy-microservice
create NetworkPolicy ostoy-frontend
create NetworkPolicy ostoy-microservice
create PersistentVolumeClaim ostoy-pvc
create Project %[1]s
create Role %[2]s
create Route ostoy-route
create Secret ostoy-secret
create Secret ostoy-secret-env
create Service ostoy-frontend-svc
create Service ostoy-microservice-svc
create ServiceAccount ostoy-sa`, namespace, roleARN(bed, namespace))
}

// testJSON: one document on stdout, of a first run, a second one, and one that
// puts something back.
func testJSON(t *testing.T, bed *testbed.Bed) {
	const namespace = "as-json"
	admin := run.Admin(bed)
	var first, second, third installDocument
	install(t, admin, "--new-project="+namespace, "-o", "json").JSON(t, &first)
	if have, want := first.summary(), wantSummary(bed, namespace); have != want {
		t.Errorf("changes of the first run\n%s\nwant\n%s", have, want)
	}
	wantHead(t, bed, namespace, first)

	install(t, admin, "-n", namespace, "-o", "json").JSON(t, &second)
	wantHead(t, bed, namespace, second)
	if second.Changes == nil || len(second.Changes) > 0 {
		t.Errorf("changes of the second run: %#v, want an empty list", second.Changes)
	}

	admin.Kubectl(t, "set", "image", "deployment/ostoy-frontend", "ostoy-frontend=example.com/other:1", "-n", namespace).WantCode(t, 0)
	install(t, admin, "-n", namespace, "-o", "json").JSON(t, &third)
	wantHead(t, bed, namespace, third)
	frontend := third.change(t, "Deployment ostoy-frontend")
	if len(third.Changes) != 1 || frontend.Action != "update" || len(frontend.Fields) != 1 {
		t.Fatalf("changes of the third run: %+v", third.Changes)
	}
	want := fieldDocument{
		Path:   "spec.template.spec.containers[ostoy-frontend].image",
		Before: "example.com/other:1", After: "quay.io/ostoylab/ostoy-frontend:1.6.0", Manager: "kubectl-set",
	}
	if frontend.Fields[0] != want {
		t.Errorf("the field is %+v, want %+v", frontend.Fields[0], want)
	}
}

// wantHead looks at what every document of a run that ended well says.
func wantHead(t *testing.T, bed *testbed.Bed, namespace string, d installDocument) {
	t.Helper()
	if d.Namespace != namespace || d.Bucket != namespace+"-bucket" || d.Role != roleARN(bed, namespace) {
		t.Errorf("namespace %q, bucket %q, role %q", d.Namespace, d.Bucket, d.Role)
	}
	if d.URL+"\n" != wantURL(bed, namespace) || !d.Ready || d.DurationSeconds <= 0 || d.DryRun != "" {
		t.Errorf("url %q, ready %t, %v seconds, dry run %q", d.URL, d.Ready, d.DurationSeconds, d.DryRun)
	}
}
