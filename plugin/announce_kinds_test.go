package plugin

import (
	"slices"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
)

func TestKindsAreCounted(t *testing.T) {
	var refs []apply.Ref
	for _, kind := range []string{"Secret", "NetworkPolicy", "Route", "Secret", "NetworkPolicy"} {
		refs = append(refs, apply.Ref{Kind: kind})
	}
	if got, want := byKind(refs), []string{"2 Secrets", "2 NetworkPolicies", "Route"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
