package status_test

import (
	"fmt"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/measure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// row is one install in the document of all.
type row struct {
	Namespace, State, Role, Drift, URL string
	Objects                            *int64
	ReadyPods, WantedPods              int64
	Problems                           []string
}

func rowsOf(t *testing.T, user run.User) map[string]row {
	t.Helper()
	var document struct{ Installs []row }
	user.Run(t, "status", "-A", "-o", "json").WantCode(t, 0).JSON(t, &document)
	rows := map[string]row{}
	for _, r := range document.Installs {
		rows[r.Namespace] = r
	}
	return rows
}

// all: the scenes before have left installs that are good and some that are not.
func all(t *testing.T, bed *testbed.Bed) {
	learner := run.ProjectAdmin(t, bed, "learner-all")
	installed(t, bed, "all-learner", learner)
	broken := installed(t, bed, "all-broken", run.Admin(bed))
	broken.deleteRole(t)
	broken.kubectl(t, "scale", "deployment/ostoy-frontend", "--replicas=0")
	admin := run.Admin(bed)
	deadline := time.Now().Add(2 * time.Minute)
	for {
		rows := rowsOf(t, admin)
		complaint := complaintOf(rows)
		if complaint == "" {
			break
		}
		if time.Now().After(deadline) {
			t.Fatalf("%s\n%+v", complaint, rows)
		}
	}
	table := admin.Run(t, "status", "-A").WantCode(t, 0).WantTalk(t, "all-broken", "role: it is not there")
	if head := strings.Fields(strings.SplitN(table.Stdout, "\n", 2)[0]); !cmp.Equal(head, []string{"PROJECT", "BUCKET", "ROLE", "PODS", "DRIFT", "URL", "AGE"}) {
		t.Errorf("the columns are %v\n%s", head, table)
	}
	mine := learner.Run(t, "status", "-A").WantCode(t, 0).WantTalk(t, "looked in the 1 project")
	if !strings.Contains(mine.Stdout, "all-learner-bucket  ok    2/2   no") || strings.Contains(mine.Stdout, "all-broken") {
		t.Errorf("a project admin sees\n%s", mine)
	}
	wide := admin.Run(t, "status", "-A", "-o", "wide").WantCode(t, 0)
	if !strings.Contains(wide.Stdout, "OBJECTS") {
		t.Errorf("wide does not count\n%s", wide)
	}
	nobody := run.ProjectAdmin(t, bed, "has-nothing").Run(t, "status", "-A").WantCode(t, 0).WantTalk(t, "nothing is installed")
	if nobody.Stdout != "" {
		t.Errorf("somebody without projects sees\n%s", nobody)
	}
	admin.Run(t, "status", "-A", "-n", "x").WantCode(t, 2)
	admin.Run(t, "status", "-A", "--audit").WantCode(t, 2)
}

func complaintOf(rows map[string]row) string {
	for _, want := range []row{
		{Namespace: "good", State: "ok", Role: "ok", Drift: "no", ReadyPods: 2, WantedPods: 2},
		{Namespace: "learner", State: "ok", Role: "ok", Drift: "no", ReadyPods: 2, WantedPods: 2},
		{Namespace: "named", Role: "ok", Drift: "cluster"},
		{Namespace: "mistrusted", State: "wrong", Role: "stale", Drift: "iam"},
		{Namespace: "widened", State: "wrong", Role: "stale", Drift: "iam"},
		{Namespace: "roleless", State: "wrong", Role: "missing", Drift: "iam"},
		{Namespace: "opened", Role: "ok", Drift: "cluster"},
		{Namespace: "all-broken", State: "wrong", Role: "missing", Drift: "cluster,iam", ReadyPods: 1, WantedPods: 1},
	} {
		got := rows[want.Namespace]
		if got.Role != want.Role || got.Drift != want.Drift || want.State != "" && got.State != want.State {
			return fmt.Sprintf("%s is %+v, want %+v", want.Namespace, got, want)
		}
		if want.WantedPods > 0 && (got.ReadyPods != want.ReadyPods || got.WantedPods != want.WantedPods) {
			return fmt.Sprintf("%s has %d of %d pods", want.Namespace, got.ReadyPods, got.WantedPods)
		}
		if got.Objects == nil {
			return want.Namespace + " is not counted"
		}
	}
	return ""
}

// counted: fifty installs more, and not one request more. A project in which only the
// inventory is left costs one, which asks for its bucket.
func counted(t *testing.T, bed *testbed.Bed) {
	person := measure.Person{Bed: bed, Tool: run.Tool(), Kubeconfig: bed.Kubeconfig}
	before, err := person.Count(t.Context(), "status", "-A")
	must(t, err)
	const more = 50
	for n := range more {
		pretend(t, bed, fmt.Sprintf("many-%02d", n))
	}
	after, err := person.Count(t.Context(), "status", "-A")
	must(t, err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("with %d installs more the requests are others (-before +after):\n%s", more, diff)
	}
	if found := len(strings.Split(run.Admin(bed).Run(t, "status", "-A").Stdout, "\n")); found < more {
		t.Errorf("the table has %d lines", found)
	}
	const left = 3
	for n := range left {
		leave(t, bed, fmt.Sprintf("left-%d", n))
	}
	want := maps.Clone(after)
	want["s3 HeadBucket"] += left
	withLeft, err := person.Count(t.Context(), "status", "-A")
	must(t, err)
	if diff := cmp.Diff(want, withLeft); diff != "" {
		t.Errorf("with what is left in %d projects more (-want +got):\n%s", left, diff)
	}
	kube, aws := after.Total()
	t.Logf("%d requests to the API server, %d to AWS\n%s", kube, aws, after)
}

// pretend makes what an install would, as far as the table looks at it: as many
// real ones would take minutes.
func pretend(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	leave(t, bed, namespace)
	role := namespace + "-ostoy-sa"
	_, err := bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{
		Path: aws.String("/ostoy-s3/"), RoleName: &role, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`),
	})
	must(t, err)
	must(t, bed.Apply(t.Context(), fmt.Sprintf(`
apiVersion: v1
kind: ServiceAccount
metadata:
  name: ostoy-sa
  namespace: %[1]s
  labels: {app.kubernetes.io/part-of: ostoy}
---
apiVersion: apps/v1
kind: Deployment
metadata:
  name: ostoy-frontend
  namespace: %[1]s
  labels: {app.kubernetes.io/part-of: ostoy}
spec:
  replicas: 0
  selector: {matchLabels: {app: ostoy-frontend}}
  template:
    metadata: {labels: {app: ostoy-frontend}}
    spec: {containers: [{name: ostoy-frontend, image: example.com/ostoy}]}
`, namespace)))
}

// leave makes a project that has no more than the inventory of an install.
func leave(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	must(t, bed.NewNamespace(t.Context(), namespace))
	must(t, bed.Apply(t.Context(), fmt.Sprintf(`
apiVersion: v1
kind: ConfigMap
metadata:
  name: ostoy-s3
  namespace: %[1]s
  labels: {app.kubernetes.io/managed-by: ostoy-s3}
data:
  bucket: %[1]s-bucket
  account: "123456789012"
  partition: aws
  region: us-east-2
  roleARN: arn:aws:iam::123456789012:role/ostoy-s3/%[1]s-ostoy-sa
`, namespace)))
}
