package iam

import (
	"errors"
	"strings"
	"testing"
)

func document(t *testing.T, statements ...string) Document {
	t.Helper()
	d, err := ParseDocument(`{"Version": "2012-10-17", "Statement": [` + strings.Join(statements, ",") + `]}`)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

func TestJudge(t *testing.T) {
	const (
		account  = "123456789012"
		everyone = `{"Effect": "Allow", "Action": "*", "Resource": "*"}`
	)
	needed := Needed("aws", "demo-bucket")
	for name, c := range map[string]struct {
		statements []string
		missing    string // actions
		unsure     string
	}{
		"ours":                 {statements: nil},
		"everything":           {statements: []string{everyone}},
		"nothing":              {statements: []string{`{"Effect": "Allow", "Action": "sqs:*", "Resource": "*"}`}, missing: "ListBucket GetObject PutObject"},
		"reads only":           {statements: []string{`{"Effect": "Allow", "Action": ["s3:Get*", "s3:List*"], "Resource": "*"}`}, missing: "PutObject"},
		"a folder only":        {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::demo-bucket", "arn:aws:s3:::demo-bucket/a/*"]}`}, missing: "GetObject PutObject"},
		"another bucket":       {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::other*"}`}, missing: "ListBucket GetObject PutObject"},
		"another account's":    {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceAccount": "222222222222"}}}`}, missing: "ListBucket GetObject PutObject"},
		"over TLS":             {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "true"}}}`}},
		"from an address":      {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}`}, unsure: "ListBucket GetObject PutObject"},
		"forbidden":            {statements: []string{everyone, `{"Effect": "Deny", "Action": "s3:put*", "Resource": "*"}`}, missing: "PutObject"},
		"forbidden first":      {statements: []string{`{"Effect": "Deny", "Action": "s3:PutObject", "Resource": "*"}`, everyone}, missing: "PutObject"},
		"forbidden without":    {statements: []string{everyone, `{"Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}`}},
		"forbidden on an if":   {statements: []string{`{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}`, everyone}, unsure: "GetObject"},
		"of the own account":   {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalAccount}"}}}`}},
		"of a tag's account":   {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceAccount": "${aws:PrincipalTag/a}"}}}`}, unsure: "ListBucket GetObject PutObject"},
		"no wildcard in equal": {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:ResourceAccount": "*"}}}`}, missing: "ListBucket GetObject PutObject"},
		"of a tag's name":      {statements: []string{`{"Effect": "Allow", "Action": "s3:*", "Resource": ["arn:aws:s3:::${aws:PrincipalTag/a}", "arn:aws:s3:::demo-bucket/*"]}`}, unsure: "ListBucket"},
		"forbidden by a tag":   {statements: []string{everyone, `{"Effect": "Deny", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::${aws:PrincipalTag/a}/*"}`}, unsure: "GetObject"},
		"forbidden to another": {statements: []string{everyone, `{"Effect": "Deny", "Action": "*", "Resource": "arn:aws:s3:::other/*"}`}},
	} {
		t.Run(name, func(t *testing.T) {
			all := []Document{bucketPolicy("demo-bucket", "aws", account)}
			if c.statements != nil {
				all = []Document{document(t, c.statements...)}
			}
			missing, unsure := Lacks(all, needed, account)
			if got := actions(missing); got != c.missing {
				t.Errorf("missing %q, want %q", got, c.missing)
			}
			if got := actions(unsure); got != c.unsure {
				t.Errorf("unsure %q, want %q", got, c.unsure)
			}
		})
	}
}

func actions(rights []Right) string {
	var names []string
	for _, r := range rights {
		names = append(names, strings.TrimPrefix(r.Action, "s3:"))
	}
	return strings.Join(names, " ")
}

func TestExcess(t *testing.T) {
	const account = "123456789012"
	inAccount := `, "Condition": {"StringEquals": {"aws:ResourceAccount": "123456789012"}}}`
	for name, c := range map[string]struct{ statement, want string }{
		"another action":   {`{"Effect": "Allow", "Action": ["s3:GetObject", "s3:DeleteObject"], "Resource": "arn:aws:s3:::demo-bucket/*"` + inAccount, "it allows s3:DeleteObject"},
		"all actions":      {`{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::demo-bucket/*"` + inAccount, "it allows s3:*"},
		"another bucket":   {`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::*/*"` + inAccount, "it reaches arn:aws:s3:::*/*"},
		"every account":    {`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::demo-bucket/*"}`, "its rights do not end at the account: no condition aws:ResourceAccount"},
		"two accounts":     {`{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::demo-bucket/*", "Condition": {"StringEquals": {"aws:ResourceAccount": ["123456789012", "2"]}}}`, "its rights do not end at the account: no condition aws:ResourceAccount"},
		"in another case":  {`{"Effect": "Allow", "Action": "S3:getobject", "Resource": "arn:aws:s3:::demo-bucket/*"` + inAccount, ""},
		"a Deny":           {`{"Effect": "Deny", "Action": "*", "Resource": "*"}`, ""},
		"less than needed": {`{"Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::demo-bucket"` + inAccount, ""},
	} {
		if got := strings.Join(Excess(document(t, c.statement), Needed("aws", "demo-bucket"), account), "; "); got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
	if more := Excess(bucketPolicy("demo-bucket", "aws-cn", account), Needed("aws-cn", "demo-bucket"), account); len(more) > 0 {
		t.Errorf("our own policy is said to allow more: %v", more)
	}
}

// TestLookTellsWhatItMayNotRead where Read ends.
func TestLookTellsWhatItMayNotRead(t *testing.T) {
	api := newFake()
	api.put("r", "/ostoy-s3/", nil)
	api.before = func(call string) error {
		if call == "GetRolePolicy" {
			return apiError("AccessDenied", "User: arn:aws:iam::123456789012:user/me is not authorized to perform: iam:GetRolePolicy on resource: arn:aws:iam::123456789012:role/r")
		}
		return nil
	}
	a, err := Look(t.Context(), api, "r")
	if err != nil || !a.Exists || a.InlineErr == nil {
		t.Errorf("Look: %+v, %v", a, err)
	}
	for _, known := range []bool{true, false} {
		if _, err := Read(t.Context(), api, "r", known); !errors.Is(err, a.InlineErr) && (err == nil || err.Error() != a.InlineErr.Error()) {
			t.Errorf("Read, known %v: %v", known, err)
		}
	}
}
