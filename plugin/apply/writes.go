package apply

import (
	"encoding/json"
	"maps"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
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
	// Drops are fields that kubectl apply --server-side takes away, and that this
	// package does not: whatever somebody brought by a client-side kubectl apply
	// becomes the new manager's, and goes where Object has it not (Kubernetes,
	// "Server-Side Apply", "Upgrading from client-side apply"). Paths as in FieldChange, each in one line.
	Drops []string
}

// Writes are what executing the plan would send, in its order: the inventory, the
// objects wave after wave, what is to be deleted, and the inventory once more
// where that leaves less in it. Empty if there is nothing to write. It sends
// nothing, and it tells nothing of a plan that was executed. Whoever sends them
// does not tie them to a version of the inventory, as executing the plan does, so
// the write that only marks an inventory as changed is not among them.
func (p *Plan) Writes() []Write {
	var writes []Write
	before, after := p.beforehand().Data(), p.Inventory.Data()
	if !p.recorded(before) {
		writes = append(writes, p.recordWrite(before))
	}
	for _, it := range p.Items {
		if it.Action == Create || it.Action == Update {
			force := it.force || it.Action == Create && p.applier.opts.ForceConflicts
			writes = append(writes, Write{Ref: it.Ref, Wave: it.Wave, Object: it.object, Force: force, Drops: it.drops()})
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

// lastApplied is the annotation in which kubectl's client-side apply keeps what it
// has applied.
const lastApplied = "kubectl.kubernetes.io/last-applied-configuration"

// drops are the fields of Write.Drops: what a client-side apply has brought and
// this object has not.
func (it *Item) drops() []string {
	if it.Live == nil || !slices.Contains(managerNames(it.Live), "kubectl-client-side-apply") {
		return nil
	}
	var brought map[string]any
	if json.Unmarshal([]byte(it.Live.GetAnnotations()[lastApplied]), &brought) != nil {
		return nil
	}
	var paths []string
	for _, d := range diff(brought, it.object.Object) {
		if d.after == nil {
			paths = append(paths, plain.Line(pathString(d.path)))
		}
	}
	return paths
}
