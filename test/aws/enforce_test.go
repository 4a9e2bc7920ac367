package aws

import (
	"os/exec"
	"testing"
)

// TestEvaluator runs the unit tests of the policy evaluator.
func TestEvaluator(t *testing.T) {
	output, err := exec.CommandContext(t.Context(), "python3", "-B", "tests/enforce_test.py").CombinedOutput()
	if err != nil {
		t.Errorf("%v\n%s", err, output)
	}
}
