package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testDryRunNewProject: nothing is made, whoever asks and however; where there
// is no namespace, the server has nothing to judge, and the run says so.
func testDryRunNewProject(t *testing.T, bed *testbed.Bed) {
	const namespace = "only-looked"
	user := projectAdmin(t, bed, "dry-runs")
	install(t, user, "--new-project=dry-runs") // a project in which a token may be asked for
	user = user.With("KUBECONFIG=" + copyOfKubeconfig(t, user, "dry-runs"))
	mark := bed.KubeMark()
	for _, user := range []run.User{run.Admin(bed), user} {
		for _, way := range []string{"client", "server"} {
			dryRunNewProject(t, user, namespace, way)
		}
	}
	wantNoKubeWrites(t, bed, mark, namespace)
	wantNoNamespace(t, bed, namespace)
	wantNoAWSWrites(t, bed, namespace)
}

func dryRunNewProject(t *testing.T, user run.User, namespace, way string) {
	t.Helper()
	var document installDocument
	result := install(t, user, "--new-project="+namespace, "--dry-run="+way, "-o", "json")
	result.JSON(t, &document)
	result.WantTalk(t, "+ role", "+ bucket", "this was a dry run")
	if degraded := strings.Contains(result.Stderr, "--dry-run=server became client"); degraded != (way == "server") {
		t.Errorf("says that the server's dry run became the client's: %t\n%s", degraded, result)
	}
	if document.DryRun != way || document.Ready || document.URL != "" {
		t.Errorf("document: dry run %q, ready %t, url %q", document.DryRun, document.Ready, document.URL)
	}
	if have, want := document.summary(), wantSummary(user.Bed, namespace); have != want {
		t.Errorf("changes\n%s\nwant\n%s", have, want)
	}
}

// testDryRunChange: in a namespace with edits both ways tell the same changes,
// and leave them.
func testDryRunChange(t *testing.T, bed *testbed.Bed) {
	const namespace = "left-alone"
	admin := installed(t, bed, namespace)
	editByHand(t, admin, namespace)
	before := dump(t, bed, namespace)
	mark := bed.KubeMark()
	written := len(awsWritesOf(t, bed, namespace))

	want := strings.Join([]string{
		"create Service ostoy-microservice-svc", "delete Route ostoy-route", "update Bucket " + namespace + "-bucket",
		"update Deployment ostoy-frontend", "update ServiceAccount ostoy-sa",
	}, "\n")
	for _, way := range []string{"server", "client"} {
		var document installDocument
		result := install(t, admin, "-n", namespace, "--dry-run="+way, "--set", "expose=none", "-o", "json")
		result.JSON(t, &document)
		result.WantTalk(t, "blockPublicPolicy: false → true", "this was a dry run").WantNoTalk(t, "became client")
		if document.DryRun != way || document.summary() != want {
			t.Errorf("dry run %q, changes\n%s\nwant\n%s", document.DryRun, document.summary(), want)
		}
	}

	wantSame(t, before, dump(t, bed, namespace))
	wantNoKubeWrites(t, bed, mark, namespace)
	if now := awsWritesOf(t, bed, namespace); len(now) != written {
		t.Errorf("AWS was written to: %v", now[written:])
	}
}

// wantNoKubeWrites: since the mark the tool has written nothing that has to do
// with the namespace. Others may use the bed meanwhile.
func wantNoKubeWrites(t *testing.T, bed *testbed.Bed, mark int64, namespace string) {
	t.Helper()
	all, err := bed.KubeRequests(mark, run.Name)
	if err != nil {
		t.Fatal(err)
	}
	all = slices.DeleteFunc(all, func(k testbed.KubeRequest) bool { return !strings.Contains(k.URI+"/", "/"+namespace+"/") })
	if writes := (requests{kube: all}).kubeWrites(); len(writes) > 0 {
		t.Errorf("the API server was written to: %v", writes)
	}
}
