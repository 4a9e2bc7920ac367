package apply

import (
	"maps"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
)

// Write is one request of a plan, for whoever sends it in this package's stead.
type Write struct {
	Ref  Ref
	Wave int // of an object of the set
	// Record says that it is the inventory, which is in no wave.
	Record bool
	// Object is to be applied, server-side, by the field manager Manager; nil: what
	// Ref names is to be deleted, if it still has the UID. To be read, and no more.
	Object *unstructured.Unstructured
	Force  bool // take over fields of others, as was decided when it was planned
	UID    types.UID
}

// Writes are what executing the plan would send, in its order: the inventory, the
// objects wave after wave, what is to be deleted, and the inventory once more
// where that leaves less in it. Empty if there is nothing to write. It sends
// nothing, and it tells nothing of a plan that was executed.
func (p *Plan) Writes() []Write {
	var writes []Write
	before, after := p.beforehand().Data(), p.Inventory.Data()
	if !p.recorded(before) {
		writes = append(writes, p.recordWrite(before))
	}
	for _, it := range p.Items {
		if it.Action == Create || it.Action == Update {
			force := it.force || it.Action == Create && p.applier.opts.ForceConflicts
			writes = append(writes, Write{Ref: it.Ref, Wave: it.Wave, Object: it.object, Force: force})
		}
	}
	for _, it := range p.Left {
		if it.Action == Delete {
			writes = append(writes, Write{Ref: it.Ref, UID: it.Live.GetUID()})
		}
	}
	if !maps.Equal(before, after) {
		writes = append(writes, p.recordWrite(after))
	}
	return writes
}

func (p *Plan) recordWrite(data map[string]string) Write {
	return Write{Ref: p.applier.opts.Set.inventoryRef(), Record: true, Object: p.recordOf(data), Force: true}
}
