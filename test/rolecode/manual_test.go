package rolecode

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// manualScripts are what install --mode manual prints, oddities included, by name:
// the files that package manual holds itself against.
func manualScripts(t *testing.T) map[string]string {
	t.Helper()
	paths, err := filepath.Glob("../../plugin/manual/testdata/*.sh")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no scripts: %v", err)
	}
	scripts := map[string]string{}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		scripts[filepath.Base(path)] = string(text)
	}
	return scripts
}

// TestManualScriptsParse: they are bash that runs the commands of its steps and
// nothing else.
func TestManualScriptsParse(t *testing.T) {
	for name, text := range manualScripts(t) {
		t.Run(name, func(t *testing.T) {
			file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(text), name)
			if err != nil {
				t.Fatalf("%v\n%s", err, text)
			}
			if first := file.Stmts[0].Cmd.(*syntax.CallExpr); words(first.Args) != "set -euo pipefail" {
				t.Errorf("it begins with %s", words(first.Args))
			}
			wantNothingExpanded(t, file, []string{"cluster", "server", "mark", "uid", "record", "done"}, []string{"oc", "kubectl", "sleep", "break"})
			documents := 0
			syntax.Walk(file, func(node syntax.Node) bool {
				redirect, ok := node.(*syntax.Redirect)
				if !ok || redirect.Hdoc == nil {
					return true
				}
				documents++
				if len(redirect.Word.Parts) != 1 {
					t.Fatalf("a here-document without a delimiter")
				}
				if _, quoted := redirect.Word.Parts[0].(*syntax.SglQuoted); !quoted {
					t.Errorf("a here-document is expanded: %s", redirect.Hdoc.Lit())
				}
				return true
			})
			if want := strings.Count(text, " <<'"); documents == 0 || documents != want {
				t.Errorf("bash reads %d here-documents of %d", documents, want)
			}
		})
	}
}
