// Package advice has the commands that several packages suggest in the same
// situation, each quoted for a POSIX shell. It runs nothing.
package advice

import (
	"cmp"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// NewController is the command that installs the ACK S3 controller in a cluster that
// has none. Its role is new, and a new role needs a pattern: pattern, or
// render.OwnBucketPattern if that is "". Flags are further ones.
func NewController(pattern string, flags ...string) string {
	words := slices.Concat([]string{"oc", "ostoy-s3", "controller", "install"}, flags,
		[]string{"--bucket-pattern", cmp.Or(pattern, render.OwnBucketPattern)})
	return shell.Words(words...)
}

// ControllerFor says what a cluster admin types where there is no controller: alone,
// or together with the app. The pattern matches the bucket of the project.
func ControllerFor(namespace string) string {
	pattern := render.PatternFor(namespace)
	return "a cluster admin installs it: " + NewController(pattern) +
		"\nor together with the app: install with " + Words("--with-controller", "--bucket-pattern", pattern)
}
