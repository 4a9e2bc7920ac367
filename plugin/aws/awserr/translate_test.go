package awserr

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const roleARN = "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-1a2b3c4d"

// answered is an error as the SDK gives it for an answer of AWS.
func answered(status int, code, message string) error {
	return &smithy.OperationError{ServiceID: "IAM", OperationName: "CreateRole", Err: &smithyhttp.ResponseError{
		Response: &smithyhttp.Response{Response: &http.Response{StatusCode: status, Header: http.Header{}}},
		Err:      &smithy.GenericAPIError{Code: code, Message: message},
	}}
}

// credentials is an error as the SDK gives it when it has none.
func credentials(inner string) error {
	return &smithy.OperationError{ServiceID: "STS", OperationName: "GetCallerIdentity", Err: fmt.Errorf(
		"get identity: get credentials: failed to refresh cached credentials, %w", errors.New(inner))}
}

func sent(err error) error {
	return &smithy.OperationError{ServiceID: "IAM", OperationName: "GetRole", Err: &smithyhttp.RequestSendError{Err: err}}
}

func TestTranslate(t *testing.T) {
	const alice = "User: arn:aws:sts::123456789012:assumed-role/Dev/alice is not authorized to perform: iam:CreateRole on resource: " + roleARN
	for _, c := range []struct {
		name            string
		err             error
		kind            problem.Kind
		what, why, next string // each must be contained
	}{
		{
			"no policy allows", answered(403, "AccessDenied", alice+" because no identity-based policy allows the iam:CreateRole action"),
			1, "AWS refused iam:CreateRole on " + roleARN, "assumed-role/Dev/alice may not: none of the caller's policies allows it", "allow iam:CreateRole on " + roleARN + ", then run the same command again; where roles must carry a boundary, add --permissions-boundary",
		},
		{
			"TestF8: who can print the policy", answered(403, "AccessDenied", alice+" because no identity-based policy allows the iam:CreateRole action"),
			1, "iam:CreateRole", "", "oc ostoy-s3 iam policy --for install (for a learner of a class: --for class) prints a policy that allows it",
		},
		{
			"TestF8: the controller's role", answered(403, "AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:PutRolePolicy on resource: role ack-s3-controller-1a2b3c4d because no identity-based policy allows the iam:PutRolePolicy action"),
			1, "iam:PutRolePolicy", "", "oc ostoy-s3 iam policy --for controller prints",
		},
		{
			"TestF8: the controller's role, denied", answered(403, "AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:PutRolePolicy on resource: role ack-s3-controller-1a2b3c4d with an explicit deny in an identity-based policy: arn:aws:iam::123456789012:policy/ostoy-s3-install"),
			1, "iam:PutRolePolicy", "one of the caller's own policies forbids it", "oc ostoy-s3 iam policy --for install prints denies it, unless you print it with --with-controller",
		},
		{
			"another right than the call's own", answered(403, "AccessDenied", strings.ReplaceAll(alice, "CreateRole", "TagRole")+" because no identity-based policy allows the iam:TagRole action"),
			1, "AWS refused iam:TagRole on " + roleARN, "", "allow iam:TagRole on " + roleARN,
		},
		{
			"service control policy", answered(403, "AccessDenied", alice+" with an explicit deny in a service control policy"),
			1, "iam:CreateRole", "a policy of the AWS organization forbids it", "who administers the AWS organization",
		},
		{
			"service control policy with its ARN", answered(403, "AccessDenied", alice+" with an explicit deny in a service control policy: arn:aws:organizations::111122223333:policy/o-abc/service_control_policy/p-123"),
			1, "iam:CreateRole", "a policy of the AWS organization forbids it", "no permission given in this account helps",
		},
		{
			"no service control policy allows", answered(403, "AccessDenied", alice+" because no service control policy allows the iam:CreateRole action"),
			1, "iam:CreateRole", "a policy of the AWS organization does not allow it", "AWS organization",
		},
		{
			"boundary", answered(403, "AccessDenied", alice+" because no permissions boundary allows the iam:CreateRole action"),
			1, "iam:CreateRole", "permissions boundary does not allow it", "owns the permissions boundary of the caller",
		},
		{
			"session policy", answered(403, "AccessDenied", alice+" because no session policy allows the iam:CreateRole action"),
			1, "iam:CreateRole", "the policy of this session does not allow it", "session policy",
		},
		{
			"explicit deny", answered(403, "AccessDenied", alice+" with an explicit deny in an identity-based policy"),
			1, "iam:CreateRole", "forbids it", "lift the deny of iam:CreateRole",
		},
		{
			"S3's quotes", answered(403, "AccessDenied", `User: arn:aws:iam::123456789012:user/bob is not authorized to perform: s3:GetBucketTagging on resource: "arn:aws:s3:::demo-bucket" because no identity-based policy allows the s3:GetBucketTagging action`),
			1, "AWS refused s3:GetBucketTagging on arn:aws:s3:::demo-bucket", "user/bob may not", "allow s3:GetBucketTagging on arn:aws:s3:::demo-bucket",
		},
		{
			"nothing but denied", answered(403, "AccessDenied", "Access Denied"),
			1, "AWS refused iam:Asked on the-thing", "none of the caller's policies", "allow iam:Asked on the-thing",
		},
		{"expired", answered(403, "ExpiredToken", "The security token included in the request is expired"), 1, "credentials have expired", "iam:Asked on the-thing", "aws sso login"},
		{"expired, other code", answered(400, "ExpiredTokenException", "The security token included in the request is expired"), 1, "credentials have expired", "", "aws sso login"},
		{"unknown key", answered(403, "InvalidClientTokenId", "The security token included in the request is invalid."), 1, "does not know these credentials", "partition", "aws sts get-caller-identity"},
		{"clock", answered(403, "SignatureDoesNotMatch", "Signature expired: 20260101T000000Z is now earlier than 20260101T001500Z (20260101T003000Z - 15 min.)"), 1, "signature", "clock", "date -u"},
		{"clock, S3", answered(403, "RequestTimeTooSkewed", "The difference between the request time and the current time is too large."), 1, "signature", "clock", "date -u"},
		{"wrong secret", answered(403, "SignatureDoesNotMatch", "The request signature we calculated does not match the signature you provided."), 1, "signature", "secret key does not belong", "aws configure"},
		{"throttled", answered(400, "Throttling", "Rate exceeded"), 1, "iam:Asked on the-thing", "too many requests", "wait a minute"},
		{"raced", answered(409, "EntityAlreadyExists", "Role with name demo already exists."), 1, "the-thing exists already", "while this command ran", "goes on where it stopped"},
		{"role quota", answered(409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"), 1, "iam:Asked", "RolesPerAccount: 1000", "aws iam list-roles --path-prefix /ostoy-s3/"},
		{"trust quota", answered(409, "LimitExceeded", "Cannot exceed quota for ACLSizePerRole: 2048"), 1, "iam:Asked", "ACLSizePerRole: 2048", "Role trust policy length"},
		{"attachment quota", answered(409, "LimitExceeded", "Cannot exceed quota for PoliciesPerRole: 10"), 1, "iam:Asked", "PoliciesPerRole: 10", "--policy-arn"},
		{"inline quota", answered(409, "LimitExceeded", "Maximum policy size of 10240 bytes exceeded for role demo"), 1, "iam:Asked", "10240", "--role-name"},
		{"unknown provider", answered(400, "MalformedPolicyDocument", `Invalid principal in policy: "FEDERATED":"arn:aws:iam::123456789012:oidc-provider/oidc.example.com"`), 1, "iam:Asked", "does not know the identity provider", "aws iam list-open-id-connect-providers"},
		{"bad policy", answered(400, "MalformedPolicyDocument", "Syntax errors in policy."), 1, "iam:Asked", "Syntax errors in policy", "--oidc-issuer"},
		{"conflict", answered(409, "DeleteConflict", "Cannot delete entity, must detach all policies first."), 1, "iam:Asked", "must detach all policies first", "list-attached-role-policies"},
		{"AWS down", answered(503, "ServiceUnavailable", ""), 1, "iam:Asked", "trouble of its own", "wait a minute"},
		{"region off", answered(403, "RegionDisabledException", "STS is not activated in this region"), 1, "iam:Asked", "switched off", "enable-region"},
		{"never heard of", answered(400, "Brandnew", "Something."), 1, "AWS refused iam:Asked on the-thing", "Something (Brandnew)", "run the same command again"},

		{"no credentials", credentials("no EC2 IMDS role found, operation error ec2imds: GetMetadata, request canceled, context deadline exceeded"), 1, "no usable AWS credentials", "neither the environment", "aws sts get-caller-identity"},
		{"empty", credentials("static credentials are empty"), 1, "no usable AWS credentials", "secret key is missing", "aws configure"},
		{"SSO over", credentials("the SSO session has expired or is invalid: expired"), 1, "no usable AWS credentials", "single sign-on session", "aws sso login"},
		{"SSO never", credentials("failed to read cached SSO token file, open ~/.aws/sso/cache/0123.json: no such file or directory"), 1, "no usable", "single sign-on", "aws sso login"},
		{"SSO refresh", credentials("refresh cached SSO token failed, unable to refresh SSO token, operation error SSO OIDC: CreateToken, InvalidGrantException"), 1, "no usable", "single sign-on", "aws sso login"},
		{"MFA", credentials("assume role with MFA enabled, but TokenProvider is not set"), 1, "no usable", "MFA", "aws configure export-credentials"},
		{"profile's role", credentials("operation error STS: AssumeRole, https response error StatusCode: 403, api error AccessDenied: User: x is not authorized to perform: sts:AssumeRole on resource: y"), 1, "no usable", "could not be assumed", "get-caller-identity"},
		{"process", credentials("error in credential_process: exit status 1"), 1, "no usable", "credential_process failed", "aws configure"},
		{"profile", errors.New("failed to get shared config profile, nobody"), 2, "profile does not exist", "", "--profile"},

		{"no region", &smithy.OperationError{ServiceID: "IAM", OperationName: "GetRole", Err: errors.New("failed to resolve service endpoint, endpoint rule error, Invalid Configuration: Missing Region")}, 2, "no AWS region", "", "--region"},
		{"misspelt region", sent(&net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "sts.us-esat-1.amazonaws.com", IsNotFound: true}}), 1, "AWS did not do iam:Asked", "sts.us-esat-1.amazonaws.com", "--region"},
		{"refused", sent(&net.OpError{Op: "dial", Net: "tcp", Addr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 5000}, Err: os.NewSyscallError("connect", syscall.ECONNREFUSED)}), 1, "AWS did not do", "127.0.0.1:5000", "AWS_ENDPOINT_URL"},
		{"certificate", sent(x509.UnknownAuthorityError{}), 1, "AWS did not do", "certificate", "AWS_CA_BUNDLE"},
		{"late", sent(context.DeadlineExceeded), 1, "AWS did not do", "no answer in time", "--timeout"},
		{"cut", sent(&net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}), 1, "AWS did not do", "connection broke", "network"},
		{"anything else", errors.New("odd"), 1, "AWS did not do iam:Asked on the-thing", "odd", "run the same command again"},
	} {
		t.Run(c.name, func(t *testing.T) {
			err := Translate(c.err, "iam:Asked", "the-thing")
			var p *problem.Error
			if !errors.As(err, &p) {
				t.Fatalf("not a problem: %v", err)
			}
			if p.Kind != c.kind {
				t.Errorf("kind %d, want %d", p.Kind, c.kind)
			}
			for part, want := range map[string][2]string{"what": {p.What, c.what}, "why": {p.Why, c.why}, "next": {p.Next, c.next}} {
				if !strings.Contains(want[0], want[1]) || want[0] == "" {
					t.Errorf("%s: %q does not say %q", part, want[0], want[1])
				}
			}
			if !errors.Is(err, c.err) {
				t.Error("the original error is lost")
			}
		})
	}
}

func TestTranslateLeavesAlone(t *testing.T) {
	for name, err := range map[string]error{
		"nil":       nil,
		"cancelled": sent(context.Canceled),
		"explained": fmt.Errorf("around: %w", &problem.Error{Kind: problem.Refused, What: "x"}),
		"input":     &problem.Error{Kind: problem.Usage, What: "x", Why: "y"},
	} {
		if got := Translate(err, "a:B", "c"); got != err {
			t.Errorf("%s: became %v", name, got)
		}
	}
}

func TestPredicates(t *testing.T) {
	onRole := func(resource string) error {
		return answered(403, "AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:GetRole on resource: "+resource+" because no identity-based policy allows the iam:GetRole action")
	}
	for _, c := range []struct {
		name                            string
		err                             error
		denied, missing, hidden, exists bool
	}{
		{name: "nil"},
		{name: "plain", err: errors.New("NoSuchEntity")},
		{name: "denied on an ARN", err: onRole(roleARN), denied: true},
		{name: "denied on a role, which may exist", err: onRole("role demo-ostoy-sa-1a2b3c4d"), denied: true, hidden: true},
		{name: "denied without words", err: answered(403, "AccessDenied", "Access Denied"), denied: true},
		{name: "missing", err: answered(404, "NoSuchEntity", "The role with name x cannot be found."), missing: true},
		{name: "exists", err: answered(409, "EntityAlreadyExists", ""), exists: true},
	} {
		got := [4]bool{Denied(c.err), Missing(c.err), Hidden(c.err), Exists(c.err)}
		if want := [4]bool{c.denied, c.missing, c.hidden, c.exists}; got != want {
			t.Errorf("%s: denied, missing, hidden, exists = %v, want %v", c.name, got, want)
		}
	}
	var told *problem.Error
	if err := Translate(onRole("role x"), "iam:GetRole", "role x"); !errors.As(err, &told) || !strings.Contains(told.Why, "whether the role exists is not known") || !strings.Contains(told.Next, "allow iam:GetRole on role x") {
		t.Errorf("%+v", told)
	}
	if !Conflict(answered(409, "DeleteConflict", "")) || Conflict(answered(409, "EntityAlreadyExists", "")) || Conflict(nil) {
		t.Error("conflict is wrong")
	}
	if Status(answered(409, "X", "")) != 409 || Status(errors.New("x")) != 0 || Header(errors.New("x"), "y") != "" {
		t.Error("status or header is wrong")
	}
}

// TestF8NoPolicyForOthers: the command that prints a policy for a person is no help
// where an app's role was refused, or where another kind of policy decided.
func TestF8NoPolicyForOthers(t *testing.T) {
	const role = "User: arn:aws:sts::123456789012:assumed-role/demo-ostoy-sa-1a2b3c4d/verify is not authorized to perform: "
	for name, message := range map[string]string{
		"app's role":             role + "s3:ListBucket on resource: arn:aws:s3:::demo-bucket because no identity-based policy allows the s3:ListBucket action",
		"app's action":           "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: s3:PutObject on resource: arn:aws:s3:::demo-bucket/a because no identity-based policy allows the s3:PutObject action",
		"service control policy": "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:CreateRole on resource: " + roleARN + " with an explicit deny in a service control policy",
		"explicit deny":          "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:PutRolePolicy on resource: " + roleARN + " with an explicit deny in an identity-based policy",
	} {
		var told *problem.Error
		if !errors.As(Translate(answered(403, "AccessDenied", message), "iam:Asked", "the-thing"), &told) || strings.Contains(told.Next, "iam policy") {
			t.Errorf("%s: %+v", name, told)
		}
	}
}

// TestF7DeniedTags: a policy that an earlier version printed denies the tags that it did
// not know: the command that prints the policy again is shown, and not for the
// controller's role, which has no such tag.
func TestF7DeniedTags(t *testing.T) {
	const controller = "arn:aws:iam::123456789012:role/ostoy-s3-controller/ack-s3-controller-1a2b3c4d"
	for _, c := range []struct {
		action, role string
		hint         bool
	}{{"iam:TagRole", roleARN, true}, {"iam:CreateRole", roleARN, true}, {"iam:DeleteRole", roleARN, false}, {"iam:TagRole", controller, false}} {
		message := "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: " + c.action + " on resource: " + c.role +
			" with an explicit deny in an identity-based policy"
		var told *problem.Error
		if !errors.As(Translate(answered(403, "AccessDenied", message), c.action, c.role), &told) {
			t.Fatal(c)
		}
		if hint := strings.Contains(told.Next, "if an earlier version of ostoy-s3 printed the policy, print it again") && strings.Contains(told.Next, "oc ostoy-s3 iam policy --for install"); hint != c.hint {
			t.Errorf("%s on %s: %s", c.action, c.role, told.Next)
		}
	}
}
