package apply

import (
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestFlaws(t *testing.T) {
	const good = "v1 Service a\napps/v1 Deployment b\n"
	for name, c := range map[string]struct {
		data  map[string]string
		wants []string
	}{
		"none":            {map[string]string{"bucket": "demo-bucket", "objects": good}, nil},
		"no bucket known": {map[string]string{"objects": good}, nil},
		"of another":      {map[string]string{"bucket": "x-bucket", "objects": good}, []string{"x-bucket"}},
		"no objects":      {map[string]string{"objects": " \n"}, []string{"lists no objects"}},
		"odd lines":       {map[string]string{"objects": good + "v1 Node n\nnonsense\n\n"}, []string{"v1 Node n", "nonsense"}},
	} {
		inv := App().ParseInventory(c.data)
		data := map[string]any{}
		for k, v := range c.data {
			data[k] = v
		}
		inv.live = &unstructured.Unstructured{Object: map[string]any{"data": data}}
		flaws := inv.Flaws("demo")
		if len(flaws) != len(c.wants) {
			t.Errorf("%s: %q", name, flaws)
			continue
		}
		for n, want := range c.wants {
			if !strings.Contains(flaws[n], want) {
				t.Errorf("%s: %q does not name %q", name, flaws[n], want)
			}
		}
	}
	if (Inventory{}).Flaws("demo") != nil {
		t.Error("an inventory that is not there has flaws")
	}
	if flaws := (Inventory{Found: true, Foreign: true}).Flaws("demo"); len(flaws) != 1 {
		t.Errorf("%q", flaws)
	}
}

func TestGone(t *testing.T) {
	ref := func(name string) Ref { return Ref{Version: "v1", Kind: "Service", Name: name} }
	p := &Plan{
		Items: []*Item{{Ref: ref("in-the-set")}},
		Left:  []*Item{{Ref: ref("left-out"), Action: Delete}},
		old:   Inventory{Objects: []Ref{ref("gone"), ref("in-the-set"), ref("left-out")}},
	}
	if got := p.Gone(); !slices.Equal(got, []Ref{ref("gone")}) {
		t.Errorf("%v", got)
	}
}
