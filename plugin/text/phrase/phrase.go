// Package phrase counts and lists things in a sentence. It knows nothing of what they are.
package phrase

import (
	"fmt"
	"strings"
)

// Count is a number of things: "1 object", "3 objects", "2 NetworkPolicies".
func Count[N int | int32 | int64](n N, what string) string {
	switch stem, y := strings.CutSuffix(what, "y"); {
	case n == 1:
	case y:
		what = stem + "ies"
	case strings.HasSuffix(what, "s"):
		what += "es"
	default:
		what += "s"
	}
	return fmt.Sprintf("%d %s", n, what)
}

// Few names the first five of many: "a, b, c, d, e and 2 more".
func Few(names []string) string {
	const most = 5
	if len(names) <= most {
		return strings.Join(names, ", ")
	}
	return fmt.Sprintf("%s and %d more", strings.Join(names[:most], ", "), len(names)-most)
}
