package check

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
)

// TestGivenRoleIsJudgedAsByCheck: a role that somebody else makes is asked all
// that check asks of an installed app's, and nothing that only install's own
// answers; the checks run without those of an installation.
func TestGivenRoleIsJudgedAsByCheck(t *testing.T) {
	target := Target{World: &live.World{}, GivenRole: &GivenRole{ARN: "arn:aws:iam::123456789012:role/x", Mend: "mend it"}}
	given := Pre(target)
	installed := identityLook{World: target.World}
	for _, want := range installed.roleChecks() {
		have := Only(given, want.ID)
		if len(have) != 1 || have[0].Severity != want.Severity || have[0].Group != Identity {
			t.Errorf("%s: %+v", want.ID, have)
			continue
		}
		for _, need := range have[0].Needs {
			if len(Only(given, need)) == 0 {
				t.Errorf("%s needs %s, which nobody looks at", want.ID, need)
			}
		}
	}
	if len(Only(given, IDRole)) != 0 {
		t.Error("it is asked whether install may change the role")
	}
	target.GivenRole = nil
	if usual := Pre(target); len(Only(usual, IDRole)) != 1 || len(Only(usual, IDTrust)) != 0 {
		t.Errorf("without: %v", usual)
	}
}
