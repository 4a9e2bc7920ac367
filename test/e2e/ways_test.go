package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testIngress: where there are no Routes, an Ingress can be asked for, by
// values in a file; without it the app is reached by port-forward.
func testIngress(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-ingress"
	values := filepath.Join(t.TempDir(), "values.yaml")
	if err := os.WriteFile(values, []byte("expose: ingress\ningress: {host: ostoy.example.com, className: nginx}\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	admin := installed(t, bed, namespace)
	install(t, admin, "-n", namespace, "-f", values).WantStdout(t, "http://ostoy.example.com\n")
	ingress := liveObject(t, bed, ingresses, namespace, "ostoy-ingress")
	if class := field(t, ingress, "spec", "ingressClassName"); class != "nginx" {
		t.Errorf("the Ingress is of class %q", class)
	}
	install(t, admin, "-n", namespace, "-f", values, "--set", "ingress.host=other.example.com").WantStdout(t, "http://other.example.com\n")
	encrypted := []string{"-n", namespace, "-f", values, "--set", "ingress.tls[0].secretName=ostoy-tls"}
	install(t, admin, encrypted...).WantStdout(t, "https://ostoy.example.com\n").WantTalk(t, "everybody who can reach https://ostoy.example.com lists")
	admin.Run(t, append([]string{"diff"}, encrypted...)...).WantCode(t, 0)
	admin.Run(t, append([]string{"check", "--only", "route-tls", "--fail-on", "warning"}, encrypted...)...).WantCode(t, 0)
	admin.Run(t, "check", "--only", "route-tls", "--fail-on", "warning", "-n", namespace, "-f", values, "--reset-values").WantCode(t, 4)
	install(t, admin, "-n", namespace, "--reset-values").WantStdout(t, "").WantTalk(t, "Ingress ostoy-ingress   no longer wanted", "port-forward")
	wantGone(t, bed, ingresses, namespace, "ostoy-ingress")
}

// testOtherRegion: the bucket is made where it is asked for, whatever the
// controller's own region, and the app looks for it there.
func testOtherRegion(t *testing.T, bed *testbed.Bed) {
	const namespace, region = "far-away", "us-west-2"
	admin := installed(t, bed, namespace, "--region", region)
	name := namespace + "-bucket"
	there := func(o *s3.Options) { o.Region = region }
	place, err := bed.S3().GetBucketLocation(t.Context(), &s3.GetBucketLocationInput{Bucket: &name}, there)
	if err != nil || string(place.LocationConstraint) != region {
		t.Errorf("the bucket is in %+v, %v", place, err)
	}
	if env := envOf(frontendPod(t, bed, namespace).Spec.Containers[0]); env["AWS_REGION"] != region {
		t.Errorf("the frontend looks in %s", env["AWS_REGION"])
	}
	if have := field(t, liveObject(t, bed, configMaps, namespace, "ostoy-s3"), "data", "region"); have != region {
		t.Errorf("the inventory names %s", have)
	}
	install(t, admin, "-n", namespace, "--region", region).WantTalk(t, "nothing to change")
	// S3 shows where the bucket is, so later commands need no flag.
	install(t, admin, "-n", namespace).WantTalk(t, region, "S3, where the bucket is", "nothing to change")
	admin.Run(t, "diff", "-n", namespace).WantCode(t, 0).WantStdout(t, "")
	if status := admin.Run(t, "status", "-n", namespace).WantCode(t, 0); !strings.Contains(status.Stdout, "drift            ✔ none") {
		t.Errorf("status reports drift\n%s", status)
	}
	admin.Run(t, "check", "-n", namespace, "--only", "drift,bucket-name-taken").WantCode(t, 0)
}

// testNoWait: everything is applied, nothing is claimed to be ready.
func testNoWait(t *testing.T, bed *testbed.Bed) {
	const namespace = "not-waited"
	var document installDocument
	admin := run.Admin(bed)
	install(t, admin, "--new-project="+namespace, "--wait=false", "-o", "json").JSON(t, &document)
	if document.Ready || document.URL != "" || document.summary() != wantSummary(bed, namespace) {
		t.Errorf("ready %t, url %q, changes\n%s", document.Ready, document.URL, document.summary())
	}
	install(t, admin, "-n", namespace).WantStdout(t, wantURL(bed, namespace)).WantTalk(t, "nothing to change")
	wantEndState(t, bed, namespace, true)
}

// testAsPlugin: kubectl finds the executable as its plugin and passes
// arguments, streams and exit codes through.
func testAsPlugin(t *testing.T, bed *testbed.Bed) {
	const namespace = "by-plugin"
	path := bed.BinDir + string(os.PathListSeparator) + filepath.Dir(run.Tool()) + string(os.PathListSeparator) + os.Getenv("PATH")
	user := run.ProjectAdmin(t, bed, "admin-of-"+namespace).With("PATH=" + path)
	user.Kubectl(t, "ostoy-s3", "install", "--new-project", namespace).WantCode(t, 0).WantStdout(t, wantURL(bed, namespace))
	user.Kubectl(t, "ostoy-s3", "install", "-n", namespace, "-o", "json").WantCode(t, 0).JSON(t, &installDocument{})
	user.Kubectl(t, "ostoy-s3", "install", "-n", namespace, "--no-such-flag").WantCode(t, 2).WantTalk(t, "install --help")
}
