package apply

import (
	"context"
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// ReadInventory reads the inventory; if there is none, or with Options.Fresh,
// the zero Inventory.
func (a *Applier) ReadInventory(ctx context.Context) (Inventory, error) {
	if a.opts.Fresh {
		return Inventory{}, nil
	}
	ref := a.opts.Set.inventoryRef()
	live, err := a.get(ctx, ref)
	if err != nil {
		return Inventory{}, a.failure("read", ref, err)
	}
	if live == nil {
		return Inventory{}, nil
	}
	return a.opts.Set.InventoryOf(live), nil
}

// dataOf is the data of a ConfigMap, whatever else is in it.
func dataOf(obj *unstructured.Unstructured) map[string]string {
	data := map[string]string{}
	raw, _, _ := unstructured.NestedMap(obj.Object, "data")
	for k, v := range raw {
		if s, ok := v.(string); ok {
			data[k] = s
		}
	}
	return data
}

// record writes the inventory if it differs from what is there.
func (p *Plan) record(ctx context.Context, inv Inventory) error {
	if p.recorded(inv.Data()) {
		return nil
	}
	return p.write(ctx, inv, markNone)
}

// recorded reports whether the inventory holds that data already, as far as is
// known: by this plan's last write, or as it was read.
func (p *Plan) recorded(want map[string]string) bool {
	return p.base != nil && Ours(p.base) && maps.Equal(ourKeys(dataOf(p.base)), want)
}

// Recorded is the inventory as this plan last wrote it, or as it was read; nil if
// there is none.
func (p *Plan) Recorded() *unstructured.Unstructured { return p.base }

// recordOf is the ConfigMap that holds an inventory. It is applied by force: what
// somebody edited in it is put back. That it is not somebody else's was settled
// by Plan.
func (p *Plan) recordOf(data map[string]string) *unstructured.Unstructured {
	return p.applier.recordOf(data)
}

func (a *Applier) recordOf(data map[string]string) *unstructured.Unstructured {
	values := map[string]any{}
	for k, v := range data {
		values[k] = v
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "ConfigMap",
		"metadata": map[string]any{
			"name":      a.opts.Set.inventoryRef().Name,
			"namespace": a.opts.Namespace,
			"labels":    map[string]any{render.TagManagedBy: Manager},
		},
		"data": values,
	}}
}

// ourKeys leaves out keys that we never write.
func ourKeys(data map[string]string) map[string]string {
	out := map[string]string{}
	known := Inventory{}
	for _, f := range known.fields() {
		if v, ok := data[f.key]; ok {
			out[f.key] = v
		}
	}
	if v, ok := data["objects"]; ok {
		out["objects"] = v
	}
	return out
}
