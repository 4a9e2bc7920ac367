package awserr

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// decisions are AWS's sentences for a refusal, as "Troubleshoot access denied error
// messages" of the IAM User Guide lists them.
func decisions() map[string]struct {
	stays      bool
	who, flags string // in why and next of iam:CreateRole
} {
	const render = "oc ostoy-s3 iam render"
	return map[string]struct {
		stays      bool
		who, flags string
	}{
		" with an explicit deny in a service control policy":  {true, "a policy of the AWS organization forbids it: an explicit deny|who administers the AWS organization", render},
		" with an explicit deny in a resource control policy": {true, "a policy of the AWS organization forbids it|who administers the AWS organization", render},
		" with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-abc/service_control_policy/p-123": {
			true, "(arn:aws:organizations::111122223333:policy/o-abc/service_control_policy/p-123)|no permission given in this account helps", render,
		},
		" with an explicit deny in a permissions boundary":                     {true, "permissions boundary forbids it|owns the permissions boundary of the caller", "--permissions-boundary ARN"},
		" with an explicit deny in a session policy":                           {true, "the policy of this session forbids it|who gave you this session", render},
		" with an explicit deny in a VPC endpoint policy":                      {true, "VPC endpoint's policy forbids it|who runs the VPC endpoint", render},
		" with an explicit deny in a resource-based policy":                    {true, "the policy on the resource itself forbids it|the owner of the resource", render},
		" with an explicit deny in an identity-based policy":                   {true, "one of the caller's own policies forbids it|an AWS administrator", render},
		" with an explicit deny in the role trust policy":                      {true, "the role's trust policy forbids it|the owner of the role", render},
		" with an explicit deny":                                               {true, "a policy that AWS does not name|an AWS administrator", render},
		" because no service control policy allows the iam:CreateRole action":  {true, "a policy of the AWS organization does not allow it|who administers the AWS organization", render},
		" because no resource control policy allows the iam:CreateRole action": {true, "a policy of the AWS organization does not allow it|who administers the AWS organization", render},
		" because no VPC endpoint policy allows the iam:CreateRole action":     {true, "VPC endpoint's policy does not allow it|who runs the VPC endpoint", render},
		" because no permissions boundary allows the iam:CreateRole action":    {false, "permissions boundary does not allow it|owns the permissions boundary", "--permissions-boundary ARN"},
		" because no session policy allows the iam:CreateRole action":          {false, "the policy of this session does not allow it|sign in without", ""},
		" because no resource-based policy allows the iam:CreateRole action":   {false, "the policy on the resource itself does not allow it|", ""},
		" because no identity-based policy allows the iam:CreateRole action":   {false, "none of the caller's policies allows it|an AWS administrator", "iam policy --for install"},
		"": {false, "none of the caller's policies allows it|an AWS administrator", ""},
	}
}

// TestStays: an explicit deny is never that of an IAM which has not heard of a change; the
// reader sees who decides, and what may help.
func TestStays(t *testing.T) {
	const user = "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:CreateRole on resource: " + roleARN
	for words, want := range decisions() {
		err := answered(403, "AccessDenied", user+words)
		if got := Stays(err); got != want.stays {
			t.Errorf("%q: stays %t", words, got)
		}
		var told *problem.Error
		if !errors.As(Translate(err, "iam:CreateRole", roleARN), &told) {
			t.Fatal(err)
		}
		why, next, _ := strings.Cut(want.who, "|")
		if !strings.Contains(told.Why, why) || !strings.Contains(told.Next, next) && !strings.Contains(told.Why, next) || !strings.Contains(told.Next, want.flags) {
			t.Errorf("%q:\n%s\n%s", words, told.Why, told.Next)
		}
		for _, around := range []string{user + words, "operation error S3: PutObject, https response error StatusCode: 403, RequestID: X, HostID: Y, api error AccessDenied: " + user + words, "Forbidden from HeadBucket b: " + user + words + " (for 3 s). Mend it", `{"error":"` + user + words + `"}`} {
			if got := StaysIn(around); got != want.stays {
				t.Errorf("%q: stays %t", around, got)
			}
		}
	}
	if Stays(nil) || Stays(errors.New("with an explicit deny in a service control policy")) || StaysIn("") || Stays(answered(404, "NoSuchEntity", "with an explicit deny")) {
		t.Error("what AWS did not refuse stays refused")
	}
}

// TestOtherWays: the flags that may pass a rule, by what the rule denies.
func TestOtherWays(t *testing.T) {
	const scp = " with an explicit deny in a service control policy"
	for action, want := range map[string]string{
		"iam:CreateRole":             "--role-path or --role-name",
		"iam:PutRolePolicy":          "--policy-arn ARN",
		"iam:AttachRolePolicy":       "inline policy",
		"iam:TagRole":                "then install with --iam=skip",
		"iam:UpdateAssumeRolePolicy": "oc ostoy-s3 iam render",
		"s3:PutObject":               "encryption header",
	} {
		var told *problem.Error
		message := "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: " + action + " on resource: the-thing"
		if !errors.As(Translate(answered(403, "AccessDenied", message+scp), action, ""), &told) || !strings.Contains(told.Next, want) {
			t.Errorf("%s: %+v", action, told)
		}
		if !errors.As(Translate(answered(403, "AccessDenied", message+" because no identity-based policy allows the "+action+" action"), action, ""), &told) || strings.Contains(told.Next, "--iam=skip") {
			t.Errorf("%s, implicitly: %+v", action, told)
		}
	}
}

// TestDecidedIn: whoever writes a condition or a termination message can write any
// sentence: none of its names is repeated.
func TestDecidedIn(t *testing.T) {
	d := DecidedIn("User: arn:aws:sts::1:assumed-role/evil/x is not authorized to perform: s3:PutObject on resource: evil with an explicit deny in a permissions boundary: arn:aws:iam::111122223333:policy/evil", "the role")
	if d.Action != "s3:PutObject" || !strings.Contains(d.Why, "the role's permissions boundary forbids it") || !strings.Contains(d.Next, "who owns the permissions boundary of the role to lift the deny of s3:PutObject") || strings.Contains(d.Why+d.Next, "evil") {
		t.Errorf("%+v", d)
	}
}
