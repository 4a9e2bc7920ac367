package iam

import (
	"net/url"
	"strings"
	"testing"
)

const trustJSON = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Federated":"arn:aws:iam::123456789012:oidc-provider/oidc.op1.openshiftapps.com/2abc"},` +
	`"Action":"sts:AssumeRoleWithWebIdentity","Condition":{"StringEquals":{"oidc.op1.openshiftapps.com/2abc:aud":"sts.amazonaws.com","oidc.op1.openshiftapps.com/2abc:sub":"system:serviceaccount:demo:ostoy-sa"}}}]}`

const policyJSON = `{"Version":"2012-10-17","Statement":[` +
	`{"Sid":"List","Effect":"Allow","Action":"s3:ListBucket","Resource":"arn:aws:s3:::demo-bucket","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}},` +
	`{"Sid":"ReadWrite","Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::demo-bucket/*","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}}]}`

func TestEqual(t *testing.T) {
	replace := func(old, with string) string {
		s := strings.ReplaceAll(policyJSON, old, with)
		if s == policyJSON {
			t.Fatalf("%q is not in the document", old)
		}
		return s
	}
	const same, drift = true, false
	for _, c := range []struct {
		name string
		text string
		want bool
	}{
		{"as it is", policyJSON, same},
		{"percent-encoded", url.PathEscape(policyJSON), same},
		{"percent-encoded like AWS", url.QueryEscape(strings.ReplaceAll(policyJSON, " ", "")), same},
		{"blanks", strings.ReplaceAll(policyJSON, ",", " ,\n\t"), same},
		{"encoded blanks first", "%0A%20" + url.PathEscape(policyJSON), same},
		{"list for a single value", replace(`"s3:ListBucket"`, `["s3:ListBucket"]`), same},
		{"condition value as a list", replace(`:"123456789012"`, `:["123456789012"]`), same},
		{"other order of actions", replace(`["s3:GetObject","s3:PutObject"]`, `["s3:PutObject","s3:GetObject"]`), same},
		{"an action twice", replace(`["s3:GetObject","s3:PutObject"]`, `["s3:PutObject","s3:GetObject","s3:GetObject"]`), same},
		{"case of an action", replace("s3:ListBucket", "S3:listbucket"), same},
		{"case of a condition key", replace("aws:ResourceAccount", "AWS:resourceaccount"), same},
		{"case of an operator", replace("StringEquals", "stringequals"), same},
		{"other statement ids", replace(`"Sid":"List",`, ``), same},
		{"a policy id", replace(`{"Version"`, `{"Id":"x","Version"`), same},

		{"another action", replace(`"s3:PutObject"]`, `"s3:PutObject","s3:DeleteObject"]`), drift},
		{"an action less", replace(`["s3:GetObject","s3:PutObject"]`, `"s3:GetObject"`), drift},
		{"a wildcard", replace("s3:ListBucket", "s3:*"), drift},
		{"another bucket", replace("demo-bucket/*", "*"), drift},
		{"case of a bucket", replace("demo-bucket/*", "Demo-bucket/*"), drift},
		{"another account", replace("123456789012", "210987654321"), drift},
		{"another operator", replace("StringEquals", "StringLike"), drift},
		{"no condition", replace(`,"Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}`, ``), drift},
		{"an empty condition", replace(`{"StringEquals":{"aws:ResourceAccount":"123456789012"}}`, `{"StringEquals":{}}`), drift},
		{"deny", replace(`"Effect":"Allow"`, `"Effect":"Deny"`), drift},
		{"case of the effect", replace(`"Effect":"Allow"`, `"Effect":"allow"`), drift},
		{"an old version", replace("2012-10-17", "2008-10-17"), drift},
		{"no version", replace(`"Version":"2012-10-17",`, ``), drift},
		{"a principal", replace(`"Effect":"Allow"`, `"Effect":"Allow","Principal":"*"`), drift},
	} {
		t.Run(c.name, func(t *testing.T) {
			want, err := ParseDocument(policyJSON)
			if err != nil {
				t.Fatal(err)
			}
			got, err := ParseDocument(c.text)
			if err != nil {
				t.Fatal(err)
			}
			if got.Equal(want) != c.want || want.Equal(got) != c.want {
				t.Errorf("equal = %v, want %v", !c.want, c.want)
			}
		})
	}
}

func TestStatementOrderAndSingleStatement(t *testing.T) {
	a, err := ParseDocument(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"a:A","Resource":"*"},{"Effect":"Deny","Action":"b:B","Resource":"*"}]}`)
	if err != nil {
		t.Fatal(err)
	}
	b, err := ParseDocument(`{"Statement":[{"Action":["b:B"],"Effect":"Deny","Resource":["*"]},{"Resource":"*","Effect":"Allow","Action":"a:A"}],"Version":"2012-10-17"}`)
	if err != nil {
		t.Fatal(err)
	}
	if !a.Equal(b) {
		t.Error("the order of statements counts")
	}
	one, err := ParseDocument(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"a:A","Resource":"*"}}`)
	if err != nil {
		t.Fatal(err)
	}
	list := Document{Version: policyVersion, Statement: a.Statement[:1]}
	if !one.Equal(list) || one.Equal(a) {
		t.Error("a single statement is not a list of one")
	}
}

func TestParseRefuses(t *testing.T) {
	for name, text := range map[string]string{
		"nothing":            "",
		"null":               "null",
		"a string":           `"x"`,
		"a list":             "[]",
		"no JSON":            "Version: 2012-10-17",
		"bad encoding":       "%7B%ZZ",
		"cut off":            policyJSON[:60],
		"more after it":      policyJSON + "{}",
		"unknown element":    `{"Version":"2012-10-17","Statement":[],"Extra":1}`,
		"wrong case":         `{"version":"2012-10-17"}`,
		"NotAction":          `{"Statement":[{"Effect":"Allow","NotAction":"s3:*","Resource":"*"}]}`,
		"NotPrincipal":       `{"Statement":[{"Effect":"Deny","NotPrincipal":{"AWS":"x"},"Action":"*"}]}`,
		"NotResource":        `{"Statement":[{"Effect":"Allow","Action":"*","NotResource":"*"}]}`,
		"a key twice":        `{"Statement":[{"Effect":"Allow","Effect":"Deny"}]}`,
		"a key twice, case":  `{"Statement":{"Condition":{"StringEquals":{"a:b":"1","A:B":"2"}}}}`,
		"operator twice":     `{"Statement":{"Condition":{"StringEquals":{},"stringequals":{}}}}`,
		"statement a string": `{"Statement":"x"}`,
		"statement null":     `{"Statement":null}`,
		"statement a list":   `{"Statement":[[]]}`,
		"action an object":   `{"Statement":{"Action":{}}}`,
		"effect null":        `{"Statement":{"Effect":null}}`,
		"version null":       `{"Version":null}`,
		"condition null":     `{"Statement":{"Condition":null}}`,
		"operator null":      `{"Statement":{"Condition":{"Bool":null}}}`,
		"keys differ, case":  `{"Statement":[{"effect":"Allow"}]}`,
		"action null":        `{"Statement":{"Action":null}}`,
		"action nested":      `{"Statement":{"Action":[["a"]]}}`,
		"effect a number":    `{"Statement":{"Effect":1}}`,
		"principal a name":   `{"Statement":{"Principal":"me"}}`,
		"principal a list":   `{"Statement":{"Principal":["*"]}}`,
		"condition a string": `{"Statement":{"Condition":"x"}}`,
		"condition flat":     `{"Statement":{"Condition":{"StringEquals":"x"}}}`,
		"version a number":   `{"Version":2012}`,
		"deep":               strings.Repeat(`{"a":`, 100) + "1" + strings.Repeat("}", 100),
		"deep lists":         `{"Statement":` + strings.Repeat("[", 100000),
		"huge":               `{"Id":"` + strings.Repeat("x", maxDocument) + `"}`,
	} {
		if d, err := ParseDocument(text); err == nil {
			t.Errorf("%s: taken for %s", name, d.JSON())
		}
	}
}

func TestParseTakesWhatIAMTakes(t *testing.T) {
	d, err := ParseDocument(`{"Statement":{"Principal":"*","Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":[10,2.5]}}}}`)
	if err != nil {
		t.Fatal(err)
	}
	s := d.Statement[0]
	if s.Principal["*"][0] != "*" || s.Condition["Bool"]["aws:SecureTransport"][0] != "true" || s.Condition["NumericLessThan"]["s3:max-keys"][1] != "2.5" {
		t.Errorf("read as %+v", s)
	}
}

func FuzzParseDocument(f *testing.F) {
	for _, seed := range []string{
		"", "null", trustJSON, policyJSON, url.PathEscape(trustJSON), url.QueryEscape(policyJSON),
		`{"Statement":{"Effect":"Allow","Action":["*"],"Resource":[]}}`,
		`{"Statement":[{"Principal":"*"}]}`, `{"Statement":[{"Condition":{"Bool":{"a":false}}}]}`,
		`{"Statement":[{"NotAction":1}]}`, `{"a":{"a":{"a":1}}}`, "%7B%22Statement%22%3A%5B%5D%7D", "%", "{\"Id\":\"\xff\"}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		d, err := ParseDocument(text)
		if err != nil {
			_ = show(text)
			return
		}
		again, err := ParseDocument(d.JSON())
		if err != nil {
			t.Fatalf("what was read is written unreadably: %v\n%s", err, d.JSON())
		}
		if !d.Equal(again) {
			t.Fatalf("changed by writing and reading\n%s\n%s", d.canonical(), again.canonical())
		}
		if _, err := ParseDocument(d.Pretty()); err != nil {
			t.Fatal(err)
		}
	})
}
