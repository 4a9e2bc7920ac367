package role

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestPlanBeforeTheProject: the plan of a role whose issuer is known once the project exists
// asks IAM for no role, and says that the project does not exist. In a project that exists,
// an issuer that nobody shows is missing.
func TestPlanBeforeTheProject(t *testing.T) {
	cluster, account := sessiontest.Empty(t)
	for namespace, exists := range map[string]bool{"fresh": false, "demo": true} {
		s, stdout, stderr := sessiontest.New(t, cluster, account)
		r := Request{Of: OfApp, Facts: sessiontest.Given()}
		r.Facts.Given.Namespace.Value, r.Facts.Given.Issuer = namespace, render.Fact{}
		err := Plan(t.Context(), s, r, session.FormatTable, false)
		if exists {
			if !problem.IsInput(err) || !strings.Contains(err.Error(), "issuer") {
				t.Errorf("%v", err)
			}
			continue
		}
		var told *problem.Error // that the app is not installed, after the plan
		if !errors.As(err, &told) || told.Kind != problem.Refused {
			t.Fatal(err)
		}
		for _, text := range []string{"project fresh does not exist", "known once project fresh exists", "fresh-ostoy-sa-KNOWN-LATER would be made"} {
			if !strings.Contains(stderr.String(), text) {
				t.Errorf("no %q in\n%s", text, stderr)
			}
		}
		if !strings.Contains(stdout.String(), "fresh-bucket") {
			t.Errorf("%s", stdout)
		}
	}
	for _, action := range account.Asked() {
		if action == "GetRole" {
			t.Error("IAM was asked for a role")
		}
	}
}
