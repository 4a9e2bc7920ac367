package advice

import (
	"strings"
	"testing"
)

// TestF2Command: whatever a cluster sent is one word of the command, shown as it is
// copied, or not repeated.
func TestF2Command(t *testing.T) {
	for word, want := range map[string]string{
		"pod-1":                  "oc get pod pod-1",
		"":                       "oc get pod ''",
		"a b":                    "oc get pod 'a b'",
		"$(touch /tmp/x)":        "oc get pod '$(touch /tmp/x)'",
		"`id`":                   "oc get pod '`id`'",
		"x'; id; '":              `oc get pod 'x'\''; id; '\'''`,
		"two\nlines":             "oc get pod NAME",
		"a\ttab":                 "oc get pod NAME",
		"\x1b[8mhidden":          "oc get pod NAME",
		"\u202edetrever":         "oc get pod NAME",
		"next\u2028line":         "oc get pod NAME",
		"not UTF-8 \xff":         "oc get pod NAME",
		"x signature=y":          "oc get pod NAME",
		"# no comment":           "oc get pod '# no comment'",
		"~/a && b || c > d & e;": "oc get pod '~/a && b || c > d & e;'",
	} {
		if got := Command("oc get pod", word); got != want {
			t.Errorf("%q becomes %s, want %s", word, got, want)
		}
	}
	got := MergePatch(map[string]any{"data": map[string]string{"AWS_REGION": `"}}'; id; '`}}, "configmap", "c", "-n", "demo")
	if want := `oc patch configmap c -n demo --type=merge -p '{"data":{"AWS_REGION":"\"}}'\''; id; '\''"}}'`; got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := Pipe(Command("oc ostoy-s3 render"), Command("oc apply", "-f", "-")); got != "oc ostoy-s3 render | oc apply -f -" {
		t.Error(got)
	}
}

// TestF2Value: what is not legal for its kind is not repeated, in a command or a sentence.
func TestF2Value(t *testing.T) {
	for name, c := range map[string]struct {
		kind         func(string) Value
		legal, wrong []string
		word         string
	}{
		"role ARN":   {RoleARN, []string{"arn:aws:iam::123456789012:role/p/r"}, []string{"", "arn:aws:iam::1:role/r", "arn:aws:iam::123456789012:policy/r", "arn:aws:iam::123456789012:role/a b", "arn:aws:iam::123456789012:role/$(id)"}, "ROLE_ARN"},
		"policy ARN": {PolicyARN, []string{"arn:aws-cn:iam::aws:policy/ReadOnlyAccess"}, []string{"AdministratorAccess", "arn:aws:iam::aws:policy/x'y"}, "POLICY_ARN"},
		"role":       {RoleName, []string{"ostoy-s3-demo", "a+=,.@-_"}, []string{"", "a/b", "a b", strings.Repeat("a", 65)}, "ROLE"},
		"region":     {Region, []string{"us-east-2", "cn-north-1"}, []string{"", "us-east-2 ", "us-east-2'", "mars-1"}, "REGION"},
		"account":    {Account, []string{"123456789012"}, []string{"12345678901", "123456789012\n"}, "ACCOUNT"},
		"bucket":     {BucketName, []string{"demo-bucket"}, []string{"De", "demo_bucket", "demo-bucket\n"}, "BUCKET"},
		"host":       {Host, []string{"a.example.com", "localhost"}, []string{"", "a..b", "a b", "-a.example.com", "a.example.com/x", "A.b"}, "HOST"},
		"issuer":     {Issuer, []string{"https://oidc.example.com/2abc"}, []string{"", "http://oidc.example.com", "https://a b", "https://kubernetes.default.svc"}, "ISSUER"},
	} {
		for _, text := range c.legal {
			if v := c.kind(text); v.Word() != text || v.String() != text || !v.Legal() {
				t.Errorf("%s %q: %s", name, text, v)
			}
		}
		for _, text := range c.wrong {
			if v := c.kind(text); v.Legal() || v.Word() != c.word || !strings.HasPrefix(v.String(), "(a value that is not ") {
				t.Errorf("%s %q: %q, %q", name, text, v.Word(), v)
			}
		}
	}
}
