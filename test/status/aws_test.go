package status_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail"
	"github.com/aws/aws-sdk-go-v2/service/cloudtrail/types"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// strangers is a trust policy that lets in nobody of this cluster.
const strangers = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/old.example.com"},"Action":"sts:AssumeRoleWithWebIdentity"}]}`

// auditTells: the pod took the role, and install made it.
func auditTells(t *testing.T, bed *testbed.Bed) {
	// Not verified: the proof calls as others, too, to be refused.
	s := installed(t, bed, "audited", run.Admin(bed), "--verify=false")
	name := s.roleName(t)
	_, err := bed.IAM().UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{
		RoleName: aws.String(name), PolicyDocument: aws.String(strangers),
	})
	must(t, err)
	s.kubectl(t, "rollout", "restart", "deployment/ostoy-frontend")
	r := s.look(t, "--audit")
	for r.Audit == nil || !slices.ContainsFunc(r.Audit.Assumed, func(e event) bool { return e.Error != "" }) {
		if t.Context().Err() != nil {
			t.Fatalf("no refused call: %+v", r.Audit)
		}
		r = s.look(t, "--audit")
	}
	ofPod := func(e event) bool {
		return e.Name == "AssumeRoleWithWebIdentity" && e.Who == "audited:ostoy-sa" && e.From == "127.0.0.1" && e.Region == testbed.Region
	}
	for _, e := range r.Audit.Assumed {
		if !ofPod(e) {
			t.Errorf("the pod's call is %+v", e)
		}
	}
	if last := r.Audit.Assumed[len(r.Audit.Assumed)-1]; last.Error != "" {
		t.Errorf("the first call succeeded, and is told as %+v", last)
	}
	var names []string
	for _, e := range r.Audit.Changed {
		names = append(names, e.Name)
	}
	if !slices.Equal(names, []string{"UpdateAssumeRolePolicy", "PutRolePolicy", "CreateRole"}) {
		t.Errorf("changes are %v, want the newest first", names)
	}
	people := s.User.Run(t, "status", "-n", s.Namespace, "--audit").WantCode(t, 0)
	for _, text := range []string{"audited:ostoy-sa", "UpdateAssumeRolePolicy", "AccessDenied", "are logged nowhere"} {
		if !strings.Contains(people.Stdout, text) {
			t.Errorf("stdout lacks %q\n%s", text, people)
		}
	}
	if strings.Contains(people.Stdout+people.Stderr, "never-to-be-shown") || strings.Contains(people.Stdout, "ASIA") {
		t.Errorf("a session is shown\n%s", people)
	}
}

// refused: each right that is missing costs what it shows, and no more.
func refused(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "refused", run.Admin(bed))
	s.until(t, wantGood)
	defer func() { must(t, bed.AWS.Reset(t.Context())) }()
	for _, c := range []struct {
		deny  []string
		check func(report) bool
	}{
		{[]string{"s3:*"}, func(r report) bool {
			return r.Bucket.State == "ok" && strings.Contains(r.Bucket.Uncounted, "s3:ListBucket") && r.Bucket.Protection["publicAccess"].From == "the Bucket object" && r.Drift.State == "ok"
		}},
		{[]string{"iam:*"}, func(r report) bool {
			return r.Role.State == "unknown" && strings.Contains(r.Role.Text, "iam:GetRole") && r.Drift.State == "unknown" && r.State == "ok"
		}},
	} {
		must(t, bed.AWS.Deny(t.Context(), c.deny...))
		if r := s.look(t); !c.check(r) {
			t.Errorf("without %v: %+v", c.deny, r)
		}
	}
	must(t, bed.AWS.Deny(t.Context(), "cloudtrail:LookupEvents"))
	result := s.User.Run(t, "status", "-n", s.Namespace, "--audit").WantCode(t, 1).WantTalk(t, "cloudtrail:LookupEvents")
	if !strings.Contains(result.Stdout, "refused-bucket") {
		t.Errorf("what could be seen is not told\n%s", result)
	}
	must(t, bed.AWS.Deny(t.Context(), "cloudtrail:DescribeTrails"))
	if r := s.look(t, "--audit"); r.Audit == nil || r.Audit.S3DataEvents.State != "unknown" || len(r.Audit.Assumed) == 0 {
		t.Errorf("audit is %+v", r.Audit)
	}
	must(t, bed.AWS.Deny(t.Context(), "iam:ListRoles"))
	run.Admin(bed).Run(t, "status", "-A").WantCode(t, 0).WantTalk(t, "one by one", "iam:ListRoles")
}

// away: without AWS the cluster is told of, by what is on record.
func away(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "alone", run.Admin(bed))
	s.until(t, wantGood)
	s.User = s.User.With("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=", "AWS_EC2_METADATA_DISABLED=true")
	r := s.look(t)
	if r.Role.State != "unknown" || len(r.Drift.Cluster) != 0 || r.Bucket.State != "ok" || r.State != "ok" {
		t.Errorf("without AWS: %+v", r)
	}
	s.User.Run(t, "status", "-A").WantCode(t, 0).WantTalk(t, "roles were not looked at")
}

// trails: data events count where a trail that works selects the bucket's objects.
func trails(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "logged", run.Admin(bed))
	client := cloudtrail.New(cloudtrail.Options{
		Region: testbed.Region, BaseEndpoint: &bed.AWSEndpoint,
		Credentials: credentials.NewStaticCredentialsProvider("AKIATESTBEDHELPER001", "secret", ""),
	})
	_, err := bed.S3().CreateBucket(t.Context(), &s3.CreateBucketInput{
		Bucket: aws.String("trail-logs"), CreateBucketConfiguration: &s3types.CreateBucketConfiguration{LocationConstraint: testbed.Region},
	})
	must(t, err)
	name := aws.String("everything")
	_, err = client.CreateTrail(t.Context(), &cloudtrail.CreateTrailInput{Name: name, S3BucketName: aws.String("trail-logs")})
	must(t, err)
	want := func(state string) {
		t.Helper()
		r := s.look(t, "--audit")
		if r.Audit.S3DataEvents.State != state {
			t.Errorf("data events are %+v, want %s", r.Audit.S3DataEvents, state)
		}
	}
	want("off")
	_, err = client.PutEventSelectors(t.Context(), &cloudtrail.PutEventSelectorsInput{TrailName: name, EventSelectors: []types.EventSelector{{
		ReadWriteType: types.ReadWriteTypeAll,
		DataResources: []types.DataResource{{Type: aws.String("AWS::S3::Object"), Values: []string{"arn:aws:s3:::logged-bucket/"}}},
	}}})
	must(t, err)
	want("off") // it does not log
	_, err = client.StartLogging(t.Context(), &cloudtrail.StartLoggingInput{Name: name})
	must(t, err)
	want("on")
	_, err = client.DeleteTrail(t.Context(), &cloudtrail.DeleteTrailInput{Name: name})
	must(t, err)
}
