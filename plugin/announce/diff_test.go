package announce

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/differ"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// named is an object of the core group with a value.
func named(name, value string) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": name}, "data": map[string]any{"a": value}}}
}

// item is one of a plan, about an object as it is and as it would be.
func item(action apply.Action, live, would *unstructured.Unstructured, change func(*apply.Item)) *apply.Item {
	one := &apply.Item{Action: action, Live: live, Would: would, Ref: apply.Ref{Version: "v1", Kind: "ConfigMap"}}
	if change != nil {
		change(one)
	}
	return one
}

// TestShowsChange: a change of hands is none.
func TestShowsChange(t *testing.T) {
	changes := func(i *apply.Item) { i.Changes = []apply.FieldChange{{Path: "p"}} }
	owned := func(i *apply.Item) { i.Owned = []string{"p"} }
	for name, c := range map[string]struct {
		action apply.Action
		change func(*apply.Item)
		want   bool
	}{
		"deleted":                {apply.Delete, nil, true},
		"created":                {apply.Create, nil, false},
		"kept":                   {apply.Keep, changes, false},
		"changed":                {apply.Update, changes, true},
		"not foretold":           {apply.Update, nil, true},
		"changes hands":          {apply.Update, owned, false},
		"changes hands and more": {apply.Update, func(i *apply.Item) { owned(i); changes(i) }, true},
		"taken as it is":         {apply.Update, func(i *apply.Item) { i.Why = apply.TakenAsItIs }, false},
	} {
		if got := ShowsChange(item(c.action, nil, nil, c.change)); got != c.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

// TestPairs: both sides of what changes, of what comes and of what goes; of the rest there
// is no difference; what could not be looked at has no sides.
func TestPairs(t *testing.T) {
	old, now := named("x", "old"), named("x", "now")
	changes := func(i *apply.Item) { i.Changes = []apply.FieldChange{{Path: "data.a"}} }
	objects := &apply.Plan{
		Items: []*apply.Item{
			item(apply.Create, nil, named("new", "now"), nil),
			item(apply.Update, old, now, changes),
			item(apply.Update, old, now, func(i *apply.Item) { i.Owned = []string{"data.a"} }),
			item(apply.Unchanged, old, now, nil),
			item(apply.Unknown, old, now, changes),
		},
		Left: []*apply.Item{item(apply.Delete, named("gone", "old"), nil, nil), item(apply.Gone, nil, nil, nil)},
	}
	pairs, err := Pairs(objects, nil)
	if err != nil {
		t.Fatal(err)
	}
	type side struct {
		name                   string
		before, after, differs bool
	}
	var got []side
	for _, pair := range pairs {
		got = append(got, side{pair.Name, pair.Before != "", pair.After != "", pair.Differs()})
	}
	want := []side{{"v1.ConfigMap..new", false, true, true}, {"v1.ConfigMap..x", true, true, true}, {"v1.ConfigMap..x", true, true, false}, {"v1.ConfigMap..x", true, true, false}, {"v1.ConfigMap..gone", true, false, true}}
	if !slices.Equal(got, want) {
		t.Errorf("%+v\nwant\n%+v", got, want)
	}
	role := &iam.Plan{Role: iam.Role{Name: "r"}, Steps: []iam.Step{{Kind: iam.TagRole, What: "tags", Before: "a=b", After: "a=c"}}}
	all, err := Pairs(objects, role)
	if err != nil || len(all) != len(pairs)+len(RolePairs(role)) || len(RolePairs(role)) == 0 || all[len(pairs)].Name[:11] != "iam.role.r." {
		t.Errorf("with a role: %+v, %v", all, err)
	}
}

// TestObjectChanges: what a command changes, and nothing else.
func TestObjectChanges(t *testing.T) {
	fields := []apply.FieldChange{{Path: "p"}}
	var items []*apply.Item
	for _, action := range []apply.Action{apply.Create, apply.Update, apply.Delete, apply.Unchanged, apply.Keep, apply.Gone, apply.Unknown} {
		items = append(items, item(action, nil, nil, func(i *apply.Item) { i.Ref.Name, i.Changes = string(action), fields }))
	}
	want := []Change{{"ConfigMap create", apply.Create, fields}, {"ConfigMap update", apply.Update, fields}, {"ConfigMap delete", apply.Delete, fields}}
	if diff := cmp.Diff(want, ObjectChanges(&apply.Plan{Items: items})); diff != "" {
		t.Error(diff)
	}
}

// TestDiff: without a program of the user's the difference is printed, and none is none;
// with one it is the program that says whether there is any, or the end of the run.
func TestDiff(t *testing.T) {
	ended, end := context.WithCancel(t.Context())
	end()
	same, changed := differ.Pair{Name: "x", Before: "a\n", After: "a\n"}, differ.Pair{Name: "x", Before: "a\n", After: "b\n"}
	for name, c := range map[string]struct {
		ctx      context.Context
		pair     differ.Pair
		external string
		differs  bool
		want     string // a line of it
		err      error
	}{
		"no difference":            {t.Context(), same, "", false, "", nil},
		"a difference":             {t.Context(), changed, "", true, "+b\n", nil},
		"the user's program":       {t.Context(), same, "false", true, "", nil}, // it ends with 1
		"a program that sees none": {t.Context(), changed, "true", false, "", nil},
		"a program that is ended":  {ended, changed, "false", false, "", context.Canceled},
	} {
		var out bytes.Buffer
		report := ui.New(&out, ui.Style{}, time.Now)
		s := &session.Session{Streams: genericiooptions.IOStreams{Out: &out, ErrOut: &out}, Report: report}
		differs, err := Diff(c.ctx, s, report, []differ.Pair{c.pair}, c.external)
		if differs != c.differs || !errors.Is(err, c.err) || (c.want == "") != (out.Len() == 0) || !bytes.Contains(out.Bytes(), []byte(c.want)) {
			t.Errorf("%s: %t, %v, %q", name, differs, err, &out)
		}
	}
}
