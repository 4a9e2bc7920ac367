package advicetest

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
)

// TestPaste: shells run what the judge of advice complains of, and nothing of what it
// passes.
func TestPaste(t *testing.T) {
	quoted, simple := advice.Command("oc get pod", Quotes), advice.Command("oc get pod", "$(touch MALLORY)")
	for block, want := range map[string]bool{
		"touch MALLORY":                true,
		"oc get pod " + Quotes:         true,
		"the role's policy\n" + simple: true,
		"say \"x\n" + simple:           true,
		"oc get pod 'x signature=(hidden)\noc get pod '$(touch MALLORY) '\\'''": true, // hidden in a finished command
		quoted: false,
		quoted + "\n" + advice.Command("oc get pod", Secret) + "\n" + advice.Command("oc get pod", "it's", `\`) + "\nor: " + quoted: false,
		"the policy of the role (a \"sentence\"); then\n" + quoted:                                                                  false,
	} {
		if got := Paste(t, block); got != want {
			t.Errorf("ran: %t: %s", got, block)
		}
		if complaint := Advice(block); (complaint != "") != want {
			t.Errorf("the judge says %q of %s", complaint, block)
		}
	}
}
