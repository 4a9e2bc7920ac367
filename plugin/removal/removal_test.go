package removal

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// object is a line about an object of the cluster.
func object(kind, name string, fate Fate) *Line {
	ref := apply.Ref{Version: "v1", Kind: kind, Name: name}
	return &Line{Object: ref.String(), Subject: Object, Fate: fate, Item: &apply.Item{Ref: ref}}
}

// printed is what print writes.
func printed(print func(*ui.UI)) string {
	var out bytes.Buffer
	print(ui.New(&out, ui.Style{}, time.Now))
	return out.String()
}

// some are lines of each fate.
func some() Lines {
	left := &Line{Object: "role r", Subject: Role}
	left.Leave("denied\nby a policy", "ask an admin")
	kept := &Line{Object: "bucket demo-bucket", Subject: Bucket, Contents: &bucket.Contents{Objects: 2}}
	kept.Keep("2 objects, 5 B", "oc ostoy-s3 uninstall -n demo --delete-data")
	return Lines{
		object("Deployment", "a", Removed), object("Secret", "b", Removed), object("Secret", "c", Removed),
		{Object: "object Bucket demo-bucket", Subject: BucketResource, Fate: Removed},
		kept, object("Service", "s", Kept), left,
		{Object: "ConfigMap ostoy-s3", Subject: Inventory, Fate: Removed},
	}
}

// TestTables: the same list before a run, in place of it, and after it.
func TestTables(t *testing.T) {
	const rest = `  Deployment, 2 Secrets, Bucket object, inventory
%s  bucket demo-bucket  2 objects, 5 B  oc ostoy-s3 uninstall -n demo --delete-data
%s  Service s
%s  role r  ask an admin
`
	for want, print := range map[string]func(*ui.UI){
		"\n" + "to remove" + fmt.Sprintf(rest, "to keep  ", "         ", "for you  ") + "\n":                                             some().Announce,
		"would remove" + fmt.Sprintf(rest, "would keep  ", "            ", "for you     ") + "nothing was changed: this was a dry run\n": func(to *ui.UI) { some().Conclude(to, true) },
		"removed     " + fmt.Sprintf(rest, "kept        ", "            ", "left for you"):                                               func(to *ui.UI) { some().Conclude(to, false) },
		"kept  Service s\nnothing to remove\n": func(to *ui.UI) { Lines{object("Service", "s", Kept)}.Conclude(to, false) },
		"left for you  role r  ask an admin\n": func(to *ui.UI) { some()[6:7].Conclude(to, false) },
		"nothing to remove\n":                  func(to *ui.UI) { Lines{}.Conclude(to, false) },
	} {
		if got := printed(print); got != want {
			t.Errorf("%s\nwant\n%s", got, want)
		}
	}
}

// TestOneCauseOnce: what is kept for one reason is listed together, with one command; what
// could not be removed for one reason has it once.
func TestOneCauseOnce(t *testing.T) {
	var lines Lines
	for _, name := range []string{"a", "b", "c"} {
		l := object("Service", name, Kept)
		l.Keep("managed by kubectl", "oc delete service/"+name)
		l.Nexts = func(words []string) string { return "oc delete " + strings.Join(words, " ") }
		lines = append(lines, l)
	}
	data := object("PersistentVolumeClaim", "v", Kept)
	data.Keep("managed by kubectl", "")
	lines = append(lines, data)
	want := "kept  Service a, Service b, Service c\n        managed by kubectl\n        oc delete service/a service/b service/c\n" +
		"      PersistentVolumeClaim v  managed by kubectl\nnothing to remove\n"
	if got := printed(func(to *ui.UI) { lines.Conclude(to, false) }); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	for _, l := range lines {
		l.Leave("the quota is used up", l.Next)
	}
	told := problem.InParts(lines.Leftovers())[0]
	if told.Why != "Service a, Service b, Service c, PersistentVolumeClaim v: the quota is used up" || !strings.HasPrefix(told.Next, "oc delete service/a service/b service/c\n") {
		t.Errorf("%s\n%s", told.Why, told.Next)
	}
}

// TestRemovedInLines: the list of what was removed is wrapped below itself.
func TestRemovedInLines(t *testing.T) {
	var lines Lines
	for _, name := range []string{"first", "second", "third"} {
		lines = append(lines, &Line{Object: name + strings.Repeat("-", 30), Subject: Role, Fate: Removed})
	}
	want := "would remove  first------------------------------,\n              second------------------------------,\n              third------------------------------\n"
	if got := printed(func(to *ui.UI) { lines.Conclude(to, true) }); !strings.HasPrefix(got, want) {
		t.Errorf("%q", got)
	}
}

// TestDocument: each fate is a list, also an empty one, and contents are fields of the line.
func TestDocument(t *testing.T) {
	text, err := json.Marshal(some()[4:5].Document("demo", true, 1500*time.Millisecond))
	const want = `{"namespace":"demo","dryRun":true,"removed":[],"kept":[{"object":"bucket demo-bucket","why":"2 objects, 5 B",` +
		`"next":"oc ostoy-s3 uninstall -n demo --delete-data","objects":2,"versions":0,"deleteMarkers":0,"bytes":0,"ours":0}],"left":[],"durationSeconds":1.5}`
	if err != nil || string(text) != want {
		t.Errorf("%s, %v", text, err)
	}
}

// TestLeftovers: what could not be removed is an error with all commands, and says once
// that the command is to be run again.
func TestLeftovers(t *testing.T) {
	if (Lines{object("Service", "s", Kept)}).Leftovers() != nil {
		t.Error("an error out of nothing")
	}
	var lines Lines
	for n, next := range []string{"do this", "do that; then run the same command again"} {
		l := &Line{Object: fmt.Sprint("thing ", n), Subject: Role}
		l.Leave("no\nno", next)
		lines = append(lines, l)
		var told *problem.Error
		if err := lines.Leftovers(); !errors.As(err, &told) || told.Kind != problem.Failed || strings.Count(told.Next, "run the same command again") != 1 ||
			!strings.HasSuffix(told.Why, fmt.Sprintf("thing %d: no, no", n)) || !strings.Contains(told.Next, next) {
			t.Errorf("%+v", told)
		}
	}
}

// TestLeftoversWithoutAdvice: a thing of which nobody knows what to do has no line of its own.
func TestLeftoversWithoutAdvice(t *testing.T) {
	l := &Line{Object: "thing", Subject: Role}
	l.Leave("no", "")
	var told *problem.Error
	if err := (Lines{l}).Leftovers(); !errors.As(err, &told) || told.Next != "then run the same command again" {
		t.Errorf("%+v", told)
	}
}

// TestSoFar: only what has been removed is said to be.
func TestSoFar(t *testing.T) {
	lines := some()
	if got := lines.SoFar(); got != "nothing was removed" {
		t.Error(got)
	}
	if got := lines.SoFar("7 versions in bucket demo-bucket"); got != "removed so far: 7 versions in bucket demo-bucket" {
		t.Error(got)
	}
	lines[0].Done = true
	if got := lines.SoFar("7 versions"); got != "removed so far: Deployment a, 7 versions" {
		t.Error(got)
	}
	lines[1].Done, lines[2].Done, lines[7].Done = true, true, true
	if got := lines.SoFar(); got != "removed so far: Deployment, 2 Secrets, inventory" {
		t.Error(got)
	}
}

// TestFail: a thing that cannot be removed is left with the reason; the end of the run, and
// that of the login, are not about this thing.
func TestFail(t *testing.T) {
	told := &problem.Error{What: "no", Why: "denied", Next: "ask"}
	for err, want := range map[error]Line{
		fmt.Errorf("delete: %w", told): {Fate: Left, Why: "no: denied", Next: "ask"},
		errors.New("slow down"):        {Fate: Left, Why: "slow down"},
	} {
		l := Line{Fate: Removed}
		if got := l.Fail(t.Context(), err); got != nil || !reflect.DeepEqual(l, want) {
			t.Errorf("%v: %+v, %v", err, l, got)
		}
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	l := Line{Fate: Removed}
	if err := l.Fail(ended, told); !errors.Is(err, context.Canceled) || !errors.Is(err, error(told)) || l.Fate != Removed {
		t.Errorf("%+v, %v", l, err)
	}
	expired := &smithy.GenericAPIError{Code: "ExpiredToken"}
	if err := l.Fail(t.Context(), expired); !errors.Is(err, error(expired)) || l.Fate != Removed {
		t.Errorf("%+v, %v", l, err)
	}
}

// TestRemoves: which subjects anything is removed of.
func TestRemoves(t *testing.T) {
	lines := some()
	if !lines.Removes() || !lines.Removes(Volume, Inventory) || lines.Removes(Bucket, Role) || (Lines{}).Removes() {
		t.Errorf("%+v", lines)
	}
	if lines.One(Volume) != nil || lines.One(Object) != lines[0] {
		t.Error("the wrong line")
	}
	lines.Postpone(Inventory, Bucket)
	if lines.Removes(Inventory) || !lines.Removes(Object) || !strings.Contains(lines[7].Why, "after the rest") || lines[4].Why != "2 objects, 5 B" {
		t.Errorf("%+v, %+v", lines[7], lines[4])
	}
}
