package adopt

import (
	"slices"
	"testing"
)

// TestSet: a set has the words that were put into it and no others, in one order.
func TestSet(t *testing.T) {
	for name, c := range map[string]struct {
		set                    Set
		words                  []string
		tutorial, bucket, role bool
	}{
		"nothing":  {0, nil, false, false, false},
		"tutorial": {Tutorial, []string{"tutorial"}, true, false, false},
		"bucket":   {Bucket, []string{"bucket"}, false, true, false},
		"role":     {Role, []string{"role"}, false, false, true},
		"two":      {Role | Tutorial, []string{"tutorial", "role"}, true, false, true},
		"all":      {Role | Bucket | Tutorial, []string{"tutorial", "bucket", "role"}, true, true, true},
	} {
		if got := c.set.Words(); !slices.Equal(got, c.words) {
			t.Errorf("%s: %q, want %q", name, got, c.words)
		}
		if c.set.Tutorial() != c.tutorial || c.set.Bucket() != c.bucket || c.set.Role() != c.role {
			t.Errorf("%s: %t, %t, %t", name, c.set.Tutorial(), c.set.Bucket(), c.set.Role())
		}
	}
}

// TestWith: what is added or taken away leaves the other words as they are.
func TestWith(t *testing.T) {
	for name, c := range map[string]struct {
		set  Set
		what Set
		is   bool
		want Set
	}{
		"added to nothing":     {0, Bucket, true, Bucket},
		"added to another":     {Tutorial, Role, true, Tutorial | Role},
		"added again":          {Role, Role, true, Role},
		"taken from two":       {Tutorial | Bucket, Bucket, false, Tutorial},
		"taken, as the last":   {Bucket, Bucket, false, 0},
		"taken, but not in it": {Role, Bucket, false, Role},
	} {
		if got := c.set.With(c.what, c.is); got != c.want {
			t.Errorf("%s: %q, want %q", name, got.Words(), c.want.Words())
		}
	}
}
