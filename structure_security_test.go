package ostoys3_test

import (
	"path"
	"regexp"
	"strings"
	"testing"
)

// securityPolicy is where GitHub looks for it
// (docs.github.com, "Adding a security policy to your repository").
const securityPolicy = ".github/SECURITY.md"

// linked reports whether a page has a link to another.
func linked(page, text, other string) bool {
	for _, match := range regexp.MustCompile(`\]\(([^)\s#]+)`).FindAllStringSubmatch(text, -1) {
		if path.Join(path.Dir(page), match[1]) == other {
			return true
		}
	}
	return false
}

// The pages about security lead to the policy, which says how to report a vulnerability.
func TestSecurityPolicyIsLinked(t *testing.T) {
	all := pages(t)
	for _, page := range []string{"README.md", "docs/security.md"} {
		if !linked(page, all[page], securityPolicy) {
			t.Errorf("%s has no link to %s", page, securityPolicy)
		}
	}
	policy := all[securityPolicy]
	if !linked(securityPolicy, policy, "docs/security.md") {
		t.Errorf("%s has no link to what is guaranteed", securityPolicy)
	}
	for _, part := range []string{"\n## Report a vulnerability\n", "**Report a vulnerability**", "\n## Supported versions\n"} {
		if !strings.Contains(policy, part) {
			t.Errorf("%s has no %q", securityPolicy, part)
		}
	}
}

func TestLinksAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"[it](../.github/SECURITY.md)": true, "[it](../.github/SECURITY.md#report-a-vulnerability)": true,
		"[it](.github/SECURITY.md)": false, "../.github/SECURITY.md": false, "[it](security.md)": false,
	} {
		if got := linked("docs/x.md", text, securityPolicy); got != want {
			t.Errorf("%s: linked is %v, want %v", text, got, want)
		}
	}
}
