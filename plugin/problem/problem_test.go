package problem

import (
	"errors"
	"fmt"
	"testing"
)

func TestIsInput(t *testing.T) {
	input := Input("name x", "it is too long", "choose another")
	for name, c := range map[string]struct {
		err  error
		want bool
	}{
		"itself":                    {input, true},
		"wrapped":                   {fmt.Errorf("reading: %w", input), true},
		"the cause of a refusal":    {Refuse("the issuer", "", "").Because(input), true},
		"one of several causes":     {Fail("a fact is missing", "", "").Because(errors.Join(errors.New("away"), input)), true},
		"a refusal":                 {Refuse("name x", "", ""), false},
		"a failure":                 {Fail("name x", "", ""), false},
		"an error of another kind":  {errors.New("input"), false},
		"none":                      {nil, false},
		"a refusal because of none": {Refuse("name x", "", "").Because(nil), false},
	} {
		if got := IsInput(c.err); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestParts(t *testing.T) {
	cause := errors.New("cause")
	for kind, p := range map[Kind]*Error{Usage: Input("a", "b", "c"), Refused: Refuse("a", "b", "c"), Failed: Fail("a", "b", "c")} {
		what, why, next := p.See("docs/x.md").Because(cause).Parts()
		if what+why+next != "abc" || p.Kind != kind || p.More != "docs/x.md" || !errors.Is(p, cause) || p.Error() != "a: b" {
			t.Errorf("%+v", p)
		}
	}
	if got := Fail("a", "", "").Error(); got != "a" {
		t.Error(got)
	}
}
