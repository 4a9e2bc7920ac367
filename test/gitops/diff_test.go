package gitops_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestDiffOfWhatIsNotThere: before there is a project everything is new, and
// stays so.
func TestDiffOfWhatIsNotThere(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "not-there-yet"
	mark := bed.KubeMark()
	result := run.Admin(bed).Run(t, "diff", "-n", namespace).WantCode(t, some).WantTalk(t, "project not-there-yet does not exist: everything would be created", "--new-project=not-there-yet")
	wantStdout(t, result, "+kind: Bucket\n", "+kind: Route\n", "+  secret.txt: '***'\n", "+++ merged/apps.v1.Deployment.not-there-yet.ostoy-frontend\n",
		`+          "oidc.op1.openshiftapps.com`, `+        "s3:GetObject",`, "+ostoy-s3/namespace=not-there-yet\n", "not \n-k", "not resourceVersion", "not uid")
	wantOnlyLooks(t, asked(t, bed, mark, namespace))
	if _, err := bed.Client.CoreV1().Namespaces().Get(t.Context(), namespace, metav1.GetOptions{}); err == nil {
		t.Error("there is a project now")
	}
}

// TestDiffIsWhatInstallDoes: nothing right after an install; what was edited,
// what other values change, what is pruned, in the cluster and of the role; and
// nothing again when install has done it.
func TestDiffIsWhatInstallDoes(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "differs"
	admin := installed(t, namespace)
	mark := bed.KubeMark()
	admin.Run(t, "diff", "-n", namespace).WantCode(t, none).WantStdout(t, "").WantTalk(t, "nothing to change")
	wantOnlyLooks(t, asked(t, bed, mark, namespace))

	admin.Kubectl(t, "-n", namespace, "scale", "deployment/ostoy-microservice", "--replicas=3").WantCode(t, 0)
	admin.Kubectl(t, "-n", namespace, "patch", "secret", "ostoy-secret", "--type=merge", "-p", `{"stringData":{"secret.txt":"EDITED-BY-HAND"}}`).WantCode(t, 0)
	widenRole(t, namespace)
	flags := []string{"-n", namespace, "--set", "expose=none", "--tags", "team=blue"}
	mark = bed.KubeMark()
	result := admin.Run(t, append([]string{"diff"}, flags...)...).WantCode(t, some).
		WantTalk(t, "Deployment ostoy-microservice: spec.replicas was changed by kubectl", "Secret ostoy-secret: data[secret.txt] was changed by kubectl-patch")
	wantStdout(t, result, "-  replicas: 3\n+  replicas: 1\n", "-  secret.txt: '*** (before)'\n+  secret.txt: '*** (after)'\n", "-kind: Route\n",
		`-        "s3:*",`, "+team=blue\n", "not v1.Service.differs", "not RURJ", "not EDITED")
	wantOnlyLooks(t, asked(t, bed, mark, namespace))

	// The same from install, before it acts, as talk; then there is none left.
	for _, way := range [][]string{{"--dry-run=server"}, {"--dry-run=client"}, nil} {
		install := admin.Run(t, append(append([]string{"install", "--diff"}, flags...), way...)...).WantCode(t, 0)
		if way == nil || way[0] == "--dry-run=server" {
			install.WantTalk(t, "Plan", result.Stdout)
		}
		install.WantTalk(t, "-  replicas: 3\n+  replicas: 1\n", "*** (after)", "-kind: Route\n")
		if strings.Contains(install.Stdout, "replicas") {
			t.Errorf("the diff is in the data\n%s", install)
		}
	}
	admin.Run(t, append([]string{"diff"}, flags...)...).WantCode(t, none).WantStdout(t, "")
	admin.Run(t, append([]string{"install", "--diff"}, flags...)...).WantCode(t, 0).WantNoTalk(t, "merged/")
}

// widenRole edits the role's policy as somebody might.
func widenRole(t *testing.T, namespace string) {
	t.Helper()
	bed := run.TheBed(t)
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:*","s3:ListBucket"],"Resource":"*"}]}`
	_, err := bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{
		RoleName: aws.String(world.RoleName(bed.Issuer, namespace)), PolicyName: aws.String("ostoy-s3"), PolicyDocument: aws.String(policy),
	})
	must(t, err)
}

// TestDiffTellsWhatIsNotOurs: foreign objects, fields that others hold and a
// foreign role are told with their owners, and the rest is diffed.
func TestDiffTellsWhatIsNotOurs(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "not-all-ours"
	admin := installed(t, namespace)
	must(t, bed.Apply(t.Context(), `{"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"ostoy-microservice","namespace":"`+namespace+`"},"spec":{"replicas":2}}`))
	admin.Kubectl(t, "-n", namespace, "delete", "configmap", "ostoy-configmap-files").WantCode(t, 0)
	admin.Kubectl(t, "-n", namespace, "create", "configmap", "ostoy-configmap-files", "--from-literal=a=theirs").WantCode(t, 0)
	admin.Kubectl(t, "-n", namespace, "label", "service", "ostoy-frontend-svc", "app-").WantCode(t, 0)
	_, err := bed.IAM().UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: aws.String(world.RoleName(bed.Issuer, namespace)), TagKeys: []string{"ostoy-s3/issuer"}})
	must(t, err)
	result := admin.Run(t, "diff", "-n", namespace, "--set", "expose=none").WantCode(t, refused).
		WantTalk(t, "Deployment ostoy-microservice in not-all-ours has fields that others manage", "spec.replicas is set by",
			"ConfigMap ostoy-configmap-files in not-all-ours is not ours", "kubectl-create", "role ostoy-s3/", "is there and is not ours", "the diff is of everything else")
	wantStdout(t, result, "-kind: Route\n", "not replicas: 2", "not theirs")
	// With the leave that install takes, diff shows what it would do.
	result = admin.Run(t, "diff", "-n", namespace, "--force-conflicts", "--adopt=role").WantCode(t, some)
	wantStdout(t, result, "-  replicas: 2\n+  replicas: 1\n", "+++ merged/v1.ConfigMap.not-all-ours.ostoy-configmap-files\n", "+ostoy-s3/issuer=")
}

// TestDiffTellsOfAForeignInventory: a ConfigMap of somebody's in its place keeps
// install from everything, though there is nothing to change.
func TestDiffTellsOfAForeignInventory(t *testing.T) {
	t.Parallel()
	const namespace = "foreign-inventory"
	admin := installed(t, namespace)
	admin.Kubectl(t, "-n", namespace, "delete", "configmap", "ostoy-s3").WantCode(t, 0)
	admin.Kubectl(t, "-n", namespace, "create", "configmap", "ostoy-s3", "--from-literal=a=theirs").WantCode(t, 0)
	refusal := []string{"ConfigMap ostoy-s3 in foreign-inventory is not ours", "kubectl-create", "--force-conflicts"}
	admin.Run(t, "install", "-n", namespace, "--dry-run=server").WantCode(t, refused).WantTalk(t, refusal...)
	admin.Run(t, "diff", "-n", namespace).WantCode(t, refused).WantStdout(t, "").WantTalk(t, refusal...).WantNoTalk(t, "nothing to change")
	admin.Run(t, "diff", "-n", namespace, "--force-conflicts").WantCode(t, none).WantStdout(t, "")
}
