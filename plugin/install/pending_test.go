package install

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestRunPendingIssuer: before there is a project to request a token in, a run that only
// looks goes on with an issuer that is known later. It asks IAM for no role of a name that
// nobody has, and the script has only what does not depend on it.
func TestRunPendingIssuer(t *testing.T) {
	for name, change := range map[string]func(*Request){
		"--dry-run=client": func(r *Request) { r.DryRun = session.DryRunClient },
		"--dry-run=server": func(r *Request) { r.DryRun = session.DryRunServer },
		"--mode manual":    func(r *Request) { r.Mode, r.Output, r.Again = ModeManual, "", []string{"--mode=manual"} },
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t)
			request := p.request(change)
			request.ProjectName, request.Facts.Given.Namespace, request.Facts.Given.Issuer = "fresh", render.Fact{}, render.Fact{}
			if err := Run(t.Context(), p.session, request); err != nil {
				t.Fatalf("%v\n%s", err, p.err)
			}
			said, printed := p.err.String(), p.stdout.String()
			if strings.Count(said, "known once project fresh exists") < 2 || strings.Contains(said, ".invalid") {
				t.Errorf("%s", said)
			}
			if writes := p.writes(); len(writes) > 0 {
				t.Errorf("%v", writes)
			}
			for _, action := range p.aws.Asked() {
				if action == "GetRole" || action == "GetOpenIDConnectProvider" {
					t.Errorf("AWS was asked %s", action)
				}
			}
			manual := request.Mode == ModeManual
			const next = "oc ostoy-s3 install -n fresh --mode=manual"
			switch later := strings.Contains(printed, render.RoleName(render.PendingIssuer, "fresh")); {
			case manual && (later || !strings.Contains(printed, next) || !strings.Contains(said, next) || strings.Contains(printed, "Bucket")):
				t.Errorf("%s", printed)
			case !manual && !later:
				t.Errorf("%s", printed)
			}
		})
	}
}
