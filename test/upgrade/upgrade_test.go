package upgrade

import (
	"flag"
	"os"
	"path/filepath"
	"testing"

	awssdk "github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

var update = flag.Bool("update", false, "rewrite the expected diff")

// identity is what an upgrade must not replace.
type identity struct {
	Role, RoleID, Bucket, Claim, S3, Data, Account string
}

func identityOf(t *testing.T, bed *testbed.Bed) identity {
	t.Helper()
	role, err := bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: awssdk.String(roleName)})
	if err != nil {
		t.Fatal(err)
	}
	aws := world.World{}
	aws.Bucket(t, bed.S3(), bucket)
	return identity{
		Role: *role.Role.Arn, RoleID: *role.Role.RoleId,
		Bucket: string(object(t, bed, buckets, bucket).GetUID()), Claim: string(object(t, bed, claims, "ostoy-pvc").GetUID()),
		S3: aws["bucket/"+bucket], Data: aws["data/"+bucket],
		Account: object(t, bed, serviceAccounts, "ostoy-sa").GetAnnotations()["eks.amazonaws.com/role-arn"],
	}
}

func object(t *testing.T, bed *testbed.Bed, kind schema.GroupVersionResource, name string) *unstructured.Unstructured {
	t.Helper()
	found, err := bed.Dynamic.Resource(kind).Namespace(project).Get(t.Context(), name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestInstallOfAnOlderVersion: an install that was made before the pods were
// hardened is upgraded by a project admin. What is said before is what happens, the
// bucket, its data, the volume and the role stay, and each Deployment is rolled out
// once.
func TestInstallOfAnOlderVersion(t *testing.T) {
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.ROSAHCP, Progress: t.Output()})
	run.Enforce(t, bed)
	user := run.ProjectAdmin(t, bed, "maintainer")
	recorded(t, bed, user.Name)
	before, untouched := identityOf(t, bed), world.Look(t, bed, project)
	if before.Role != roleARN || before.Account != roleARN {
		t.Fatalf("the recorded install has the role %s, and its service account %s", before.Role, before.Account)
	}

	wantDiff(t, user.Run(t, "diff", "-n", project).WantCode(t, 1).Stdout)
	user.Run(t, "install", "-n", project, "--dry-run=server").WantCode(t, 0).WantTalk(t,
		"~ object    ServiceAccount ostoy-sa", "~ object    Deployment ostoy-frontend", "~ object    Deployment ostoy-microservice",
		"+ 2 more    NetworkPolicy ostoy-frontend, NetworkPolicy ostoy-microservice",
		"~ role      tags", "ostoy-s3/bucket="+bucket, "nothing was changed")
	untouched.WantSame(t, world.Look(t, bed, project))

	user.Run(t, "install", "-n", project).WantCode(t, 0).WantTalk(t, "2 created", "updated: tags").WantNoTalk(t, "role      created")
	settled(t, bed, 2)
	if diff := cmp.Diff(before, identityOf(t, bed)); diff != "" {
		t.Errorf("replaced (-before +after):\n%s", diff)
	}
	wantOneRollout(t, bed)
	if got := object(t, bed, configMaps, "ostoy-s3"); got.Object["data"].(map[string]any)["roleARN"] != roleARN {
		t.Errorf("the inventory names another role: %v", got.Object["data"])
	}

	upgraded := world.Look(t, bed, project)
	user.Run(t, "diff", "-n", project).WantCode(t, 0).WantStdout(t, "").WantTalk(t, "nothing to change")
	user.Run(t, "install", "-n", project).WantCode(t, 0).WantTalk(t, "nothing to change")
	settled(t, bed, 2)
	upgraded.WantSame(t, world.Look(t, bed, project))

	// What the new version added is removed with the rest.
	user.Run(t, "uninstall", "-n", project, "--yes").WantCode(t, 0).WantTalk(t, "2 NetworkPolicies")
	for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
		if _, err := bed.Dynamic.Resource(policies).Namespace(project).Get(t.Context(), name, metav1.GetOptions{}); !apierrors.IsNotFound(err) {
			t.Errorf("NetworkPolicy %s after uninstall: %v", name, err)
		}
	}
}

// wantOneRollout: the specs have changed once, and the policies have come.
func wantOneRollout(t *testing.T, bed *testbed.Bed) {
	t.Helper()
	for _, name := range []string{"ostoy-frontend", "ostoy-microservice"} {
		if generation := object(t, bed, deployments, name).GetGeneration(); generation != 2 {
			t.Errorf("Deployment %s has generation %d, want 2", name, generation)
		}
		object(t, bed, policies, name)
	}
}

// wantDiff compares what diff prints with testdata/diff.txt, which names every
// field that the upgrade changes.
func wantDiff(t *testing.T, got string) {
	t.Helper()
	path := filepath.Join("testdata", "diff.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("diff before the upgrade differs from %s (-want +got):\n%s", path, diff)
	}
}
