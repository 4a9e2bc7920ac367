package render

import (
	"bytes"
	"testing"

	"sigs.k8s.io/yaml"
)

// TestF4TLSValues: the values for TLS reach the objects, are computed and printed like all
// others, and give the same bytes when what was printed is read again.
func TestF4TLSValues(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		set, tls, value string // in the objects, in the values
	}{
		"edge":    {"route.tls=edge", "  tls:\n    insecureEdgeTerminationPolicy: Redirect\n    termination: edge\n", "route:\n  tls: edge\n"},
		"default": {"", "", "route:\n  tls: none\n"},
		"ingress": {
			"expose=ingress,ingress.host=a.example.com,ingress.tls[0].secretName=s",
			"  tls:\n  - hosts:\n    - a.example.com\n    secretName: s\n", "  tls:\n  - secretName: s\n",
		},
	} {
		t.Run(name, func(t *testing.T) {
			options := Options{RoleARN: "arn:aws:iam::012345678901:role/ostoy-s3/r"}
			if c.set != "" {
				options.Set = []string{c.set}
			}
			facts := goodFacts()
			facts.APIVersions = ListFact{Values: []string{routeAPI}}
			printed := func(o Options) []byte {
				objects, err := r.Objects(facts, o)
				if err != nil {
					t.Fatal(err)
				}
				text, err := YAML(objects)
				if err != nil {
					t.Fatal(err)
				}
				return text
			}
			first := printed(options)
			if found := bytes.Contains(first, []byte("\n  tls:\n")); found != (c.tls != "") || !bytes.Contains(first, []byte(c.tls)) {
				t.Errorf("want %q in\n%s", c.tls, first)
			}
			values, err := r.Values(facts, options)
			if err != nil {
				t.Fatal(err)
			}
			text, err := yaml.Marshal(values)
			if err != nil || !bytes.Contains(text, []byte(c.value)) {
				t.Errorf("want %q in\n%s%v", c.value, text, err)
			}
			again := printed(Options{RoleARN: options.RoleARN, Files: []ValueFile{{Name: "printed", Data: text}}})
			if !bytes.Equal(first, again) {
				t.Errorf("the printed values give other objects\n%s", again)
			}
		})
	}
}
