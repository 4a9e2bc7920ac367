package advice

import (
	"strings"
	"testing"
)

// TestF2Roles: what IAM allows as the name and the path of a role is repeated, but for the
// characters that quote or that a shell acts on; a name that begins with a hyphen is no
// option of the command it stands in.
func TestF2Roles(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:role"
	for name, c := range map[string]struct {
		kind         func(string) Value
		legal, wrong []string
	}{
		"name": {RoleName, []string{"r", "-rf", "--profile", "a+=,.@-_"}, []string{"", "a/b", "a b", "a!", strings.Repeat("a", 65)}},
		"path": {RolePath, []string{"/", "/a!b/", "/#a/~b/", "/a:b%c^/"}, []string{"", "a", "/a", "//", "/a b/", "/$(id)/", "/a'b/", `/a"b/`, "/a`b/", `/a\b/`, "/a;b/", "/a&b/", "/a|b/", "/a>b/", "/é/", "/\x7f/"}},
		"ARN":  {RoleARN, []string{arn + "/r", arn + "/-rf", arn + "/a!b/#c/~d/r"}, []string{"", arn + "/a b/r", arn + "/$(id)/r", arn + "/a//r", arn + "/r!", arn + "/r/"}},
	} {
		for _, text := range c.legal {
			if !c.kind(text).Legal() {
				t.Errorf("%s %q is not legal", name, text)
			}
		}
		for _, text := range c.wrong {
			if c.kind(text).Legal() {
				t.Errorf("%s %q is legal", name, text)
			}
		}
	}
	usual := []string{"usual", "earlier"}
	for _, c := range []struct {
		name, path string
		usual      []string
		want       string
	}{
		{"r", "/a/", usual, "x --role-name r --role-path /a/"},
		{"usual", "/ostoy-s3/", usual, "x"},
		{"earlier", "/ostoy-s3/", usual, "x"},
		{"usual", "/", usual, "x --role-path /"},
		{"", "/a/", usual, "x --role-path /a/"},
		{"r", "", usual, "x --role-name r"},
		{"r", "/ostoy-s3/", nil, "x --role-name r --role-path /ostoy-s3/"},
		{"-rf", "/#a/~b!/", usual, "x --role-name=-rf --role-path '/#a/~b!/'"},
	} {
		if got := Command("x", RoleFlags(c.name, c.path, c.usual...)...); got != c.want {
			t.Errorf("%s, want %s", got, c.want)
		}
	}
}
