package controller

import (
	"context"
	"errors"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF1StatusShowsDrift: status compares the policy of the role with the recorded
// bucket pattern, and says why if it cannot.
func TestF1StatusShowsDrift(t *testing.T) {
	f := testFacts()
	f.Audience = render.Fact{Value: render.DefaultAudience}
	wide, err := iam.DesiredController(f, iam.ControllerOptions{BucketPattern: "*"})
	if err != nil {
		t.Fatal(err)
	}
	there := func(context.Context, render.Fact) (iam.Reader, error) { return oneRole{role: wide}, nil }
	away := func(context.Context, render.Fact) (iam.Reader, error) { return nil, errors.New("no AWS credentials") }
	const elsewhere = "arn:aws:iam::210987654321:role/ostoy-s3-controller/ack-s3-controller-9b1e22f0"
	for name, c := range map[string]struct {
		roles          Roles
		role, recorded string
		mark           status.Mark
		words          string
	}{
		"the policy was widened":  {there, wide.ARN, "ostoy-*", status.Warning, "has the bucket pattern *; the recorded bucket pattern is ostoy-*"},
		"as recorded":             {there, wide.ARN, "*", status.OK, "has this pattern"},
		"without AWS credentials": {away, wide.ARN, "ostoy-*", status.Unknown, "not compared with the policy of the role: no AWS credentials"},
		"of another account":      {there, elsewhere, "ostoy-*", status.Unknown, "of these AWS credentials is " + wide.ARN},
		"nothing recorded":        {nil, wide.ARN, "", "", ""},
		"no role recorded":        {nil, "", "ostoy-*", "", ""},
	} {
		l := &statusLook{found: Found{Inventory: patternRecord(apply.Manager, c.role, c.recorded)}}
		p := l.lookAtPattern(t.Context(), c.roles)
		is(t, name, p.Part, c.mark, c.words)
		if (p.Recorded == "") != (c.mark == "") {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
