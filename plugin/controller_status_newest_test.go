package plugin

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
)

// TestNewestLines: the catalog is told of where it says something else than what is
// installed and what is planned, and where it could not be read.
func TestNewestLines(t *testing.T) {
	has := func(version string) *controller.Newest {
		return &controller.Newest{Part: status.Part{Mark: status.OK, Text: "in the catalog", Hint: "go on"}, Version: version}
	}
	unread := &controller.Newest{Part: status.Part{Mark: status.Unknown, Text: "the catalog could not be read"}}
	for name, c := range map[string]struct {
		of   controller.Subscribed
		want string // "" for no line
	}{
		"without a Subscription": {controller.Subscribed{Installed: "1.13.0"}, ""},
		"installed":              {controller.Subscribed{Installed: "1.13.0", Newest: has("1.13.0")}, ""},
		"planned":                {controller.Subscribed{Installed: "1.11.0", Upgrade: &controller.Upgrade{Version: "1.13.0"}, Newest: has("1.13.0")}, ""},
		"beyond what is planned": {controller.Subscribed{Installed: "1.10.0", Upgrade: &controller.Upgrade{Version: "1.11.0"}, Newest: has("1.13.0")}, "1.13.0 in the catalog: go on"},
		"nothing planned":        {controller.Subscribed{Installed: "1.10.0", Newest: has("1.13.0")}, "1.13.0 in the catalog; OLM has planned no upgrade: go on"},
		"not read":               {controller.Subscribed{Installed: "1.10.0", Newest: unread}, "unknown the catalog could not be read"},
	} {
		got := ""
		for _, line := range newestLines(c.of) {
			got += line.name + " " + line.text
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
