package announce

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// TestMissingPermissionsOnce: what permissions are missing for is one warning, however many
// checks could not look; each other warning is one of its own.
func TestMissingPermissionsOnce(t *testing.T) {
	warned := check.Outcome{Finding: check.Warn("it is old", "since May", "renew it")}
	unseen := func(what string) check.Outcome {
		return check.Outcome{Finding: check.Unseen("list "+what, "whether there is room")}
	}
	for _, c := range []struct {
		outcomes []check.Outcome
		warnings int
		says     []string
	}{
		{[]check.Outcome{unseen("quotas")}, 1, []string{"list quotas"}},
		{[]check.Outcome{unseen("quotas"), warned, unseen("limits")}, 2, []string{"2 checks could not look, because permissions are missing", "list quotas", "list limits", "it is old: since May", "renew it"}},
	} {
		var out bytes.Buffer
		Warnings(ui.New(&out, ui.Style{}, time.Now), c.outcomes)
		if got := strings.Count(out.String(), "warn "); got != c.warnings {
			t.Errorf("%d warnings, want %d\n%s", got, c.warnings, &out)
		}
		for _, want := range c.says {
			if !strings.Contains(out.String(), want) {
				t.Errorf("does not say %q\n%s", want, &out)
			}
		}
	}
}
