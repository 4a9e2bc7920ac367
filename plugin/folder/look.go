// Package folder brings the files of a layout to the disk and keeps them there:
// it writes what is missing or stale, removes what an earlier run made and this
// one does not, and leaves everything else alone. The use case render calls it.
//
// A file is ours if its first line says so (layout.Made); nothing else is ever
// written over or removed. No link is followed out of the directory. It knows
// neither what the files say nor a cluster or a cloud.
package folder

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// State is how a file on the disk is.
type State string

// The states of a file that is not as it should be.
const (
	Missing  State = "missing"
	Stale    State = "stale"
	LeftOver State = "left over"
)

// Change is a file that is not as it should be.
type Change struct {
	Path  string // from the directory, with slashes
	State State
	data  []byte // what it should hold; nil for one left over
}

// Plan is what makes a directory as it should be.
type Plan struct {
	Dir     string
	Changes []Change // in the order they are made
	Fresh   int      // files that are as they should be
}

// Name is a file of the plan as its user would type it.
func (p Plan) Name(c Change) string { return filepath.Join(p.Dir, filepath.FromSlash(c.Path)) }

// Look compares a directory, which need not be there, with the files that
// should be in it. It writes nothing. Whatever is in the way of one of them is
// a *problem.Error, or several of them in a *problem.Several: a directory
// that is none, a file that is not ours, a link.
func Look(dir string, files []layout.File) (Plan, error) {
	plan := Plan{Dir: dir}
	root, err := os.OpenRoot(dir)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		for _, file := range files {
			plan.Changes = append(plan.Changes, Change{file.Path, Missing, file.Data})
		}
		return plan, nil
	case err != nil:
		return plan, unusable(dir, err)
	}
	defer root.Close()
	var inTheWay []*problem.Error
	for _, file := range files {
		change, err := look(root, file)
		var obstacle *problem.Error
		switch {
		case errors.As(err, &obstacle):
			name := filepath.Join(dir, filepath.FromSlash(obstacle.What))
			obstacle.What = name + " is in the way"
			inTheWay = append(inTheWay, obstacle.With(problem.Alike{Objects: []problem.Object{{Name: name}}, Noun: "path", Are: "are in the way"}))
		case err != nil:
			return plan, unusable(dir, err)
		case change.State == "":
			plan.Fresh++
		default:
			plan.Changes = append(plan.Changes, change)
		}
	}
	if len(inTheWay) > 0 {
		return plan, &problem.Several{Problems: problem.Merge(inTheWay), Note: "nothing was written"}
	}
	left, err := leftOver(root, files)
	if err != nil {
		return plan, unusable(dir, err)
	}
	plan.Changes = append(plan.Changes, left...)
	return plan, nil
}

// look compares one file. What is in the way of it is a *problem.Error that
// names it by its path.
func look(root *os.Root, file layout.File) (Change, error) {
	if err := parents(root, file.Path); err != nil {
		return Change{}, err
	}
	if err := rival(root, file.Path); err != nil {
		return Change{}, err
	}
	info, err := root.Lstat(file.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return Change{file.Path, Missing, file.Data}, nil
	}
	if err != nil {
		return Change{}, err
	}
	if !info.Mode().IsRegular() {
		return Change{}, obstacle(file.Path, "it is "+what(info)+", where a file is to be written")
	}
	data, err := root.ReadFile(file.Path)
	switch {
	case err != nil:
		return Change{}, err
	case !layout.Made(file.Path, data):
		return Change{}, obstacle(file.Path, "its first line does not say that this command made it, so it is yours")
	case layout.Same(file.Data, data):
		return Change{}, nil
	}
	return Change{file.Path, Stale, file.Data}, nil
}

// parents looks at the directories on the way to a file.
func parents(root *os.Root, name string) error {
	for at, c := range name {
		if c != '/' {
			continue
		}
		info, err := root.Lstat(name[:at])
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		if !info.IsDir() {
			return obstacle(name[:at], "it is "+what(info)+", where a directory is to be made")
		}
	}
	return nil
}

// rival looks for a kustomization file by another name: kustomize reads no
// directory that has two.
func rival(root *os.Root, name string) error {
	dir, base := path.Split(name)
	if base != "kustomization.yaml" {
		return nil
	}
	for _, other := range []string{"kustomization.yml", "Kustomization"} {
		if _, err := root.Lstat(dir + other); err == nil {
			return obstacle(dir+other, "kustomize reads no directory with two kustomization files")
		}
	}
	return nil
}

func obstacle(name, why string) error {
	return problem.Input(name, why, "move it away, or give another --output-dir")
}

func what(info fs.FileInfo) string {
	switch {
	case info.IsDir():
		return "a directory"
	case info.Mode()&fs.ModeSymlink != 0:
		return "a link"
	case info.Mode().IsRegular():
		return "a file"
	}
	return "neither a file nor a directory"
}

// leftOver finds the files that an earlier run made and this one does not,
// among them those that were never finished. It looks only where layouts have
// files: a directory of the user's may be large, and what is in it is theirs.
func leftOver(root *os.Root, files []layout.File) ([]Change, error) {
	wanted := map[string]bool{}
	for _, file := range files {
		wanted[file.Path] = true
	}
	var left []Change
	all, err := allMade(root)
	for _, name := range all {
		if !wanted[name] {
			left = append(left, Change{Path: name, State: LeftOver})
		}
	}
	return left, err
}

// allMade are the files that are ours.
func allMade(root *os.Root) (names []string, err error) {
	for _, pattern := range layout.Places() {
		found, err := fs.Glob(root.FS(), pattern)
		if err != nil {
			return nil, err
		}
		names = append(names, slices.DeleteFunc(found, func(name string) bool { return !made(root, name) })...)
	}
	return names, nil
}

// made reports whether a file is ours. One that cannot be read is not.
func made(root *os.Root, name string) bool {
	if parents(root, name) != nil {
		return false
	}
	info, err := root.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		return false
	}
	file, err := root.Open(name)
	if err != nil {
		return false
	}
	defer file.Close()
	// Enough for the first line with the line end of any system.
	head, err := io.ReadAll(io.LimitReader(file, int64(len(layout.Mark(name))+len("\r\n"))))
	return err == nil && (layout.Made(name, head) || layout.Abandoned(name, head))
}

func unusable(dir string, err error) error {
	return problem.Input("output directory "+dir,
		"cannot be used: "+reason(err),
		"give --output-dir a directory that you may write to, or one that is not there yet").Because(err)
}

// reason is an error without the names of system calls.
func reason(err error) string {
	var at *fs.PathError
	if errors.As(err, &at) {
		return strings.TrimPrefix(at.Path+": ", ".: ") + at.Err.Error()
	}
	return err.Error()
}

// HasValue reports whether a file that an earlier run created has a line of YAML that ends
// in this value. A directory that cannot be read has none: Look says why.
func HasValue(dir, value string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer root.Close()
	names, _ := allMade(root)
	return slices.ContainsFunc(names, func(name string) bool { return hasValue(root, name, value) })
}

func hasValue(root *os.Root, name, value string) bool {
	data, err := root.ReadFile(name)
	if err != nil {
		return false
	}
	for line := range strings.Lines(string(data)) {
		if strings.HasSuffix(strings.TrimRight(line, "\r\n\"' "), value) {
			return true
		}
	}
	return false
}
