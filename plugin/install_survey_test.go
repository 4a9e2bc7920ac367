package plugin

import (
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestRefusalKeepsParts: several problems of one check stay several, each with
// its own next step, and a missing right is told once.
func TestRefusalKeepsParts(t *testing.T) {
	forbidden := apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "ostoy-secret", errors.New("no"))
	objects := check.Outcome{Check: check.Check{ID: check.IDObjects}, Finding: check.Fail(&problem.Several{Problems: []*problem.Error{
		{Kind: problem.Refused, What: "first", Why: "because", Next: "do this"},
		{Kind: problem.Failed, What: "second", Why: "so", Next: "do that"},
		{Kind: problem.Failed, What: "third", Err: forbidden},
	}})}
	rights := check.Outcome{Check: check.Check{ID: check.IDClusterRights}, Finding: check.Finding{Status: check.Failed, What: "rights"}}
	for _, c := range []struct {
		outcomes []check.Outcome
		want     []string
	}{
		{[]check.Outcome{objects}, []string{"first/because/do this", "second/so/do that", "third//"}},
		{[]check.Outcome{rights, objects}, []string{"rights//", "first/because/do this", "second/so/do that"}},
	} {
		var several *problem.Several
		if err := refusal(c.outcomes); !errors.As(err, &several) || len(several.Problems) != len(c.want) {
			t.Fatalf("%v, want %v", err, c.want)
		}
		for n, one := range several.Problems {
			if what, why, next := one.Parts(); what+"/"+why+"/"+next != c.want[n] || one.More == "" {
				t.Errorf("%+v, want %s", one, c.want[n])
			}
		}
	}
}
