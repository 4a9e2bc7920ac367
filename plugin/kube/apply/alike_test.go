package apply

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestOneCauseIsOneProblem: what is wrong with all objects for the same reason is one
// problem, which lists them.
func TestOneCauseIsOneProblem(t *testing.T) {
	all := len(testSet())
	managed := func(manager string, applied bool) func(s *server) {
		return func(s *server) {
			for _, o := range testSet() {
				if manager == "terraform" { // an engine's objects may be as install makes them
					o = empty(o)
				}
				s.put(o, manager, applied)
			}
		}
	}
	refused := func(code int, reason metav1.StatusReason, message string) func(s *server) {
		return func(s *server) {
			s.hook = func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodPatch {
					return false
				}
				name := r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:]
				answerError(w, &apierrors.StatusError{ErrStatus: metav1.Status{
					TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Status"}, Status: metav1.StatusFailure,
					Code: int32(code), Reason: reason, Message: strings.ReplaceAll(message, "NAME", name), Details: &metav1.StatusDetails{Name: name},
				}})
				return true
			}
		}
	}
	for name, test := range map[string]struct {
		world func(s *server)
		are   string
		next  string
	}{
		"of Argo CD": {managed("argocd-controller", true), "objects in demo are managed by Argo CD: ", "--force-owner"},
		"of Helm":    {managed("helm", false), "objects in demo are managed by Helm: ", "--force-owner"},
		"of others":  {managed("terraform", true), "objects in demo are not ours: ", "--force-conflicts"},
		"quota":      {refused(403, metav1.StatusReasonForbidden, `things "NAME" is forbidden: exceeded quota: few, requested: count/things=1, used: count/things=0, limited: count/things=0`), "objects in demo could not be planned: ", "oc describe quota"},
		"policy":     {refused(422, metav1.StatusReasonInvalid, `things "NAME" is forbidden: ValidatingAdmissionPolicy 'team' with binding 'team' denied request: label team is missing`), "objects in demo could not be planned: ", "what the rule wants"},
		"webhook":    {refused(403, metav1.StatusReasonForbidden, `admission webhook "team.example.com" denied the request: NAME has no label team`), "objects in demo could not be planned: ", "what the rule wants"},
		"permission": {refused(403, metav1.StatusReasonForbidden, `things "NAME" is forbidden: User "learner" cannot patch resource "things" in API group "" in the namespace "demo"`), "objects in demo could not be planned: ", "oc adm policy add-role-to-user"},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			test.world(s)
			_, err := plan(t, s.applier(Options{How: TryCreates}), testSet(), Record{})
			var problems []*problem.Error
			if several, ok := errors.AsType[*problem.Several](err); ok {
				problems = several.Problems
			} else if one, ok := errors.AsType[*problem.Error](err); ok {
				problems = append(problems, one)
			}
			named, all := 0, all
			if strings.HasPrefix(test.are, "objects in demo could not be planned") {
				all++ // the inventory
			}
			for _, p := range problems {
				named += len(p.Named())
			}
			// A Bucket is somebody else's to allow, and only it.
			if n := len(problems); n != 1 && (name != "permission" || n != 2) || named != all {
				t.Fatalf("%d problems of %d objects, not one of %d: %v", n, named, all, err)
			}
			first := problems[len(problems)-1]
			if want := fmt.Sprint(len(first.Named())) + " " + test.are; !strings.HasPrefix(first.What, want) || !strings.Contains(first.Next, test.next) {
				t.Errorf("%q, %q", first.What, first.Next)
			}
		})
	}
}

// empty is an object of the same name that has nothing else.
func empty(o *unstructured.Unstructured) *unstructured.Unstructured {
	return object(o.GetAPIVersion(), o.GetKind(), o.GetName(), "", nil)
}

// TestWordsOfAll: the command of a problem of several objects names each of them.
func TestWordsOfAll(t *testing.T) {
	s := newServer(t)
	for _, o := range testSet() {
		s.put(empty(o), "terraform", true)
	}
	_, err := plan(t, s.applier(Options{}), testSet(), Record{})
	told, ok := errors.AsType[*problem.Error](err)
	if !ok {
		t.Fatalf("%v", err)
	}
	for _, object := range testSet() {
		if word := RefOf(object).Resource(); !strings.Contains(told.Next, word) {
			t.Errorf("%q lacks %s", told.Next, word)
		}
	}
	if strings.Count(told.Next, "oc get ") != 1 {
		t.Errorf("several commands: %q", told.Next)
	}
}
