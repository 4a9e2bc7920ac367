package verify

import (
	"net/http"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// replace is a change of a text.
func replace(old, with string) func(string) string {
	return func(text string) string { return strings.ReplaceAll(text, old, with) }
}

// TestProvider: IAM does not know the cluster, or not the audience. It is told at
// once, because waiting does not help, and mended by what the message says.
func TestProvider(t *testing.T) {
	a := installed(t, "provider")
	arn := "arn:aws:iam::123456789012:oidc-provider/" + strings.TrimPrefix(a.bed.Issuer, "https://")
	client := a.bed.IAM()
	provider, err := client.GetOpenIDConnectProvider(t.Context(), &iam.GetOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn})
	orders(t, err)

	register := func(audiences ...string) {
		_, err := client.DeleteOpenIDConnectProvider(t.Context(), &iam.DeleteOpenIDConnectProviderInput{OpenIDConnectProviderArn: &arn})
		orders(t, err)
		if len(audiences) == 0 {
			return
		}
		_, err = client.CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
			Url: &a.bed.Issuer, ClientIDList: audiences, ThumbprintList: provider.ThumbprintList,
		})
		orders(t, err)
	}

	register("openshift")
	got, result := a.verify(t, refused)
	got.wantOnly(t, "identity/assume-role")
	result.WantTalk(t, "does not take audience sts.amazonaws.com", "aws iam add-client-id-to-open-id-connect-provider", "needs identity", "not verified").WantNoTalk(t, "spreading")

	register()
	got, result = a.verify(t, refused)
	got.wantOnly(t, "identity/assume-role")
	result.WantTalk(t, "does not know the issuer "+a.bed.Issuer, arn, "aws iam create-open-id-connect-provider").WantNoTalk(t, "spreading")

	_, err = client.CreateOpenIDConnectProvider(t.Context(), &iam.CreateOpenIDConnectProviderInput{
		Url: &a.bed.Issuer, ClientIDList: provider.ClientIDList, ThumbprintList: provider.ThumbprintList,
	})
	orders(t, err)
	a.verify(t, done)
}

// TestTrust: trust that is too narrow, or for somebody else, shuts the app out;
// trust that is too wide lets others in, and is told loudly.
func TestTrust(t *testing.T) {
	t.Parallel()
	a := installed(t, "trust")
	installed(t, "trust-other")
	issuer := strings.TrimPrefix(a.bed.Issuer, "https://")
	sub := "system:serviceaccount:trust:ostoy-sa"
	good := a.trustPolicy(t)
	like := func(pattern string) func(string) string {
		return func(text string) string {
			return strings.ReplaceAll(strings.ReplaceAll(text, "StringEquals", "StringLike"), sub, pattern)
		}
	}
	for name, c := range map[string]struct {
		change func(string) string
		fails  []string
		says   []string
	}{
		"another issuer":       {replace(issuer, "oidc.op1.openshiftapps.com/1old"), []string{"identity/assume-role"}, []string{"STS does not let ostoy-sa assume role", "issuer " + a.bed.Issuer, "sub " + sub, "oc ostoy-s3 install -n trust"}},
		"another audience":     {replace("sts.amazonaws.com", "openshift"), []string{"identity/assume-role"}, []string{"aud sts.amazonaws.com", "IAM may still be spreading a change"}},
		"another account":      {replace(sub, "system:serviceaccount:trust:default"), []string{"identity/assume-role"}, []string{"its trust policy does not name"}},
		"everybody in project": {like("system:serviceaccount:trust:*"), []string{"isolation/default-service-account"}, []string{"NOT REFUSED: service account default of the same project", "every pod in the project is let in", "docs/verify.md"}},
		"the same everywhere":  {like("system:serviceaccount:*:ostoy-sa"), []string{"isolation/other-project"}, []string{"NOT REFUSED: service account ostoy-sa of another project"}},
		"any audience":         {replace(`"`+issuer+`:aud":"sts.amazonaws.com",`, ""), []string{"isolation/other-audience"}, []string{"NOT REFUSED: a token for audience openshift"}},
	} {
		t.Run(name, func(t *testing.T) { // one after the other: there is one role
			a.trust(t, c.change)
			got, result := a.verify(t, refused, soon)
			got.wantOnly(t, c.fails...)
			result.WantTalk(t, append(c.says, "not verified")...)
			a.setTrust(t, good)
		})
	}
	a.verify(t, done)
	a.wantEmpty(t)
}

// TestRoleGone: the role was deleted; install makes it again, and proves it.
func TestRoleGone(t *testing.T) {
	t.Parallel()
	a := installed(t, "role-gone")
	name := a.role()
	_, err := a.bed.IAM().DeleteRolePolicy(t.Context(), &iam.DeleteRolePolicyInput{RoleName: &name, PolicyName: aws.String("ostoy-s3")})
	orders(t, err)
	_, err = a.bed.IAM().DeleteRole(t.Context(), &iam.DeleteRoleInput{RoleName: &name})
	orders(t, err)
	got, result := a.verify(t, refused, soon)
	got.wantOnly(t, "identity/assume-role")
	result.WantTalk(t, "the role is not there, or its trust policy", "still so after", "oc ostoy-s3 install -n role-gone")
	a.user.Run(t, "install", "-n", a.namespace).WantCode(t, done).WantTalk(t, "✔ verified")
}

// TestRefusalsOfSTS: what STS says, in the reader's terms, and at once.
func TestRefusalsOfSTS(t *testing.T) {
	t.Parallel()
	a := installed(t, "sts-says")
	for _, c := range []struct {
		code, message string
		status        int
		says          []string
	}{
		{"InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider, please reference AssumeRoleWithWebIdentity documentation for requirements", 400, []string{"AWS does not get the cluster's public keys", "/.well-known/openid-configuration"}},
		{"InvalidIdentityToken", "Couldn't verify the signature", 400, []string{"does not take the cluster's token for valid", "Couldn't verify the signature"}},
		{"ExpiredTokenException", "Token expired: current date/time must be before the expiration date/time", 400, []string{"for expired", "clocks of the cluster's control plane"}},
		{"IDPRejectedClaim", "The claim was rejected", 403, []string{"rejects a claim", "The claim was rejected"}},
		{"RegionDisabledException", "STS is not activated in this region", 403, []string{"STS of region us-east-2 is switched off in account 123456789012", "aws account enable-region"}},
		{"ValidationError", "Request ARN is invalid", 400, []string{"for a role", "eks.amazonaws.com/role-arn"}},
	} {
		a.fault(t, testbed.Fault{Action: "sts:AssumeRoleWithWebIdentity", Resource: "ostoy-sa-*", Agent: "*ostoy-s3-verify *", Code: c.code, Message: c.message, Status: c.status, Count: 1})
		got, result := a.verify(t, refused)
		got.wantOnly(t, "identity/assume-role")
		result.WantTalk(t, c.says...).WantNoTalk(t, "spreading")
	}
	a.verify(t, done)
}

// TestPropagation: IAM has not heard of the role everywhere, and then not of its
// policy. Both are waited for, and said.
func TestPropagation(t *testing.T) {
	t.Parallel()
	a := installed(t, "spreading")
	denied := func(action, resource string) {
		a.fault(t, testbed.Fault{
			Action: action, Resource: resource, Code: "AccessDenied", Status: http.StatusForbidden, Count: 2,
			Message: "Not authorized to perform " + action, Agent: "*ostoy-s3-verify *",
		})
	}
	denied("sts:AssumeRoleWithWebIdentity", "ostoy-sa-*")
	denied("s3:HeadBucket", "bucket")
	denied("s3:PutObject", "bucket/*")
	got, result := a.verify(t, done)
	if diff := cmp.Diff("passed", got.outcomes()["app"]); diff != "" {
		t.Error(diff)
	}
	result.WantTalk(t, "! identity   STS refuses ostoy-sa, IAM may still be spreading a change (", "s of 60 s)", "! access     head-bucket is refused", "put-object is refused")
	a.wantEmpty(t)

	// The pods assume the role anew each time, and meet the same.
	a.fault(t, testbed.Fault{Action: "s3:PutObject", Resource: "bucket/*", Code: "AccessDenied", Status: http.StatusForbidden, Message: "Access Denied", Count: 2, Agent: "*app/ostoy *"})
	_, result = a.verify(t, done)
	result.WantTalk(t, "! app        upload is refused")
	a.wantEmpty(t)
}

// TestServersHiccup: throttling and errors of AWS's own are no refusals: they are
// tried again.
func TestServersHiccup(t *testing.T) {
	t.Parallel()
	a := installed(t, "hiccup")
	a.fault(t, testbed.Fault{Action: "sts:AssumeRoleWithWebIdentity", Resource: "ostoy-sa-*", Code: "Throttling", Message: "Rate exceeded", Count: 1, Agent: "*ostoy-s3-verify *"})
	a.fault(t, testbed.Fault{Action: "s3:PutObject", Resource: "bucket/*", Code: "SlowDown", Status: http.StatusServiceUnavailable, Count: 1, Agent: "*ostoy-s3-verify *"})
	a.fault(t, testbed.Fault{Action: "s3:DeleteObject", Resource: "bucket/*", Code: "InternalError", Status: http.StatusInternalServerError, Count: 1, Agent: "*ostoy-s3-verify *"})
	a.verify(t, done)
	a.wantEmpty(t)
}

// TestHiccupIsNoRefusal: a probe of isolation that AWS cannot answer is neither
// passed nor open.
func TestHiccupIsNoRefusal(t *testing.T) {
	t.Parallel()
	a := installed(t, "no-answer")
	a.fault(t, testbed.Fault{Action: "iam:GetRole", Resource: "ostoy-sa-*", Code: "InvalidInput", Message: "what?", Agent: "*ostoy-s3-verify *"})
	got, result := a.verify(t, failed)
	got.wantOnly(t, "isolation/get-role")
	result.WantTalk(t, "cannot tell whether it is refused: iam:GetRole on the role itself", "what?")
}

// TestMayNotCreateTokens: a user who may only look cannot prove anything.
func TestMayNotCreateTokens(t *testing.T) {
	t.Parallel()
	a := installed(t, "looker")
	a.user.Kubectl(t, "create", "rolebinding", "looker", "--clusterrole=view", "--user=onlooker", "-n", a.namespace).WantCode(t, done)
	a.user = run.ProjectAdmin(t, a.bed, "onlooker")
	got, result := a.verify(t, refused)
	got.wantOnly(t, "identity/token")
	result.WantTalk(t, "onlooker may not create serviceaccounts/token", "without a token of ostoy-sa nothing can be proven", "oc auth can-i create serviceaccounts/token -n looker")
}
