package controller_test

import (
	"context"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	rbac "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

const fullAccess = "arn:aws:iam::aws:policy/AmazonS3FullAccess"

// again is a run without any flag about the role.
func (s *scene) again(t *testing.T, flags ...string) run.Result {
	t.Helper()
	return s.Admin.Run(t, append([]string{"controller", "install"}, flags...)...)
}

// policy is the inline policy of the one role of ours.
func (s *scene) policy(t *testing.T) string {
	t.Helper()
	role := s.roles(t.Context(), t)[0]
	out, err := s.IAM().GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String("ostoy-s3")})
	must(t, err)
	return strings.ReplaceAll(aws.ToString(out.PolicyDocument), "%2A", "*")
}

// TestF1ReachOfTheController: which buckets the controller reaches is said before it
// is so, and is nothing that nobody asked for.
func TestF1ReachOfTheController(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.again(t).WantCode(t, misused).WantStdout(t, "").WantTalk(t, "a new role of the ACK S3 controller needs --bucket-pattern", "'ostoy-*-bucket'", "'*-bucket'")
	s.Admin.Run(t, "install", "--new-project=demo", "--with-controller").WantCode(t, misused).WantTalk(t, "needs --bucket-pattern")
	s.Admin.Run(t, "install", "--new-project=demo", "--with-controller", "--bucket-pattern", "ostoy-*-bucket").WantCode(t, misused).
		WantTalk(t, "--bucket-pattern 'ostoy-*-bucket' does not match demo-bucket")
	const reach = "reach     every bucket named ostoy-*-bucket in account 123456789012: 0 of 0 buckets that exist today"
	s.again(t, "--dry-run=client").WantCode(t, done).WantTalk(t, reach, "this plan assumes ostoy-*-bucket", "with it who reads its objects")
	s.wantAssumed(t)
	s.wantNothingWritten(t)
	s.patternAtTerminal(t)

	// The role keeps it.
	s.again(t).WantCode(t, done).WantTalk(t, "nothing to change")
	s.again(t, "--bucket-pattern", "ostoy-*-bucket").WantCode(t, done).WantTalk(t, "nothing to change")

	// Another project's bucket is not one of them: said before anything is made.
	must(t, s.NewNamespace(t.Context(), "demo"))
	const widen = "oc ostoy-s3 controller install --bucket-pattern '*-bucket'"
	s.Admin.Run(t, "install", "-n", "demo").WantCode(t, refused).WantStdout(t, "").WantTalk(t, "cannot manage the bucket demo-bucket", widen, "nothing was changed")
	for _, flags := range [][]string{{"--only", "controller-role"}, {"--pre", "--only", "controller-role"}} {
		result := s.Admin.Run(t, append([]string{"check", "-n", "demo"}, flags...)...).WantCode(t, refused)
		if !strings.Contains(result.Stdout, widen) {
			t.Errorf("%v:\n%s", flags, result.Stdout)
		}
	}
	if roles := s.roles(t.Context(), t); len(roles) != 1 {
		t.Errorf("roles %v", roles)
	}

	s.again(t, "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "wider than before: the pattern was ostoy-*-bucket")
	s.Admin.Run(t, "install", "-n", "demo").WantCode(t, done).WantTalk(t, "✔ verified")
	s.narrowing(t)
}

// patternAtTerminal: the offered pattern is taken by Enter.
func (s *scene) patternAtTerminal(t *testing.T) {
	t.Helper()
	code, screen := run.AtTerminal(t, s.Admin, "Not_A_Pattern\n", "controller", "install")
	if code != misused || !strings.Contains(screen, "invalid bucket pattern") {
		t.Errorf("%d\n%s", code, screen)
	}
	s.wantNothingWritten(t)
	code, screen = run.AtTerminal(t, s.Admin, "\n", "controller", "install")
	if code != done || !strings.Contains(screen, "bucket pattern [ostoy-*-bucket]: ") || !strings.Contains(screen, "every bucket named ostoy-*-bucket") {
		t.Fatalf("%d\n%s", code, screen)
	}
	if text := s.policy(t); !strings.Contains(text, "ostoy-*-bucket") {
		t.Errorf("the policy is not for the pattern: %s", text)
	}
}

// TestF1PatternIsAskedLast: nobody answers a question for a plan that is refused.
func TestF1PatternIsAskedLast(t *testing.T) {
	t.Parallel()
	s := begin(t)
	roles := s.Client.RbacV1().ClusterRoles()
	_, err := roles.Create(t.Context(), &rbac.ClusterRole{
		ObjectMeta: metav1.ObjectMeta{Name: "ostoy-s3-buckets-edit"},
		Rules:      []rbac.PolicyRule{{APIGroups: []string{""}, Resources: []string{"pods"}, Verbs: []string{"get"}}},
	}, metav1.CreateOptions{})
	must(t, err)
	code, screen := run.AtTerminal(t, s.Admin, "\n", "controller", "install")
	if code != refused || strings.Contains(screen, "bucket pattern [") {
		t.Errorf("%d\n%s", code, screen)
	}
	must(t, roles.Delete(t.Context(), "ostoy-s3-buckets-edit", metav1.DeleteOptions{}))
}

// narrowing asks where a Bucket would stop syncing.
func (s *scene) narrowing(t *testing.T) {
	t.Helper()
	const stops = "1 Bucket would stop syncing: demo/demo-bucket (demo-bucket)"
	s.again(t, "--bucket-pattern", "ostoy-*-bucket", "--dry-run=client").WantCode(t, done).WantTalk(t, "0 of 1 buckets that exist today", stops)
	s.again(t, "--bucket-pattern", "ostoy-*-bucket").WantCode(t, misused).WantTalk(t, stops, "--yes", "nothing was changed")
	s.again(t, "--bucket-pattern", "demo-*").WantCode(t, done).WantTalk(t, "1 of 1 buckets that exist today", "no Bucket stops syncing")
	s.again(t, "--bucket-pattern", "ostoy-*-bucket", "--yes").WantCode(t, done).WantTalk(t, stops)

	// A managed policy takes its place, and is kept.
	s.again(t, "--policy-arn", fullAccess).WantCode(t, done).WantTalk(t, "managed policy", "every bucket of account 123456789012, by its policy AmazonS3FullAccess: 1 of 1")
	s.again(t).WantCode(t, done).WantTalk(t, "nothing to change")
	var told struct {
		Reach struct {
			AnyBucket bool
			Policy    string
			Buckets   struct{ Reached, Existing int }
		}
	}
	s.again(t, "--dry-run=client", "-o", "json").WantCode(t, done).JSON(t, &told)
	if !told.Reach.AnyBucket || told.Reach.Policy != "AmazonS3FullAccess" || told.Reach.Buckets.Reached != 1 || told.Reach.Buckets.Existing != 1 {
		t.Errorf("%+v", told)
	}
}

// wantAssumed: a document marks a pattern that nobody gave.
func (s *scene) wantAssumed(t *testing.T) {
	t.Helper()
	var told struct {
		Reach struct{ Assumed bool }
		Notes []string
	}
	s.again(t, "--dry-run=client", "-o", "json").WantCode(t, done).JSON(t, &told)
	if !told.Reach.Assumed || !strings.Contains(strings.Join(told.Notes, "\n"), "this plan assumes ostoy-*-bucket") {
		t.Errorf("%+v", told)
	}
}

// TestF8PathOfTheRole: a role under the path of earlier versions is found and kept.
func TestF8PathOfTheRole(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.keepsRole(t, ":role/ostoy-s3/ack-s3-controller-[0-9a-f]{12}$", "--role-path", "/ostoy-s3/")
	s.deletesRole(t)
}

// TestF15EarlierName: a role with the shorter name of earlier versions is found and kept,
// by the commands that only print, too.
func TestF15EarlierName(t *testing.T) {
	t.Parallel()
	s := begin(t)
	earlier := world.EarlierControllerRoleName(s.Issuer)
	s.keepsRole(t, "/"+earlier+"$", "--role-name", earlier)
	named := regexp.MustCompile(earlier + `\b`) // the name of a new role begins with it
	for _, command := range [][]string{{"controller", "render"}, {"iam", "render", "--for", "controller", "--bucket-pattern", "*-bucket"}} {
		if said := s.Admin.Run(t, command...).WantCode(t, done).Stdout; !named.MatchString(said) {
			t.Errorf("%v does not name the role %s:\n%s", command, earlier, said)
		}
	}
	s.deletesRole(t)
}

// keepsRole installs with flags about the role: later runs without them keep it, whether
// the inventory names it or not. The pattern is of its ARN.
func (s *scene) keepsRole(t *testing.T, pattern string, flags ...string) {
	t.Helper()
	s.again(t, append([]string{"--bucket-pattern", "*-bucket"}, flags...)...).WantCode(t, done)
	s.again(t).WantCode(t, done).WantTalk(t, "nothing to change")
	s.forget(t)
	s.again(t).WantCode(t, done)
	if arn := s.annotation(t); !regexp.MustCompile(pattern).MatchString(arn) || len(s.roles(t.Context(), t)) != 1 {
		t.Errorf("%s, %v", arn, s.roles(t.Context(), t))
	}
}

// deletesRole uninstalls the controller without an inventory: its role is deleted, too.
func (s *scene) deletesRole(t *testing.T) {
	t.Helper()
	s.forget(t)
	s.Admin.Run(t, "controller", "uninstall").WantCode(t, done)
	if roles := s.roles(t.Context(), t); len(roles) > 0 {
		t.Errorf("left: %v", roles)
	}
}

// forget deletes the inventory.
func (s *scene) forget(t *testing.T) {
	t.Helper()
	must(t, s.Client.CoreV1().ConfigMaps(namespace).Delete(t.Context(), "ostoy-s3-controller", metav1.DeleteOptions{}))
}

// TestF1AnyBucket: beside a controller that reaches every bucket of the account nobody
// is allowed to create Buckets who was not before, unless an admin says so.
func TestF1AnyBucket(t *testing.T) {
	t.Parallel()
	s := begin(t)
	const keys = ", {name: AWS_ACCESS_KEY_ID, value: testing}, {name: AWS_SECRET_ACCESS_KEY, value: testing}"
	const account = "metadata: {name: ack-s3-controller, namespace: elsewhere}"
	manifests := strings.Replace(helmController, keys, "", 1)
	manifests = strings.Replace(manifests, account, `metadata: {name: ack-s3-controller, namespace: elsewhere, annotations: {eks.amazonaws.com/role-arn: "arn:aws:iam::123456789012:role/of-helm"}}`, 1)
	s.helms(t, manifests)
	leftOut := func(says ...string) {
		t.Helper()
		s.again(t, "--dry-run=server").WantCode(t, done).WantTalk(t, says...)
		s.again(t, "--wait=false").WantCode(t, done).WantTalk(t, append(says, "not managed by ostoy-s3", "the ClusterRole ostoy-s3-buckets-edit is left out", "--allow-any-bucket")...)
		if s.admission(t, admissionKinds()[0]) == nil || s.admission(t, admissionKinds()[1]) == nil {
			t.Error("the policy was not applied")
		}
		if _, err := s.Client.RbacV1().ClusterRoles().Get(t.Context(), "ostoy-s3-buckets-edit", metav1.GetOptions{}); err == nil {
			t.Error("the permission was given")
		}
	}
	leftOut("it is not known which buckets", "no role named of-helm was found in account 123456789012")
	s.roleOfHelm(t)
	leftOut("can configure every bucket of account 123456789012, by its policy AmazonS3FullAccess on role of-helm")
	s.again(t, "--wait=false").WantCode(t, done).WantTalk(t, "nothing to change", "is left out")
	s.again(t, "--allow-any-bucket", "--wait=false").WantCode(t, done).WantTalk(t, "reach     every bucket of account 123456789012", "+ 1 object  ClusterRole").WantNoTalk(t, "is left out")
	s.again(t, "--wait=false").WantCode(t, done).WantTalk(t, "nothing to change")
	s.usedWithinBoundary(t)
}

// usedWithinBoundary: the role of a controller that is used is looked at before the role
// of an app is made, and within its permissions boundary.
func (s *scene) usedWithinBoundary(t *testing.T) {
	t.Helper()
	made, err := s.IAM().CreatePolicy(t.Context(), &iam.CreatePolicyInput{
		PolicyName: aws.String("within"), PolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::ostoy-*"}]}`),
	})
	must(t, err)
	_, err = s.IAM().PutRolePermissionsBoundary(t.Context(), &iam.PutRolePermissionsBoundaryInput{RoleName: aws.String("of-helm"), PermissionsBoundary: made.Policy.Arn})
	must(t, err)
	s.Admin.Run(t, "install", "--new-project=demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantStdout(t, "").
		WantTalk(t, "cannot manage the bucket demo-bucket", "ask who manages the controller", "nothing was changed").WantNoTalk(t, "does not match")
	_, err = s.IAM().DeleteRolePermissionsBoundary(t.Context(), &iam.DeleteRolePermissionsBoundaryInput{RoleName: aws.String("of-helm")})
	must(t, err)
	_, err = s.IAM().DeletePolicy(t.Context(), &iam.DeletePolicyInput{PolicyArn: made.Policy.Arn})
	must(t, err)
}

// roleOfHelm makes the role that the tutorial makes.
func (s *scene) roleOfHelm(t *testing.T) {
	t.Helper()
	name := aws.String("of-helm")
	_, err := s.IAM().CreateRole(t.Context(), &iam.CreateRoleInput{RoleName: name, AssumeRolePolicyDocument: aws.String(`{"Version":"2012-10-17","Statement":[]}`)})
	must(t, err)
	_, err = s.IAM().AttachRolePolicy(t.Context(), &iam.AttachRolePolicyInput{RoleName: name, PolicyArn: aws.String(fullAccess)})
	must(t, err)
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_, err := s.IAM().DetachRolePolicy(ctx, &iam.DetachRolePolicyInput{RoleName: name, PolicyArn: aws.String(fullAccess)})
		must(t, err)
		_, err = s.IAM().DeleteRole(ctx, &iam.DeleteRoleInput{RoleName: name})
		must(t, err)
	})
}
