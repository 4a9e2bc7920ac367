package plugin

import (
	"slices"
	"testing"
)

// TestF2ProofFlags: the commands that verification prints after an install repeat what you
// gave, --iam=skip included, and no role that only the project names.
func TestF2ProofFlags(t *testing.T) {
	const narrow = "oc ostoy-s3 install -n demo --adopt --tighten-role"
	named := RoleRequest{Name: "MALLORY-ROLE", Path: "/mallory-path/"}
	for name, c := range map[string]struct {
		change func(*install)
		words  []string
		narrow string
	}{
		"usual":     {func(*install) {}, nil, ""},
		"your role": {func(i *install) { i.request.Role = RoleRequest{Name: "r"} }, []string{"--role-name", "r"}, ""},
		"--iam=skip": {
			func(i *install) { i.request.IAM, i.request.Role = IAMSkip, RoleRequest{Name: "r", Path: "/p/"} },
			[]string{"--role-name", "r", "--role-path", "/p/", "--iam=skip"},
			"",
		},
		"adopted":   {func(i *install) { i.request.Role, i.adopted = named, adoptedRole{arn: "arn", asIs: true} }, nil, narrow},
		"tightened": {func(i *install) { i.request.Role, i.adopted = named, adoptedRole{arn: "arn"} }, nil, ""},
	} {
		i := &install{}
		i.facts.Namespace.Value = "demo"
		c.change(i)
		if got := i.proofFlags().Words(); !slices.Equal(got, c.words) || i.narrow() != c.narrow {
			t.Errorf("%s: %q and %q, want %q and %q", name, got, i.narrow(), c.words, c.narrow)
		}
	}
}
