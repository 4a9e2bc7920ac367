package check

import (
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// TestMergedIDs: each id of a check that is part of another one leads to a check that
// exists, is not the id of a check itself, and has no page.
func TestMergedIDs(t *testing.T) {
	all := All(nil, Sources{}, Target{Namespace: NamespaceEither})
	for old, now := range mergedInto() {
		if len(Only(all, now)) != 1 {
			t.Errorf("%s is part of %s, which is no check", old, now)
		}
		if len(Only(all, old)) != 0 {
			t.Errorf("%s is still a check", old)
		}
		if _, err := os.Stat(filepath.Join("..", "..", Check{ID: old}.Page())); err == nil {
			t.Errorf("%s still has a page", old)
		}
		current, notes := Current([]string{old, now})
		if !slices.Equal(current, []string{now}) || !slices.Equal(notes, []string{"check " + old + " is now part of " + now}) {
			t.Errorf("%s: %v, %q", old, current, notes)
		}
	}
	if current, notes := Current([]string{IDServer, "no-check"}); !slices.Equal(current, []string{IDServer, "no-check"}) || notes != nil {
		t.Errorf("other ids: %v, %q", current, notes)
	}
}
