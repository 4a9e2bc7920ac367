package e2e

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"github.com/aws/aws-sdk-go-v2/service/s3/types"
	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// byHand runs a script that install --mode manual printed, as who has oc where that
// is the cluster's, kubectl elsewhere, and aws.
func byHand(t *testing.T, user run.User, script string) run.Result {
	t.Helper()
	aws, err := testbed.AWSCLI(t.Context(), t.Output())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	bin := filepath.Join(dir, "bin")
	tool := "kubectl"
	if user.Bed.Platform.OpenShift() {
		tool = "oc" // which does what kubectl does, for all that is printed
	}
	wrapper := "#!/bin/sh\nexec '" + user.Bed.BinDir + "/kubectl' \"$@\"\n"
	err = os.Mkdir(bin, 0o755)
	if err == nil {
		err = os.WriteFile(filepath.Join(bin, tool), []byte(wrapper), 0o755)
	}
	file := filepath.Join(dir, "install.sh")
	if err == nil {
		err = os.WriteFile(file, []byte(script), 0o600)
	}
	if err != nil {
		t.Fatal(err)
	}
	// A key of the tests' own: what the tool asked for is told from it. An empty
	// profile is none to the SDK, and an error to the command line.
	return user.With("AWS_ACCESS_KEY_ID=AKIATESTBEDHELPER001").Shell(t, bin+":"+aws, "unset AWS_PROFILE; exec bash "+file)
}

// printedSteps runs install --mode manual, which writes nothing, and gives the script.
func printedSteps(t *testing.T, user run.User, namespace string, args ...string) (script string) {
	t.Helper()
	mark, written := user.Bed.KubeMark(), len(awsWritesOf(t, user.Bed, namespace))
	result := install(t, user, append([]string{"--mode", "manual"}, args...)...).WantTalk(t, "nothing was changed: the script on stdout does it")
	wantNoKubeWrites(t, user.Bed, mark, namespace)
	if now := awsWritesOf(t, user.Bed, namespace); len(now) != written {
		t.Errorf("AWS was written to: %v", now[written:])
	}
	return result.Stdout
}

// testManual: typing the commands again changes nothing.
func testManual(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-hand"
	admin := run.Admin(bed)
	script := testByHand(t, admin, namespace)
	before := dump(t, bed, namespace)
	byHand(t, admin, script).WantCode(t, 0)
	wantSame(t, before, dump(t, bed, namespace))
	install(t, admin, "-n", namespace).WantTalk(t, "nothing to change")
	wantUninstalled(t, admin, namespace)
}

// testManualProjectAdmin: such a user learns the issuer in a project of theirs only. So the
// script creates the project, and the command that it names prints the rest, unless the
// issuer is given.
func testManualProjectAdmin(t *testing.T, bed *testbed.Bed) {
	const namespace, given = "by-learners-hand", "by-learners-hand-given"
	user := projectAdmin(t, bed, namespace)
	const next = "oc ostoy-s3 install -n " + namespace + " --mode=manual"
	mark := bed.KubeMark()
	first := install(t, user, "--mode", "manual", "--new-project="+namespace).WantTalk(t, "the script on stdout creates the project", next)
	wantNoKubeWrites(t, bed, mark, namespace)
	wantNoNamespace(t, bed, namespace)
	wantSteps(t, first.Stdout, "The project", "The rest")
	for range 2 {
		byHand(t, user, first.Stdout).WantCode(t, 0).WantTalk(t, "next: "+next)
	}
	wantMark(t, bed, namespace, true)
	script := printedSteps(t, user, namespace, "-n", namespace)
	wantSteps(t, script, wholeByHand[1:]...)
	byHand(t, user, script).WantCode(t, 0)
	wantEndState(t, bed, namespace, true)
	install(t, user, "-n", namespace).WantTalk(t, "nothing to change")
	wantUninstalled(t, user, namespace)

	testByHand(t, user, given, "--oidc-issuer", bed.Issuer)
	wantUninstalled(t, user, given)
}

// wholeByHand are the steps of an install in a new project.
var wholeByHand = []string{
	"The project", "The inventory", "The role", "What the app needs, wave 0", "Wait for the bucket",
	"The app, wave 1", "The app, wave 2", "The inventory, with what was done", "Wait for the pods", "Look whether it works",
}

// wantSteps: the headings of a printed script.
func wantSteps(t *testing.T, script string, want ...string) {
	t.Helper()
	var steps []string
	for _, heading := range regexp.MustCompile(`(?m)^# \d+\. (.*)$`).FindAllStringSubmatch(script, -1) {
		steps = append(steps, heading[1])
	}
	if diff := cmp.Diff(want, steps); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

// testByHand: the printed commands, typed into a bash, are the install that install
// makes, which has nothing to change then.
func testByHand(t *testing.T, user run.User, namespace string, args ...string) string {
	t.Helper()
	bed := user.Bed
	script := printedSteps(t, user, namespace, append([]string{"--new-project=" + namespace}, args...)...)
	wantNoNamespace(t, bed, namespace)
	wantSteps(t, script, wholeByHand...)
	if result := byHand(t, user, script).WantCode(t, 0); !strings.HasSuffix(result.Stdout, wantURL(bed, namespace)) {
		t.Errorf("it does not end with the address\n%s", result)
	}
	wantEndState(t, bed, namespace, true)
	install(t, user, append([]string{"-n", namespace}, args...)...).WantStdout(t, wantURL(bed, namespace)).WantTalk(t, "nothing to change")

	install(t, user, append([]string{"-n", namespace, "--mode", "manual"}, args...)...).WantStdout(t, "").WantTalk(t, "nothing to change, and so nothing to run")
	return script
}

// wantUninstalled: uninstall leaves nothing of what was made by hand.
func wantUninstalled(t *testing.T, user run.User, namespace string) {
	t.Helper()
	bed := user.Bed
	user.Run(t, "uninstall", "-n", namespace, "--delete-data", "--delete-namespace", "--yes").WantCode(t, 0)
	eventually(t, "the end of the project", func(ctx context.Context) error {
		if text := dump(t, bed, namespace); text != "" {
			return fmt.Errorf("there is still\n%s", text)
		}
		return ctx.Err()
	})
	name, bucket := roleName(bed, namespace), namespace+"-bucket"
	if _, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: &name}); err == nil {
		t.Error("uninstall has left the role")
	}
	if _, err := bed.S3().HeadBucket(t.Context(), &s3.HeadBucketInput{Bucket: &bucket}); err == nil {
		t.Error("uninstall has left the bucket")
	}
}

// testManualInPart: what is as it should be is not printed, what was edited is
// taken back as install takes it back, and only the very object that was looked at
// is deleted.
func testManualInPart(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-hand-in-part"
	admin := installed(t, bed, namespace)
	admin.Kubectl(t, "-n", namespace, "scale", "deployment/ostoy-microservice", "--replicas=3").WantCode(t, 0)
	admin.Kubectl(t, "-n", namespace, "delete", "service", "ostoy-frontend-svc").WantCode(t, 0)
	admin.Typing(`{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"ostoy-configmap-files","labels":{"team":"red"}},"data":{"config.json":"theirs"}}`).
		Kubectl(t, "-n", namespace, "apply", "-f", "-").WantCode(t, 0)
	route := liveObject(t, bed, routes, namespace, "ostoy-route")
	flags := []string{"-n", namespace, "--set", "expose=none", "--tags", "team=blue", "--context", "testbed"}
	before := dump(t, bed, namespace)
	script := printedSteps(t, admin, namespace, flags...)
	wantSame(t, before, dump(t, bed, namespace))
	wantSteps(t, script, "The role", "What the app needs, wave 0", "The app, wave 1", "What is no longer wanted",
		"The inventory, with what was done", "Wait for the pods", "Look whether it works")
	if told := "# kubectl takes from ConfigMap ostoy-configmap-files what kubectl apply once put there: metadata.labels.team\n"; !strings.Contains(script, told) {
		t.Errorf("no %s in\n%s", told, script)
	}
	byHand(t, admin, script).WantCode(t, 0)
	wantGone(t, bed, routes, namespace, "ostoy-route")
	if team, there := liveObject(t, bed, configMaps, namespace, "ostoy-configmap-files").GetLabels()["team"]; there {
		t.Errorf("kubectl has left the label: %s", team)
	}
	install(t, admin, flags...).WantTalk(t, "nothing to change")

	route.SetResourceVersion("")
	route.SetUID("")
	route.SetManagedFields(nil)
	if _, err := bed.Dynamic.Resource(routes).Namespace(namespace).Create(t.Context(), route, metav1.CreateOptions{FieldManager: "somebody"}); err != nil {
		t.Fatal(err)
	}
	byHand(t, admin, script).WantCode(t, 0)
	liveObject(t, bed, routes, namespace, "ostoy-route")
	install(t, admin, flags...).WantTalk(t, "nothing to change")

	// The inventory alone: install would make it anew, too, without a word.
	admin.Kubectl(t, "-n", namespace, "delete", "configmap", "ostoy-s3").WantCode(t, 0)
	script = printedSteps(t, admin, namespace, flags...)
	wantSteps(t, script, "The inventory", "Look whether it works")
	byHand(t, admin, script).WantCode(t, 0)
	install(t, admin, append(flags, "--mode", "manual")...).WantStdout(t, "")
}

// testManualRefused: what install refuses is not printed, and a script that finds
// another world than it was printed for changes nothing in it.
func testManualRefused(t *testing.T, bed *testbed.Bed) {
	const namespace, theirs = "by-hand-taken", "by-hand-theirs"
	admin, bucket := run.Admin(bed), theirs+"-bucket"
	_, err := bed.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &bucket, CreateBucketConfiguration: &types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	if err != nil {
		t.Fatal(err)
	}
	admin.Run(t, "install", "--mode", "manual", "--new-project="+theirs).WantCode(t, 4).WantStdout(t, "").WantTalk(t, bucket, "nothing was changed")
	wantNoNamespace(t, bed, theirs)

	script := printedSteps(t, admin, namespace, "--new-project="+namespace)
	for was, other := range map[string]string{
		"cluster='https://127.0.0.1:":       "cluster='https://127.0.0.1:1",
		"account='" + testbed.Account + "'": "account='210987654321'",
	} {
		elsewhere := strings.Replace(script, was, other, 1)
		if elsewhere == script {
			t.Fatalf("no %s in\n%s", was, script)
		}
		byHand(t, admin, elsewhere).WantCode(t, 4).WantStdout(t, "").WantTalk(t, "stopped here")
		wantNoNamespace(t, bed, namespace)
	}
	if err := bed.NewNamespace(t.Context(), namespace); err != nil {
		t.Fatal(err)
	}
	before := dump(t, bed, namespace)
	byHand(t, admin, script).WantCode(t, 4).WantTalk(t, "is there already, and was not made by this")
	wantSame(t, before, dump(t, bed, namespace))
}
