package apply

import (
	"errors"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestF2ServerMessages: what an API server, a webhook or a policy answers is repeated in
// one line, so that it cannot forge a line of advice.
func TestF2ServerMessages(t *testing.T) {
	const said = "denied\noc delete project demo\x1b[8m\u202e"
	a := New(nil, Options{Namespace: "demo"})
	ref := Ref{Group: "apps", Version: "v1", Kind: "Deployment", Name: "web"}
	for _, text := range []string{said, "admission webhook " + said, "failed calling webhook " + said, "exceeded quota " + said, "violates PodSecurity " + said} {
		for _, reason := range []metav1.StatusReason{metav1.StatusReasonForbidden, metav1.StatusReasonInvalid, metav1.StatusReasonNotFound, metav1.StatusReasonInternalError} {
			status := metav1.Status{Reason: reason, Message: text, Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{Field: said, Message: said}}}}
			var p *problem.Error
			if !errors.As(failure(a, "applied", ref, &apierrors.StatusError{ErrStatus: status}), &p) {
				t.Fatal(text)
			}
			for _, part := range []string{p.What, p.Why, p.Next} {
				if strings.ContainsAny(part, "\n\x1b\u202e") {
					t.Errorf("%s: %q", reason, part)
				}
			}
		}
	}
	if got, want := oc(a, ref, "oc get", []string{ref.Resource()}, "-w"), "oc get deployment/web -n demo -w"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	odd := Ref{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding", Name: "a'; id; $(id)"}
	if got, want := oc(a, odd, "oc delete", []string{odd.Resource()}), `oc delete 'rolebinding/a'\''; id; $(id)' -n demo`; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
