package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"
)

const (
	patient = time.Minute
	schema  = `{"properties": {"expose": {"enum": ["auto", "ingress"]}, "readOnlyRootFilesystem": {"type": "boolean"},
		"aws": {"properties": {"partition": {"enum": ["aws"]}, "region": {"type": ["string", "null"]}}}}}`
)

// executable writes a shell script.
func executable(t *testing.T, script string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "fake")
	write(t, path, "#!/bin/sh\n"+script+"\n")
	if err := os.Chmod(path, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// plays is a scan of the small schema with a plugin that prints its arguments, and
// a scanner that runs the script.
func plays(t *testing.T, script string) scan {
	t.Helper()
	path := filepath.Join(t.TempDir(), "values.schema.json")
	write(t, path, schema)
	return scan{plugin: executable(t, `echo "# $*"`), schema: path, scanner: executable(t, script), limit: patient}
}

// known is the finding that every scan must have.
func known() failure {
	return failure{Check: writableCheck, Severity: "HIGH", File: writableFile, Line: 14, Message: "known"}
}

// complete is a report about every variant, with these findings.
func complete(t *testing.T, failed ...failure) report {
	t.Helper()
	list, err := variants([]byte(schema))
	if err != nil {
		t.Fatal(err)
	}
	found := report{Checked: map[string]int{}, Failed: failed}
	for _, v := range list {
		found.Checked[v.name+".yaml"] = 1
	}
	return found
}

// prints is a script that prints the report.
func prints(t *testing.T, found report) string {
	t.Helper()
	text, err := json.Marshal(found)
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprintf("cat <<'END'\n%s\nEND", text)
}
