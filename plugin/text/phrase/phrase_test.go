package phrase

import (
	"strings"
	"testing"
)

func TestCount(t *testing.T) {
	for want, got := range map[string]string{
		"0 objects": Count(0, "object"), "1 object": Count(1, "object"), "2 objects": Count(int64(2), "object"),
		"1 NetworkPolicy": Count(1, "NetworkPolicy"), "2 NetworkPolicies": Count(2, "NetworkPolicy"),
		"1 Ingress": Count(1, "Ingress"), "3 Ingresses": Count(3, "Ingress"),
	} {
		if got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestFew(t *testing.T) {
	all := []string{"a", "b", "c", "d", "e", "f", "g"}
	for n, want := range map[int]string{0: "", 1: "a", 5: "a, b, c, d, e", 6: "a, b, c, d, e and 1 more", 7: "a, b, c, d, e and 2 more"} {
		if got := Few(all[:n]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestEither(t *testing.T) {
	all := []string{"a", "b", "c"}
	for n, want := range []string{"", "a", "a or b", "a, b or c"} {
		if got := Either(all[:n]); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

func TestSimilar(t *testing.T) {
	names := []string{"default", "demo", "demos", "my-demo", "shop", "shop-dev", "shop-prod", "shop-test", "so", "team-a"}
	for word, want := range map[string]string{
		"dmeo":     "demo",
		"dem":      "demo demos",
		"deno":     "demo",
		"demo-":    "demo demos",
		"shop":     "shop shop-dev shop-prod",
		"team-b":   "team-a",
		"x":        "",
		"":         "",
		"shop-qa":  "",
		"frontend": "",
		"defualt":  "default",
	} {
		if got := strings.Join(Similar(word, names), " "); got != want {
			t.Errorf("%q: %q, want %q", word, got, want)
		}
	}
	if got := Similar("a", nil); len(got) != 0 {
		t.Error(got)
	}
}
