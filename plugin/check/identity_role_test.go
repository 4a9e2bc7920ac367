package check

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
)

// goodTrust is the trust policy that install writes; instead puts other pieces
// in it.
func trustOf(t *testing.T, instead ...string) trust {
	t.Helper()
	const good = `{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": {"Federated": "PROVIDER"},
"Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"ISSUER:sub": "system:serviceaccount:demo:ostoy-sa", "ISSUER:aud": "sts.amazonaws.com"}}}]}`
	text := strings.NewReplacer(instead...).Replace(good)
	issuer := strings.TrimPrefix(identityFacts().Issuer.Value, "https://")
	text = strings.NewReplacer("PROVIDER", "arn:aws:iam::123456789012:oidc-provider/"+issuer, "ISSUER", issuer).Replace(text)
	is := newTrust(&iam.Actual{Exists: true, ARN: goodARN, Trust: text}, identityFacts())
	is.audience, is.again = "sts.amazonaws.com", "oc ostoy-s3 install -n demo"
	return is
}

const (
	subject  = `"ISSUER:sub": "system:serviceaccount:demo:ostoy-sa", `
	audience = `, "ISSUER:aud": "sts.amazonaws.com"`
	begin    = `"Statement": [`
)

func TestTrust(t *testing.T) {
	type judge func(trust) Finding
	for name, c := range map[string]struct {
		judge   judge
		instead []string
		want    Status
		says    string
	}{
		"not JSON":          {trustPolicy, []string{"{", "<"}, Failed, "cannot be judged"},
		"NotAction":         {trustPolicy, []string{`"Action"`, `"NotAction"`}, Failed, "NotAction"},
		"key twice":         {trustPolicy, []string{`"Effect": "Allow",`, `"Effect": "Allow", "Effect": "Deny",`}, Failed, "duplicate field"},
		"for a user":        {trustPolicy, []string{"sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"}, Failed, "AssumeRoleWithWebIdentity"},
		"a Deny":            {trustPolicy, []string{begin, begin + `{"Effect": "Deny", "Principal": "*", "Action": "sts:*"}, `}, Failed, "shuts the app out"},
		"a Deny on others":  {trustPolicy, []string{begin, begin + `{"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": {"StringLike": {"ISSUER:sub": "system:serviceaccount:kube-*:*"}}}, `}, Passed, ""},
		"a Deny on an if":   {trustPolicy, []string{begin, begin + `{"Effect": "Deny", "Principal": "*", "Action": "sts:*", "Condition": {"IpAddress": {"aws:SourceIp": "::/0"}}}, `}, Warned, "may shut the app out"},
		"a condition more":  {trustPolicy, []string{`"Condition": {`, `"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, `}, Warned, "aws:SourceIp"},
		"the old cluster":   {trustIssuer, []string{"PROVIDER", "arn:aws:iam::123456789012:oidc-provider/old.example.com"}, Failed, "old.example.com"},
		"another account":   {trustIssuer, []string{"PROVIDER", "arn:aws:iam::222222222222:oidc-provider/ISSUER"}, Failed, "222222222222"},
		"old claims":        {trustIssuer, []string{"ISSUER:", "old.example.com:"}, Failed, "claims of another"},
		"a service":         {trustIssuer, []string{`{"Federated": "PROVIDER"}`, `{"Service": "ec2.amazonaws.com"}`}, Failed, "ec2.amazonaws.com"},
		"no statement":      {trustIssuer, []string{`"Effect": "Allow"`, `"Effect": "Deny"`}, Failed, "trusts nobody"},
		"several":           {trustIssuer, []string{`"PROVIDER"`, `["arn:aws:iam::1:oidc-provider/x", "PROVIDER"]`}, Passed, ""},
		"another project":   {trustSubject, []string{":demo:", ":other:"}, Failed, "system:serviceaccount:other:ostoy-sa"},
		"another account's": {trustSubject, []string{":ostoy-sa", ":default"}, Failed, "system:serviceaccount:demo:default"},
		"a star in Equals":  {trustSubject, []string{":ostoy-sa", ":*"}, Failed, "for itself"},
		"wildcard":          {trustSubject, []string{"StringEquals", "StringLike", ":ostoy-sa", ":*"}, Failed, "wildcards"},
		"like, by name":     {trustSubject, []string{"StringEquals", "StringLike"}, Passed, ""},
		"no subject":        {trustSubject, []string{subject, ""}, Failed, "every service account"},
		"among others":      {trustSubject, []string{`"system:serviceaccount:demo:ostoy-sa"`, `["system:serviceaccount:demo:x", "system:serviceaccount:demo:ostoy-sa"]`}, Passed, ""},
		"in the second":     {trustSubject, []string{begin, begin + `{"Effect": "Allow", "Principal": {"Federated": "PROVIDER"}, "Action": "sts:AssumeRoleWithWebIdentity", "Condition": {"StringEquals": {"ISSUER:sub": "x"}}}, `}, Passed, ""},
		"another audience":  {trustAudience, []string{`"sts.amazonaws.com"`, `"openshift"`}, Failed, "openshift"},
		"audience: any":     {trustAudience, []string{audience, ""}, Warned, "any audience"},
		"audience: both":    {trustAudience, []string{`"sts.amazonaws.com"`, `["sts.amazonaws.com", "openshift"]`}, Passed, ""},
		"others: none":      {trustOthers, nil, Passed, ""},
		"others: accounts":  {trustOthers, []string{`"system:serviceaccount:demo:ostoy-sa"`, `["system:serviceaccount:demo:x", "system:serviceaccount:demo:ostoy-sa"]`}, Warned, "system:serviceaccount:demo:x"},
		"others: a user":    {trustOthers, []string{begin, begin + `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}, `}, Warned, ":root"},
		"others: a cluster": {trustOthers, []string{`"PROVIDER"`, `["arn:aws:iam::1:oidc-provider/x", "PROVIDER"]`}, Warned, "oidc-provider/x"},
		"others: all":       {trustOthers, []string{begin, begin + `{"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}, `}, Warned, "*"},
		"others: denied":    {trustOthers, []string{begin, begin + `{"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"}, `}, Passed, ""},
	} {
		t.Run(name, func(t *testing.T) { wantFinding(t, c.judge(trustOf(t, c.instead...)), c.want, c.says) })
	}
	for _, judge := range []judge{trustPolicy, trustIssuer, trustSubject, trustAudience, trustOthers} {
		wantFinding(t, judge(trustOf(t)), Passed)
	}
}

func denied() error { return &smithy.GenericAPIError{Code: "AccessDenied", Message: "no"} }

func TestJudgeProvider(t *testing.T) {
	f := identityFacts()
	wantFinding(t, judgeProvider(&iam.OIDCProvider{Exists: true, ClientIDs: []string{"openshift", "sts.amazonaws.com"}}, nil, f), Passed)
	wantFinding(t, judgeProvider(&iam.OIDCProvider{}, nil, f), Failed, "does not know the issuer", "123456789012", "--profile")
	wantFinding(t, judgeProvider(&iam.OIDCProvider{Exists: true, ClientIDs: []string{"openshift"}}, nil, f), Failed, "does not take audience sts.amazonaws.com", "openshift", "--client-id sts.amazonaws.com")
	wantFinding(t, judgeProvider(nil, denied(), f), NotAllowed, "iam:GetOpenIDConnectProvider", "whether IAM knows the issuer")
	if got := judgeProvider(nil, errors.New("away"), f); got.Status != Failed || got.What != "away" {
		t.Errorf("away: %+v", got)
	}
}

// inline is our policy as install writes it.
const inline = `{"Version": "2012-10-17", "Statement": [
{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::demo-bucket", "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}}},
{"Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": "arn:aws:s3:::demo-bucket/*", "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}}}]}`

func TestPolicies(t *testing.T) {
	needed := iam.Needed("aws", "demo-bucket")
	const all = `{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`
	for name, c := range map[string]struct {
		add  func(*policies)
		want Status
		says string
	}{
		"ours": {func(p *policies) { p.add("x", inline, nil, "") }, Passed, ""},
		"none": {func(*policies) {}, Failed, "may do nothing"},
		"less": {func(p *policies) { p.add("x", strings.ReplaceAll(inline, `, "s3:PutObject"`, ""), nil, "") }, Failed, "s3:PutObject on arn:aws:s3:::demo-bucket/*"},
		"together": {func(p *policies) {
			p.add("x", strings.ReplaceAll(inline, "s3:PutObject", "s3:X"), nil, "")
			p.add("y", all, nil, "")
		}, Passed, ""},
		"not understood": {func(p *policies) {
			p.add("arn:x", `{"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}`, nil, "")
		}, Warned, "NotAction"},
		"not to be read": {func(p *policies) { p.add("x", "", denied(), "iam:GetPolicy") }, NotAllowed, "iam:GetPolicy"},
		"on an if": {func(p *policies) {
			p.add("x", strings.ReplaceAll(inline, "aws:ResourceAccount", "aws:PrincipalTag/x"), nil, "")
		}, Warned, "condition"},
	} {
		t.Run(name, func(t *testing.T) {
			p := policies{role: &iam.Actual{Exists: true}}
			c.add(&p)
			missing, unsure := iam.Lacks(p.documents, needed, "123456789012")
			wantFinding(t, p.judge(missing, unsure, "r", "again"), c.want, c.says)
		})
	}
}

func TestJudgeBoundary(t *testing.T) {
	needed := iam.Needed("aws", "demo-bucket")
	boundary := func(text string) Finding { return judgeBoundary("arn:b", text, needed, "123456789012") }
	wantFinding(t, boundary(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`), Passed)
	wantFinding(t, boundary(`{"Statement": {"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}}`), Failed, "s3:ListBucket", "arn:b")
	wantFinding(t, boundary(`{"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}, {"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}]}`), Failed, "s3:PutObject")
	wantFinding(t, boundary(`{"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}`), Warned, "NotAction")
	wantFinding(t, boundary(`{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"StringEquals": {"aws:RequestedRegion": "us-east-2"}}}}`), Warned, "condition")
}

func TestJudgeOrphans(t *testing.T) {
	one := iam.Found{Name: "a", Tags: map[string]string{"ostoy-s3/issuer": "https://old.example.com"}}
	has := &iam.Actual{Attached: []string{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}, Inlines: []string{"extra", "ostoy-s3"}}
	wantFinding(t, judgeOrphans([]iam.Found{one}, nil), Warned, "a role of ours", "https://old.example.com",
		"exists: aws iam delete-role-policy --role-name a --policy-name ostoy-s3\naws iam delete-role --role-name a")
	wantFinding(t, judgeOrphans([]iam.Found{one}, has), Warned, "aws iam delete-role-policy --role-name a --policy-name extra\naws iam delete-role-policy --role-name a --policy-name ostoy-s3\n"+
		"aws iam detach-role-policy --role-name a --policy-arn arn:aws:iam::aws:policy/AmazonS3FullAccess\naws iam delete-role --role-name a")
	wantFinding(t, judgeOrphans([]iam.Found{one}, &iam.Actual{}), Warned, "exists: aws iam delete-role --role-name a")
	wantFinding(t, judgeOrphans([]iam.Found{{Name: "-a"}}, nil), Warned, "delete-role-policy --role-name=-a --policy-name", "delete-role --role-name=-a")
	wantFinding(t, judgeOrphans([]iam.Found{{Name: "a", Path: "/ostoy-s3-controller/"}}, nil), Warned, "a (of an ACK S3 controller)")
	wantFinding(t, judgeOrphans([]iam.Found{one, {Name: "b"}, {Name: "c"}, {Name: "d"}}, nil), Warned, "a, b, c, ...")
}
