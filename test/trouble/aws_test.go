package trouble_test

import (
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testAWSRefusesToLook: what is denied before the plan is made touches
// nothing.
func testAWSRefusesToLook(t *testing.T, bed *testbed.Bed) {
	const namespace = "aws-look"
	world.NewNamespace(t, bed, namespace)
	name := world.RoleName(bed.Issuer, namespace)
	makeRole(t, bed, name, rolePath, ourTags(bed, namespace))
	arn := "arn:aws:iam::123456789012:role" + rolePath + name
	for _, c := range []struct {
		fault testbed.Fault
		want  message
	}{
		{testbed.Fault{Action: "sts:GetCallerIdentity"}, message{"sts:GetCallerIdentity", "may not: none of the caller's policies allows it", "to allow sts:GetCallerIdentity"}},
		{
			testbed.Fault{Action: "iam:GetRole", Code: "AccessDenied", Status: http.StatusForbidden, Message: refusal("iam:GetRole", name)},
			message{"AWS refused iam:GetRole on " + arn, "arn:aws:iam::123456789012:user/moto may not", "allow iam:GetRole on " + arn},
		},
		{
			testbed.Fault{Action: "sts:GetCallerIdentity", Code: "ExpiredToken", Status: http.StatusForbidden, Message: "The security token included in the request is expired"},
			message{"the AWS credentials have expired", "sts:GetCallerIdentity", "aws sso login"},
		},
		{
			testbed.Fault{Action: "iam:GetRole", Code: "ExpiredToken", Status: http.StatusForbidden, Message: "The security token included in the request is expired"},
			message{"the AWS credentials have expired", "iam:GetRole", "aws sso login"},
		},
		{
			testbed.Fault{Action: "*", Code: "InvalidClientTokenId", Status: http.StatusForbidden, Message: "The security token included in the request is invalid."},
			message{"AWS does not know these credentials", "access key was deleted", "aws sts get-caller-identity"},
		},
	} {
		t.Run(c.fault.Action+" "+c.fault.Code, func(t *testing.T) {
			orderFault(t, bed, c.fault)
			wantRefused(t, run.Admin(bed), namespace, failed, c.want)
		})
	}
}

// refusal is AWS's sentence for a role that exists.
func refusal(action, role string) string {
	return "User: arn:aws:iam::123456789012:user/moto is not authorized to perform: " + action + " on resource: arn:aws:iam::123456789012:role" +
		rolePath + role + " because no identity-based policy allows the " + action + " action"
}

// testAWSRefusesToChange: what is denied half-way is named with action and
// resource, and once it is allowed the next run ends as an undisturbed one.
func testAWSRefusesToChange(t *testing.T, bed *testbed.Bed) {
	for _, c := range []struct {
		namespace string
		fault     testbed.Fault
		why, next string
	}{
		{"aws-create", testbed.Fault{Action: "iam:CreateRole"}, "none of the caller's policies allows it", "allow iam:CreateRole … --permissions-boundary"},
		{
			// AWS names the role with its path; the request has none to name it by.
			"aws-policy",
			testbed.Fault{Action: "iam:PutRolePolicy", Code: "AccessDenied", Status: http.StatusForbidden, Message: refusal("iam:PutRolePolicy", world.RoleName(bed.Issuer, "aws-policy"))},
			"none of the caller's policies allows it", "allow iam:PutRolePolicy",
		},
		{
			"aws-limit",
			testbed.Fault{Action: "iam:CreateRole", Code: "LimitExceeded", Status: http.StatusConflict, Message: "Cannot exceed quota for RolesPerAccount: 1000"},
			"Cannot exceed quota for RolesPerAccount: 1000", "aws iam list-roles --path-prefix /ostoy-s3/",
		},
		{
			"aws-malformed",
			testbed.Fault{Action: "iam:CreateRole", Code: "MalformedPolicyDocument", Message: "Invalid principal in policy: \"Federated\":\"x\""},
			"IAM does not know the identity provider", "aws iam list-open-id-connect-providers",
		},
		{
			"aws-expired",
			testbed.Fault{Action: "iam:PutRolePolicy", Code: "ExpiredToken", Status: http.StatusForbidden, Message: "expired"},
			"AWS refused iam:PutRolePolicy", "aws sso login",
		},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			world.NewNamespace(t, bed, c.namespace)
			what := "AWS refused " + c.fault.Action + " on arn:aws:iam::123456789012:role" + rolePath + world.RoleName(bed.Issuer, c.namespace)
			if c.fault.Code == "ExpiredToken" {
				what = "the AWS credentials have expired"
			}
			orderFault(t, bed, c.fault)
			admin := run.Admin(bed)
			wantMessages(t, admin.Run(t, "install", "-n", c.namespace), failed, message{what, c.why, c.next})
			if err := bed.AWS.Reset(t.Context()); err != nil {
				t.Fatal(err)
			}
			admin.Run(t, "install", "-n", c.namespace).WantCode(t, done)
			wantTrusted(t, bed, world.RoleName(bed.Issuer, c.namespace), c.namespace)
			wantHealthy(t, bed, c.namespace)
		})
	}
}

// testAWSDenies: what a policy denies explicitly is asked for once, because no waiting
// changes it. Who decides is named, and the flags that the rule may accept.
func testAWSDenies(t *testing.T, bed *testbed.Bed) {
	const (
		organization = "a policy of the AWS organization forbids it: an explicit deny"
		lift         = "ask who administers the AWS organization to lift the deny of "
		ways         = "oc ostoy-s3 iam render; then install with --iam=skip"
		managed      = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	)
	for _, c := range []struct {
		namespace, action, policy string
		why, next                 string
		args                      []string
	}{
		{"deny-create", "iam:CreateRole", "a service control policy", organization, lift + "iam:CreateRole … --permissions-boundary ARN … --role-path or --role-name … " + ways, nil},
		{"deny-put", "iam:PutRolePolicy", "a service control policy", organization, lift + "iam:PutRolePolicy … --policy-arn ARN … " + ways, nil},
		{
			"deny-put-limit", "iam:PutRolePolicy", "a permissions boundary",
			"the caller's permissions boundary forbids it", "the AWS administrator who owns the permissions boundary of the caller … --policy-arn ARN … " + ways, nil,
		},
		{
			"deny-create-own", "iam:CreateRole", "an identity-based policy",
			"one of the caller's own policies forbids it", "ask an AWS administrator to lift the deny of iam:CreateRole … --permissions-boundary ARN … " + ways, nil,
		},
		{"deny-create-session", "iam:CreateRole", "a session policy", "the policy of this session forbids it", "ask who gave you this session … sign in without a session policy … " + ways, nil},
		{"deny-attach", "iam:AttachRolePolicy", "a service control policy", organization, lift + "iam:AttachRolePolicy … another --policy-arn, or none … " + ways, []string{"--policy-arn", managed}},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			world.NewNamespace(t, bed, c.namespace)
			role := "arn:aws:iam::123456789012:role" + rolePath + world.RoleName(bed.Issuer, c.namespace)
			orderFault(t, bed, testbed.Fault{
				Action: c.action, Code: "AccessDenied", Status: http.StatusForbidden,
				Message: "User: arn:aws:iam::123456789012:user/moto is not authorized to perform: " + c.action + " on resource: " + role + " with an explicit deny in " + c.policy,
			})
			if err := bed.AWS.ResetLog(t.Context()); err != nil {
				t.Fatal(err)
			}
			admin := run.Admin(bed)
			wantMessages(t, admin.Run(t, append([]string{"install", "-n", c.namespace}, c.args...)...), failed, message{"AWS refused " + c.action + " on " + role, c.why, c.next})
			log, err := bed.AWS.Log(t.Context(), "admin")
			if err != nil {
				t.Fatal(err)
			}
			asked := slices.DeleteFunc(log, func(r testbed.AWSRequest) bool { return r.Action != c.action || r.Again() })
			if len(asked) != 1 {
				t.Errorf("asked %d times: %+v", len(asked), asked)
			}
			if err := bed.AWS.Reset(t.Context()); err != nil {
				t.Fatal(err)
			}
			admin.Run(t, append([]string{"install", "-n", c.namespace, "--verify=false"}, c.args...)...).WantCode(t, done)
		})
	}
}

// wantHealthy wants a second run to have nothing to do, and one role.
func wantHealthy(t *testing.T, bed *testbed.Bed, namespace string) world.World {
	t.Helper()
	return wantHealthyTo(t, run.Admin(bed), namespace)
}

// wantHealthyTo is wantHealthy for somebody else.
func wantHealthyTo(t *testing.T, user run.User, namespace string) world.World {
	t.Helper()
	bed := user.Bed
	before := world.Look(t, bed, namespace)
	user.Run(t, "install", "-n", namespace).WantCode(t, done).WantTalk(t, "nothing to change")
	before.WantSame(t, world.Look(t, bed, namespace))
	roles := 0
	for key, text := range before {
		if strings.HasPrefix(key, "role/") {
			roles++
			for _, piece := range []string{"s3:ListBucket", "s3:PutObject", `"app.kubernetes.io/managed-by":"ostoy-s3"`} {
				if decoded := strings.ReplaceAll(text, "%3A", ":"); !strings.Contains(decoded, piece) {
					t.Errorf("%s lacks %s: %s", key, piece, text)
				}
			}
		}
	}
	if roles != 1 {
		t.Errorf("%d roles", roles)
	}
	return before
}

// testAWSThrottles: being asked to slow down is no failure.
func testAWSThrottles(t *testing.T, bed *testbed.Bed) {
	const namespace = "aws-throttle"
	world.NewNamespace(t, bed, namespace)
	if err := bed.AWS.Throttle(t.Context(), 4); err != nil {
		t.Fatal(err)
	}
	takeBack(t, bed)
	run.Admin(bed).Run(t, "install", "-n", namespace).WantCode(t, done)
	wantHealthy(t, bed, namespace)
}

func TestNoCredentials(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace = "aws-nobody"
	world.NewNamespace(t, bed, namespace)
	nobody := run.Admin(bed).With("AWS_ACCESS_KEY_ID=", "AWS_SECRET_ACCESS_KEY=")
	wantRefused(t, nobody, namespace, failed, message{"no usable AWS credentials", "neither the environment, nor the AWS config files", "aws sso login"})
	wantRefused(t, run.Admin(bed), namespace, 2, message{`the AWS profile "nobodys" does not exist (--profile)`, "does not have it", "aws configure --profile nobodys"},
		"--profile", "nobodys")
}

// TestRoleRaced: another run makes the role between our look and our create.
// Ours is gone on with, a stranger's is refused.
func TestRoleRaced(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, c := range []struct {
		namespace string
		tags      map[string]string
		code      int
	}{
		{"race-ours", ourTags(bed, "race-ours"), done},
		{"race-theirs", nil, refused},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			world.NewNamespace(t, bed, c.namespace)
			name := world.RoleName(bed.Issuer, c.namespace)
			var raced atomic.Bool
			admin := run.Admin(bed).With(awsThrough(t, bed, func(_ http.ResponseWriter, r *http.Request) bool {
				if formAction(r) == "CreateRole" && !raced.Swap(true) {
					makeRole(t, bed, name, rolePath, c.tags)
				}
				return false
			}))
			result := admin.Run(t, "install", "-n", c.namespace)
			if !raced.Load() {
				t.Fatalf("there was no race\n%s", result)
			}
			if c.code == done {
				result.WantCode(t, done)
				wantTrusted(t, bed, name, c.namespace)
				wantHealthy(t, bed, c.namespace)
				return
			}
			wantMessages(t, result, c.code, message{"role … " + name + " is there and is not ours", "it has no tags", "--adopt=role"})
			if trust := trustOf(t, bed, name); !strings.Contains(trust, "ec2.amazonaws.com") {
				t.Errorf("the stranger's role was changed: %s", trust)
			}
		})
	}
}
