package iam

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
)

const (
	ourIssuer   = "oidc.op1.openshiftapps.com/2abc"
	ourProvider = "arn:aws:iam::123456789012:oidc-provider/" + ourIssuer
	ourSubject  = "system:serviceaccount:demo:ostoy-sa"
)

// admission is the only one of a trust policy with this condition.
func admission(t *testing.T, condition string) Admission {
	t.Helper()
	condition = strings.ReplaceAll(condition, "I:", ourIssuer+":")
	d, err := ParseDocument(`{"Version": "2012-10-17", "Statement": {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
"Principal": {"Federated": "` + ourProvider + `"}, "Condition": ` + condition + `}}`)
	if err != nil {
		t.Fatal(err)
	}
	return Admissions(d, "https://"+ourIssuer)[0]
}

// TestAdmissionConditions: who gets in, whoever wrote the condition.
func TestAdmissionConditions(t *testing.T) {
	for name, c := range map[string]struct {
		condition   string
		in, open    bool   // the subject gets in; others than can be named do
		named       string // who is named
		strange, of int    // conditions on another issuer, and those nobody can judge
	}{
		"as we write it":         {condition: `{"StringEquals": {"I:sub": "system:serviceaccount:demo:ostoy-sa", "I:aud": "sts.amazonaws.com"}}`, in: true, named: ourSubject},
		"a list":                 {condition: `{"StringEquals": {"I:sub": ["system:serviceaccount:demo:ostoy-sa", "system:serviceaccount:demo:other"]}}`, in: true, named: ourSubject + " system:serviceaccount:demo:other"},
		"keys in capitals":       {condition: `{"stringEQUALS": {"OIDC.op1.openshiftapps.com/2abc:SUB": "system:serviceaccount:demo:ostoy-sa"}}`, in: true, named: ourSubject},
		"like, without wildcard": {condition: `{"StringLike": {"I:sub": "system:serviceaccount:demo:ostoy-sa"}}`, in: true, named: ourSubject},
		"like, a wildcard":       {condition: `{"StringLike": {"I:sub": "system:serviceaccount:demo:*"}}`, in: true, open: true, named: "system:serviceaccount:demo:*"},
		"like, one character":    {condition: `{"StringLike": {"I:sub": "system:serviceaccount:dem?:ostoy-sa"}}`, in: true, open: true, named: "system:serviceaccount:dem?:ostoy-sa"},
		"like, another's":        {condition: `{"StringLike": {"I:sub": "system:serviceaccount:prod-*:*"}}`, open: true, named: "system:serviceaccount:prod-*:*"},
		"equals, a star":         {condition: `{"StringEquals": {"I:sub": "system:serviceaccount:demo:*"}}`, named: "system:serviceaccount:demo:*"},
		"in another case":        {condition: `{"StringEquals": {"I:sub": "system:serviceaccount:Demo:ostoy-sa"}}`, named: "system:serviceaccount:Demo:ostoy-sa"},
		"whatever case":          {condition: `{"StringEqualsIgnoreCase": {"I:sub": "system:serviceaccount:Demo:ostoy-sa"}}`, in: true, named: "system:serviceaccount:Demo:ostoy-sa"},
		"a set":                  {condition: `{"ForAnyValue:StringEquals": {"I:sub": "system:serviceaccount:demo:ostoy-sa"}}`, in: true, named: ourSubject},
		"if it exists":           {condition: `{"StringEqualsIfExists": {"I:sub": "system:serviceaccount:demo:ostoy-sa"}}`, in: true, named: ourSubject},
		"wildcard and name":      {condition: `{"StringLike": {"I:sub": "system:*"}, "StringEquals": {"I:sub": "system:serviceaccount:demo:ostoy-sa"}}`, in: true, named: ourSubject},
		"none":                   {condition: `{}`, in: true, open: true},
		"the old issuer":         {condition: `{"StringEquals": {"oidc.example.com/1old:sub": "system:serviceaccount:demo:ostoy-sa"}}`, in: true, open: true, strange: 1},
		"a negation":             {condition: `{"StringNotEquals": {"I:sub": "system:serviceaccount:demo:ostoy-sa"}}`, in: true, open: true, of: 1},
		"an address":             {condition: `{"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}`, in: true, open: true, of: 1},
	} {
		t.Run(name, func(t *testing.T) {
			a := admission(t, c.condition)
			values, open := Named(a.Subject)
			if got := strings.Join(values, " "); got != c.named || open != c.open {
				t.Errorf("names %q, open %v; want %q, %v", got, open, c.named, c.open)
			}
			if Admit(a.Subject, ourSubject) != c.in {
				t.Errorf("admits the app: %v", !c.in)
			}
			if len(a.Strange) != c.strange || len(a.Others) != c.of {
				t.Errorf("strange %v, others %v", a.Strange, a.Others)
			}
		})
	}
}

func TestAdmissionPrincipalAndAction(t *testing.T) {
	for text, want := range map[string][3]bool{ // by token, trusts us, everybody
		`"Action": "sts:AssumeRoleWithWebIdentity", "Principal": {"Federated": "` + ourProvider + `"}`:                                               {true, true, false},
		`"Action": ["sts:TagSession", "STS:assumeRoleWith*"], "Principal": {"Federated": ["arn:aws:iam::1:saml-provider/x", "` + ourProvider + `"]}`: {true, true, false},
		`"Action": "*", "Principal": "*"`:                                               {true, true, true},
		`"Action": "sts:AssumeRole", "Principal": {"AWS": "*"}`:                         {false, true, true},
		`"Action": "sts:AssumeRole", "Principal": {"Federated": "` + ourProvider + `"}`: {false, true, false},
		`"Action": "sts:AssumeRole", "Principal": {"Service": "ec2.amazonaws.com"}`:     {false, false, false},
	} {
		d, err := ParseDocument(`{"Statement": [{"Effect": "Allow", ` + text + `}]}`)
		if err != nil {
			t.Fatal(err)
		}
		a := Admissions(d, ourIssuer)[0]
		if got := [3]bool{a.ByToken, a.Trusts(ourProvider), a.everybody()}; got != want {
			t.Errorf("%s: %v, want %v", text, got, want)
		}
	}
}

func TestLike(t *testing.T) {
	for _, c := range []struct {
		pattern, text string
		want          bool
	}{
		{"*", "arn:aws:s3:::a/b/c", true},
		{"arn:aws:s3:::demo-bucket/*", "arn:aws:s3:::demo-bucket/*", true},
		{"arn:aws:s3:::demo-*", "arn:aws:s3:::demo-bucket/x/y", true},
		{"arn:aws:s3:::demo-bucket", "arn:aws:s3:::demo-bucket/*", false},
		{"arn:aws:s3:::demo-bucket/a/*", "arn:aws:s3:::demo-bucket/*", false},
		{"s3:Get?bject", "s3:GetObject", true},
		{"[a-z]", "b", false},
		{`a\*`, "a*", false},
		{"", "", true},
	} {
		if got := like(c.pattern, c.text); got != c.want {
			t.Errorf("like(%q, %q) = %v", c.pattern, c.text, got)
		}
	}
}

func TestOrphans(t *testing.T) {
	api := &listing{fake: newFake(), providers: []string{ourProvider, "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/2there"}}
	api.page = 2
	trusts := func(providers ...string) string {
		return `{"Statement": [{"Effect": "Allow", "Principal": {"Federated": ["` + strings.Join(providers, `", "`) + `"]}, "Action": "sts:AssumeRoleWithWebIdentity"}]}`
	}
	const gone = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com/1old"
	old := map[string]string{"app.kubernetes.io/managed-by": "ostoy-s3", "ostoy-s3/issuer": "https://oidc.example.com/1old"}
	for name, r := range map[string]struct {
		trust string
		tags  map[string]string
	}{
		"left":          {trusts(gone), old},
		"also-left":     {trusts(gone, gone+"2"), old},
		"in-use":        {trusts(ourProvider), old},
		"in-use-partly": {trusts(gone, ourProvider), old},
		"stranger":      {trusts(gone), map[string]string{"ostoy-s3/issuer": "https://oidc.example.com/1old"}},
		// its trust is for trust-policy to judge
		"of-this-cluster":    {trusts(gone), map[string]string{"app.kubernetes.io/managed-by": "ostoy-s3", "ostoy-s3/issuer": "https://" + ourIssuer}},
		"of-another-cluster": {trusts(gone), map[string]string{"app.kubernetes.io/managed-by": "ostoy-s3", "ostoy-s3/issuer": "https://oidc.example.com/2there"}},
		"for-a-service":      {`{"Statement": {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"}}`, old},
		"not-understood":     {`{"Statement": {"NotPrincipal": {}}}`, old},
	} {
		api.put(name, "/ostoy-s3/", r.tags)
		api.roles[name].trust = r.trust
	}
	api.put("elsewhere", "/", old)
	api.roles["elsewhere"].trust = trusts(gone)
	found, err := Orphans(t.Context(), api, "https://"+ourIssuer)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, one := range found {
		names = append(names, one.Name)
	}
	if want := []string{"also-left", "left"}; !slices.Equal(names, want) {
		t.Errorf("found %v, want %v", names, want)
	}
	// Only roles that nobody can assume are looked at one by one.
	if n := len(slices.DeleteFunc(api.taken(), func(c string) bool { return c != "GetRole" })); n != 5 {
		t.Errorf("%d roles were looked at", n)
	}
}

// rolesAfter lists no provider, and roles only after that was refused.
type rolesAfter struct {
	Lister
	refused chan struct{}
}

func (r rolesAfter) ListOpenIDConnectProviders(context.Context, *awsiam.ListOpenIDConnectProvidersInput, ...func(*awsiam.Options)) (*awsiam.ListOpenIDConnectProvidersOutput, error) {
	close(r.refused)
	return nil, denied("iam:ListOpenIDConnectProviders", "*")
}

func (r rolesAfter) ListRoles(ctx context.Context, in *awsiam.ListRolesInput, opts ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error) {
	<-r.refused
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond): // what would end the request has had time to
	}
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	return r.Lister.ListRoles(ctx, in, opts...)
}

// TestOrphansAskAll: a refusal does not cut off the other questions, so what a caller's
// trail has of them is the same each time.
func TestOrphansAskAll(t *testing.T) {
	api := &listing{fake: newFake()}
	if _, err := Orphans(t.Context(), rolesAfter{api, make(chan struct{})}, "https://"+ourIssuer); !awserr.Denied(err) {
		t.Errorf("error %v", err)
	}
	if calls := api.taken(); len(calls) != 2 || calls[0] != "ListRoles" || calls[1] != "ListRoles" {
		t.Errorf("asked %v", calls)
	}
}
