package iam

import "slices"

// like compares as IAM's patterns do: * is any text, ? any one character ("IAM JSON
// policy elements: Resource" of the IAM User Guide).
func like(pattern, text string) bool {
	p, t := []rune(pattern), []rune(text)
	at, star, resume := 0, -1, 0
	for i := 0; i < len(t); {
		switch {
		case at < len(p) && p[at] == '*':
			star, resume = at, i
			at++
		case at < len(p) && (p[at] == '?' || p[at] == t[i]):
			at++
			i++
		case star >= 0: // the last star takes one character more
			resume++
			at, i = star+1, resume
		default:
			return false
		}
	}
	for at < len(p) && p[at] == '*' {
		at++
	}
	return at == len(p)
}

// MatchPattern reports whether a bucket pattern matches the name of a bucket.
func MatchPattern(pattern, name string) bool { return like(pattern, name) }

// maxCompared bounds the work of CoversPattern: two patterns can be made that take
// very long. The names of buckets have no such patterns.
const maxCompared = 20000

// CoversPattern reports whether a pattern matches everything that another one does.
// Where that takes too long to find out it says no.
func CoversPattern(general, special string) bool {
	g, s := []rune(general), []rune(special)
	letters := lettersOf(g, s)
	first := compared{0, string(closure(g, make([]byte, len(g)+1), 0))}
	seen, todo := map[compared]bool{first: true}, []compared{first}
	for len(todo) > 0 {
		if len(seen) > maxCompared {
			return false
		}
		one := todo[len(todo)-1]
		todo = todo[:len(todo)-1]
		if one.at == len(s) {
			if one.reached[len(g)] == 0 {
				return false
			}
			continue
		}
		for _, next := range one.after(g, s[one.at], letters) {
			if !seen[next] {
				seen[next] = true
				todo = append(todo, next)
			}
		}
	}
	return true
}

// compared is a place in the special pattern, and with it all places that the general
// one may be at after the same text: a byte for each, 1 where it may.
type compared struct {
	at      int
	reached string
}

// after are the places that come next.
func (c compared) after(general []rune, sign rune, letters []rune) []compared {
	switch sign {
	case '*': // ends here, or takes one more character
		next := []compared{{c.at + 1, c.reached}}
		for _, letter := range letters {
			next = append(next, compared{c.at, step(general, c.reached, letter)})
		}
		return next
	case '?':
		var next []compared
		for _, letter := range letters {
			next = append(next, compared{c.at + 1, step(general, c.reached, letter)})
		}
		return next
	}
	return []compared{{c.at + 1, step(general, c.reached, sign)}}
}

// step are the places after one more character.
func step(pattern []rune, reached string, letter rune) string {
	next := make([]byte, len(pattern)+1)
	for at, sign := range pattern {
		switch {
		case reached[at] == 0:
		case sign == '*':
			next = closure(pattern, next, at)
		case sign == '?', sign == letter:
			next = closure(pattern, next, at+1)
		}
	}
	return string(next)
}

// closure marks a place, and those behind the stars that begin there.
func closure(pattern []rune, reached []byte, at int) []byte {
	reached[at] = 1
	for at < len(pattern) && pattern[at] == '*' {
		at++
		reached[at] = 1
	}
	return reached
}

// lettersOf are the characters of both patterns, and one that is in neither.
func lettersOf(patterns ...[]rune) []rune {
	letters := []rune{0}
	for _, pattern := range patterns {
		for _, sign := range pattern {
			if sign != '*' && sign != '?' && !slices.Contains(letters, sign) {
				letters = append(letters, sign)
			}
		}
	}
	return letters
}

// restsAfter are the patterns that are left of one after a text that it begins with,
// one for each way in which it can: of "a*b" after "ac" it is "*b". None is part of
// another that is longer by a star.
func restsAfter(pattern, text string) []string {
	p := []rune(pattern)
	reached := string(closure(p, make([]byte, len(p)+1), 0))
	for _, letter := range text {
		reached = step(p, reached, letter)
	}
	var rests []string
	for at := range reached {
		if reached[at] == 1 && (at == 0 || p[at-1] != '*' || reached[at-1] == 0) {
			rests = append(rests, string(p[at:]))
		}
	}
	return rests
}
