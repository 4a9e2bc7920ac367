package awserr

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// secrets are made up, in the form of real ones.
func secrets() []string {
	return []string{
		"ASIAEXAMPLEKEY123456", "AKIAEXAMPLEKEY123456",
		"IQoJb3JpZ2luX2VjEXAMPLEEXAMPLEEXAMPLE", "FwoGZXIvYXdzEXAMPLEEXAMPLEEXAMPLE",
		"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJodHRwczovL2V4YW1wbGUifQ.c2lnbmF0dXJl",
		"wJalrXUtnFEMIEXAMPLEbPxRfiCYEXAMPLEKEY", "d5c2b1a0signatureexample",
	}
}

func TestNothingSecretIsPrinted(t *testing.T) {
	s := secrets()
	texts := []string{
		"The request signature we calculated does not match. The Canonical String for this request should have been 'POST\n/\n\nx-amz-security-token:" + s[2] + "\n'",
		"The String-to-Sign should have been 'AWS4-HMAC-SHA256\n" + s[6] + "'",
		"parse failed of process output: {\"AccessKeyId\":\"x\",\n\"SecretAccessKey\":\"" + s[5] + "\"} error: bad",
		`request {"SecretAccessKey":"` + s[5] + `","SessionToken": "` + s[3] + `"}`,
		"Post https://sts.amazonaws.com/?WebIdentityToken=" + s[4] + "&X-Amz-Signature=" + s[6] + "&X-Amz-Credential=" + s[0] + "/20260101",
		"Bearer " + s[4], "key " + s[0] + " and " + s[1], "token " + s[2] + ".", "\x1b[31m" + s[1], "Signature=" + s[6] + ", more",
		"AWS_SECRET_ACCESS_KEY=" + s[5],
	}
	for _, text := range texts {
		outer := fmt.Errorf("operation error: %w", errors.New(text))
		for name, shown := range map[string]string{
			"redact":      Redact(text),
			"translated":  fmt.Sprintf("%v %+v", Translate(outer, "a:B", "c"), Translate(outer, "a:B", "c")),
			"cause":       errors.Unwrap(Translate(outer, "a:B", "c")).Error(),
			"api":         fmt.Sprint(Translate(answered(403, "SignatureDoesNotMatch", text), "a:B", "c")),
			"unknown":     fmt.Sprint(Translate(answered(400, "Other", text), "a:B", "c")),
			"credentials": fmt.Sprint(Translate(credentials(text), "a:B", "c")),
		} {
			for _, secret := range s {
				if strings.Contains(shown, secret) {
					t.Errorf("%s shows %s: %s", name, secret, shown)
				}
			}
		}
	}
}

func TestRedactKeepsTheRest(t *testing.T) {
	const plain = "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:CreateRole"
	if got := Redact(plain); got != plain {
		t.Errorf("changed: %s", got)
	}
	got := Redact("a\x1b[31mred\r\nb" + strings.Repeat("ü", 1000))
	if strings.ContainsAny(got, "\x1b\r\n") || len(got) > maxText+3 || !utf8.ValidString(got) {
		t.Errorf("not fit for a terminal: %q", got)
	}
}

func FuzzRedact(f *testing.F) {
	for _, s := range secrets() {
		f.Add("x-amz-security-token: " + s)
	}
	f.Add("User: x is not authorized to perform: iam:CreateRole on resource: \"y\" because no z allows the w action")
	f.Fuzz(func(t *testing.T, text string) {
		shown := Redact(text)
		if !utf8.ValidString(shown) || strings.ContainsAny(shown, "\x1b\n\r\x00") {
			t.Errorf("not fit for a terminal: %q", shown)
		}
		_ = Translate(answered(403, "AccessDenied", text), "a:B", "c").Error()
	})
}

func TestWhose(t *testing.T) {
	facts := render.Facts{
		Namespace: render.Fact{Value: "demo"}, Issuer: render.Fact{Value: "https://oidc.example.com/2abc"},
		ClusterID: render.Fact{Value: "11111111-aaaa"},
	}
	tag := func(kv ...string) map[string]string {
		m := map[string]string{}
		for i := 0; i < len(kv); i += 2 {
			m[kv[i]] = kv[i+1]
		}
		return m
	}
	own := func(ns, issuer, id string) map[string]string {
		return tag(render.TagManagedBy, render.ManagedBy, render.TagNamespace, ns, render.TagIssuer, issuer, render.TagClusterID, id)
	}
	for _, c := range []struct {
		tags map[string]string
		want string
	}{
		{nil, "it has no tags"},
		{tag(render.TagManagedBy, "terraform"), "its tags say that terraform manages it"},
		{tag("rosa_role_type", "ServiceAccountRole", "Name", "my role"), `its tags are not ours (Name="my role", rosa_role_type=ServiceAccountRole)`},
		{tag("a", "1", "b", "2", "c", "3", "d", "4"), "its tags are not ours (a=1, b=2, c=3, ...)"},
		{own("other", facts.Issuer.Value, ""), "its tags say that it was made for namespace other"},
		{own("demo", "https://oidc.example.com/1old", ""), "its tags say that it was made for issuer https://oidc.example.com/1old (this cluster's is https://oidc.example.com/2abc)"},
		{own("x", "y", ""), "its tags say that it was made for namespace x of issuer (a value that is not the URL of an issuer) (this cluster's is https://oidc.example.com/2abc)"},
		{own("demo", facts.Issuer.Value, "22222222-bbbb"), "its tags say that the cluster 22222222-bbbb made it, this one is 11111111-aaaa: both use the same issuer"},
		{own("demo", facts.Issuer.Value, "11111111-aaaa"), "its tags say that it was made for this namespace of this cluster"},
		{tag("evil\x1b[2J", "x\ny"), "its tags are not ours (\"evil [2J\"=\"x y\")"},
	} {
		if got := Whose(c.tags, facts); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// TestF2RedactLines: what to type is left as it is or left out, never cut.
func TestF2RedactLines(t *testing.T) {
	long := "oc get pods -n '" + strings.Repeat("x", maxText) + "'"
	got := RedactLines("oc get pods -n 'x signature=y'\n" + long)
	if want := "(hidden)\n" + long; got != want {
		t.Errorf("%s", got)
	}
}
