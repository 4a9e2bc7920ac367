package shell

import "testing"

func TestF2Bare(t *testing.T) {
	for text, want := range map[string]struct {
		bare   string
		closed bool
	}{
		"":                        {"", true},
		"oc get pod x":            {"oc get pod x", true},
		"oc get pod 'a b'":        {"oc get pod ''", true},
		`oc x 'it'\''s' y`:        {`oc x ''\''' y`, true},
		"the role's":              {"the role'", false},
		"the role's, '$(id)'":     {"the role''$(id)'", false},
		`"$(id)" 'b'`:             {`"$(id)" ''`, true},
		`"it's" x`:                {`"it's" x`, true},
		`say "x`:                  {`say "x`, false},
		`a \`:                     {`a \`, false},
		`a \' b`:                  {`a \' b`, true},
		`"a \" b"`:                {`"a \" b"`, true},
		`'a \' b`:                 {`'' b`, true},
		"the pods' own\noc x 'y'": {"the pods''y'", false},
	} {
		if bare, closed := Bare(text); bare != want.bare || closed != want.closed {
			t.Errorf("%s: %q, %t, want %q, %t", text, bare, closed, want.bare, want.closed)
		}
	}
}

func TestF2Closed(t *testing.T) {
	for text, want := range map[string]bool{
		"oc get pods\noc get pod 'a b'":              true,
		"the role's policy\noc get pod 'a b'":        false,
		"the role's policy\nand the pod's\noc x 'a'": false, // closed only together
		Words("oc", "x'; id; '", "$(id)", `\`):       true,
	} {
		if Closed(text) != want {
			t.Errorf("%q: %t", text, !want)
		}
	}
}
