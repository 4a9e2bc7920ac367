package folder

import (
	"io/fs"
	"os"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/layout"
)

// HasValue reports whether a file that an earlier run created has a line of YAML that ends
// in this value. A directory that cannot be read has none: Look says why.
func HasValue(dir, value string) bool {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return false
	}
	defer root.Close()
	for _, pattern := range layout.Places() {
		names, _ := fs.Glob(root.FS(), pattern) // the pattern is a constant
		for _, name := range names {
			if made(root, name) && hasValue(root, name, value) {
				return true
			}
		}
	}
	return false
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
