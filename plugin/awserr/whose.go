package awserr

import (
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// maxTags is how many tags of a stranger are shown.
const maxTags = 3

// Whose says in one clause whose a role or bucket is by its tags, for an error
// that refuses to touch it: "it has no tags", "its tags say it was made for
// namespace demo of ...". Tags are somebody else's text, so they are quoted.
func Whose(tags map[string]string, f render.Facts) string {
	if tags[render.TagManagedBy] != render.ManagedBy {
		return stranger(tags)
	}
	if id := render.AnotherCluster(tags, f); id != "" && render.Ours(tags, f) {
		return fmt.Sprintf("its tags say that the cluster %s made it, this one is %s: both use the same issuer", advice.ClusterID(id), f.ClusterID.Value)
	}
	if render.Ours(tags, f) {
		return "its tags say that it was made for this namespace of this cluster"
	}
	var of []string
	if ns := tags[render.TagNamespace]; ns != f.Namespace.Value {
		of = append(of, "namespace "+advice.Project(ns).String())
	}
	if iss := tags[render.TagIssuer]; iss != f.Issuer.Value {
		of = append(of, "issuer "+advice.Issuer(iss).String()+" (this cluster's is "+f.Issuer.Value+")")
	}
	return "its tags say that it was made for " + strings.Join(of, " of ")
}

func stranger(tags map[string]string) string {
	if len(tags) == 0 {
		return "it has no tags"
	}
	if by := tags[render.TagManagedBy]; by != "" {
		return "its tags say that " + quote(by) + " manages it"
	}
	keys := make([]string, 0, len(tags))
	for k := range tags {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	var shown []string
	for _, k := range keys[:min(len(keys), maxTags)] {
		shown = append(shown, quote(k)+"="+quote(tags[k]))
	}
	if len(keys) > maxTags {
		shown = append(shown, "...")
	}
	return "its tags are not ours (" + strings.Join(shown, ", ") + ")"
}

// quote shows a text as it is when it is plain, else with escapes.
func quote(s string) string {
	s = Redact(s)
	if s == "" || strings.ContainsAny(s, " \"'=,") {
		return fmt.Sprintf("%q", s)
	}
	return s
}
