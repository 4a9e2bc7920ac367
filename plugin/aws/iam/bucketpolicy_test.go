package iam

import "testing"

func TestPlainHTTP(t *testing.T) {
	const arn = "arn:aws:s3:::demo-bucket"
	statement := func(effect, principal, action, resource, condition string) string {
		return `{"Effect":` + effect + `,"Principal":` + principal + `,"Action":` + action + `,"Resource":` + resource + `,"Condition":` + condition + `}`
	}
	const (
		deny, all = `"Deny"`, `"s3:*"`
		both      = `["` + arn + `","` + arn + `/*"]`
		plain     = `{"Bool":{"aws:SecureTransport":"false"}}`
	)
	ours := statement(deny, `"*"`, all, both, plain)
	for name, c := range map[string]struct {
		policy  string
		refuses bool
	}{
		"none":                       {"", false},
		"nonsense":                   {"{", false},
		"ours":                       {`{"Statement":[` + ours + `]}`, true},
		"not in a list":              {`{"Statement":` + ours + `}`, true},
		"another form":               {`{"Statement":[` + statement(deny, `{"AWS":"*"}`, `["s3:*"]`, both, `{"Bool":{"aws:securetransport":false}}`) + `]}`, true},
		"beside what we do not know": {`{"Statement":[{"Effect":"Allow","NotAction":"s3:Put*"},` + ours + `]}`, true},
		"allows":                     {`{"Statement":[` + statement(`"Allow"`, `"*"`, all, both, plain) + `]}`, false},
		"denies one role":            {`{"Statement":[` + statement(deny, `{"AWS":"arn:aws:iam::1:role/x"}`, all, both, plain) + `]}`, false},
		"denies reading only":        {`{"Statement":[` + statement(deny, `"*"`, `"s3:GetObject"`, both, plain) + `]}`, false},
		"objects only":               {`{"Statement":[` + statement(deny, `"*"`, all, `"`+arn+`/*"`, plain) + `]}`, false},
		"another bucket":             {`{"Statement":[` + statement(deny, `"*"`, all, `["arn:aws:s3:::x","arn:aws:s3:::x/*"]`, plain) + `]}`, false},
		"with TLS":                   {`{"Statement":[` + statement(deny, `"*"`, all, both, `{"Bool":{"aws:SecureTransport":"true"}}`) + `]}`, false},
		"and only from elsewhere":    {`{"Statement":[` + statement(deny, `"*"`, all, both, `{"Bool":{"aws:SecureTransport":"false"},"StringEquals":{"aws:SourceVpc":"x"}}`) + `]}`, false},
	} {
		if why := PlainHTTP(c.policy, arn); (why == "") != c.refuses {
			t.Errorf("%s: %q", name, why)
		}
	}
}
