// Package phrase counts and lists things in a sentence. It knows nothing of what they are.
package phrase

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
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

// Either offers a choice: "a", "a or b", "a, b or c".
func Either(names []string) string {
	last := len(names) - 1
	if last < 1 {
		return strings.Join(names, "")
	}
	return strings.Join(names[:last], ", ") + " or " + names[last]
}

// Similar are those of the names that somebody who typed word may have meant, the most
// similar first, at most three: with few letters to change, or word with something before
// or after it.
func Similar(word string, names []string) []string {
	const most = 3
	limit := min(2, (len(word)+1)/3)
	far := map[string]int{}
	for _, name := range names {
		switch n := distance(word, name); {
		case n <= limit:
			far[name] = n
		case len(word) > limit && (strings.HasPrefix(name, word) || strings.HasSuffix(name, word)):
			far[name] = limit + 1
		}
	}
	similar := slices.SortedFunc(maps.Keys(far), func(a, b string) int { return cmp.Or(far[a]-far[b], cmp.Compare(a, b)) })
	return similar[:min(most, len(similar))]
}

// distance is how many letters are to be added, deleted, replaced or swapped with the next
// one to make one word of the other.
func distance(from, to string) int {
	var before, last []int // rows of the table
	for i := range len(from) + 1 {
		row := make([]int, len(to)+1)
		for j := range row {
			switch {
			case i == 0 || j == 0:
				row[j] = i + j
				continue
			case from[i-1] == to[j-1]:
				row[j] = last[j-1]
			default:
				row[j] = 1 + min(last[j-1], last[j], row[j-1])
			}
			if i > 1 && j > 1 && from[i-1] == to[j-2] && from[i-2] == to[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
		before, last = last, row
	}
	return last[len(to)]
}
