package layout

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

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
