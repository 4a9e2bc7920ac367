package cmd

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// TestHintsNameCommandsThatExist: a message, a page or the chart never tells
// the reader to type a command this release does not have.
func TestHintsNameCommandsThatExist(t *testing.T) {
	var known []string
	for _, c := range newTestRoot().Commands() {
		known = append(known, c.Name())
	}
	known = append(known, "help")
	hint := regexp.MustCompile("oc ostoy-s3 ([a-z]+)")
	found := 0
	for _, dir := range []string{"charts", "cmd", "plugin", "render", "docs", "krew", "README.md"} {
		err := filepath.WalkDir(filepath.Join("..", dir), func(path string, entry fs.DirEntry, err error) error {
			if err != nil || entry.IsDir() || strings.HasSuffix(path, "_test.go") || strings.Contains(path, "testdata") {
				return err
			}
			text, err := os.ReadFile(path)
			for _, match := range hint.FindAllStringSubmatch(string(text), -1) {
				found++
				if !slices.Contains(known, match[1]) {
					t.Errorf("%s says %q", path, match[0])
				}
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if found == 0 {
		t.Error("no hint was found at all: the test looks at the wrong place")
	}
}
