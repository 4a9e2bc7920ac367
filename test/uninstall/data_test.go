package uninstall

import (
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func readBody(r *http.Request) (string, io.ReadCloser) {
	data, err := io.ReadAll(r.Body)
	if err != nil {
		return "", http.NoBody
	}
	return string(data), io.NopCloser(strings.NewReader(string(data)))
}

// testDataKeptAndAdopted: a bucket with data stays, named and counted; the next
// install finds it again, with the data; --delete-data ends it, versions and
// delete markers included.
func testDataKeptAndAdopted(t *testing.T, bed *testbed.Bed) {
	const namespace = "with-data"
	admin := installed(t, bed, namespace)
	_, err := bed.S3().PutBucketVersioning(t.Context(), &s3.PutBucketVersioningInput{
		Bucket:                  aws.String(namespace + "-bucket"),
		VersioningConfiguration: &s3types.VersioningConfiguration{Status: s3types.BucketVersioningStatusEnabled},
	})
	orders(t, err)
	put(t, bed, namespace, "a.txt")
	put(t, bed, namespace, "a.txt")
	put(t, bed, namespace, "b.txt")
	_, err = bed.S3().DeleteObject(t.Context(), &s3.DeleteObjectInput{Bucket: aws.String(namespace + "-bucket"), Key: aws.String("b.txt")})
	orders(t, err)
	uninstall(t, admin, 0, namespace).WantTalk(t,
		"bucket with-data-bucket", "1 object, 2 older versions, 1 delete marker, 45 B", "oc ostoy-s3 uninstall -n with-data --delete-data")
	wantLeft(t, bed, namespace, pvc, full(namespace, 4))

	// No role shows any more that the bucket is the project's, and a Route is to lead to it.
	admin.Run(t, "install", "-n", namespace).WantCode(t, 2).WantTalk(t, "not confirmed: nothing was changed", "no IAM role shows that it is this project's")
	wantLeft(t, bed, namespace, pvc, full(namespace, 4))
	admin.Run(t, "install", "-n", namespace, "--yes").WantCode(t, 0)
	if n := objectsIn(t, bed, namespace); n != 4 {
		t.Errorf("%d objects after the second install", n)
	}
	uninstall(t, admin, 0, namespace, "--delete-data", "--yes").WantTalk(t, "removed", "bucket with-data-bucket", "volume ostoy-pvc")
	wantLeft(t, bed, namespace)
}

// testDeleteDataInScript: a script says it twice, or nothing is touched.
func testDeleteDataInScript(t *testing.T, bed *testbed.Bed) {
	const namespace = "not-confirmed"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	before := left(t, bed, namespace)
	user := admin.Typing(namespace + "-bucket\n") // a pipe is no terminal
	uninstall(t, user, 2, namespace, "--delete-data").WantStdout(t, "").WantTalk(t, "--delete-data --yes", "nothing was removed")
	uninstall(t, user, 2, namespace, "--delete-data", "--keep-bucket").WantTalk(t, "--keep-bucket")
	wantLeft(t, bed, namespace, before...)
	uninstall(t, admin, 0, namespace, "--delete-data", "-y")
	wantLeft(t, bed, namespace)
}

// testDeleteDataAtTerminal: a person types the bucket's name.
func testDeleteDataAtTerminal(t *testing.T, bed *testbed.Bed) {
	const namespace = "typed"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	before := left(t, bed, namespace)
	for _, answer := range []string{"yes\n", "\n", "typed\n", "\x04"} {
		if code, talk := run.AtTerminal(t, admin, answer, "uninstall", "-n", namespace, "--delete-data"); code != 2 ||
			!strings.Contains(talk, "typed-bucket with 1 object") || !strings.Contains(talk, "nothing was removed") {
			t.Errorf("%q: exit code %d\n%s", answer, code, talk)
		}
		wantLeft(t, bed, namespace, before...)
	}
	if code, talk := run.AtTerminal(t, admin, "\x03", "uninstall", "-n", namespace, "--delete-data"); code != 130 {
		t.Errorf("Ctrl-C: exit code %d\n%s", code, talk)
	}
	wantLeft(t, bed, namespace, before...)
	if code, talk := run.AtTerminal(t, admin, "typed-bucket\n", "uninstall", "-n", namespace, "--delete-data"); code != 0 {
		t.Errorf("exit code %d\n%s", code, talk)
	}
	wantLeft(t, bed, namespace)
}

// testVerifyObjects: what verify left behind keeps no bucket.
func testVerifyObjects(t *testing.T, bed *testbed.Bed) {
	const namespace = "verified"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "ostoy-s3-verify/1")
	put(t, bed, namespace, "ostoy-s3-verify/2")
	uninstall(t, admin, 0, namespace)
	wantLeft(t, bed, namespace, pvc)
}

// testAdoptedBucket: a bucket that existed before install is kept, also empty, however
// often uninstall runs; the command that is printed removes it and keeps the volume.
func testAdoptedBucket(t *testing.T, bed *testbed.Bed) {
	const namespace = "was-there"
	_, err := bed.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket:                    aws.String(namespace + "-bucket"),
		CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	orders(t, err)
	orders(t, bed.NewNamespace(t.Context(), namespace))
	admin := run.Admin(bed)
	admin.Run(t, "install", "-n", namespace, "--adopt=bucket").WantCode(t, 0)
	uninstall(t, admin, 0, namespace).WantTalk(t, "it was there before install", "oc ostoy-s3 uninstall -n "+namespace+" --adopt=bucket")
	wantLeft(t, bed, namespace, pvc, full(namespace, 0))
	uninstall(t, admin, 0, namespace).WantTalk(t, "was-there-bucket", "if you know that it is: --adopt=bucket")
	wantLeft(t, bed, namespace, pvc, full(namespace, 0))
	uninstall(t, admin, 2, namespace, "--adopt=bucket").WantTalk(t, "--adopt=bucket --yes")
	uninstall(t, admin, 0, namespace, "--adopt=bucket", "-y")
	wantLeft(t, bed, namespace, pvc)
}

func testKeepFlags(t *testing.T, bed *testbed.Bed) {
	const namespace = "keeping"
	admin := installed(t, bed, namespace)
	// Nothing is to go in AWS: AWS is not needed.
	user := admin.With("AWS_ENDPOINT_URL=http://127.0.0.1:1")
	uninstall(t, user, 0, namespace, "--keep-bucket", "--keep-role").WantTalk(t, "--keep-bucket", "--keep-role", "role "+roleName(bed, namespace),
		"oc ostoy-s3 uninstall -n "+namespace+" --delete-data --keep-role", "once the bucket is removed: oc ostoy-s3 uninstall -n "+namespace+" --role-only")
	wantLeft(t, bed, namespace, pvc, full(namespace, 0), "role/"+roleName(bed, namespace))
	uninstall(t, admin, 0, namespace, "--role-only")
	wantLeft(t, bed, namespace, pvc, full(namespace, 0))
	uninstall(t, admin, 2, namespace, "--role-only", "--keep-role")
	uninstall(t, admin, 2, namespace, "--role-only", "--delete-data", "--yes")
}

// testKeptBucketRemoved: the command that --keep-bucket prints removes the bucket,
// for the cluster admin and for an admin of the one project.
func testKeptBucketRemoved(t *testing.T, bed *testbed.Bed) {
	for namespace, user := range map[string]run.User{
		"kept-empty": run.Admin(bed), "kept-empty-too": run.ProjectAdmin(t, bed, "keeps-a-bucket"),
	} {
		user.Run(t, "install", "--new-project="+namespace).WantCode(t, 0)
		var document struct {
			Kept []struct{ Object, Next string }
		}
		uninstall(t, user, 0, namespace, "--keep-bucket", "-o", "json").JSON(t, &document)
		wantLeft(t, bed, namespace, pvc, full(namespace, 0))
		for _, kept := range document.Kept {
			if next, ok := strings.CutPrefix(kept.Next, "oc ostoy-s3 "); ok && kept.Object == "bucket "+namespace+"-bucket" {
				user.Run(t, append(strings.Fields(next), "--yes")...).WantCode(t, 0)
			}
		}
		wantLeft(t, bed, namespace)
	}
}
