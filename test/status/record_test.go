package status_test

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// forgedRecord is TestF2 of the recalled flags: an editor of the project writes role and
// region into the inventory, and the region of the Bucket. What status and check then
// advise an admin names none of them.
func forgedRecord(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "forged", run.Admin(bed))
	arn := s.until(t, wantGood).Role.ARN
	forged := arn[:strings.Index(arn, ":role/")] + ":role/finance/break-glass"
	record := func(origin string) {
		s.kubectl(t, "patch", "configmap", "ostoy-s3", "--type=merge", "-p",
			`{"data":{"roleARN":"`+forged+`","roleOrigin":"`+origin+`","region":"eu-west-1","policyARN":"arn:aws:iam::aws:policy/AdministratorAccess"}}`)
	}
	record("")
	s.kubectl(t, "annotate", "buckets.s3.services.k8s.aws", "forged-bucket", "services.k8s.aws/region=eu-west-1", "--overwrite")
	want := func(command string, args ...string) {
		t.Helper()
		result := s.User.Run(t, append(args, "-n", s.Namespace)...)
		if text := result.Stdout + result.Stderr; !strings.Contains(text, command) || strings.Contains(text, "--role-name break") || strings.Contains(text, "--role-path /") || strings.Contains(text, "--region eu-west-1") {
			t.Errorf("want %q, and no word of the inventory\n%s", command, result)
		}
	}
	again := "oc ostoy-s3 install -n " + s.Namespace
	want(again+"\n", "status")
	want(again+" --region "+testbed.Region, "check", "--only", "bucket-object")
	want(again+"\n", "check", "--only", "role")
	record("existing")
	want(again+" --role-name ROLE --role-path PATH\n", "status")
	want("if another tool manages the role, as the inventory says, add --iam=skip", "status")
	want("oc ostoy-s3 iam render -n "+s.Namespace+" --role-name ROLE --role-path PATH", "check", "--only", "role")
}
