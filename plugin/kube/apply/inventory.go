package apply

import (
	"cmp"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The ConfigMaps that hold the inventories: of the app, and of the controller.
const (
	InventoryName           = "ostoy-s3"
	ControllerInventoryName = "ostoy-s3-controller"
)

// Values of Record.BucketOrigin, Record.NamespaceOrigin and Record.RoleOrigin.
const (
	OriginCreated  = "created"  // by us
	OriginAdopted  = "adopted"  // a bucket or a role that was there before
	OriginExisting = "existing" // a namespace that was there before, a role that somebody else makes
)

// Record is what is remembered about an installation besides its objects.
// Every value is a hint and may be empty or wrong: somebody may have edited it.
type Record struct {
	RoleARN         string `json:"roleARN,omitempty"`
	RoleOrigin      string `json:"roleOrigin,omitempty"`    // OriginExisting, OriginAdopted, or "" for a role that install makes
	PolicyARN       string `json:"policyARN,omitempty"`     // managed policy that was asked for on the controller's role
	BucketPattern   string `json:"bucketPattern,omitempty"` // of the controller's role
	Bucket          string `json:"bucket,omitempty"`
	BucketOrigin    string `json:"bucketOrigin,omitempty"`
	Account         string `json:"account,omitempty"`
	Partition       string `json:"partition,omitempty"`
	Region          string `json:"region,omitempty"`
	Issuer          string `json:"issuer,omitempty"`
	ClusterID       string `json:"clusterID,omitempty"`
	NamespaceOrigin string `json:"namespaceOrigin,omitempty"`
	Version         string `json:"version,omitempty"`  // of the tool that wrote it; "" until a first install has ended
	Identity        string `json:"identity,omitempty"` // of the controller: how its pod gets the role
	// Values are the chart values of the last install that has ended, as render.Recorded
	// reads them; "" if an earlier version wrote the record.
	Values string `json:"values,omitempty"`
	// RoleBegun is the role of a run that has not ended: it may have been created.
	RoleBegun string `json:"roleBegun,omitempty"`
}

// Unfinished reports whether no install has ended yet: there is only the list of the
// objects that a first one was about to create.
func (i Inventory) Unfinished() bool { return i.Found && i.Version == "" }

// Inventory is a Record and the objects that were applied.
type Inventory struct {
	Record
	// Objects are valid references, sorted, without repetition.
	Objects []Ref `json:"objects,omitempty"`
	// Found says that there is a ConfigMap; Foreign, that nothing in it shows
	// that it is ours.
	Found   bool `json:"found"`
	Foreign bool `json:"foreign,omitempty"`

	set  Set // that it was read for; the zero value: App
	live *unstructured.Unstructured
}

// Created is when the inventory was made, which is when the first install began;
// zero if there is none.
func (i Inventory) Created() time.Time {
	if i.live == nil {
		return time.Time{}
	}
	return i.live.GetCreationTimestamp().Time
}

// Written is when an install last wrote the inventory, by its managedFields; zero
// if that is not on record. A run that changes nothing does not write it.
func (i Inventory) Written() time.Time {
	var last time.Time
	if i.live == nil {
		return last
	}
	for _, entry := range i.live.GetManagedFields() {
		if entry.Manager == Manager && entry.Time != nil && entry.Time.After(last) {
			last = entry.Time.Time
		}
	}
	return last
}

// Applied reports whether the managedFields of the ConfigMap name this tool. Where
// only its label does, Foreign is false, too.
func (i Inventory) Applied() bool { return i.live != nil && Ours(i.live) }

// InventoryOf reads the inventory of an app from its ConfigMap, however that was
// found.
func InventoryOf(live *unstructured.Unstructured) Inventory { return App().InventoryOf(live) }

// InventoryOf reads an inventory of the set from its ConfigMap, however that was
// found.
func (s Set) InventoryOf(live *unstructured.Unstructured) Inventory {
	inv := s.ParseInventory(dataOf(live))
	inv.live = live
	// A restored backup or a re-created copy has lost our field manager but
	// not our label. An inventory gives no rights, so the label is enough.
	inv.Foreign = !Ours(live) && live.GetLabels()[render.TagManagedBy] != Manager
	return inv
}

// field is a key of the ConfigMap and where its value belongs.
type field struct {
	key string
	at  *string
}

// fields are all of a Record, each with its key, which is the same as in JSON.
func (r *Record) fields() []field {
	values := reflect.ValueOf(r).Elem()
	all := make([]field, values.NumField())
	for n := range all {
		key, _, _ := strings.Cut(values.Type().Field(n).Tag.Get("json"), ",")
		all[n] = field{key, values.Field(n).Addr().Interface().(*string)}
	}
	return all
}

// ParseInventory reads the data of the ConfigMap. It is total: what it does
// not understand or does not allow is left out, and so are objects of kinds that
// the set has not.
func (s Set) ParseInventory(data map[string]string) Inventory {
	inv := Inventory{Found: true, Objects: s.parseRefs(data["objects"]), set: s}
	for _, f := range inv.fields() {
		*f.at = strings.TrimSpace(data[f.key])
	}
	if s.Inventory == InventoryName {
		// The project's editors can write this one. Which policy was asked for of the
		// app's role is in a tag of the role; earlier versions recorded it here.
		inv.PolicyARN = ""
	}
	return inv
}

// parseRefs reads one "apiVersion Kind name" a line.
func (s Set) parseRefs(text string) []Ref {
	var refs []Ref
	for line := range strings.Lines(text) {
		words := strings.Fields(line)
		if len(words) != 3 {
			continue
		}
		gv, err := schema.ParseGroupVersion(words[0])
		if err != nil {
			continue
		}
		// The version of the line is dropped: only ours is ever asked for.
		ref := Ref{Group: gv.Group, Kind: words[1], Name: words[2]}
		ref.Version = s.kind(ref.GVK().GroupKind()).Version
		if s.valid(ref) {
			refs = append(refs, ref)
		}
	}
	return sortRefs(refs)
}

// sortRefs sorts and drops repetitions, so that one set has one text.
func sortRefs(refs []Ref) []Ref {
	slices.SortFunc(refs, func(a, b Ref) int {
		return cmp.Or(cmp.Compare(a.Group, b.Group), cmp.Compare(a.Kind, b.Kind), cmp.Compare(a.Name, b.Name))
	})
	return slices.CompactFunc(refs, Ref.same)
}

// Data is the ConfigMap's data: one readable key for each value known, and
// the objects, one "apiVersion Kind name" a line.
func (i Inventory) Data() map[string]string {
	data := map[string]string{}
	for _, f := range i.fields() {
		if *f.at != "" {
			data[f.key] = *f.at
		}
	}
	var b strings.Builder
	for _, ref := range i.Objects {
		b.WriteString(ref.GVK().GroupVersion().String() + " " + ref.Kind + " " + ref.Name + "\n")
	}
	if b.Len() > 0 {
		data["objects"] = b.String()
	}
	return data
}

// with is the record after a run that knows now: what is unknown now stays as
// it was known, and origins are told once. A second run finds the bucket and
// the namespace that the first one made, and must not call them found.
func (r Record) with(now Record) Record {
	same := r.Bucket == now.Bucket || now.Bucket == ""
	out := r
	was, is := out.fields(), now.fields()
	for n := range was {
		if *is[n].at != "" {
			*was[n].at = *is[n].at
		}
	}
	if now.RoleARN != "" {
		out.RoleOrigin = now.RoleOrigin
	}
	out.RoleBegun = now.RoleBegun
	if r.BucketOrigin == OriginCreated && same {
		out.BucketOrigin = OriginCreated
	}
	if r.NamespaceOrigin == OriginCreated {
		out.NamespaceOrigin = OriginCreated
	}
	return out
}

// Flaws say what is wrong with an inventory that was read from the cluster, as
// clauses: lines nobody understands, values of another project. None of it is
// dangerous (an inventory gives no rights), all of it makes the next run know
// less.
func (i Inventory) Flaws(namespace string) []string {
	if !i.Found {
		return nil
	}
	var flaws []string
	if i.Foreign {
		flaws = append(flaws, "nothing in it shows that this tool wrote it")
	}
	if bucket := render.BucketName(namespace); i.Bucket != "" && i.Bucket != bucket {
		flaws = append(flaws, fmt.Sprintf("it names the bucket %s, and that of this project is %s: it may be another project's", i.Bucket, bucket))
	}
	if i.live != nil {
		flaws = append(flaws, i.set.orApp().unread(dataOf(i.live)["objects"])...)
	}
	return flaws
}

// unread are the lines of a list of objects that say nothing.
func (s Set) unread(text string) []string {
	if strings.TrimSpace(text) == "" {
		return []string{"it lists no objects"}
	}
	var flaws []string
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && len(s.parseRefs(line)) == 0 {
			flaws = append(flaws, fmt.Sprintf("no object can be read from its line %.80q", line))
		}
	}
	return flaws
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

// ourKeys leaves out keys that we never write.
func ourKeys(data map[string]string) map[string]string {
	out, ours := maps.Clone(data), new(Record).fields()
	maps.DeleteFunc(out, func(key, _ string) bool {
		return key != "objects" && !slices.ContainsFunc(ours, func(f field) bool { return f.key == key })
	})
	return out
}
