package iam

import (
	"strings"
	"testing"
)

func TestMatchPattern(t *testing.T) {
	for _, c := range []struct {
		pattern, name string
		want          bool
	}{
		{"*-bucket", "demo-bucket", true},
		{"*-bucket", "-bucket", true},
		{"*-bucket", "demo-bucket-2", false},
		{"ostoy-*-bucket", "ostoy-1a2b3c4d-bucket", true},
		{"ostoy-*-bucket", "demo-bucket", false},
		{"ostoy-*-bucket", "ostoy-bucket", false},
		{"team-?-bucket", "team-a-bucket", true},
		{"team-?-bucket", "team--bucket", false},
		{"team-?-bucket", "team-ab-bucket", false},
		{"*", "anything", true},
		{"*", "", true},
		{"a*b*c", "a-b-b-c", true},
		{"a*b*c", "a-c-b", false},
		{"demo-bucket", "demo-bucket", true},
		{"", "x", false},
	} {
		if got := MatchPattern(c.pattern, c.name); got != c.want {
			t.Errorf("%q matches %q: %t", c.pattern, c.name, got)
		}
	}
}

// TestF1CoversPattern: what is called a widening leaves nothing out.
func TestF1CoversPattern(t *testing.T) {
	for _, c := range []struct {
		general, special string
		want             bool
	}{
		{"*-bucket", "ostoy-*-bucket", true},
		{"ostoy-*-bucket", "*-bucket", false},
		{"*", "*-bucket", true},
		{"*-bucket", "*", false},
		{"*-bucket", "*-bucket", true},
		{"*-bucket", "demo-bucket", true},
		{"demo-bucket", "*-bucket", false},
		{"demo-????-bucket", "demo-*-bucket", false},
		{"demo-*-bucket", "demo-????-bucket", true},
		{"?*", "*", false},
		{"?*", "?", true},
		{"*?", "?*", true},
		{"**-bucket", "*-bucket", true},
		{"*a*", "*aa*", true},
		{"*aa*", "*a*", false},
		{"a?c", "abc", true},
		{"abc", "a?c", false},
		{"arn:aws:s3:::*", "arn:aws:s3:::???*", true},
		{"arn:aws:s3:::?*", "arn:aws:s3:::???*", true},
		{"arn:*", "arn:aws:s3:::???*", true},
		{"arn:aws:s3:::*-bucket", "arn:aws:s3:::???*", false},
		// Made to take for ever.
		{"*a" + strings.Repeat("?", 60), "*" + strings.Repeat("?", 61), false},
	} {
		if got := CoversPattern(c.general, c.special); got != c.want {
			t.Errorf("%q covers %q: %t", c.general, c.special, got)
		}
	}
}

// FuzzCoversPattern: a pattern that covers another matches what that one matches.
func FuzzCoversPattern(f *testing.F) {
	f.Add("*-bucket", "ostoy-*-bucket", "ostoy-x-bucket")
	f.Add("a?b", "a*b", "a-b")
	f.Fuzz(func(t *testing.T, general, special, name string) {
		if len(general) > 20 || len(special) > 20 || strings.ContainsRune(general+special+name, 0) {
			return // takes long, and is no name
		}
		if CoversPattern(general, special) && MatchPattern(special, name) && !MatchPattern(general, name) {
			t.Errorf("%q covers %q, and not %q", general, special, name)
		}
	})
}
