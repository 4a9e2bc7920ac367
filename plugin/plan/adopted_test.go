package plan

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestTutorialFirst: what one command mends is told as one, and the bucket of a Bucket
// among it with it; everything else is told as it was.
func TestTutorialFirst(t *testing.T) {
	adoptable := func(what string) *problem.Error {
		p := &problem.Error{Kind: problem.Refused, What: what + " in demo is not ours", Err: apply.ErrAdoptable}
		return p.With(problem.Alike{Objects: []problem.Object{{Name: what}}, Noun: "object", Are: "in demo are not ours"})
	}
	foreign := &problem.Error{Kind: problem.Refused, What: "bucket demo-bucket is not ours", More: bucket.MoreForeign}
	other := &problem.Error{Kind: problem.Refused, What: "Service x in demo is not ours"}
	for name, c := range map[string]struct {
		is   []*problem.Error
		want []string
		fits bool
	}{
		"nothing of it":  {[]*problem.Error{other, foreign}, []string{"Service x", "bucket demo-bucket"}, true},
		"with bucket":    {[]*problem.Error{foreign, adoptable("Bucket demo-bucket"), other, adoptable("Route r")}, []string{"project demo has OSToy", "Service x"}, true},
		"no role":        {[]*problem.Error{foreign, adoptable("Bucket demo-bucket"), other}, []string{"project demo has OSToy", "bucket demo-bucket", "Service x"}, false},
		"without bucket": {[]*problem.Error{foreign, adoptable("Route r")}, []string{"project demo has OSToy", "bucket demo-bucket"}, true},
	} {
		have := adoptionFirst(c.is, "demo", func() bool { return c.fits })
		if len(have) != len(c.want) {
			t.Errorf("%s: %d problems", name, len(have))
			continue
		}
		for n, want := range c.want {
			if !strings.HasPrefix(have[n].What, want) {
				t.Errorf("%s: %q, want %q", name, have[n].What, want)
			}
		}
	}
	one := adoptionFirst([]*problem.Error{adoptable("Bucket demo-bucket"), adoptable("Route r")}, "demo", nil)[0]
	if one.Why != "not ours: Bucket demo-bucket, Route r" || !strings.HasPrefix(one.Next, "oc ostoy-s3 install -n demo --adopt") {
		t.Errorf("%+v", one)
	}
	alone, ok := errors.AsType[*problem.Several](tutorialFirst(t.Context(), Desired{Project: project.Project{Facts: render.Facts{Namespace: render.Fact{Value: "demo"}}}}, adoptable("Route r")))
	if !ok || !strings.HasPrefix(alone.Problems[0].What, "project demo has OSToy") {
		t.Errorf("of one error: %+v", alone)
	}
	if err := errors.New("x"); tutorialFirst(t.Context(), Desired{}, err) != err || tutorialFirst(t.Context(), Desired{}, nil) != nil {
		t.Error("an error of another kind was changed")
	}
}
