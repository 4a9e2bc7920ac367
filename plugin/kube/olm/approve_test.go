package olm

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// server keeps one InstallPlan and takes only patches of its resourceVersion.
type server struct {
	dynamic.Interface
	dynamic.NamespaceableResourceInterface

	t       *testing.T
	plan    *unstructured.Unstructured
	patches int
	before  func(*server) // something that happens before a patch arrives
	refuse  error
}

func (s *server) Resource(resource schema.GroupVersionResource) dynamic.NamespaceableResourceInterface {
	if resource != kinds.InstallPlan.GVR() {
		s.t.Errorf("asked for %s", resource)
	}
	return s
}

func (s *server) Namespace(namespace string) dynamic.ResourceInterface {
	if namespace != "ack-system" {
		s.t.Errorf("in %s", namespace)
	}
	return s
}

func (s *server) Get(_ context.Context, name string, _ metav1.GetOptions, _ ...string) (*unstructured.Unstructured, error) {
	if s.plan == nil {
		return nil, apierrors.NewNotFound(kinds.InstallPlan.GVR().GroupResource(), name)
	}
	return s.plan.DeepCopy(), nil
}

func (s *server) Patch(_ context.Context, name string, kind types.PatchType, data []byte, opts metav1.PatchOptions, sub ...string) (*unstructured.Unstructured, error) {
	s.patches++
	if s.before != nil {
		s.before(s)
	}
	if s.refuse != nil {
		return nil, s.refuse
	}
	if s.plan == nil {
		return nil, apierrors.NewNotFound(kinds.InstallPlan.GVR().GroupResource(), name)
	}
	var patch struct {
		Metadata struct{ ResourceVersion string }
		Spec     map[string]any
	}
	if err := json.Unmarshal(data, &patch); err != nil || kind != types.MergePatchType || len(sub) > 0 || opts.FieldManager != "ostoy-s3" {
		s.t.Errorf("patch %s %s %v %v: %v", kind, data, sub, opts, err)
	}
	if len(patch.Spec) != 1 || patch.Spec["approved"] != true {
		s.t.Errorf("patch of %v", patch.Spec)
	}
	if patch.Metadata.ResourceVersion != s.plan.GetResourceVersion() {
		return nil, apierrors.NewConflict(kinds.InstallPlan.GVR().GroupResource(), name, errors.New("it has been modified"))
	}
	return s.plan, unstructured.SetNestedField(s.plan.Object, true, "spec", "approved")
}

func (s *server) approved() bool { return s.plan != nil && PlanOf(s.plan).Approved }

// touch writes to the plan what makes it another version of itself.
func (s *server) touch(change func(*unstructured.Unstructured)) {
	s.plan.SetResourceVersion(s.plan.GetResourceVersion() + "0")
	change(s.plan)
}

func once(do func(*server)) func(*server) {
	return func(s *server) {
		s.before = nil
		do(s)
	}
}

func TestApprove(t *testing.T) {
	phase := func(phase string) func(u *unstructured.Unstructured) {
		return func(u *unstructured.Unstructured) {
			_ = unstructured.SetNestedField(u.Object, phase, "status", "phase")
		}
	}
	status := phase("RequiresApproval")
	for name, c := range map[string]struct {
		phase    string
		before   func(*server)
		refuse   error
		approved bool
		patches  int
		fails    func(error) bool
	}{
		"as it was looked at":               {"RequiresApproval", nil, nil, true, 1, nil},
		"its status is not written yet":     {"''", nil, nil, false, 0, nil},
		"OLM is planning":                   {"Planning", nil, nil, false, 0, nil},
		"its status was written in between": {"RequiresApproval", once(func(s *server) { s.touch(status) }), nil, true, 2, nil},
		"no longer waiting in between":      {"RequiresApproval", once(func(s *server) { s.touch(phase("Failed")) }), nil, false, 1, nil},
		"without its status in between":     {"RequiresApproval", once(func(s *server) { s.touch(phase("")) }), nil, false, 1, nil},
		"somebody approved it in between": {"RequiresApproval", once(func(s *server) {
			s.touch(func(u *unstructured.Unstructured) {
				_ = unstructured.SetNestedField(u.Object, true, "spec", "approved")
			})
		}), nil, true, 1, nil},
		"it names more in between": {"RequiresApproval", once(func(s *server) {
			s.touch(func(u *unstructured.Unstructured) {
				_ = unstructured.SetNestedStringSlice(u.Object, []string{wanted, neighbour}, "spec", "clusterServiceVersionNames")
			})
		}), nil, false, 1, isRefused},
		"another one of that name": {"RequiresApproval", once(func(s *server) {
			s.touch(func(u *unstructured.Unstructured) { u.SetUID("another") })
		}), nil, false, 1, isRefused},
		"gone":                    {"RequiresApproval", once(func(s *server) { s.plan = nil }), nil, false, 1, apierrors.IsNotFound},
		"written again and again": {"RequiresApproval", func(s *server) { s.touch(status) }, nil, false, approveTries, nil},
		"no right":                {"RequiresApproval", nil, apierrors.NewForbidden(kinds.InstallPlan.GVR().GroupResource(), "install-a", nil), false, 1, apierrors.IsForbidden},
	} {
		looked := object(t, plan("install-a", 1, "phase: "+c.phase, wanted))
		s := &server{t: t, plan: looked.DeepCopy(), before: c.before, refuse: c.refuse}
		approved, err := Approve(t.Context(), s, looked)
		if c.fails == nil && err != nil || c.fails != nil && !c.fails(err) {
			t.Errorf("%s: %v", name, err)
		}
		if s.approved() != c.approved || approved != c.approved || s.patches != c.patches {
			t.Errorf("%s: approved %v (%v reported) after %d patches, want %v after %d", name, s.approved(), approved, s.patches, c.approved, c.patches)
		}
	}
}

func TestApproveAsksNothingWhenItIsApproved(t *testing.T) {
	looked := object(t, plan("install-a", 1, "phase: Complete", wanted))
	if err := unstructured.SetNestedField(looked.Object, true, "spec", "approved"); err != nil {
		t.Fatal(err)
	}
	s := &server{t: t}
	if approved, err := Approve(t.Context(), s, looked); err != nil || !approved || s.patches != 0 {
		t.Errorf("%v, %v after %d patches", approved, err, s.patches)
	}
}

func isRefused(err error) bool {
	var p *problem.Error
	return errors.As(err, &p) && p.Kind == problem.Refused && p.Next != ""
}
