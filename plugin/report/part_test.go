package report

import (
	"bytes"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

func TestWorst(t *testing.T) {
	for want, marks := range map[Mark][]Mark{
		OK: {OK, Unknown, ""}, Busy: {OK, Busy, Unknown}, Warning: {Warning, Busy}, Wrong: {Warning, Wrong, Unknown, OK},
	} {
		if got := Worst(marks...); got != want {
			t.Errorf("%v: %s, want %s", marks, got, want)
		}
	}
	if Worst() != OK {
		t.Error("nothing is not ok")
	}
}

// TestSettled: a state is what it says, and what it becomes once its object is old enough.
func TestSettled(t *testing.T) {
	state := health.State{Text: "comes\x1b[2J", After: time.Minute, Late: &health.State{
		Text: "is late", Level: health.Warn, Hint: "oc a", After: time.Hour, Late: &health.State{Text: "does not come", Level: health.Fail},
	}}
	object := &unstructured.Unstructured{Object: map[string]any{}}
	for age, want := range map[time.Duration]Part{
		0: {Mark: Busy, Text: "comes [2J"}, time.Minute - time.Second: {Mark: Busy, Text: "comes [2J"}, time.Minute: {Mark: Warning, Text: "is late", Hint: "oc a"},
		time.Hour: {Mark: Wrong, Text: "does not come"},
	} {
		object.SetCreationTimestamp(metav1.NewTime(noon().Add(-age)))
		if got := Settled(state, object, noon()); got != want {
			t.Errorf("%s: %+v, want %+v", age, got, want)
		}
	}
	if got := Of(health.State{Ready: true, Level: health.Warn, Text: "ready"}); got != (Part{Mark: OK, Text: "ready"}) {
		t.Errorf("%+v", got)
	}
}

// TestPrint: the columns are aligned, and a long name moves only its own text.
func TestPrint(t *testing.T) {
	long := strings.Repeat("x", 45)
	lines := []Line{
		{Label: "project", Name: "demo", Text: "of today"},
		Part{Mark: Wrong, Text: "broken"}.Line("role", "r"),
		{Mark: Unknown, Name: long, Text: "?"},
		{Name: long},
		{Text: "fix  touch x"},
		{Label: "last", Mark: Busy},
	}
	var out bytes.Buffer
	Print(ui.New(&out, ui.Style{UTF8: true}, noon), append(lines, Try([]Part{{Mark: Wrong, Hint: "oc a\noc b"}, {Mark: OK, Hint: "oc c"}})...))
	want := strings.Join([]string{
		"project    demo  of today", "role     ✗ r     broken", "         - " + long + "  ?", "           " + long, "                 | fix  touch x", "last     …",
		"try        oc a", "           oc b", "",
	}, "\n")
	if out.String() != want {
		t.Errorf("%s\nwant\n%s", out.String(), want)
	}
}

func TestRoleLabel(t *testing.T) {
	for arn, want := range map[string]string{"arn:aws:iam::123456789012:role/mine/r": "mine/r", "arn:aws:iam::123456789012:role/r": "r", "": ""} {
		if got := RoleLabel(arn); got != want {
			t.Errorf("%s: %s", arn, got)
		}
	}
}

func forbidden(resource string) error {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", errors.New("no"))
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 90 * time.Second: "90s", 5 * time.Minute: "5m", 119 * time.Minute: "119m",
		3 * time.Hour: "3h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 41 * 24 * time.Hour: "41d",
	} {
		if got := Age(noon().Add(-d), noon()); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}

func TestWhy(t *testing.T) {
	if got := Why(forbidden("buckets")); got != "not allowed: needs get and list on buckets" {
		t.Error(got)
	}
	odd := &apierrors.StatusError{}
	odd.ErrStatus.Code, odd.ErrStatus.Reason = http.StatusForbidden, "Forbidden"
	if got := Why(odd); got != "not allowed" {
		t.Error(got)
	}
	routes := apierrors.NewForbidden(schema.GroupResource{Group: "route.openshift.io", Resource: "routes"}, "", errors.New("no"))
	if got := Unseen(routes); got != (Part{Mark: Unknown, Text: "not allowed: needs get and list on routes.route.openshift.io"}) {
		t.Errorf("%+v", got)
	}
	if got := Why(errors.New("a\nb")); got != "a b" {
		t.Error(got)
	}
}

// TestUnread: each cause is said once, with all of its objects; a missing permission is one
// cause, of however many kinds.
func TestUnread(t *testing.T) {
	names := []string{"Secret a", "Secret b", "Service c", "Route d", "Deployment e"}
	away := errors.New("the API server does not answer")
	got := Unread(names, []error{forbidden("secrets"), forbidden("secrets"), away, forbidden("routes"), away})
	want := []string{
		"Secret a, Secret b, Route d: not allowed: needs get and list on secrets, routes",
		"Service c, Deployment e: the API server does not answer",
	}
	if !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}
