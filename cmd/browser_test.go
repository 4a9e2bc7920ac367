package cmd

import (
	"os/exec"
	"runtime"
	"slices"
	"testing"
)

func TestBrowserCommand(t *testing.T) {
	for system, want := range map[string][]string{
		"linux":   {"xdg-open", "http://x"},
		"freebsd": {"xdg-open", "http://x"},
		"darwin":  {"open", "http://x"},
		"windows": {"rundll32", "url.dll,FileProtocolHandler", "http://x"},
	} {
		if got := browserCommand(system, "http://x"); !slices.Equal(got, want) {
			t.Errorf("%s: %v", system, got)
		}
	}
}

// TestBrowseNoPage: the address comes from the cluster, where others may write.
func TestBrowseNoPage(t *testing.T) {
	s := &program{}
	for _, address := range []string{"", "--help", "file:///etc/passwd", "javascript:alert(1)", "http://", "http://x\" calc", "http://x;y", "http://x&calc", "http://x|y", "http://$(id)"} {
		if err := s.browse(t.Context(), address); err == nil {
			t.Errorf("%q was shown", address)
		}
	}
}

// TestStarted: a program that fails does so soon; one that stays is taken for
// shown.
func TestStarted(t *testing.T) {
	if runtime.GOOS == "windows" {
		return // there is no sh; the logic is the same
	}
	for script, fails := range map[string]bool{"exit 0": false, "exit 3": true, "sleep 5": false} {
		program := exec.CommandContext(t.Context(), "sh", "-c", script)
		if err := started(t.Context(), program); (err != nil) != fails {
			t.Errorf("%s: %v", script, err)
		}
	}
}
