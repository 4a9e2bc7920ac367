package gitops_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestF4F7StagedTutorial: mallory applies the tutorial's ServiceAccount and Bucket in a
// project that has the name of another team's bucket. The refusal names that bucket, and
// --adopt does not give it to the app without a yes, whether or not there is a Route.
func TestF4F7StagedTutorial(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	admin := run.Admin(bed)
	const ns = "staged-payroll"
	bucket := ns + "-bucket"
	_, err := bed.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String(bucket), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	must(t, err)
	_, err = bed.S3().PutObject(t.Context(), &s3.PutObjectInput{Bucket: aws.String(bucket), Key: aws.String("salaries.txt"), Body: strings.NewReader("secret")})
	must(t, err)
	world.NewNamespace(t, bed, ns, learner)
	text, err := os.ReadFile("testdata/tutorial/bucket.yaml")
	must(t, err)
	staged := strings.NewReplacer("NAMESPACE", ns, "ROLE", "arn:aws:iam::"+testbed.Account+":role/none",
		"kind: Bucket\nmetadata:\n", "kind: Bucket\nmetadata:\n  annotations: {services.k8s.aws/adoption-policy: adopt-or-create, services.k8s.aws/deletion-policy: retain}\n").Replace(string(text))
	file := filepath.Join(t.TempDir(), "bucket.yaml")
	must(t, os.WriteFile(file, []byte(staged), 0o600))
	admin.Kubectl(t, "apply", "-n", ns, "-f", file).WantCode(t, 0)
	admin.Kubectl(t, "wait", "--for=condition=ACK.ResourceSynced", "bucket.s3.services.k8s.aws/"+bucket, "-n", ns).WantCode(t, 0)
	before := world.Look(t, bed, ns)

	for _, args := range [][]string{{"install"}, {"install", "--set", "expose=none"}, {"diff"}} {
		admin.Run(t, append(args, "-n", ns)...).WantCode(t, refused).WantTalk(t, unprepared, "bucket "+bucket+" is in this account already and is not ours")
	}
	for _, args := range [][]string{nil, {"--set", "expose=none"}} {
		admin.Run(t, append([]string{"install", "-n", ns, "--adopt"}, args...)...).WantCode(t, misused).WantStdout(t, "").
			WantTalk(t, bucket+" exists already (no IAM role shows that it is this project's", "1 object, 6 B", "will list, read, write and overwrite every object in it", "--yes")
	}
	before.WantSame(t, world.Look(t, bed, ns))
	admin.Run(t, "install", "-n", ns, "--adopt", "--set", "expose=none", "--yes", "--verify=false").WantCode(t, 0)
}
