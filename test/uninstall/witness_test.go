package uninstall

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

const everyRight = "arn:aws:iam::aws:policy/AdministratorAccess"

// testF7Forged: mallory, who may edit a project in which nothing was installed, has the
// controller tag another team's bucket as the project's, and writes an inventory. The
// admin's uninstall deletes nothing of it, and says why.
func testF7Forged(t *testing.T, bed *testbed.Bed) {
	const namespace = "finance-reports"
	name := namespace + "-bucket"
	_, err := bed.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: &name, CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	orders(t, err)
	put(t, bed, namespace, "report.txt")
	orders(t, bed.NewNamespace(t.Context(), namespace))
	forgeTags(t, bed, namespace)
	forgeInventory(t, bed, namespace, map[string]string{
		"bucket": name, "bucketOrigin": "created", "issuer": bed.Issuer, "account": testbed.Account, "region": testbed.Region,
		"roleARN":   "arn:aws:iam::" + testbed.Account + ":role/ostoy-s3/" + roleName(bed, namespace),
		"policyARN": everyRight,
	})

	admin := run.Admin(bed)
	var would document
	uninstall(t, admin, 0, namespace, "--delete-data", "--dry-run", "-o", "json").WantTalk(t, "no IAM role shows that it is this project's").JSON(t, &would)
	for _, line := range would.Removed {
		if strings.Contains(line.Object, name) && strings.HasPrefix(line.Object, "bucket ") {
			t.Errorf("would be removed: %+v", line)
		}
	}
	for _, line := range would.Kept {
		if line.Object == "bucket "+name && (line.Next != "" || !strings.Contains(line.Why, "1 object")) {
			t.Errorf("%+v", line)
		}
	}
	for _, args := range [][]string{nil, {"--delete-data", "--yes"}, {"--delete-data", "--keep-role", "--yes"}} {
		result := uninstall(t, admin, 0, namespace, args...)
		if strings.Contains(result.Stderr+result.Stdout, everyRight) {
			t.Errorf("a policy of the inventory is repeated\n%s", result)
		}
	}
	if n := objectsIn(t, bed, namespace); n != 1 {
		t.Errorf("%d objects are left of 1", n)
	}
	// The same without anything but the tags.
	remove(t, bed, configMaps(), namespace, "ostoy-s3")
	uninstall(t, admin, 0, namespace, "--delete-data", "--yes").WantTalk(t, "none exists")
	if n := objectsIn(t, bed, namespace); n != 1 {
		t.Errorf("%d objects are left of 1", n)
	}
	// What the admin says counts, and a person is told what is in it.
	if code, talk := run.AtTerminal(t, admin, "\n", "uninstall", "-n", namespace, "--delete-data", "--adopt=bucket"); code != 2 ||
		!strings.Contains(talk, "1 object, 15 B, created 20") || !strings.Contains(talk, "no IAM role shows") {
		t.Errorf("exit code %d\n%s", code, talk)
	}
	uninstall(t, admin, 2, namespace, "--adopt=buckets").WantTalk(t, "its words are bucket, role")
	uninstall(t, admin, 2, namespace, "--adopt=bucket", "--keep-bucket")
	uninstall(t, admin, 0, namespace, "--delete-data", "--adopt=bucket", "--yes")
	if n := objectsIn(t, bed, namespace); n != -1 {
		t.Errorf("%d objects are left", n)
	}
}

// forgeTags has the controller tag the bucket of a project as ostoy-s3 would.
func forgeTags(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	name := namespace + "-bucket"
	tags := []any{}
	for _, tag := range [][2]string{
		{"app.kubernetes.io/managed-by", "ostoy-s3"}, {"ostoy-s3/issuer", bed.Issuer}, {"ostoy-s3/namespace", namespace}, {"ostoy-s3/bucket", name},
	} {
		tags = append(tags, map[string]any{"key": tag[0], "value": tag[1]})
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket",
		"spec": map[string]any{"name": name, "tagging": map[string]any{"tagSet": tags}},
	}}
	object.SetName(name)
	object.SetAnnotations(map[string]string{"services.k8s.aws/adoption-policy": "adopt-or-create", "services.k8s.aws/deletion-policy": "retain"})
	_, err := bed.Dynamic.Resource(ack.Resource()).Namespace(namespace).Create(t.Context(), object, metav1.CreateOptions{FieldManager: "mallory"})
	orders(t, err)
	eventually(t, "the bucket has the tags", func(ctx context.Context) error {
		out, err := bed.S3().GetBucketTagging(ctx, &s3.GetBucketTaggingInput{Bucket: &name})
		if err == nil && len(out.TagSet) < len(tags) {
			err = errors.New("it has others")
		}
		return err
	})
}

// forgeInventory writes an inventory that looks like install's own.
func forgeInventory(t *testing.T, bed *testbed.Bed, namespace string, data map[string]string) {
	t.Helper()
	config := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "ostoy-s3", Labels: map[string]string{"app.kubernetes.io/managed-by": "ostoy-s3"}}, Data: data,
	}
	_, err := bed.Client.CoreV1().ConfigMaps(namespace).Create(t.Context(), config, metav1.CreateOptions{FieldManager: "mallory"})
	orders(t, err)
}

// testF3Record: what the inventory says of policies is neither repeated nor believed, and
// a role of somebody else's that it names is not judged as the app's.
func testF3Record(t *testing.T, bed *testbed.Bed) {
	const namespace, boss = "forged-policy", "the-boss-of-forged"
	admin := installed(t, bed, namespace)
	name := roleName(bed, namespace)
	wide := makePolicy(t, bed, "wide-on-forged")
	_, err := bed.IAM().AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: &name, PolicyArn: &wide})
	orders(t, err)
	_, err = bed.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: aws.String(boss), AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`)})
	orders(t, err)
	_, err = bed.IAM().AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: aws.String(boss), PolicyArn: aws.String(everyRight)})
	orders(t, err)
	looks := [][]string{
		{"check"},
		{"check", "-o", "json"},
		{"status"},
		{"status", "-o", "wide"},
		{"status", "-o", "json"},
		{"diff"},
		{"install", "--dry-run=client"},
		{"iam", "plan"},
		{"uninstall", "--dry-run"},
		{"uninstall", "--dry-run", "--delete-data", "-o", "json"},
	}
	for _, forged := range []string{
		`{"data":{"policyARN":"` + everyRight + `"}}`,
		`{"data":{"policyARN":"` + wide + `"}}`,
		`{"data":{"policyARN":"` + everyRight + `","roleOrigin":"existing"}}`,
		`{"data":{"policyARN":null,"roleARN":"arn:aws:iam::` + testbed.Account + `:role/` + boss + `"}}`,
	} {
		patch(t, bed, configMaps(), namespace, "ostoy-s3", forged)
		for _, look := range looks {
			result := admin.Run(t, append(append([]string{}, look...), "-n", namespace)...)
			for _, line := range strings.Split(result.Stdout+result.Stderr, "\n") {
				if strings.Contains(line, "AdministratorAccess") || strings.Contains(line, "ostoy-s3 install") && strings.Contains(line, "--policy-arn") {
					t.Errorf("with the inventory %s: %s\n%s", forged, line, result)
				}
			}
		}
		if !strings.Contains(forged, boss) {
			result := admin.Run(t, "check", "-n", namespace)
			if text := result.Stdout + result.Stderr; !strings.Contains(text, "may do more than OSToy does") || !strings.Contains(text, wide) {
				t.Errorf("with the inventory %s, role-excess does not warn\n%s", forged, result)
			}
		}
	}
}

// installedByOlder is an install by a version without the tags: by the executable that
// OSTOY_S3_OLDER names, or else by this one, whose tags are taken off.
func installedByOlder(t *testing.T, bed *testbed.Bed, namespace string, args ...string) run.User {
	t.Helper()
	path := os.Getenv("OSTOY_S3_OLDER")
	if path == "" {
		admin := installed(t, bed, namespace, args...)
		older(t, bed, namespace)
		return admin
	}
	admin := run.Admin(bed)
	command := admin.Command(t.Context(), t, append([]string{"install", "--new-project=" + namespace}, args...)...)
	command.Path = path
	if text, err := command.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, text)
	}
	return admin
}

// older takes off the role's tags that earlier versions did not set: nothing else of an
// install by them is different in IAM and in S3.
func older(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	name := roleName(bed, namespace)
	_, err := bed.IAM().UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: &name, TagKeys: []string{"ostoy-s3/bucket", "ostoy-s3/policy"}})
	orders(t, err)
}

// roleTags are the tags of the project's role.
func roleTags(t *testing.T, bed *testbed.Bed, namespace string) map[string]string {
	t.Helper()
	got, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(roleName(bed, namespace))})
	orders(t, err)
	tags := map[string]string{}
	for _, tag := range got.Role.Tags {
		tags[*tag.Key] = *tag.Value
	}
	return tags
}

// testF7Older walks through an install by an earlier version: nothing fails, the next
// install writes the tag and says so, and uninstall goes by the inline policy.
func testF7Older(t *testing.T, bed *testbed.Bed) {
	const namespace = "from-before"
	admin := installedByOlder(t, bed, namespace)
	if tags := roleTags(t, bed, namespace); len(tags) != 4 {
		t.Fatalf("the role has the tags %v", tags)
	}
	put(t, bed, namespace, "a.txt")
	admin.Run(t, "check", "-n", namespace).WantCode(t, 0)
	if result := admin.Run(t, "status", "-n", namespace).WantCode(t, 0); !strings.Contains(result.Stdout, "without the tags that earlier versions did not set") {
		t.Errorf("status does not say which tags are missing\n%s", result)
	}
	admin.Run(t, "diff", "-n", namespace).WantCode(t, 1)
	admin.Run(t, "install", "-n", namespace, "--dry-run=client").WantCode(t, 0).WantTalk(t, "tags  that earlier versions did not set", "(none) → ostoy-s3/bucket="+namespace+"-bucket")
	uninstall(t, admin, 0, namespace, "--delete-data", "--dry-run").WantTalk(t, "would remove", "bucket "+namespace+"-bucket", "role ")
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0).WantTalk(t, "tags  that earlier versions did not set", "updated: tags")
	if tags := roleTags(t, bed, namespace); tags["ostoy-s3/bucket"] != namespace+"-bucket" {
		t.Errorf("the role has the tags %v", tags)
	}
	admin.Run(t, "diff", "-n", namespace).WantCode(t, 0)

	// Not migrated: a plain uninstall, and what it prints for the bucket.
	older(t, bed, namespace)
	uninstall(t, admin, 0, namespace).WantTalk(t, "oc ostoy-s3 uninstall -n "+namespace+" --delete-data --adopt=bucket")
	wantLeft(t, bed, namespace, pvc, full(namespace, 1))
	uninstall(t, admin, 0, namespace, "--delete-data", "--yes").WantTalk(t, "1 object, 15 B; no IAM role shows")
	wantLeft(t, bed, namespace, full(namespace, 1))
	admin.Run(t, "install", "-n", namespace).WantCode(t, 2).WantTalk(t, "~ bucket", "exists, 1 object, 15 B", "no IAM role shows that it is this project's", "--yes")
	admin.Run(t, "install", "-n", namespace, "--yes").WantCode(t, 0)
	older(t, bed, namespace)
	uninstall(t, admin, 0, namespace, "--delete-data", "--yes")
	wantLeft(t, bed, namespace)
}

// testF3Older: an install of an earlier version with --policy-arn. Check says how to have
// the tag written; an install without the flag leaves the attachment and says so.
func testF3Older(t *testing.T, bed *testbed.Bed) {
	const namespace = "policy-from-before"
	policy := makePolicy(t, bed, "policy-of-before")
	admin := installedByOlder(t, bed, namespace, "--policy-arn", policy)
	if tags := roleTags(t, bed, namespace); len(tags) != 4 {
		t.Fatalf("the role has the tags %v", tags)
	}
	patch(t, bed, configMaps(), namespace, "ostoy-s3", `{"data":{"policyARN":"`+policy+`"}}`) // as earlier versions recorded it
	command := "oc ostoy-s3 install -n " + namespace + " --policy-arn " + policy
	result := admin.Run(t, "check", "-n", namespace).WantCode(t, 0)
	if text := result.Stdout + result.Stderr; !strings.Contains(text, command) || !strings.Contains(text, "it allows s3:* on *") {
		t.Errorf("check does not say how the tag is written\n%s", result)
	}
	admin.Run(t, "status", "-n", namespace)
	admin.Run(t, "install", "-n", namespace, "--dry-run=client").WantCode(t, 0).WantTalk(t, policy+" on the role is not managed by ostoy-s3 and stays")
	uninstall(t, admin, 0, namespace, "--dry-run").WantTalk(t, "would remove", "role ", "would keep", "bucket "+namespace+"-bucket", "has neither the tag ostoy-s3/bucket")
	admin.Run(t, strings.Fields(strings.TrimPrefix(command, "oc ostoy-s3 "))...).WantCode(t, 0).WantTalk(t, "updated: tags")
	if tags := roleTags(t, bed, namespace); tags["ostoy-s3/policy"] != policy || tags["ostoy-s3/bucket"] != namespace+"-bucket" {
		t.Errorf("the role has the tags %v", tags)
	}
	admin.Run(t, "check", "-n", namespace).WantCode(t, 0).WantNoTalk(t, "may do more")
	admin.Run(t, "install", "-n", namespace).WantCode(t, 0).WantTalk(t, "nothing to change", "the role keeps the managed policy "+policy)
	uninstall(t, admin, 0, namespace)
	wantLeft(t, bed, namespace, pvc)
}
