package apierr

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestExplain: each reason, for a caller that knows what it tried and for one that does not.
func TestExplain(t *testing.T) {
	const rbac = `buckets.s3.services.k8s.aws "b" is forbidden: User "bob" cannot patch resource "buckets" in API group "s3.services.k8s.aws" in the namespace "demo"`
	bucket := &metav1.StatusDetails{Group: "s3.services.k8s.aws", Kind: "buckets", Name: "b"}
	ending := &metav1.StatusDetails{Causes: []metav1.StatusCause{{Type: core.NamespaceTerminatingCause}}}
	for name, c := range map[string]struct {
		status  metav1.Status
		reason  Reason
		tried   string // in the error of a caller that says what it tried
		unknown string // in that of one that does not
	}{
		"permission":   {metav1.Status{Reason: metav1.StatusReasonForbidden, Message: rbac, Details: bucket}, Permission, `b could not be applied: User "bob" cannot patch`, `bob may not patch buckets.s3.services.k8s.aws "b"`},
		"escalation":   {metav1.Status{Reason: metav1.StatusReasonForbidden, Message: `user "bob" is attempting to grant RBAC permissions not currently held`}, Permission, "attempting to grant", "attempting to grant"},
		"limits":       {metav1.Status{Reason: metav1.StatusReasonForbidden, Message: `pods "x" is forbidden: maximum memory is 1Gi`}, Limits, "limits forbid it: maximum", "ask a cluster admin"},
		"terminating":  {metav1.Status{Reason: metav1.StatusReasonForbidden, Message: "exceeded quota", Details: ending}, Terminating, "the project demo is being deleted", "the project is being deleted"},
		"policy":       {metav1.Status{Reason: metav1.StatusReasonForbidden, Message: `admission webhook "x" denied the request`}, Policy, "a rule of this cluster", "a rule of this cluster"},
		"webhook down": {metav1.Status{Reason: metav1.StatusReasonInternalError, Message: `failed calling webhook "x"`}, WebhookDown, "does not answer", "does not answer"},
		"quota":        {metav1.Status{Reason: metav1.StatusReasonForbidden, Message: `pods "x" is forbidden: exceeded quota: q`}, Quota, "oc describe quota -n demo", "oc describe quota -n PROJECT"},
		"pod security": {metav1.Status{Reason: metav1.StatusReasonForbidden, Message: `pods "x" is forbidden: violates PodSecurity "restricted"`}, PodSecurity, "oc get namespace demo", "oc get namespace PROJECT"},
		"login":        {metav1.Status{Reason: metav1.StatusReasonUnauthorized}, LoggedOut, "b could not be applied: the API server does not accept the login any more", "the API server https://api does not know you"},
		"invalid":      {metav1.Status{Reason: metav1.StatusReasonInvalid, Message: "spec: required"}, Invalid, "spec: required", "correct what it names"},
		"bad":          {metav1.Status{Reason: metav1.StatusReasonBadRequest}, Invalid, "correct what it names", "correct what it names"},
		"missing":      {metav1.Status{Reason: metav1.StatusReasonNotFound, Details: bucket}, Missing, "oc get buckets.s3.services.k8s.aws", "oc get buckets.s3.services.k8s.aws"},
		"conflict":     {metav1.Status{Reason: metav1.StatusReasonConflict}, Conflict, "run the command again", "run the command again"},
		"exists":       {metav1.Status{Reason: metav1.StatusReasonAlreadyExists}, Conflict, "run the command again", "run the command again"},
		"busy":         {metav1.Status{Reason: metav1.StatusReasonServiceUnavailable}, Busy, "readyz", "readyz"},
		"unknown":      {metav1.Status{Reason: "Teapot", Message: "short and stout"}, Other, "short and stout", "short and stout"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := ReasonOf(c.status); got != c.reason {
				t.Errorf("reason %d, want %d", got, c.reason)
			}
			for want, about := range map[*string]About{
				&c.tried: {Host: "https://api", What: "b could not be applied", Namespace: "demo"}, &c.unknown: {Host: "https://api"},
			} {
				p := Explain(c.status, about)
				if text := p.Error() + "\n" + p.Next; !strings.Contains(text, *want) || p.What == "" || p.Next == "" || p.Kind == 0 {
					t.Errorf("%q is missing in:\n%s", *want, text)
				}
			}
		})
	}
}
