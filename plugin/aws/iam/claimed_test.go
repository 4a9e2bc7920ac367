package iam

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF9NamesTheAccount: a trust policy shows that a role is a project's only if it
// names the service account, of this issuer, in full.
func TestF9NamesTheAccount(t *testing.T) {
	fact := func(text string) render.Fact { return render.Fact{Value: text} }
	f := render.Facts{Namespace: fact("demo"), Issuer: fact("https://i.example.com"), Account: fact("123456789012"), Partition: fact("aws")}
	trust := func(provider, operator, subject string) string {
		condition := `{"` + operator + `":{"i.example.com:sub":` + subject + `}}`
		if operator == "" {
			condition = `{}`
		}
		return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/` + provider +
			`"},"Action":"sts:AssumeRoleWithWebIdentity","Condition":` + condition + `}]}`
	}
	const own = `"system:serviceaccount:demo:ostoy-sa"`
	for name, c := range map[string]struct {
		trust string
		want  bool
	}{
		"named":            {trust("i.example.com", "StringEquals", own), true},
		"named by like":    {trust("i.example.com", "StringLike", own), true},
		"among others":     {trust("i.example.com", "StringEquals", `["system:serviceaccount:a:b",`+own+`]`), true},
		"another project":  {trust("i.example.com", "StringEquals", `"system:serviceaccount:other:ostoy-sa"`), false},
		"a pattern":        {trust("i.example.com", "StringLike", `"system:serviceaccount:*:ostoy-sa"`), false},
		"a pattern beside": {trust("i.example.com", "StringLike", `["system:*",`+own+`]`), false},
		"no subject":       {trust("i.example.com", "", ""), false},
		"another issuer":   {trust("other.example.com", "StringEquals", own), false},
		"not a document":   {"{", false},
	} {
		actual := &Actual{Exists: true, Trust: c.trust}
		if got := actual.names(f); got != c.want {
			t.Errorf("%s: %t, want %t", name, got, c.want)
		}
	}
}
