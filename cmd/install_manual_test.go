package cmd

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestClusterFlags: what says which cluster is meant is typed again, what is a
// secret, or stands in for a kubeconfig, is not.
func TestClusterFlags(t *testing.T) {
	for _, c := range []struct {
		args  []string
		typed []string
		other string
	}{
		{[]string{"-n", "demo", "--request-timeout", "5s", "--set", "a=b", "-v=9"}, nil, ""},
		{[]string{"--context", "a b", "--kubeconfig=/x"}, []string{"--context=a b", "--kubeconfig=/x"}, ""},
		{[]string{"--as", "me", "--as-group", "one", "--as-group", "two,three"}, []string{"--as=me", "--as-group=one", "--as-group=two,three"}, ""},
		{[]string{"--token", "abc"}, nil, "token"},
		{[]string{"--server", "https://bob:pw@api"}, nil, "server"},
		{[]string{"--client-key", "k", "--context", "c"}, []string{"--context=c"}, "client-key"},
	} {
		install, _, err := newTestRoot().Find([]string{"install"})
		if err == nil {
			err = install.ParseFlags(c.args)
		}
		if err != nil {
			t.Fatal(err)
		}
		typed, other := clusterFlags(install)
		if diff := cmp.Diff(c.typed, typed); diff != "" || other != c.other {
			t.Errorf("%q: other %q, -want +got\n%s", c.args, other, diff)
		}
	}
}
