package advice

import (
	"regexp"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Value is what a cluster, a registry or AWS sent where a value of one kind is expected.
// It is repeated only if it is legal for its kind.
type Value struct {
	text string // "" if it is not legal
	word string // stands in a command for one that is not legal: "REGION"
	kind string // "a region of AWS"
}

// Legal reports whether the value is what it claims to be.
func (v Value) Legal() bool { return v.text != "" }

// Word is the value as a word of a command, or a placeholder such as REGION.
func (v Value) Word() string {
	if v.text == "" {
		return v.word
	}
	return v.text
}

// String is the value in a sentence, or what it is not.
func (v Value) String() string {
	if v.text == "" {
		return "(a value that is not " + v.kind + ")"
	}
	return v.text
}

func valueOf(text string, legal bool, word, kind string) Value {
	if !legal {
		text = ""
	}
	return Value{text, word, kind}
}

// Region is a region of one of AWS's partitions.
func Region(text string) Value {
	return valueOf(text, render.PartitionOf(text) != "", "REGION", "a region of AWS")
}

// Account is the twelve digits of an AWS account.
func Account(text string) Value {
	return valueOf(text, account.MatchString(text), "ACCOUNT", "an AWS account ID")
}

// BucketName is the name of an S3 bucket (S3: 3 to 63 lower case letters, digits, dots
// and hyphens).
func BucketName(text string) Value {
	return valueOf(text, bucketName.MatchString(text), "BUCKET", "the name of an S3 bucket")
}

// Host is a DNS name (RFC 1123), in lower case.
func Host(text string) Value {
	return valueOf(text, len(text) <= maxHost && hostName.MatchString(text), "HOST", "a host name")
}

// Issuer is the URL of an OpenID Connect issuer.
func Issuer(text string) Value {
	_, err := render.NormalizeIssuer(text)
	return valueOf(text, err == nil && strings.HasPrefix(text, "https://"), "ISSUER", "the URL of an issuer")
}

const maxHost = 253 // characters, RFC 1035

var (
	account    = regexp.MustCompile(`^[0-9]{12}$`)
	bucketName = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)
	hostName   = regexp.MustCompile(`^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$`)
)
