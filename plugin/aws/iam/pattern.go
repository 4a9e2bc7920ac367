package iam

import (
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// like compares as IAM's patterns do: * is any text, ? any one character ("IAM JSON
// policy elements: Resource" of the IAM User Guide).
func like(pattern, text string) bool {
	p := []rune(pattern)
	return reachedBy(p, text)[len(p)] == 1
}

// reachedBy are the places that a pattern may be at after a text: a byte for each, 1 where
// it may.
func reachedBy(pattern []rune, text string) string {
	reached := string(closure(pattern, make([]byte, len(pattern)+1), 0))
	for _, letter := range text {
		reached = step(pattern, reached, letter)
	}
	return reached
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
	first := compared{0, reachedBy(g, "")}
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
// one may be at after the same text (reachedBy).
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

// closure marks a place, and those behind the stars that begin there, up to one that is
// marked already.
func closure(pattern []rune, reached []byte, at int) []byte {
	reached[at] = 1
	for at < len(pattern) && pattern[at] == '*' && reached[at+1] == 0 {
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
	reached := reachedBy(p, text)
	var rests []string
	for at := range reached {
		if reached[at] == 1 && (at == 0 || p[at-1] != '*' || reached[at-1] == 0) {
			rests = append(rests, string(p[at:]))
		}
	}
	return rests
}

// configures are actions by which a bucket, or who reads its objects, can be changed.
// Those on objects are not among them: the controller sends none for a Bucket.
func configures() []string {
	return []string{
		"s3:PutBucketPolicy", "s3:DeleteBucketPolicy", "s3:PutBucketAcl", "s3:PutBucketPublicAccessBlock",
		"s3:PutBucketOwnershipControls", "s3:PutLifecycleConfiguration", "s3:PutReplicationConfiguration",
		"s3:PutEncryptionConfiguration", "s3:PutBucketTagging", "s3:PutBucketWebsite", "s3:DeleteBucketWebsite",
		"s3:PutBucketCORS", "s3:DeleteBucket", "s3:PutBucketVersioning", "s3:PutBucketLogging", "s3:PutBucketNotification",
		"s3:PutBucketObjectLockConfiguration", "s3:PutBucketRequestPayment", "s3:PutInventoryConfiguration",
		"s3:PutAnalyticsConfiguration", "s3:PutMetricsConfiguration", "s3:PutAccelerateConfiguration",
		"s3:PutIntelligentTieringConfiguration", "s3:TagResource", "s3:UntagResource",
	}
}

// coversAny reports whether patterns match every name of a bucket: three characters or
// more, of which the first and the last are letters or digits ("General purpose bucket
// naming rules" of the S3 User Guide). Several together may do so by their first or
// their last character.
func coversAny(patterns []string) bool {
	every := func(special func(string) string) bool {
		for _, letter := range "abcdefghijklmnopqrstuvwxyz0123456789" {
			if !slices.ContainsFunc(patterns, func(p string) bool { return CoversPattern(p, special(string(letter))) }) {
				return false
			}
		}
		return true
	}
	return every(func(letter string) string { return letter + "??*" }) || every(func(letter string) string { return "*??" + letter })
}

// bucketPatterns are the patterns of buckets' names in a resource of a policy; none
// where it matches no bucket. A wildcard may stand for a part of the ARN, too, as in
// "*", arn:aws:s3:*-bucket and arn:aws:s3:*:*:*: for each way in which the resource
// begins like the ARN of a bucket, the rest is a pattern of names.
func bucketPatterns(resource string) []string {
	var patterns []string
	for _, partition := range render.Partitions() {
		for _, rest := range restsAfter(resource, render.BucketARN(partition, "")) {
			if rest != "" && !strings.ContainsAny(rest, "/:") {
				patterns = append(patterns, rest)
			}
		}
	}
	return patterns
}

// PolicyReach is the reach of the policy of a controller's role, by the text that IAM
// gives. Patterns has a star alone for every bucket.
func PolicyReach(text, account string) Reach {
	if text == "" {
		return Reach{}
	}
	r := reachOfText(PolicyName, text, account)
	if r.Any {
		r.Patterns = []string{"*"}
	}
	return r
}

// PolicyPattern is the one pattern that the policy of a controller's role is for; ""
// where it has none, or several.
func PolicyPattern(text, account string) string {
	r := PolicyReach(text, account)
	if r.Any || r.Unknown == "" && len(r.Patterns) == 1 && CheckBucketPattern(r.Patterns[0]) == nil {
		return r.Patterns[0]
	}
	return ""
}
