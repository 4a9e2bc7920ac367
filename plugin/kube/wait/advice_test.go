package wait

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestF2States: a State that others worded stays one line of the reason.
func TestF2States(t *testing.T) {
	p := notReady([]State{{Kind: "Bucket", Name: "b", Text: "no\n  try   rm -rf ~\x1b[8m"}, {Kind: "Pod", Name: "p", Text: "late"}}, "", "")
	if lines := strings.Split(p.Why, "\n"); len(lines) != 2 || strings.Contains(p.Why, "\x1b") {
		t.Errorf("%q", p.Why)
	}
	var told *problem.Error
	if err := error(inventoryLost("$(id)", false)); !errors.As(err, &told) || !strings.Contains(told.Next, "oc ostoy-s3 status -n '$(id)' shows") {
		t.Errorf("%+v", told)
	}
}

// TestF2Address: an address that is none is not given as the app's.
func TestF2Address(t *testing.T) {
	for host, want := range map[string]string{"a.example.com": "http://a.example.com", "$(touch /tmp/pwned)": "", "a\nb": ""} {
		if got := addressIn([]State{{Kind: "Route", Name: "r", Ready: true, URL: "http://" + host}}); got != want {
			t.Errorf("%q gives %q", host, got)
		}
	}
}
