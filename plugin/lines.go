package plugin

import (
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// policies are the policies on a role: the ARNs of those attached, the names of the others.
func policies(actual *iam.Actual) []string {
	all := typed(actual.Attached, advice.PolicyARN)
	return append(all, inLines(actual.Inlines)...)
}

// typed are values of one kind as they are repeated.
func typed(texts []string, kind func(string) advice.Value) []string {
	all := make([]string, len(texts))
	for n, text := range texts {
		all[n] = kind(text).String()
	}
	return all
}

// roleNamed is the role that a project names, in its inventory or on its service account,
// where name and path can be repeated.
func roleNamed(text string) (arn render.ARN, legal bool) {
	arn, err := render.ParseARNOf(text, "iam", "role")
	return arn, err == nil && advice.RoleARN(text).Legal() && advice.RoleName(arn.Name()).Legal()
}
