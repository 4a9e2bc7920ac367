package status

import (
	"context"
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// refused is what a user reads of an error.
func refused(t *testing.T, err error, kind problem.Kind, words ...string) {
	t.Helper()
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != kind {
		t.Fatalf("%v is not of kind %v", err, kind)
	}
	for _, word := range words {
		if text := told.What + "\n" + told.Why + "\n" + told.Next; !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

// TestRunOne: one install, of cluster and AWS.
func TestRunOne(t *testing.T) {
	s := scenery(t)
	role := desired(t)
	s.installed(map[string]any{"roleARN": role.ARN, "region": "us-east-2", "version": "v1.2.0"})
	s.kube.Answer("GET /api/v1/namespaces/demo/serviceaccounts/ostoy-sa", map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{
			"name": "ostoy-sa", "namespace": "demo", "annotations": map[string]any{"eks.amazonaws.com/role-arn": role.ARN},
			"managedFields": []any{map[string]any{"manager": "ostoy-s3", "operation": "Apply", "apiVersion": "v1", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{}}},
		},
	})
	s.aws.has(role)
	s.request.Output = session.FormatJSON
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	var r Report
	if err := json.Unmarshal(s.out.Bytes(), &r); err != nil {
		t.Fatal(err)
	}
	if r.Namespace != "demo" || r.Installed.Version != "v1.2.0" || r.ServiceAccount.Mark != report.OK {
		t.Errorf("%+v", r)
	}
	if r.Role.Mark != report.OK || r.Role.ARN != role.ARN || r.Role.Text != "trust ok, policy ok" {
		t.Errorf("role %+v", r.Role)
	}
	if r.Bucket.Hint != "oc ostoy-s3 install -n demo --region us-east-2" {
		t.Errorf("bucket %+v", r.Bucket)
	}
	if r.Bucket.Mark != report.Wrong || r.Bucket.Uncounted != "not allowed: needs s3:ListBucket" || r.Mark != report.Wrong {
		t.Errorf("bucket %+v, all %s", r.Bucket, r.Mark)
	}
	if r.Access == "" || len(r.Drift.Cluster) == 0 || len(r.Drift.IAM) != 0 {
		t.Errorf("%q, %+v", r.Access, r.Drift)
	}
	for asked, n := range s.kube.Requests() {
		if n > 1 || strings.HasPrefix(asked, "POST") || strings.HasPrefix(asked, "PATCH") {
			t.Errorf("%d times %s", n, asked)
		}
	}
}

// TestRunOneRefusals: what ends a look at one install, and how it is told.
func TestRunOneRefusals(t *testing.T) {
	for name, c := range map[string]struct {
		make  func(*scene)
		kind  problem.Kind
		words []string
	}{
		"nothing installed": {func(*scene) {}, problem.Refused, []string{"OSToy is not installed in project demo", "oc ostoy-s3 install -n demo"}},
		"a role is left": {
			func(s *scene) { s.aws.has(desired(s.T)) }, problem.Refused, []string{"demo; kept: role demo-ostoy-sa-", "oc ostoy-s3 uninstall -n demo --role-only"},
		},
		"no project": {
			func(s *scene) { s.request.Facts.Given.Namespace.Value = "other" }, problem.Usage,
			[]string{"project other does not exist", "oc ostoy-s3 install --new-project=other"},
		},
		"not to be seen": {
			func(s *scene) {
				s.kube.Forbid("GET /api/v1/namespaces/demo/serviceaccounts/ostoy-sa", "get", "serviceaccounts", "", "")
			}, problem.Failed, []string{"you may not look into project demo", "oc projects"},
		},
		"no name": {
			func(s *scene) { s.request.Facts.Given.Namespace.Value = "Not/A/Name" }, problem.Usage, []string{"Not/A/Name"},
		},
		"no issuer": {
			func(s *scene) { s.request.Facts.Given.Issuer = render.Fact{} }, problem.Usage, []string{"issuer"},
		},
		"an issuer that AWS cannot ask": {
			func(s *scene) {
				s.request.Facts.Given.Issuer = render.Fact{}
				s.kube.Answer("GET /.well-known/openid-configuration", map[string]string{"issuer": "http://issuer.example.com"})
			}, problem.Refused, []string{"the cluster's issuer"},
		},
		"no values file": {
			func(s *scene) { s.request.Chart.Files = []string{"/does/not/exist"} }, problem.Usage, []string{"values file"},
		},
		"values that the chart refuses": {
			func(s *scene) { s.request.Chart.Set = []string{"expose=everywhere"} }, problem.Usage, []string{"expose"},
		},
		"too late": {
			func(s *scene) { s.request.Timeout = time.Nanosecond }, problem.Failed, []string{"not done within --timeout 1ns", "nothing was changed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := scenery(t)
			c.make(s)
			refused(t, s.run(), c.kind, c.words...)
			if s.out.Len() > 0 {
				t.Errorf("stdout has %q", s.out)
			}
		})
	}
}

// TestRunCancelled: Ctrl-C ends a look at one install and at all of them.
func TestRunCancelled(t *testing.T) {
	for _, every := range []bool{false, true} {
		s := scenery(t)
		s.request.All = every
		ctx, cancel := context.WithCancel(t.Context())
		cancel()
		refused(t, Run(ctx, s.session, s.request), problem.Interrupted, "nothing was changed: status only looks")
	}
}

// TestRunWithoutAWS: without credentials, or with those of another account, the cluster is
// looked at all the same, and AWS is not asked about the install.
func TestRunWithoutAWS(t *testing.T) {
	for name, c := range map[string]struct {
		make func(*scene)
		why  string
	}{
		"no credentials": {func(s *scene) { s.Setenv("AWS_ACCESS_KEY_ID", ""); s.Setenv("AWS_SECRET_ACCESS_KEY", "") }, "credentials"},
		"another account": {
			func(s *scene) {
				s.request.Facts.Given.Account, s.request.Facts.Given.Partition = render.Fact{}, render.Fact{}
				s.installed(map[string]any{"account": "999999999999", "partition": "aws"})
			}, "the AWS credentials are of account " + account,
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := scenery(t)
			s.installed(nil)
			c.make(s)
			s.request.Audit = true
			err := s.run()
			if err == nil || !strings.Contains(err.Error(), c.why) { // CloudTrail was asked for
				t.Errorf("%v", err)
			}
			if !strings.Contains(s.out.String(), "inventory") && !strings.Contains(s.out.String(), "demo") || !strings.Contains(s.out.String(), c.why) {
				t.Errorf("%s", s.out)
			}
			if s.aws.count("GetRole")+s.aws.count("HEAD")+s.aws.count("LookupEvents") > 0 {
				t.Errorf("AWS was asked: %v", s.aws.asked)
			}
		})
	}
}

// TestRunAdopted: a role that was there before install is used as it is, and what it may
// do beyond the app's needs is told with the command that takes it away.
func TestRunAdopted(t *testing.T) {
	role := desired(t)
	role.Name, role.Path, role.ARN, role.Tags = "tutorial", "/", "arn:aws:iam::"+account+":role/tutorial", nil
	record := map[string]any{"roleARN": role.ARN, "roleOrigin": apply.OriginAdopted}
	const tighten = "oc ostoy-s3 install -n demo --adopt --tighten-role"

	s := scenery(t)
	s.installed(record)
	s.aws.has(role)
	s.aws.answers["ListAttachedRolePolicies"] = "<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult><AttachedPolicies><member>" +
		"<PolicyArn>arn:aws:iam::aws:policy/AmazonS3FullAccess</PolicyArn></member></AttachedPolicies></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>"
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{"tutorial", "trust ok, policy ok", "may do more than OSToy does: ", "AmazonS3FullAccess", "(" + tighten + ")"} {
		if !strings.Contains(s.out.String(), text) {
			t.Errorf("%q is not in\n%s", text, s.out)
		}
	}

	s = many(t)
	s.list("/api/v1/configmaps", inventory(record))
	s.list("/apis/apps/v1/deployments", deploymentIn("demo"))
	wide := role
	wide.Trust.Statement = append(slices.Clone(wide.Trust.Statement), iam.Statement{
		Effect: "Allow", Action: iam.Strings{"sts:AssumeRole"}, Principal: map[string]iam.Strings{"AWS": {"arn:aws:iam::" + account + ":root"}},
	})
	s.aws.has(wide)
	row := s.rows()["demo"]
	if text := strings.Join(row.Problems, "\n"); row.Role != RoleOK || !strings.Contains(text, "role: it was there before install, and ") || !strings.Contains(text, "--adopt --tighten-role)") {
		t.Errorf("%+v", row)
	}
}

// TestRunAudited: what CloudTrail knows follows the report.
func TestRunAudited(t *testing.T) {
	s := scenery(t)
	s.installed(nil)
	s.aws.answers["LookupEvents"] = `{"Events": []}`
	s.aws.answers["DescribeTrails"] = `{"trailList": []}`
	s.request.Audit = true
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	if text := s.out.String(); !strings.HasPrefix(text, "project") || !strings.Contains(text, "who took the role in the last 24h\n  nobody\nwho changed it\n  nobody\n") {
		t.Errorf("%s", text)
	}
}

// TestRunExposed: a Route or an Ingress that the values do not ask for is told as well, in
// a project that the user may not see but work in.
func TestRunExposed(t *testing.T) {
	s := scenery(t)
	s.request.Chart.Set = []string{"expose=none"}
	s.kube.Forbid("GET /api/v1/namespaces/demo", "get", "namespaces", "", "")
	s.installed(nil)
	s.kube.Answer("GET /apis/route.openshift.io/v1/namespaces/demo/routes/ostoy-route", map[string]any{
		"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"name": "ostoy-route", "namespace": "demo"},
		"spec": map[string]any{"host": "left.example.com"},
	})
	if err := s.run(); err != nil || !strings.Contains(s.out.String(), "everybody who can reach http://left.example.com ") {
		t.Errorf("%v\n%s", err, s.out)
	}
}

// TestRunUsualRole: if nothing names the role, it is the one of the two usual names that
// IAM knows as the project's.
func TestRunUsualRole(t *testing.T) {
	s := scenery(t)
	s.installed(nil)
	earlier, err := iam.Desired(givenFacts(), iam.RoleOptions{Name: render.EarlierRoleName(issuer, "demo")})
	if err != nil {
		t.Fatal(err)
	}
	s.aws.has(earlier)
	if err := s.run(); err != nil || !strings.Contains(s.out.String(), earlier.Name+"  ") {
		t.Errorf("%v\n%s", err, s.out)
	}
}
