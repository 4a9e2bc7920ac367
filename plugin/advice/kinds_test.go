package advice

import (
	"strings"
	"testing"
)

// TestF2Kinds: what is not legal for its kind is not repeated.
func TestF2Kinds(t *testing.T) {
	origin := func(text string) Value { return OneOf(text, "an origin", "created", "adopted") }
	for name, c := range map[string]struct {
		kind         func(string) Value
		legal, wrong []string
		word         string
	}{
		"path":    {RolePath, []string{"/", "/ostoy-s3/", "/a/b.c/"}, []string{"", "a/", "/a", "//", "/a b/", "/$(id)/", "/" + strings.Repeat("a", 600) + "/"}, "PATH"},
		"pattern": {BucketPattern, []string{"ostoy-*-bucket", "*"}, []string{"", "a b", "$(id)", "A"}, "PATTERN"},
		"version": {Version, []string{"1.2.3", "v1.0.0-rc.1+x", "(devel)", "1.13.0_1"}, []string{"", "1 2", "-v", "1.0\n", "$(id)", "\x1b[8m"}, "VERSION"},
		"cluster": {ClusterID, []string{"11111111-aaaa-bbbb-cccc-222222222222", "2abc"}, []string{"", "-x", "a b", "a'b"}, "CLUSTER_ID"},
		"project": {Project, []string{"demo", "a-1"}, []string{"", "a.b", "-a", "A", "a b"}, "PROJECT"},
		"origin":  {origin, []string{"created", "adopted"}, []string{"", "created ", "x"}, "VALUE"},
		"address": {
			Address,
			[]string{"http://a.example.com", "https://a.example.com:8443", "http://192.0.2.1", "http://[2001:db8::1]:80", "http://localhost:8080"},
			[]string{
				"", "a.example.com", "ftp://a.example.com", "http://", "http://a b", "http://a.example.com/x", "http://a.example.com?x", "http://u:p@a.example.com",
				"http://a.example.com:", "http://a.example.com:0", "http://a.example.com:99999", "http://a.example.com:http", "http://$(id)", "http://a'b", "http://a\nb", "http://a.example.com#x", "javascript:alert(1)",
			},
			"URL",
		},
	} {
		for _, text := range c.legal {
			if v := c.kind(text); v.Word() != text || v.String() != text {
				t.Errorf("%s %q: %s", name, text, v)
			}
		}
		for _, text := range c.wrong {
			if v := c.kind(text); v.Legal() || v.Word() != c.word || !strings.HasPrefix(v.String(), "(a value that is not ") {
				t.Errorf("%s %q: %q, %q", name, text, v.Word(), v)
			}
		}
	}
	if got := From(Command("helm install", "x", "-f"), Command("oc ostoy-s3 values")); got != "helm install x -f <(oc ostoy-s3 values)" {
		t.Error(got)
	}
	for file, want := range map[string]string{"a/b.yaml": "oc x > a/b.yaml", "$(id)/b": "oc x > '$(id)/b'", "a\nb": "oc x > NAME"} {
		if got := To(Command("oc x"), file); got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
