package iam

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// controllerFacts are those of the same cluster, for its controller.
func controllerFacts() render.Facts {
	f := facts()
	f.Namespace.Value = render.ControllerNamespace
	return f
}

// desiredController is DesiredController where it cannot fail.
func desiredController(t *testing.T, f render.Facts, o ControllerOptions) Role {
	t.Helper()
	if o.BucketPattern == "" && o.PolicyARN == "" {
		o.BucketPattern = AnyProjectPattern
	}
	r, err := DesiredController(f, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

const controllerTrustJSON = `{
  "Version": "2012-10-17",
  "Statement": [{
    "Effect": "Allow",
    "Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/2abc"},
    "Action": "sts:AssumeRoleWithWebIdentity",
    "Condition": {"StringEquals": {
      "oidc.op1.openshiftapps.com/2abc:aud": "sts.amazonaws.com",
      "oidc.op1.openshiftapps.com/2abc:sub": "system:serviceaccount:ack-system:ack-s3-controller"
    }}
  }]
}`

const controllerPolicyJSON = `{
  "Version": "2012-10-17",
  "Statement": [
    {"Sid": "List", "Effect": "Allow", "Action": "s3:ListAllMyBuckets", "Resource": "*"},
    {"Sid": "Create", "Effect": "Allow", "Action": "s3:CreateBucket", "Resource": "arn:aws:s3:::*-bucket"},
    {"Sid": "CreateWith", "Effect": "Allow",
     "Action": ["s3:PutBucketAcl", "s3:PutBucketObjectLockConfiguration", "s3:PutBucketOwnershipControls", "s3:PutBucketVersioning", "s3:TagResource"],
     "Resource": "arn:aws:s3:::*-bucket",
     "Condition": {"StringEqualsIfExists": {"aws:ResourceAccount": "123456789012"}}},
    {"Sid": "Manage", "Effect": "Allow",
     "Action": [
       "s3:DeleteBucket", "s3:DeleteBucketPolicy", "s3:DeleteBucketWebsite", "s3:GetBucket*", "s3:PutBucket*",
       "s3:ListTagsForResource", "s3:TagResource", "s3:UntagResource",
       "s3:GetAccelerateConfiguration", "s3:PutAccelerateConfiguration",
       "s3:GetAnalyticsConfiguration", "s3:PutAnalyticsConfiguration",
       "s3:GetEncryptionConfiguration", "s3:PutEncryptionConfiguration",
       "s3:GetIntelligentTieringConfiguration", "s3:PutIntelligentTieringConfiguration",
       "s3:GetInventoryConfiguration", "s3:PutInventoryConfiguration",
       "s3:GetLifecycleConfiguration", "s3:PutLifecycleConfiguration",
       "s3:GetMetricsConfiguration", "s3:PutMetricsConfiguration",
       "s3:GetReplicationConfiguration", "s3:PutReplicationConfiguration"],
     "Resource": "arn:aws:s3:::*-bucket",
     "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}}}
  ]
}`

// sameJSON compares two documents as decoded objects.
func sameJSON(t *testing.T, what, got, want string) {
	t.Helper()
	var is, wanted any
	if err := errors.Join(json.Unmarshal([]byte(got), &is), json.Unmarshal([]byte(want), &wanted)); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(wanted, is); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestDesiredController(t *testing.T) {
	f := controllerFacts()
	r := desiredController(t, f, ControllerOptions{RoleOptions: RoleOptions{Tags: map[string]string{"team": "blue"}}})
	sameJSON(t, "trust policy", r.Trust.JSON(), controllerTrustJSON)
	sameJSON(t, "permissions", r.Policy.JSON(), controllerPolicyJSON)
	for _, c := range []struct{ what, got, want string }{
		// printf https://oidc.op1.openshiftapps.com/2abc | sha256sum | cut -c1-12
		{"ARN", r.ARN, "arn:aws:iam::123456789012:role/ostoy-s3-controller/ack-s3-controller-82ac7e8b0493"},
		{"ARN before", ARN(f, controllerNamed(f, RoleOptions{})), r.ARN},
		{"ARN of the user's name", ARN(f, controllerNamed(f, RoleOptions{Name: "mine", Path: "/x/"})), "arn:aws:iam::123456789012:role/x/mine"},
		{"bucket", r.Bucket, "*-bucket"},
		{"subject", r.Subject, "system:serviceaccount:ack-system:ack-s3-controller"},
		{"trusts", r.Trusts(), "system:serviceaccount:ack-system:ack-s3-controller  (audience sts.amazonaws.com)"},
		{"allows", r.Allows(), "to create, configure and delete buckets named *-bucket in this account, and to list all; through a bucket's policy also to give access to its objects, including the role itself"},
		{"description", r.Description, "The ACK S3 controller in namespace ack-system creates, configures and deletes buckets named *-bucket"},
	} {
		if c.got != c.want {
			t.Errorf("%s: %q, want %q", c.what, c.got, c.want)
		}
	}
	want := map[string]string{
		"team": "blue", render.TagManagedBy: "ostoy-s3", render.TagNamespace: "ack-system",
		render.TagIssuer: "https://oidc.op1.openshiftapps.com/2abc", render.TagClusterID: "11111111-aaaa-4bbb-8ccc-222222222222",
	}
	if diff := cmp.Diff(want, r.Tags); diff != "" {
		t.Error(diff)
	}
}

func TestDesiredControllerInEveryPartition(t *testing.T) {
	for _, p := range []string{"aws", "aws-us-gov", "aws-cn", "aws-eusc"} {
		f := controllerFacts()
		f.Partition.Value = p
		r := desiredController(t, f, ControllerOptions{})
		sameJSON(t, p, r.Policy.JSON(), strings.ReplaceAll(controllerPolicyJSON, "arn:aws:", "arn:"+p+":"))
		sameJSON(t, p, r.Trust.JSON(), strings.ReplaceAll(controllerTrustJSON, "arn:aws:", "arn:"+p+":"))
		if !strings.HasPrefix(r.ARN, "arn:"+p+":iam::") {
			t.Errorf("%s: %s", p, r.ARN)
		}
		full := "arn:" + p + ":iam::aws:policy/AmazonS3FullAccess"
		managed := desiredController(t, f, ControllerOptions{RoleOptions: RoleOptions{PolicyARN: full}})
		if managed.Policy != nil || managed.PolicyARN != full || managed.Allows() != "what "+full+" allows" {
			t.Errorf("%s: not the managed policy alone: %s", p, managed.Allows())
		}
	}
}

func TestBucketPattern(t *testing.T) {
	for pattern, words := range map[string]string{
		"*":                     "all buckets",
		"team-*-bucket":         "buckets named team-*-bucket",
		"a?c":                   "buckets named a?c",
		"my.own.bucket":         "buckets named my.own.bucket",
		strings.Repeat("a", 63): "buckets named " + strings.Repeat("a", 63),
	} {
		r := desiredController(t, controllerFacts(), ControllerOptions{BucketPattern: pattern})
		if r.Bucket != pattern || !strings.Contains(r.Allows(), words+" in this account") || !strings.HasSuffix(r.Description, words) {
			t.Errorf("%s: bucket %q, allows %q, %q", pattern, r.Bucket, r.Allows(), r.Description)
		}
		for _, s := range r.Policy.Statement[1:] {
			if !slices.Equal(s.Resource, Strings{"arn:aws:s3:::" + pattern}) {
				t.Errorf("%s: %s is on %v", pattern, s.Sid, s.Resource)
			}
		}
	}
	for _, pattern := range []string{
		"a*", "**", strings.Repeat("a", 64), "Team-*", "a_b", "a b*", "ü-bucket", "x-bucket/*", "${aws:username}-bucket",
		"x-bucket\n", "[a-z]-bucket", "arn:aws:s3:::x-bucket", "a,b,c",
	} {
		_, err := DesiredController(controllerFacts(), ControllerOptions{BucketPattern: pattern})
		var in *problem.Error
		if !problem.IsInput(err) || !errors.As(err, &in) || !strings.Contains(in.Next, "--bucket-pattern") || in.Why == "" {
			t.Errorf("%q: %v", pattern, err)
		}
	}
	if _, err := DesiredController(render.Facts{}, ControllerOptions{BucketPattern: "*"}); err == nil {
		t.Error("a role of an unknown cluster")
	}
	if _, err := DesiredController(controllerFacts(), ControllerOptions{RoleOptions: RoleOptions{Path: "x"}, BucketPattern: "*"}); err == nil {
		t.Error("the options of every role are not looked at")
	}
}

// installController is what a run does with the controller's role.
func installController(t *testing.T, api API, f render.Facts, o ControllerOptions) (*Plan, error) {
	t.Helper()
	r := desiredController(t, f, o)
	actual, err := Read(t.Context(), api, r.Name, false)
	if err != nil {
		return nil, err
	}
	plan, err := NewPlan(r, actual, f)
	if err != nil {
		return nil, err
	}
	_, err = Execute(t.Context(), api, plan)
	return plan, err
}

// TestF14ControllerMayGiveAccess: what the role may do is not said to end at objects.
func TestF14ControllerMayGiveAccess(t *testing.T) {
	r := desiredController(t, controllerFacts(), ControllerOptions{})
	if got := judge([]Document{*r.Policy}, Right{"s3:PutBucketPolicy", "arn:aws:s3:::demo-bucket"}, "123456789012"); got != Yes {
		t.Fatalf("PutBucketPolicy: %d", got)
	}
	if got := r.Allows(); strings.Contains(got, "no objects") || !strings.Contains(got, "give access to its objects, including the role itself") {
		t.Errorf("allows %q", got)
	}
}

// TestF1NoSilentPattern: nobody gets a pattern that was not asked for.
func TestF1NoSilentPattern(t *testing.T) {
	_, err := DesiredController(controllerFacts(), ControllerOptions{})
	var in *problem.Error
	if !problem.IsInput(err) || !errors.As(err, &in) || !strings.Contains(in.What, "--bucket-pattern") ||
		!strings.Contains(in.Next, "'ostoy-*-bucket'") || !strings.Contains(in.Next, "'*-bucket'") {
		t.Errorf("%v", err)
	}
	arn, err := ControllerRoleARN(controllerFacts(), ControllerOptions{})
	if err != nil || !strings.HasPrefix(arn, "arn:aws:iam::123456789012:role/ostoy-s3-controller/ack-s3-controller-") {
		t.Errorf("%s, %v", arn, err)
	}
}

// TestF8ControllerRoleKeepsItsPath: a role of earlier versions is found and kept where
// it is, with its pattern.
func TestF8ControllerRoleKeepsItsPath(t *testing.T) {
	const full = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	api, f := newFake(), controllerFacts()
	old := ControllerOptions{RoleOptions: RoleOptions{Path: "/ostoy-s3/"}, BucketPattern: "team-*-bucket"}
	if _, err := installController(t, api, f, old); err != nil {
		t.Fatal(err)
	}
	actual, err := Read(t.Context(), api, render.ControllerRoleName(f.Issuer.Value), false)
	if err != nil {
		t.Fatal(err)
	}
	kept := ControllerOptions{}.Keeping(actual, ControllerOptions{}, f)
	if kept.Path != "/ostoy-s3/" || kept.BucketPattern != "team-*-bucket" {
		t.Errorf("%+v", kept)
	}
	if plan, err := installController(t, api, f, kept); err != nil || !plan.Empty() || len(api.roles) != 1 {
		t.Errorf("%+v, %v, %v", plan, err, keysOf(api.roles))
	}
	if found, err := Controller.Find(t.Context(), api, f); err != nil || len(found) != 1 || found[0].Path != "/ostoy-s3/" {
		t.Errorf("%v, %v", found, err)
	}
	another := ControllerOptions{BucketPattern: "*"}.Keeping(actual, ControllerOptions{}, f)
	if another.Path != "/ostoy-s3/" || another.BucketPattern != "*" {
		t.Errorf("%+v", another)
	}
	foreign := *actual
	foreign.Tags = map[string]string{}
	if o := (ControllerOptions{}).Keeping(&foreign, ControllerOptions{RoleOptions: RoleOptions{PolicyARN: full}, BucketPattern: "*"}, f); o.Path != "" || o.BucketPattern != "" || o.PolicyARN != "" {
		t.Errorf("of a role that is not ours: %+v", o)
	}
	managed := *actual
	managed.Inline, managed.Attached = "", []string{full}
	if o := (ControllerOptions{}).Keeping(&managed, ControllerOptions{RoleOptions: RoleOptions{PolicyARN: full}}, f); o.PolicyARN != full || o.BucketPattern != "" {
		t.Errorf("the policy that was asked for: %+v", o)
	}
	for _, recorded := range []string{"", "arn:aws:iam::aws:policy/AdministratorAccess"} {
		if o := (ControllerOptions{}).Keeping(&managed, ControllerOptions{RoleOptions: RoleOptions{PolicyARN: recorded}}, f); o.PolicyARN != "" {
			t.Errorf("a policy that is not on record, or not attached: %+v", o)
		}
	}
}
