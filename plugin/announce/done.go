package announce

import (
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
)

// How a run that did not get to its end begins to say what it has done.
const (
	NothingChanged = "nothing was changed"
	Stays          = "done so far, and staying: "
	NotKnown       = "it is not known whether this was changed, because no answer came: "
)

// SoFar says what a run that did not get to its end has done, and what it may have done as
// well: no answer came.
func SoFar(done, unsure []string) string {
	if len(unsure) > 0 {
		done = append(append([]string{}, done...), NotKnown+strings.Join(unsure, ", "))
	}
	switch {
	case len(done) == 0:
		return NothingChanged
	case len(done) == 1 && strings.HasPrefix(done[0], NotKnown):
		return done[0]
	}
	return Stays + strings.Join(done, "; ")
}

// Unsure names the writes of a plan that got no final answer: steps of the role, and
// objects. role is nil if none was begun.
func Unsure(objects *apply.Plan, role *iam.Result, roleName string) []string {
	var unsure []string
	if role != nil {
		for _, step := range role.Unsure {
			unsure = append(unsure, "the "+step.What+" of role "+roleName)
		}
	}
	for _, ref := range objects.Unsure() {
		unsure = append(unsure, ref.String())
	}
	return unsure
}
