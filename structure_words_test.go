package ostoys3_test

import (
	"go/ast"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"testing"
)

// claim is what no text may say: that there is no other way to a role or a bucket. Other
// IAM principals, the Route, the controller and other clusters are such ways, and no
// command tries them. What was tried can be said: "the role was refused to another
// service account of the project".
var claim = regexp.MustCompile(`(?i)\b(nobody|no[ -]?one)\s+else\b|\bonly\s+(the|this)\s+app('s)?\b`)

// TestF9NothingIsClaimedThatWasNotTried looks at everything that a user reads: pages,
// messages and help, the chart, and the manifest for krew.
func TestF9NothingIsClaimedThatWasNotTried(t *testing.T) {
	texts := pages(t)
	for _, dir := range []string{"charts", "krew", "cmd/testdata"} {
		err := filepath.WalkDir(dir, func(name string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || filepath.Ext(name) == ".go" {
				return err
			}
			data, err := os.ReadFile(name)
			texts[name] = string(data)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range texts {
		if found := claim.FindString(text); found != "" {
			t.Errorf("%s says %q: say what was tried", name, found)
		}
	}
	for _, file := range moduleFiles(t) {
		ast.Inspect(file.syntax, func(n ast.Node) bool {
			if e, ok := n.(ast.Expr); ok {
				for _, text := range literals([]ast.Expr{e}) {
					if found := claim.FindString(text); found != "" {
						t.Errorf("%s says %q: say what was tried", file.at(n), found)
					}
				}
			}
			return true
		})
	}
}

func TestClaimsAreFound(t *testing.T) {
	for text, want := range map[string]bool{
		"and Nobody else does": true, "nobody\nelse": true, "no one else": true, "no-one else": true,
		"only the app's service account can assume it": true, "only this app reads": true,
		"nobody reads it": false, "refused to another service account": false, "only the apps of a class": false,
	} {
		if claim.MatchString(text) != want {
			t.Errorf("%q: found is %v, want %v", text, !want, want)
		}
	}
}
