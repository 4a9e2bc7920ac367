package check_test

import "testing"

func appFaults() []fault {
	return []fault{
		{check: "installed", bare: true, make: func(t *testing.T, s *scene) {
			must(t, s.NewNamespace(t.Context(), s.Namespace))
		}},
	}
}
