package layout

import (
	"bytes"
	"path"
	"strings"
)

// File is one file of a directory.
type File struct {
	Path string // from the directory, with slashes on every system
	Data []byte // ends with a newline
}

// kustomization is the file name that kustomize looks for first.
const kustomization = "kustomization.yaml"

// madeBy ends the first line of every file; the file's own path stands before.
const madeBy = `: made by "oc ostoy-s3 render --output-dir", which overwrites and removes it`

// newFile is a file with its first line, by which it is recognised.
func newFile(name string, content []byte) File {
	return File{Path: name, Data: append([]byte(Mark(name)), content...)}
}

// Mark is the first line of the file of that path, its newline included. The
// path is in it so that neither a copy nor what another run keeps in a
// directory below is taken for one of our files.
func Mark(name string) string { return "# " + name + madeBy + "\n" }

// Made reports whether data, found under a path, is what we wrote there, today
// or with other facts. Line ends may have become those of Windows: git does that.
func Made(name string, data []byte) bool {
	return bytes.HasPrefix(unixLines(data), []byte(Mark(name)))
}

// Same reports whether two contents differ by no more than their line ends.
func Same(a, b []byte) bool { return bytes.Equal(unixLines(a), unixLines(b)) }

func unixLines(data []byte) []byte { return bytes.ReplaceAll(data, []byte("\r\n"), []byte("\n")) }

// Temporary is the name under which a file is written before it takes its
// place. unique tells runs at the same time apart.
func Temporary(name, unique string) string {
	dir, base := path.Split(name)
	return dir + "." + base + "." + unique + tmpSuffix
}

const tmpSuffix = ".ostoy-s3.tmp"

// Abandoned reports whether a file is one that an interrupted run left behind:
// it has such a name, and in it is the beginning of one of our files.
func Abandoned(name string, data []byte) bool {
	dir, base := path.Split(name)
	inner, ok := strings.CutSuffix(base, tmpSuffix)
	inner, dotted := strings.CutPrefix(inner, ".")
	dot := strings.LastIndex(inner, ".")
	if !ok || !dotted || dot < 0 {
		return false
	}
	mark := []byte(Mark(dir + inner[:dot]))
	return bytes.HasPrefix(data, mark) || bytes.HasPrefix(mark, data)
}

// Places are the patterns (path.Match) of where the files of any layout are,
// those that an interrupted run left behind included.
func Places() []string {
	var all []string
	for _, dir := range []string{"", baseDir + "/", clustersDir + "/*/"} {
		all = append(all, dir+"*.yaml", dir+".*"+tmpSuffix)
	}
	return all
}

// The directories of a tree.
const (
	baseDir     = "base"
	clustersDir = "clusters"
)
