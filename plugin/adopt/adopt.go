// Package adopt is the value of --adopt: what a command may take over although this tool
// did not make it. It is a set of words and knows nothing of what they allow.
package adopt

// Set is what --adopt allows a command to manage although ostoy-s3 did not make it, or
// nothing proves that it did: a set of the words of the flag.
type Set uint8

// The words of --adopt, in the order in which Words has them.
const (
	Tutorial Set = 1 << iota // what a reader of the ROSA tutorial made by hand
	Bucket                   // the S3 bucket
	Role                     // the IAM role
)

// Words are the words of a set.
func (a Set) Words() []string {
	var words []string
	for n, word := range []string{"tutorial", "bucket", "role"} {
		if a&(1<<n) != 0 {
			words = append(words, word)
		}
	}
	return words
}

// With is the set with what is added to it, or without it.
func (a Set) With(what Set, is bool) Set {
	if is {
		return a | what
	}
	return a &^ what
}

// Tutorial reports whether the set has the word tutorial.
func (a Set) Tutorial() bool { return a&Tutorial != 0 }

// Bucket reports whether the set has the word bucket.
func (a Set) Bucket() bool { return a&Bucket != 0 }

// Role reports whether the set has the word role.
func (a Set) Role() bool { return a&Role != 0 }
