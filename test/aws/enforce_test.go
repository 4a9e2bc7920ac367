package aws

import (
	"os/exec"
	"path/filepath"
	"testing"
)

// TestEvaluator runs the unit tests of the policy evaluator.
func TestEvaluator(t *testing.T) {
	files, err := filepath.Glob("tests/*_test.py")
	if err != nil || len(files) == 0 {
		t.Fatal(files, err)
	}
	for _, file := range files {
		output, err := exec.CommandContext(t.Context(), "python3", "-B", file).CombinedOutput()
		if err != nil {
			t.Errorf("%s: %v\n%s", file, err, output)
		}
	}
}
