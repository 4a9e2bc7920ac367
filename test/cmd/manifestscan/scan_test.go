package main

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"
)

// TestFindings: a finding of HIGH or CRITICAL ends in errFound and is printed once,
// with its variants; anything less serious is not.
func TestFindings(t *testing.T) {
	at := func(severity, file string) failure {
		return failure{Check: "KSV-1", Severity: severity, File: file, Line: 7, Message: "writable root"}
	}
	for _, severity := range []string{"HIGH", "CRITICAL"} {
		var out bytes.Buffer
		err := plays(t, prints(t, complete(t, known(), at(severity, "eks.yaml"), at(severity, "rosa-hcp.yaml")))).all(t.Context(), &out)
		if !errors.Is(err, errFound) {
			t.Errorf("%s: %v", severity, err)
		}
		for _, want := range []string{severity + " KSV-1: writable root\n  variants: rosa-hcp, eks\n  line 7 of: oc ostoy-s3 render -n demo ", "--platform rosa-hcp"} {
			if strings.Count(out.String(), want) != 1 {
				t.Errorf("%s: not once %q:\n%s", severity, want, &out)
			}
		}
	}
	var out bytes.Buffer
	err := plays(t, prints(t, complete(t, known(), at("MEDIUM", "eks.yaml"), at("LOW", "eks.yaml")))).all(t.Context(), &out)
	if err != nil || out.Len() > 0 {
		t.Errorf("less serious: %v\n%s", err, &out)
	}
}

// TestNothingChecked: a scanner that did not do its work is not a clean result.
func TestNothingChecked(t *testing.T) {
	other := known()
	other.File = "eks.yaml"
	unchecked := complete(t, known())
	delete(unchecked.Checked, "expose-ingress.yaml")
	for name, c := range map[string]struct{ script, want string }{
		"finds nothing at all":       {prints(t, complete(t)), "its checks did not run"},
		"finds it elsewhere only":    {prints(t, complete(t, other)), "its checks did not run"},
		"leaves a variant out":       {prints(t, unchecked), "did not check the variant expose-ingress"},
		"complains":                  {"echo Failed to parse >&2; " + prints(t, complete(t, known())), "Failed to parse"},
		"fails":                      {prints(t, complete(t, known())) + "\necho broken >&2; exit 1", "broken"},
		"prints something else":      {"echo no JSON", "the scanner: "},
		"is not there":               {"exit 127", "exit status 127"},
		"does not see the manifests": {`test -f "$1/rosa-hcp.yaml" && exit 3; exit 1`, "exit status 3"},
	} {
		var out bytes.Buffer
		err := plays(t, c.script).all(t.Context(), &out)
		if err == nil || errors.Is(err, errFound) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("a scanner that %s: %v", name, err)
		}
	}
	s := plays(t, "exec sleep 600")
	s.limit = 100 * time.Millisecond
	if err := s.all(t.Context(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "did not end within") {
		t.Errorf("a scanner that hangs: %v", err)
	}
}

// TestRenderFails: a variant that is not rendered is an error with the plugin's
// words, not one variant less.
func TestRenderFails(t *testing.T) {
	s := plays(t, prints(t, complete(t, known())))
	s.plugin = executable(t, `case "$*" in *expose=ingress*) echo refused >&2; exit 1;; esac`)
	if err := s.all(t.Context(), &bytes.Buffer{}); err == nil || !strings.Contains(err.Error(), "refused") || !strings.Contains(err.Error(), "expose=ingress") {
		t.Error(err)
	}
}
