package plugin

// Adopt is what --adopt allows a command to manage although ostoy-s3 did not make it, or
// nothing proves that it did: a set of the words of the flag.
type Adopt uint8

// The words of --adopt, in the order in which Words has them.
const (
	AdoptTutorial Adopt = 1 << iota // what a reader of the ROSA tutorial made by hand
	AdoptBucket                     // the S3 bucket
	AdoptRole                       // the IAM role
)

// Words are the words of a set.
func (a Adopt) Words() []string {
	var words []string
	for n, word := range []string{"tutorial", "bucket", "role"} {
		if a&(1<<n) != 0 {
			words = append(words, word)
		}
	}
	return words
}

// With is the set with what is added to it, or without it.
func (a Adopt) With(what Adopt, is bool) Adopt {
	if is {
		return a | what
	}
	return a &^ what
}

// Tutorial reports whether the set has the word tutorial.
func (a Adopt) Tutorial() bool { return a&AdoptTutorial != 0 }

// Bucket reports whether the set has the word bucket.
func (a Adopt) Bucket() bool { return a&AdoptBucket != 0 }

// Role reports whether the set has the word role.
func (a Adopt) Role() bool { return a&AdoptRole != 0 }
