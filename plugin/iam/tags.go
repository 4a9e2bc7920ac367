package iam

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// checkTags applies "Rules for tagging in IAM" to the user's tags and to ours
// together. IAM takes keys that differ in case only for the same key.
func checkTags(user, ours map[string]string) error {
	reserved := []string{render.TagManagedBy, render.TagIssuer, render.TagNamespace, render.TagClusterID, render.TagBucket, render.TagPolicy}
	for _, key := range reserved {
		if value, ok := ours[key]; ok {
			if why := badTag(key, value); why != "" {
				return &render.InputError{What: fmt.Sprintf("tag %s=%q", key, value), Why: why, Next: "the issuer and the cluster id must fit a tag; check --oidc-issuer and --cluster-id"}
			}
		}
	}
	seen := map[string]string{}
	for _, key := range keysOf(user) {
		why := badTag(key, user[key])
		for _, r := range reserved {
			if strings.EqualFold(key, r) {
				why = "this key is how the role is recognised as ours"
			}
		}
		if other, twice := seen[strings.ToLower(key)]; twice {
			why = fmt.Sprintf("IAM takes it for the same key as %q", other)
		}
		seen[strings.ToLower(key)] = key
		if why != "" {
			return &render.InputError{What: fmt.Sprintf("tag %q", key+"="+user[key]), Why: why, Next: "--tags KEY=VALUE"}
		}
	}
	// The cluster id counts even while it is unknown: another run may know it.
	if n := len(user) + len(reserved); n > maxTags {
		return &render.InputError{
			What: fmt.Sprintf("%d tags", len(user)),
			Why:  fmt.Sprintf("a role has at most %d, %d of them ours", maxTags, len(reserved)),
			Next: "fewer --tags",
		}
	}
	return nil
}

// badTag says what is wrong with a tag, or "".
func badTag(key, value string) string {
	charset := regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+\-@]*$`)
	switch {
	case key == "":
		return "the key is empty"
	case utf8.RuneCountInString(key) > maxTagKey:
		return fmt.Sprintf("the key has more than %d characters", maxTagKey)
	case utf8.RuneCountInString(value) > maxTagValue:
		return fmt.Sprintf("the value has more than %d characters", maxTagValue)
	case strings.HasPrefix(strings.ToLower(key), "aws:"):
		return "keys that begin with aws: belong to AWS"
	case !charset.MatchString(key), !charset.MatchString(value):
		return "IAM takes letters, digits, blanks and _.:/=+-@ only"
	}
	return ""
}
