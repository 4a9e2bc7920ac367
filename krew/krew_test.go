package krew

import (
	"strings"
	"testing"
)

// sums gives every platform a well-formed sum.
func sums() map[Platform]string {
	m := map[Platform]string{}
	for _, p := range Platforms() {
		m[p] = strings.Repeat("0a", 32)
	}
	return m
}

// filled is the manifest of an imaginary release.
func filled(t *testing.T) Manifest {
	t.Helper()
	data, err := Fill("v1.2.3", sums())
	if err != nil {
		t.Fatal(err)
	}
	m, err := Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

func TestFilledManifestIsAccepted(t *testing.T) {
	m := filled(t)
	if err := Validate(Name+".yaml", m); err != nil {
		t.Errorf("the manifest breaks krew's rules:\n%v", err)
	}
	if len(m.Spec.Platforms) != len(Platforms()) {
		t.Errorf("the manifest has %d platforms, a release has %d", len(m.Spec.Platforms), len(Platforms()))
	}
}

// The template spells archive and executable names by hand, for the reader;
// they must be those that the packer writes.
func TestManifestNamesWhatIsPacked(t *testing.T) {
	for _, target := range filled(t).Spec.Platforms {
		p, err := target.Selector.platform()
		if err != nil {
			t.Fatal(err)
		}
		if !strings.HasSuffix(target.URI, "/v1.2.3/"+p.Archive()) {
			t.Errorf("%s: uri %s does not end in %s", p, target.URI, p.Archive())
		}
		if target.Bin != p.Bin() {
			t.Errorf("%s: bin is %s, packed is %s", p, target.Bin, p.Bin())
		}
	}
}

func TestFillRefuses(t *testing.T) {
	t.Run("a platform without a sum", func(t *testing.T) {
		some := sums()
		delete(some, Platform{"darwin", "arm64"})
		if _, err := Fill("v1.2.3", some); err == nil || !strings.Contains(err.Error(), "darwin/arm64") {
			t.Errorf("want an error that names darwin/arm64, got %v", err)
		}
	})
	t.Run("a hole it does not know", func(t *testing.T) {
		if _, err := fill("a: ${VERSION}\nb: ${TYPO}\n", map[string]string{"VERSION": "v1"}); err == nil || !strings.Contains(err.Error(), "${TYPO}") {
			t.Errorf("want an error that names ${TYPO}, got %v", err)
		}
	})
}

func TestFillLeavesNoHoleAndNoHead(t *testing.T) {
	data, err := Fill("v1.2.3", sums())
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(string(data), "${") || !strings.HasPrefix(string(data), "apiVersion:") {
		t.Errorf("not a finished manifest:\n%s", data)
	}
}

func TestParseRefusesUnknownFields(t *testing.T) {
	if _, err := Parse([]byte("apiVersion: a\nkind: b\nspec: {shortDescripton: typo}\n")); err == nil {
		t.Error("a misspelt field was accepted")
	}
}
