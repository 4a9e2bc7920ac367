// Package layout decides which files a directory of manifests consists of: one
// for each object, and the kustomization.yaml that lists them in apply order. A
// build of that directory gives the objects of plain render, in its order.
//
// The use case render calls it and brings the files to the disk. Nothing here
// knows a disk, a cluster or what the objects mean: the same objects give the
// same files on every machine.
package layout

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"path"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
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
func Made(name string, data []byte) bool { return bytes.HasPrefix(unixLines(data), []byte(Mark(name))) }

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

// Flat is the directory of one set of objects: a file for each, and the
// kustomization.yaml that lists them in the order given. header is comment
// lines for its reader, each ending with a newline.
func Flat(objects []*unstructured.Unstructured, header string) ([]File, error) {
	stems := names(objects)
	files := make([]File, 0, len(objects)+1)
	for i, object := range objects {
		text, err := document(object)
		if err != nil {
			return nil, err
		}
		files = append(files, newFile(stems[i], text))
	}
	list, err := listing(kustomization, header, map[string]any{"resources": stems})
	if err != nil {
		return nil, err
	}
	return append(files, list), nil
}

// document is an object as plain render writes it.
func document(object *unstructured.Unstructured) ([]byte, error) {
	text, err := render.YAML([]*unstructured.Unstructured{object})
	return bytes.TrimPrefix(text, []byte("---\n")), err
}

// listing is a kustomization file. The order of its resources is kept only if
// it says so, which kustomize 5 (kubectl 1.27) was the first to understand.
func listing(name, header string, content map[string]any) (File, error) {
	content["apiVersion"] = "kustomize.config.k8s.io/v1beta1"
	content["kind"] = "Kustomization"
	content["sortOptions"] = map[string]any{"order": "fifo"}
	text, err := yaml.Marshal(content)
	if err != nil {
		return File{}, err
	}
	return newFile(name, append([]byte(header), text...)), nil
}

// maxStem keeps a file name, its hash and its suffix within the 255 bytes that
// file systems allow; kind and name of an object may have 63 and 253.
const maxStem = 180

// names gives each object its file name, in the same order: kind and name in
// lower case. It depends on the object alone, unless two objects would share a
// name; these, and the objects whose name is too long, have eight hex digits of
// what tells them apart behind it.
func names(objects []*unstructured.Unstructured) []string {
	stems, users := make([]string, len(objects)), map[string]int{}
	for i, object := range objects {
		stems[i] = safe(object.GetKind() + "-" + object.GetName())
		users[stems[i]]++
	}
	for i, object := range objects {
		stem := stems[i]
		if users[stem] > 1 || len(stem) > maxStem {
			stem = stem[:min(len(stem), maxStem)] + "-" + digest(object)
		}
		stems[i] = stem + ".yaml"
	}
	return stems
}

// safe is text as any file system can have it. What Windows forbids in names
// (colons, for example, which names of RBAC objects have) becomes a hyphen;
// upper and lower case are the same there. The devices whose names it keeps to
// itself have no hyphen, and a stem always has one.
func safe(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r >= 'a' && r <= 'z', r >= '0' && r <= '9', r == '.', r == '-':
			return r
		case r >= 'A' && r <= 'Z':
			return r + ('a' - 'A')
		}
		return '-'
	}, text)
}

// digest tells objects apart that safe makes alike.
func digest(object *unstructured.Unstructured) string {
	const digits = 8
	group := object.GroupVersionKind().Group
	sum := sha256.Sum256([]byte(strings.Join([]string{group, object.GetKind(), object.GetNamespace(), object.GetName()}, "\n")))
	return hex.EncodeToString(sum[:])[:digits]
}
