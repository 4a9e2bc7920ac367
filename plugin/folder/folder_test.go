package folder

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// file is a file as a layout makes it.
func file(name, text string) layout.File {
	return layout.File{Path: name, Data: []byte(layout.Mark(name) + text + "\n")}
}

// put writes a file of the user's.
func put(t *testing.T, dir, name, text string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
}

// write looks and writes, and gives what it did.
func write(t *testing.T, dir string, files ...layout.File) []string {
	t.Helper()
	plan, err := Look(dir, files)
	if err != nil {
		t.Fatal(err)
	}
	did := []string{}
	if err := plan.Write(t.Context(), func(c Change) { did = append(did, string(c.State)+" "+c.Path) }); err != nil {
		t.Fatal(err)
	}
	if again, err := Look(dir, files); err != nil || len(again.Changes) > 0 || again.Fresh != len(files) {
		t.Errorf("after the run there is still to do: %v %v", again.Changes, err)
	}
	return did
}

// snapshot is every file below a directory: its content, and when it was written.
func snapshot(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := os.Lstat(path)
		if err != nil {
			return err
		}
		data, _ := os.ReadFile(path)
		name, err := filepath.Rel(dir, path)
		all[filepath.ToSlash(name)] = info.Mode().String() + info.ModTime().Format(time.RFC3339Nano) + string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func want(t *testing.T, what string, got, want any) {
	t.Helper()
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
}

func TestSecondRunWritesOnlyWhatChanged(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "not", "yet", "there")
	one, two, list := file("one.yaml", "1"), file("two.yaml", "2"), file("kustomization.yaml", "both")
	want(t, "first run", write(t, dir, one, two, list), []string{"missing one.yaml", "missing two.yaml", "missing kustomization.yaml"})
	put(t, dir, "notes.yaml", "mine")
	put(t, dir, "base/mine.yaml", "mine")
	before := snapshot(t, dir)
	want(t, "second run", write(t, dir, one, two, list), []string{})
	want(t, "after the second run", snapshot(t, dir), before)

	list = file("kustomization.yaml", "one")
	want(t, "third run", write(t, dir, one, list), []string{"stale kustomization.yaml", "left over two.yaml"})
	after := snapshot(t, dir)
	for _, name := range []string{"one.yaml", "notes.yaml", "base/mine.yaml"} {
		want(t, name, after[name], before[name])
	}
	if len(after) != 4 {
		t.Errorf("files are %v", after)
	}
}

func TestDirectoriesOfOursGoWithTheirFiles(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, file("base/a.yaml", "a"), file("clusters/east/a.yaml", "a"), file("clusters/west/a.yaml", "a"))
	put(t, dir, "clusters/west/mine", "mine")
	want(t, "flat", write(t, dir, file("a.yaml", "a")), []string{
		"missing a.yaml", "left over base/a.yaml", "left over clusters/east/a.yaml", "left over clusters/west/a.yaml",
	})
	for name, there := range map[string]bool{"base": false, "clusters/east": false, "clusters/west/mine": true} {
		if _, err := os.Lstat(filepath.Join(dir, name)); (err == nil) != there {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What another run keeps in a directory below, and copies, are not ours.
func TestOthersFilesStay(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "base"), file("a.yaml", "of another run"))
	put(t, dir, "copy.yaml", string(file("a.yaml", "1").Data))
	put(t, dir, ".a.yaml.7.ostoy-s3.tmp", "not of ours")
	before := snapshot(t, dir)
	write(t, dir, file("a.yaml", "1"))
	after := snapshot(t, dir)
	delete(after, "a.yaml")
	want(t, "files of others", after, before)
}

func TestInterruptedRunIsMended(t *testing.T) {
	dir := t.TempDir()
	files := []layout.File{file("a.yaml", "new"), file("clusters/east/b.yaml", "new"), file("kustomization.yaml", "new")}
	write(t, dir, file("a.yaml", "old"), file("gone.yaml", "old"), file("kustomization.yaml", "old"))
	for after := range len(files) + 1 {
		plan, err := Look(dir, files)
		if err != nil {
			t.Fatal(err)
		}
		ctx, cancel := context.WithCancel(t.Context())
		if err := plan.Write(ctx, func(Change) { cancel() }); len(plan.Changes) > 1 && !errors.Is(err, context.Canceled) {
			t.Errorf("run %d was not cut off: %v", after, err)
		}
		cancel()
	}
	// Killed between writing and renaming: what it left goes in the next run.
	for _, name := range []string{"a.yaml", "clusters/east/b.yaml"} {
		put(t, dir, layout.Temporary(name, "1"), layout.Mark(name)[:9])
	}
	if did := write(t, dir, files...); len(did) != 2 {
		t.Errorf("the last run did %q", did)
	}
	if got := snapshot(t, dir); len(got) != len(files) {
		t.Errorf("files are %v", got)
	}
}

func TestInTheWay(t *testing.T) {
	outside := t.TempDir()
	put(t, outside, "theirs.yaml", string(file("a.yaml", "old").Data))
	for name, c := range map[string]struct {
		prepare func(t *testing.T, dir string)
		says    string
	}{
		"file of the user's": {func(t *testing.T, dir string) { put(t, dir, "a.yaml", "mine") }, "it is yours"},
		"directory":          {func(t *testing.T, dir string) { put(t, dir, "a.yaml/x", "mine") }, "it is a directory"},
		"link out":           {func(t *testing.T, dir string) { link(t, filepath.Join(outside, "theirs.yaml"), dir, "a.yaml") }, "it is a link"},
		"link for a folder":  {func(t *testing.T, dir string) { link(t, outside, dir, "base") }, "where a directory is to be made"},
		"file for a folder":  {func(t *testing.T, dir string) { put(t, dir, "base", "mine") }, "it is a file"},
		"other list":         {func(t *testing.T, dir string) { put(t, dir, "kustomization.yml", "mine") }, "two kustomization files"},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			c.prepare(t, dir)
			before, theirs := snapshot(t, dir), snapshot(t, outside)
			_, err := Look(dir, []layout.File{file("b.yaml", ""), file("a.yaml", ""), file("base/c.yaml", ""), file("kustomization.yaml", "")})
			var several *problem.Several
			if !errors.As(err, &several) || several.Kind() != problem.Usage || !strings.Contains(err.Error(), c.says) || !strings.Contains(err.Error(), dir) {
				t.Errorf("got %v, want %q", err, c.says)
			}
			want(t, "the directory", snapshot(t, dir), before)
			want(t, "what the link leads to", snapshot(t, outside), theirs)
		})
	}
}

// TestManyInTheWay: whatever is in the way is one problem, with each reason once.
func TestManyInTheWay(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "a.yaml", "mine")
	put(t, dir, "b.yaml", "mine")
	put(t, dir, "base", "mine")
	_, err := Look(dir, []layout.File{file("a.yaml", ""), file("b.yaml", ""), file("base/c.yaml", ""), file("base/d.yaml", "")})
	several, is := errors.AsType[*problem.Several](err)
	if !is || len(several.Problems) != 1 {
		t.Fatalf("%v", err)
	}
	a, b, base := filepath.Join(dir, "a.yaml"), filepath.Join(dir, "b.yaml"), filepath.Join(dir, "base")
	told := several.Problems[0]
	if told.What != "3 paths are in the way: "+strings.Join([]string{a, b, base}, ", ") || strings.Count(told.Why, "it is yours") != 1 || strings.Count(told.Why, "it is a file") != 1 {
		t.Errorf("%s\n%s", told.What, told.Why)
	}
}

// Nothing is removed beyond a link either.
func TestLeftOverBehindLinks(t *testing.T) {
	dir, outside := t.TempDir(), t.TempDir()
	put(t, outside, "c.yaml", string(file("base/c.yaml", "old").Data))
	link(t, outside, dir, "base")
	link(t, filepath.Join(outside, "c.yaml"), dir, "c.yaml")
	before := snapshot(t, outside)
	write(t, dir, file("a.yaml", "1"))
	want(t, "what the links lead to", snapshot(t, outside), before)
	if _, err := os.Lstat(filepath.Join(dir, "c.yaml")); err != nil {
		t.Error(err)
	}
}

func link(t *testing.T, to, dir, name string) {
	t.Helper()
	if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func TestUnusableDirectory(t *testing.T) {
	dir := t.TempDir()
	put(t, dir, "file", "mine")
	for name, path := range map[string]string{
		"a file": filepath.Join(dir, "file"), "below a file": filepath.Join(dir, "file", "sub"),
	} {
		plan, err := Look(path, []layout.File{file("a.yaml", "")})
		if err == nil {
			err = plan.Write(t.Context(), func(Change) {})
		}
		var input *problem.Error
		if !problem.IsInput(err) || !errors.As(err, &input) || !strings.Contains(input.What, path) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	// A disk that is full, or a right that is missing: what is there stays whole.
	plan, err := Look(dir, []layout.File{file("sub/a.yaml", "")})
	if err != nil {
		t.Fatal(err)
	}
	put(t, dir, "sub", "a file since")
	var failed *problem.Error
	if err := plan.Write(t.Context(), func(Change) {}); !errors.As(err, &failed) || failed.Kind != problem.Failed || !strings.Contains(failed.What, "a.yaml") {
		t.Errorf("got %v", err)
	}
}

// TestHasValue: only files that an earlier run made count, and only whole values.
func TestHasValue(t *testing.T) {
	dir := t.TempDir()
	write(t, dir, file("base/a.yaml", "    role: one\r\n    quoted: \"two\"\n    longer: three4\n"))
	put(t, dir, "base/mine.yaml", "role: mine\n")
	for value, want := range map[string]bool{"one": true, "two": true, "three": false, "mine": false} {
		if got := HasValue(dir, value); got != want {
			t.Errorf("%q: %v", value, got)
		}
	}
	if HasValue(filepath.Join(dir, "not", "there"), "one") {
		t.Error("a directory that does not exist has a value")
	}
}
