package bucket

import "testing"

func TestUnmarkedBuckets(t *testing.T) {
	tags := map[string]string{"team": "blue"}
	for _, c := range []struct {
		state State
		want  bool
	}{
		{State{Kind: Foreign}, true},
		{State{Kind: Foreign, Tags: tags}, false},
		{State{Kind: TagsUnreadable}, true},
		{State{Kind: OtherAccount, Sure: true}, false},
		{State{Kind: OtherAccount}, true},
		{State{Kind: OtherRegion}, false},
	} {
		if got := c.state.Unmarked(); got != c.want {
			t.Errorf("%+v: %t, want %t", c.state, got, c.want)
		}
	}
}
