package status_test

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// wantGood complains of anything that is not as it should be.
func wantGood(r report) string {
	switch {
	case r.State != "ok":
		return "it is not ok"
	case r.Drift.State != "ok" || len(r.Drift.Cluster)+len(r.Drift.IAM)+len(r.Drift.Unseen) > 0:
		return "there is drift"
	case r.Bucket.Region != testbed.Region || r.Bucket.Contents == nil:
		return "the bucket is not told of"
	case !r.Role.Exists || r.Role.Trust.State != "ok" || r.Role.Policy.State != "ok":
		return "the role is not told of"
	case !strings.HasPrefix(r.Route.URL, "http://"):
		return "there is no URL"
	case len(r.Pods) != 2:
		return "there are not two pods"
	}
	for _, p := range r.Pods {
		if !p.Ready || p.NeedsIdentity && (p.Missing != "" || p.Identity != r.Role.ARN) {
			return "pod " + p.Name + " is not as it should be"
		}
	}
	for name, setting := range r.Bucket.Protection {
		if !setting.Good || name != "deletionPolicy" && setting.From != "S3" {
			return name + " is not as it should be"
		}
	}
	return ""
}

func good(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "good", run.Admin(bed))
	_, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("good-bucket"), Key: aws.String("a"), Body: strings.NewReader("twelve bytes"),
	})
	must(t, err)
	r := s.until(t, wantGood)
	if r.Bucket.Contents.Objects != 1 || r.Bucket.Contents.Bytes != 12 {
		t.Errorf("contents are %+v", *r.Bucket.Contents)
	}
	if r.Installed.By != "ostoy-s3" || r.Installed.Version == "" || r.Installed.Since.IsZero() || r.Installed.Inventory != "found" {
		t.Errorf("installed: %+v", r.Installed)
	}
	if r.Role.LastUsed.IsZero() {
		t.Error("the pod has used the role, and nobody says so")
	}
	people := s.User.Run(t, "status", "-n", s.Namespace).WantCode(t, 0)
	for _, text := range []string{"good-bucket", "1 object, 12 B", "trust ok, policy ok", "public access blocked, TLS only, encrypted (AES256), kept when the project goes", "with its AWS identity", r.Route.URL, "✔ none"} {
		if !strings.Contains(people.Stdout, text) {
			t.Errorf("stdout lacks %q\n%s", text, people)
		}
	}
	if people.Stderr != "" {
		t.Errorf("a good install is nothing to talk about\n%s", people)
	}
	wide := s.User.Run(t, "status", "-n", s.Namespace, "-o", "wide").WantCode(t, 0)
	if !strings.Contains(wide.Stdout, r.Role.ARN) || !strings.Contains(wide.Stdout, "issuer "+bed.Issuer) {
		t.Errorf("wide does not have more\n%s", wide)
	}
	var same report
	must(t, yaml.UnmarshalStrict([]byte(s.User.Run(t, "status", "-n", s.Namespace, "-o", "yaml").WantCode(t, 0).Stdout), &map[string]any{}))
	must(t, yaml.Unmarshal([]byte(s.User.Run(t, "status", "-n", s.Namespace, "-o", "yaml").Stdout), &same))
	if same.Role.ARN != r.Role.ARN {
		t.Errorf("YAML has role %q, JSON %q", same.Role.ARN, r.Role.ARN)
	}
}

func goodAsProjectAdmin(t *testing.T, bed *testbed.Bed) {
	installed(t, bed, "learner", run.ProjectAdmin(t, bed, "learner-one")).until(t, wantGood)
}

// goodOfProjectAdmin: an admin knows more of the cluster than who installed, which
// is no drift.
func goodOfProjectAdmin(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "learners", run.ProjectAdmin(t, bed, "learner-two"))
	s.User = run.Admin(bed)
	s.until(t, wantGood)
}

func deploymentDrifted(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "scaled", run.Admin(bed))
	s.kubectl(t, "scale", "deployment/ostoy-microservice", "--replicas=2")
	r := s.until(t, func(r report) string {
		if len(r.Drift.Cluster) != 1 || len(r.Drift.IAM) != 0 || len(r.Pods) != 3 {
			return "not exactly one object has drifted"
		}
		return ""
	})
	change := r.Drift.Cluster[0]
	if change.Object != "Deployment ostoy-microservice" || len(change.Changes) != 1 || change.Changes[0].Path != "spec.replicas" || change.Changes[0].Manager != "kubectl" {
		t.Errorf("drift is %+v", change)
	}
	people := s.User.Run(t, "status", "-n", s.Namespace).WantCode(t, 0)
	for _, text := range []string{"spec.replicas: 2, install would make it 1   (changed by kubectl)", "oc ostoy-s3 install -n scaled"} {
		if !strings.Contains(people.Stdout, text) {
			t.Errorf("stdout lacks %q\n%s", text, people)
		}
	}
	// Kubernetes does not write down who scaled to 0.
	s.kubectl(t, "scale", "deployment/ostoy-microservice", "--replicas=0")
	s.until(t, func(r report) string {
		if len(r.Drift.Cluster) != 1 || len(r.Pods) != 1 || r.State != "warning" {
			return "nobody sees that there are no pods"
		}
		return ""
	})
	people = s.User.Run(t, "status", "-n", s.Namespace).WantCode(t, 0)
	for _, text := range []string{"scaled to 0 pods", "where nobody is named"} {
		if !strings.Contains(people.Stdout, text) {
			t.Errorf("stdout lacks %q\n%s", text, people)
		}
	}
}

func bucketDrifted(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "opened", run.Admin(bed))
	s.kubectl(t, "patch", "buckets.s3.services.k8s.aws", "opened-bucket", "--type=merge", "-p", `{"spec":{"publicAccessBlock":{"blockPublicPolicy":false}}}`)
	r := s.until(t, func(r report) string {
		if r.Bucket.Protection["publicAccess"].Good || len(r.Drift.Cluster) != 1 {
			return "nobody sees that the bucket is open"
		}
		return ""
	})
	if c := r.Drift.Cluster[0]; c.Object != "Bucket opened-bucket" || c.Changes[0].Path != "spec.publicAccessBlock.blockPublicPolicy" {
		t.Errorf("drift is %+v", c)
	}
	if r.Bucket.State != "warning" {
		t.Errorf("an open bucket is %s", r.Bucket.State)
	}
}

func trustDrifted(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "mistrusted", run.Admin(bed))
	_, err := bed.IAM().UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(s.roleName(t)), PolicyDocument: aws.String(strangers)})
	must(t, err)
	r := s.look(t)
	if r.Role.State != "wrong" || r.Role.Trust.State != "wrong" || r.Role.Policy.State != "ok" {
		t.Errorf("role is %+v", r.Role)
	}
	if len(r.Drift.IAM) != 1 || r.Drift.IAM[0].What != "trust policy" || !strings.Contains(r.Drift.IAM[0].Reason, "old.example.com") || len(r.Drift.Cluster) != 0 {
		t.Errorf("drift is %+v", r.Drift)
	}
}

func policyDrifted(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "widened", run.Admin(bed))
	policy := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`
	_, err := bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(s.roleName(t)), PolicyName: aws.String("ostoy-s3"), PolicyDocument: aws.String(policy)})
	must(t, err)
	r := s.look(t)
	if r.Role.Trust.State != "ok" || r.Role.Policy.State != "wrong" || len(r.Drift.IAM) != 1 {
		t.Errorf("role is %+v, drift %+v", r.Role, r.Drift)
	}
}

func roleGone(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "roleless", run.Admin(bed))
	s.deleteRole(t)
	r := s.look(t)
	if r.Role.Exists || r.Role.State != "wrong" || len(r.Drift.IAM) != 1 || r.State != "wrong" {
		t.Errorf("role is %+v, drift %+v", r.Role, r.Drift)
	}
}

func (s *scene) deleteRole(t *testing.T) {
	t.Helper()
	name := aws.String(s.roleName(t))
	_, err := s.IAM().DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: name, PolicyName: aws.String("ostoy-s3")})
	must(t, err)
	_, err = s.IAM().DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: name})
	must(t, err)
}

func noIdentity(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "nobody", run.Admin(bed))
	s.kubectl(t, "set", "env", "deployment/ostoy-frontend", "AWS_ROLE_ARN-")
	s.until(t, func(r report) string {
		for _, p := range r.Pods {
			if p.NeedsIdentity && strings.Contains(p.Missing, "AWS_ROLE_ARN") && p.State == "wrong" {
				return ""
			}
		}
		return "no pod is without its identity"
	})
}

func objectGone(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "holed", run.Admin(bed))
	s.kubectl(t, "delete", "serviceaccount", "ostoy-sa")
	s.kubectl(t, "delete", "configmap", "ostoy-s3")
	r := s.until(t, func(r report) string {
		if len(r.Drift.Cluster) != 1 {
			return "not exactly one object is gone"
		}
		return ""
	})
	if c := r.Drift.Cluster[0]; c.Object != "ServiceAccount ostoy-sa" || c.Action != "create" || r.ServiceAccount.State != "wrong" {
		t.Errorf("drift is %+v, service account %+v", c, r.ServiceAccount)
	}
	if r.Installed.Inventory != "missing" || r.Installed.Since.IsZero() {
		t.Errorf("installed: %+v", r.Installed)
	}
}

func nothingThere(t *testing.T, bed *testbed.Bed) {
	must(t, bed.NewNamespace(t.Context(), "empty"))
	run.Admin(bed).Run(t, "status", "-n", "empty").WantCode(t, 4).
		WantTalk(t, "OSToy is not installed in project empty", "oc ostoy-s3 install -n empty").WantStdout(t, "")
	run.Admin(bed).Run(t, "status", "-n", "never-there", "-o", "json").WantCode(t, 2).WantTalk(t, "project never-there does not exist").WantStdout(t, "")
	// A stranger learns no more of a project than of one that is not there.
	run.ProjectAdmin(t, bed, "stranger").Run(t, "status", "-n", "empty").WantCode(t, 2).WantTalk(t, "project empty does not exist, or you have no access to it")
	// What uninstall left is told.
	s := installed(t, bed, "half", run.Admin(bed))
	s.User.Run(t, "uninstall", "-n", "half", "--keep-role", "--delete-data", "--yes").WantCode(t, 0)
	s.User.Run(t, "status", "-n", "half").WantCode(t, 4).WantTalk(t, "OSToy is not installed in project half; kept: role half-ostoy-sa-", "--role-only")
}

// flagsAsRecorded: what install was told by flags is on record, and no drift.
func flagsAsRecorded(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "named", run.Admin(bed), "--role-name=my-role", "--role-path=/mine/", "--region=eu-west-1")
	r := s.until(t, func(r report) string {
		if r.State != "ok" {
			return "it is not ok"
		}
		return ""
	})
	if !strings.HasSuffix(r.Role.ARN, ":role/mine/my-role") || r.Bucket.Region != "eu-west-1" {
		t.Errorf("role %s, region %s", r.Role.ARN, r.Bucket.Region)
	}
	s.kubectl(t, "scale", "deployment/ostoy-microservice", "--replicas=2")
	s.User.Run(t, "status", "-n", "named").WantCode(t, 0)
	people := s.User.Run(t, "status", "-n", "named").Stdout
	if want := "oc ostoy-s3 install -n named --region eu-west-1 --role-name my-role --role-path /mine/"; !strings.Contains(people, want) {
		t.Errorf("the command that mends it is not %q\n%s", want, people)
	}
	if !slices.Contains(strings.Fields(people), url.PathEscape("my-role")) && !strings.Contains(people, "mine/my-role") {
		t.Errorf("the role is not named\n%s", people)
	}
}
