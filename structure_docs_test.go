package ostoys3_test

import (
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// pages gives the text of every page a user reads, by path.
func pages(t *testing.T) map[string]string {
	t.Helper()
	texts := map[string]string{}
	read := func(name string) {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		texts[filepath.ToSlash(name)] = string(data)
	}
	read("README.md")
	read("CONTRIBUTING.md")
	read(securityPolicy)
	err := filepath.WalkDir("docs", func(name string, d fs.DirEntry, err error) error {
		if err == nil && strings.HasSuffix(name, ".md") {
			read(name)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return texts
}

// brokenLinks names the links of a page that lead to no file, and to no
// heading where they end in one.
func brokenLinks(page, text string, exists func(string) (string, bool)) []string {
	var broken []string
	for _, match := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(text, -1) {
		file, heading, _ := strings.Cut(match[1], "#")
		if strings.Contains(file, "://") {
			continue
		}
		target := path.Join(path.Dir(page), file)
		if file == "" {
			target = page
		}
		content, ok := exists(target)
		if !ok || heading != "" && !slices.Contains(anchors(content), heading) {
			broken = append(broken, match[1])
		}
	}
	return broken
}

// anchors are the names under which a page's headings can be linked to.
func anchors(text string) []string {
	var names []string
	for _, match := range regexp.MustCompile(`(?m)^#+ (.*)$`).FindAllStringSubmatch(text, -1) {
		plain := regexp.MustCompile(`[^\w -]`).ReplaceAllString(strings.ToLower(match[1]), "")
		names = append(names, strings.ReplaceAll(plain, " ", "-"))
	}
	return names
}

func TestLinksLeadSomewhere(t *testing.T) {
	onDisk := func(name string) (string, bool) {
		if info, err := os.Stat(name); err != nil || info.IsDir() {
			return "", err == nil
		}
		data, err := os.ReadFile(name)
		return string(data), err == nil
	}
	for page, text := range pages(t) {
		for _, link := range brokenLinks(page, text, onDisk) {
			t.Errorf("%s: the link to %s leads nowhere", page, link)
		}
	}
}

func TestBrokenLinksAreFound(t *testing.T) {
	exists := func(name string) (string, bool) { return "# There\n## In `sight`", name == "docs/a.md" }
	for link, want := range map[string]bool{
		"a.md": false, "b.md": true, "a.md#in-sight": false, "a.md#gone": true, "https://example.com": false,
	} {
		if got := len(brokenLinks("docs/x.md", "see [it]("+link+")", exists)) > 0; got != want {
			t.Errorf("link %s: broken is %v, want %v", link, got, want)
		}
	}
}

// Every page of a check answers the same questions, in the same order.
func TestCheckPagesAnswerTheQuestions(t *testing.T) {
	all := pages(t)
	for page, text := range all {
		if path.Dir(page) != "docs/checks" {
			continue
		}
		id := strings.TrimSuffix(path.Base(page), ".md")
		at := 0
		parts := []string{"# " + id + "\n", "**What it checks**", "**Why it matters.**", "**Resolution**", "**References**"}
		for _, part := range parts {
			next := strings.Index(text[at:], part)
			if next < 0 {
				t.Errorf("%s: no %q, or not in its place", page, part)
				break
			}
			at += next + len(part)
		}
		if !strings.Contains(all["docs/README.md"], "(checks/"+id+".md)") {
			t.Errorf("%s is not in the list of docs/README.md", page)
		}
	}
}

// A message that sends its reader to a page must not send them into the void:
// neither by naming the page, nor by the id of a check.
func TestPagesNamedInTheCodeExist(t *testing.T) {
	all := pages(t)
	named := regexp.MustCompile(`docs/[a-z/-]+\.md`)
	id := regexp.MustCompile(`\bID\w*\s*[:=]\s*"([a-z0-9-]+)"`)
	for _, f := range moduleFiles(t) {
		data, err := os.ReadFile(f.path)
		if err != nil {
			t.Fatal(err)
		}
		want := named.FindAllString(string(data), -1)
		if f.dir() == "plugin/check" {
			for _, match := range id.FindAllStringSubmatch(string(data), -1) {
				want = append(want, "docs/checks/"+match[1]+".md")
			}
		}
		for _, page := range want {
			if all[page] == "" {
				t.Errorf("%s names %s, which is not there", f.path, page)
			}
		}
	}
}
