package check_test

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func roleFaults() []fault {
	return []fault{
		{check: "role", says: "is not there", make: withoutRole},
		{check: "role", says: "is not there", admin: true, with: []string{"--role-name=check-own-name", "--role-path=/mine/"}, make: withoutRole},
		{check: "role-foreign", says: "terraform", make: func(t *testing.T, s *scene) {
			tag(t, s, "app.kubernetes.io/managed-by", "terraform")
		}},
		{check: "role-foreign", says: "under another path", make: movedRole},
		{check: "role-policy", says: "may do nothing", make: withoutPolicy},
		{check: "role-policy", says: "s3:PutObject on", admin: true, make: putPolicy("ostoy-s3",
			inAccount(allow("s3:ListBucket", "arn:aws:s3:::NAMESPACE-bucket")), inAccount(allow("s3:GetObject", "arn:aws:s3:::NAMESPACE-bucket/*")))},
		{check: "role-excess", status: "warning", says: "inline policy extra", make: putPolicy("extra", allow("dynamodb:*", "*"))},
		{check: "role-excess", status: "warning", says: "it reaches *; its rights do not end at the account", make: putPolicy("ostoy-s3",
			allow("s3:ListBucket", "*"), allow("s3:GetObject", "*"), allow("s3:PutObject", "*"))},
		{check: "role-excess", status: "warning", says: "is attached to it", make: func(t *testing.T, s *scene) {
			_, err := s.IAM().AttachRolePolicy(t.Context(), &awsiam.AttachRolePolicyInput{RoleName: role(t, s).RoleName, PolicyArn: managed(t, s, allow("sqs:*", "*"))})
			must(t, err)
		}},
		{check: "role-policy", says: "permissions boundary does not allow s3:PutObject on", make: func(t *testing.T, s *scene) {
			arn := managed(t, s, allow("s3:Get*", "*"), allow("s3:ListBucket", "*"))
			_, err := s.IAM().PutRolePermissionsBoundary(t.Context(), &awsiam.PutRolePermissionsBoundaryInput{RoleName: role(t, s).RoleName, PermissionsBoundary: arn})
			must(t, err)
		}},
	}
}

func trustFaults() []fault {
	const rebuilt = "arn:aws:iam::" + testbed.Account + ":oidc-provider/oidc.example.com/1old"
	return []fault{
		{check: "trust-policy", says: "shuts the app out", make: trusted(
			`"Statement": [{"Effect": "Deny", "Principal": {"Federated": "PROVIDER"}, "Action": "sts:AssumeRoleWithWebIdentity"}, `, `"Statement": [`)},
		{check: "trust-policy", says: "another action", make: trusted(`"Action": "sts:AssumeRole"`, `"Action": "sts:AssumeRoleWithWebIdentity"`)},
		{check: "trust-policy", says: "1old", admin: true, make: trusted(rebuilt, "PROVIDER")},
		{check: "trust-policy", says: "asks for claims of another", make: trusted("oidc.example.com/1old:", "ISSUER:")},
		{check: "trust-policy", says: "system:serviceaccount:default:ostoy-sa", make: trusted("system:serviceaccount:default:", "system:serviceaccount:NAMESPACE:")},
		{check: "trust-policy", says: "wildcards", admin: true, make: trusted(`"StringLike": {"ISSUER:sub": "system:serviceaccount:NAMESPACE:*"}, "StringEquals": {`, `"StringEquals": {"ISSUER:sub": "system:serviceaccount:NAMESPACE:ostoy-sa", `)},
		{check: "trust-audience", says: "openshift", make: trusted(`"openshift"`, `"sts.amazonaws.com"`)},
		{check: "trust-audience", status: "warning", says: "any audience", make: trusted("", `, "ISSUER:aud": "sts.amazonaws.com"`)},
		{check: "trust-audience", status: "warning", says: ":root", make: trusted(
			`"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::`+testbed.Account+`:root"}, "Action": "sts:AssumeRole"}, `,
			`"Version": "2012-10-17", "Statement": [`)},
	}
}

func identityWideFaults() []fault {
	deny := func(actions ...string) func(*testing.T, *scene) {
		return func(t *testing.T, s *scene) {
			t.Cleanup(func() { must(t, s.AWS.Reset(context.WithoutCancel(t.Context()))) })
			must(t, s.AWS.Deny(t.Context(), actions...))
		}
	}
	return []fault{
		{check: "oidc-provider", says: "does not know the issuer", make: withoutProvider},
		{check: "oidc-provider", says: "does not take audience", make: func(t *testing.T, s *scene) {
			withoutProvider(t, s)
			must(t, makeProvider(t.Context(), s.Bed, s.Issuer, "openshift"))
		}},
		{check: "oidc-provider", status: "not allowed", says: "iam:GetOpenIDConnectProvider", make: deny("iam:GetOpenIDConnectProvider")},
		{check: "role-orphaned", status: "warning", says: "check-orphan", make: orphan},
		{check: "role-orphaned", status: "not allowed", says: "iam:ListRoles", make: deny("iam:ListRoles")},
		{check: "role-excess", status: "not allowed", says: "iam:ListRolePolicies", make: deny("iam:ListRolePolicies")},
		{check: "role-policy", status: "not allowed", says: "iam:GetPolicy", with: []string{"--policy-arn=" + fullAccess}, make: deny("iam:GetPolicy")},
	}
}

const fullAccess = "arn:aws:iam::aws:policy/AmazonS3FullAccess"

// role is the role of the scene's install.
func role(t *testing.T, s *scene) types.Role {
	t.Helper()
	pages := awsiam.NewListRolesPaginator(s.IAM(), &awsiam.ListRolesInput{})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		must(t, err)
		for _, one := range page.Roles {
			if strings.Contains(plain(t, one.AssumeRolePolicyDocument), "serviceaccount:"+s.Namespace+":") {
				return one
			}
		}
	}
	t.Fatal("the install has no role")
	return types.Role{}
}

func withoutPolicy(t *testing.T, s *scene) {
	_, err := s.IAM().DeleteRolePolicy(t.Context(), &awsiam.DeleteRolePolicyInput{RoleName: role(t, s).RoleName, PolicyName: aws.String("ostoy-s3")})
	must(t, err)
}

func withoutRole(t *testing.T, s *scene) {
	withoutPolicy(t, s)
	_, err := s.IAM().DeleteRole(t.Context(), &awsiam.DeleteRoleInput{RoleName: role(t, s).RoleName})
	must(t, err)
}

func tag(t *testing.T, s *scene, key, value string) {
	_, err := s.IAM().TagRole(t.Context(), &awsiam.TagRoleInput{RoleName: role(t, s).RoleName, Tags: []types.Tag{{Key: aws.String(key), Value: aws.String(value)}}})
	must(t, err)
}

// movedRole is the same role under another path.
func movedRole(t *testing.T, s *scene) {
	is := role(t, s)
	tags, err := s.IAM().ListRoleTags(t.Context(), &awsiam.ListRoleTagsInput{RoleName: is.RoleName})
	must(t, err)
	policy, err := s.IAM().GetRolePolicy(t.Context(), &awsiam.GetRolePolicyInput{RoleName: is.RoleName, PolicyName: aws.String("ostoy-s3")})
	must(t, err)
	withoutRole(t, s)
	_, err = s.IAM().CreateRole(t.Context(), &awsiam.CreateRoleInput{
		RoleName: is.RoleName, Path: aws.String("/elsewhere/"), Tags: tags.Tags, AssumeRolePolicyDocument: aws.String(plain(t, is.AssumeRolePolicyDocument)),
	})
	must(t, err)
	_, err = s.IAM().PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{
		RoleName: is.RoleName, PolicyName: aws.String("ostoy-s3"), PolicyDocument: aws.String(plain(t, policy.PolicyDocument)),
	})
	must(t, err)
}

// trusted puts one piece of a good trust policy in the place of another.
func trusted(piece, instead string) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		issuer := strings.TrimPrefix(s.Issuer, "https://")
		names := strings.NewReplacer("PROVIDER", "arn:aws:iam::"+testbed.Account+":oidc-provider/"+issuer, "ISSUER", issuer, "NAMESPACE", s.Namespace)
		const good = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "PROVIDER"}, "Action": "sts:AssumeRoleWithWebIdentity",
"Condition": {"StringEquals": {"ISSUER:sub": "system:serviceaccount:NAMESPACE:ostoy-sa", "ISSUER:aud": "sts.amazonaws.com"}}}]}`
		bad := strings.ReplaceAll(good, instead, piece)
		if bad == good {
			t.Fatalf("%s is not in the policy", instead)
		}
		_, err := s.IAM().UpdateAssumeRolePolicy(t.Context(), &awsiam.UpdateAssumeRolePolicyInput{
			RoleName: role(t, s).RoleName, PolicyDocument: aws.String(names.Replace(bad)),
		})
		must(t, err)
	}
}

func allow(action, resource string) string {
	return `{"Effect": "Allow", "Action": "` + action + `", "Resource": "` + resource + `"}`
}

// inAccount ends the rights of a statement at the account, as ours do.
func inAccount(statement string) string {
	return strings.TrimSuffix(statement, "}") + `, "Condition": {"StringEquals": {"aws:ResourceAccount": "` + testbed.Account + `"}}}`
}

func policy(s *scene, statements ...string) *string {
	return aws.String(strings.ReplaceAll(`{"Version": "2012-10-17", "Statement": [`+strings.Join(statements, ",")+`]}`, "NAMESPACE", s.Namespace))
}

// putPolicy puts an inline policy on the role.
func putPolicy(name string, statements ...string) func(*testing.T, *scene) {
	return func(t *testing.T, s *scene) {
		_, err := s.IAM().PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{
			RoleName: role(t, s).RoleName, PolicyName: aws.String(name), PolicyDocument: policy(s, statements...),
		})
		must(t, err)
	}
}

// managed makes a managed policy of the account.
func managed(t *testing.T, s *scene, statements ...string) *string {
	made, err := s.IAM().CreatePolicy(t.Context(), &awsiam.CreatePolicyInput{PolicyName: aws.String("check-" + s.Namespace), PolicyDocument: policy(s, statements...)})
	must(t, err)
	return made.Policy.Arn
}

func makeProvider(ctx context.Context, bed *testbed.Bed, issuer string, audiences ...string) error {
	_, err := bed.IAM().CreateOpenIDConnectProvider(ctx, &awsiam.CreateOpenIDConnectProviderInput{
		Url: aws.String(issuer), ClientIDList: audiences, ThumbprintList: []string{strings.Repeat("0", 40)},
	})
	return err
}

// withoutProvider takes the account's trust in the cluster away until the test
// ends.
func withoutProvider(t *testing.T, s *scene) {
	arn := aws.String("arn:aws:iam::" + testbed.Account + ":oidc-provider/" + strings.TrimPrefix(s.Issuer, "https://"))
	was, err := s.IAM().GetOpenIDConnectProvider(t.Context(), &awsiam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
	must(t, err)
	remove := func(ctx context.Context) error {
		_, err := s.IAM().DeleteOpenIDConnectProvider(ctx, &awsiam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: arn})
		return err
	}
	must(t, remove(t.Context()))
	t.Cleanup(func() {
		ctx := context.WithoutCancel(t.Context())
		_ = remove(ctx) // it may be one of the test's
		must(t, makeProvider(ctx, s.Bed, s.Issuer, was.ClientIDList...))
	})
}

// orphan is what a cluster leaves that was rebuilt: a role of ours whose
// provider went with it.
func orphan(t *testing.T, s *scene) {
	name := aws.String("check-orphan")
	_, err := s.IAM().CreateRole(t.Context(), &awsiam.CreateRoleInput{
		RoleName: name, Path: aws.String("/ostoy-s3/"),
		Tags: []types.Tag{
			{Key: aws.String("app.kubernetes.io/managed-by"), Value: aws.String("ostoy-s3")},
			{Key: aws.String("ostoy-s3/issuer"), Value: aws.String("https://oidc.example.com/1old")},
			{Key: aws.String("ostoy-s3/namespace"), Value: aws.String(s.Namespace)},
		},
		AssumeRolePolicyDocument: aws.String(`{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
"Principal": {"Federated": "arn:aws:iam::` + testbed.Account + `:oidc-provider/oidc.example.com/1old"}}]}`),
	})
	must(t, err)
	policies := []string{"ostoy-s3", "extra"}
	for _, one := range policies {
		_, err := s.IAM().PutRolePolicy(t.Context(), &awsiam.PutRolePolicyInput{RoleName: name, PolicyName: &one, PolicyDocument: policy(s, allow("s3:ListBucket", "*"))})
		must(t, err)
	}
	t.Cleanup(func() {
		// What is advised has deleted them, or some.
		ctx := context.WithoutCancel(t.Context())
		for _, one := range policies {
			_, _ = s.IAM().DeleteRolePolicy(ctx, &awsiam.DeleteRolePolicyInput{RoleName: name, PolicyName: &one})
		}
		_, err := s.IAM().DeleteRole(ctx, &awsiam.DeleteRoleInput{RoleName: name})
		if gone := new(types.NoSuchEntityException); !errors.As(err, &gone) {
			must(t, err)
		}
	})
}

// plain undoes the percent-encoding of a document.
func plain(t *testing.T, document *string) string {
	t.Helper()
	text, err := url.PathUnescape(aws.ToString(document))
	must(t, err)
	return text
}
