package krew

import (
	"strings"
	"testing"
)

// TestValidateRefuses breaks one rule at a time and wants exactly that rule's
// complaint: a rule that never fires is no rule.
func TestValidateRefuses(t *testing.T) {
	first := func(edit func(*Target)) func(*Manifest) {
		return func(m *Manifest) { edit(&m.Spec.Platforms[0]) }
	}
	for _, tc := range []struct {
		name string
		edit func(*Manifest)
		want string
	}{
		{"apiVersion", func(m *Manifest) { m.APIVersion = "v1" }, "apiVersion"},
		{"kind", func(m *Manifest) { m.Kind = "Plug" }, "kind"},
		{"another name", func(m *Manifest) { m.Metadata.Name = "ostoy" }, "the file is"},
		{"version without v", func(m *Manifest) { m.release("1.2.3") }, "spec.version"},
		{"version of two parts", func(m *Manifest) { m.release("v1.2") }, "spec.version"},
		{"version with a leading zero", func(m *Manifest) { m.release("v1.02.3") }, "spec.version"},
		{"no homepage", func(m *Manifest) { m.Spec.Homepage = "" }, "spec.homepage"},
		{"homepage over http", func(m *Manifest) { m.Spec.Homepage = "http://example.com" }, "spec.homepage"},
		{"short description missing", func(m *Manifest) { m.Spec.ShortDescription = "" }, "spec.shortDescription"},
		{"short description of two lines", func(m *Manifest) { m.Spec.ShortDescription = "a\nb" }, "spec.shortDescription"},
		{"short description of 51", func(m *Manifest) { m.Spec.ShortDescription = strings.Repeat("x", 51) }, "spec.shortDescription"},
		{"no description", func(m *Manifest) { m.Spec.Description = "\n" }, "spec.description is empty"},
		{"description line of 81", func(m *Manifest) { m.Spec.Description += strings.Repeat("x", 81) }, "spec.description line"},
		{"caveats line of 81", func(m *Manifest) { m.Spec.Caveats += strings.Repeat("x", 81) }, "spec.caveats line"},
		{"no platforms", func(m *Manifest) { m.Spec.Platforms = nil }, "spec.platforms is empty"},
		{"overlap", func(m *Manifest) { m.Spec.Platforms[1].Selector = m.Spec.Platforms[0].Selector }, "selected twice"},
		{"selector without arch", first(func(t *Target) { t.Selector.MatchLabels = map[string]string{"os": "linux"} }), "selector.matchLabels"},
		{"selector with another label", first(func(t *Target) { t.Selector.MatchLabels["libc"] = "musl" }), "selector.matchLabels"},
		{"uri of another kind", first(func(t *Target) { t.URI = strings.TrimSuffix(t.URI, ".gz") }), "uri must be"},
		{"uri over http", first(func(t *Target) { t.URI = strings.Replace(t.URI, "https", "http", 1) }), "uri must be"},
		{"uri of another release", first(func(t *Target) { t.URI = strings.Replace(t.URI, "v1.2.3", "v1.2.2", 1) }), "uri is not of release"},
		{"short sum", first(func(t *Target) { t.SHA256 = t.SHA256[1:] }), "sha256"},
		{"upper-case sum", first(func(t *Target) { t.SHA256 = strings.ToUpper(t.SHA256) }), "sha256"},
		{"no executable", first(func(t *Target) { t.Bin = "" }), "bin"},
		{".exe on linux", first(func(t *Target) { t.Bin += ".exe" }), "bin"},
		{"no .exe on Windows", func(m *Manifest) { m.Spec.Platforms[4].Bin = "kubectl-ostoy_s3" }, "bin"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			m := filled(t)
			tc.edit(&m)
			err := Validate(Name+".yaml", m)
			if err == nil {
				t.Fatal("accepted")
			}
			if text := err.Error(); !strings.Contains(text, tc.want) || strings.Contains(text, "\n") {
				t.Errorf("want one complaint with %q, got:\n%s", tc.want, text)
			}
		})
	}
}

// release makes m the manifest of another version, addresses included.
func (m *Manifest) release(version string) {
	for i := range m.Spec.Platforms {
		t := &m.Spec.Platforms[i]
		t.URI = strings.Replace(t.URI, m.Spec.Version, version, 1)
	}
	m.Spec.Version = version
}

func TestValidateRefusesUnderscoreNames(t *testing.T) {
	m := filled(t)
	m.Metadata.Name = "ostoy_s3"
	if err := Validate("ostoy_s3.yaml", m); err == nil || !strings.Contains(err.Error(), "metadata.name") {
		t.Errorf("want a complaint about metadata.name, got %v", err)
	}
}

func TestValidateAcceptsPreReleases(t *testing.T) {
	m := filled(t)
	m.release("v1.2.3-rc.1")
	if err := Validate(Name+".yaml", m); err != nil {
		t.Error(err)
	}
}
