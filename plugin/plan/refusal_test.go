package plan

import (
	"context"
	"errors"
	"fmt"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
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
		if err := Refusal(c.outcomes); !errors.As(err, &several) || len(several.Problems) != len(c.want) {
			t.Fatalf("%v, want %v", err, c.want)
		}
		for n, one := range several.Problems {
			if what, why, next := one.Parts(); what+"/"+why+"/"+next != c.want[n] || one.More == "" {
				t.Errorf("%+v, want %s", one, c.want[n])
			}
		}
	}
}

func TestRefusal(t *testing.T) {
	if err := Refusal([]check.Outcome{{Finding: check.Pass()}, {Finding: check.Warn("w", "", "")}}); err != nil {
		t.Errorf("warnings refuse: %v", err)
	}
	err := Refusal([]check.Outcome{
		{Check: check.Check{ID: "a"}, Finding: check.Finding{Status: check.Failed, What: "one"}},
		{Check: check.Check{ID: "b"}, Finding: check.Finding{Status: check.Failed, What: "two"}},
	})
	var several *problem.Several
	if !errors.As(err, &several) || len(several.Problems) != 2 || several.Kind() != problem.Refused || several.Note != "nothing was changed" {
		t.Errorf("%#v", err)
	}
	stopped := check.Outcome{Finding: check.Fail(fmt.Errorf("get: %w", context.Canceled))}
	if err := Refusal([]check.Outcome{stopped}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupt became %v", err)
	}
}

func TestProjectsIdentity(t *testing.T) {
	deployment := func(volume string) []*unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment", "metadata": map[string]any{"name": render.Frontend}}}
		_ = unstructured.SetNestedSlice(object.Object, []any{map[string]any{"name": volume}}, "spec", "template", "spec", "volumes")
		return []*unstructured.Unstructured{object}
	}
	if !(Desired{Objects: deployment("aws-iam-token")}).ProjectsIdentity() || (Desired{Objects: deployment("datavol")}).ProjectsIdentity() || (Desired{}).ProjectsIdentity() {
		t.Error("the pod's own identity is not told from the webhook's")
	}
}
