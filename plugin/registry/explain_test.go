package registry

import (
	"strings"
	"testing"
)

// TestF2ByHand: name and version of a chart are one word each of the printed command.
func TestF2ByHand(t *testing.T) {
	digest := "sha256:" + strings.Repeat("0a", 32)
	for _, c := range []struct{ name, what, want string }{
		{"oci://r.example.com/c", "", "helm pull oci://r.example.com/c"},
		{"oci://r.example.com/c", "1.0.0_1", "helm pull oci://r.example.com/c --version 1.0.0+1"},
		{"oci://r.example.com/c", digest, "helm pull oci://r.example.com/c@" + digest},
		{"oci://r.example.com/$(id)", "1;id", "helm pull 'oci://r.example.com/$(id)' --version '1;id'"},
	} {
		w := &wanted{name: c.name, what: c.what}
		if got, want := w.byHand(), c.want+" where it is available, then --chart FILE"; got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
