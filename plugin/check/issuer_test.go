package check

import (
	"errors"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestIssuerPending: that the issuer is not known before the project exists keeps no other
// check from being looked at.
func TestIssuerPending(t *testing.T) {
	target := Target{Facts: render.Facts{
		Namespace: render.Fact{Value: "fresh"},
		Issuer:    render.Fact{Value: render.PendingIssuer, Source: "known once project fresh exists"},
	}}
	got := issuer(Sources{}, target)(t.Context())
	if got.Status != Warned || !got.met() || !strings.Contains(got.What, "known once project fresh exists") || !strings.Contains(got.Next, "--new-project=fresh") {
		t.Errorf("%+v", got)
	}
	if got := issuer(Sources{Issuer: errors.New("no")}, target)(t.Context()); got.Status != Failed {
		t.Errorf("%+v", got)
	}
	if got := issuer(Sources{}, Target{})(t.Context()); got.Status != Passed {
		t.Errorf("%+v", got)
	}
}
