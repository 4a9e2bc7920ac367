package apply

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

// sent collects what is written from now on, as written words it.
func (s *server) sent(t *testing.T) *[]string {
	var lines []string
	s.hook = func(_ http.ResponseWriter, r *http.Request) bool {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			t.Error(err)
		}
		r.Body = io.NopCloser(bytes.NewReader(body))
		query := r.URL.Query()
		if r.Method == http.MethodGet || query.Has("dryRun") {
			return false
		}
		if strings.Contains(string(body), replacesAnnotation) { // a script has no such write
			return false
		}
		line := r.Method + " " + r.URL.Path
		if r.Method == http.MethodPatch {
			line += " " + query.Get("fieldManager") + " force=" + query.Get("force") + " " + canonical(t, body)
		} else {
			var options metav1.DeleteOptions
			if err := json.Unmarshal(body, &options); err != nil {
				t.Error(err)
			}
			line += " " + string(*options.Preconditions.UID)
		}
		s.mu.Lock()
		defer s.mu.Unlock()
		lines = append(lines, line)
		return false
	}
	return &lines
}

// written words what a plan says that it would send.
func written(t *testing.T, writes []Write) []string {
	var lines []string
	for _, w := range writes {
		if w.Object == nil {
			lines = append(lines, "DELETE "+path(w.Ref)+" "+string(w.UID))
			continue
		}
		body, err := json.Marshal(w.Object.Object)
		if err != nil {
			t.Fatal(err)
		}
		force := "false"
		if w.Force {
			force = "true"
		}
		lines = append(lines, "PATCH "+path(w.Ref)+" "+Manager+" force="+force+" "+canonical(t, body))
	}
	return lines
}

// canonical leaves out what ties a write to a version and to a run: a script is not tied.
func canonical(t *testing.T, body []byte) string {
	t.Helper()
	v := &unstructured.Unstructured{}
	if err := json.Unmarshal(body, &v.Object); err != nil {
		t.Fatal(err)
	}
	v.SetResourceVersion("")
	v.SetUID("")
	unstructured.RemoveNestedField(v.Object, "metadata", "annotations", aimAnnotation)
	if len(v.GetAnnotations()) == 0 {
		unstructured.RemoveNestedField(v.Object, "metadata", "annotations")
	}
	out, err := json.Marshal(v.Object)
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

// TestWritesAreWhatIsSent: what a plan says that it would write is what executing
// it does write, in the same order, but for objects of one wave.
func TestWritesAreWhatIsSent(t *testing.T) {
	without := func(kind string) []*unstructured.Unstructured {
		return slices.DeleteFunc(testSet(), func(o *unstructured.Unstructured) bool { return o.GetKind() == kind })
	}
	const none = 0
	for name, c := range map[string]struct {
		before func(*server)
		opts   Options
		set    []*unstructured.Unstructured
		record Record
		want   int
	}{
		"nothing to do":      {set: testSet(), want: none},
		"one lacks":          {before: func(s *server) { delete(s.objects, path(RefOf(testRoute()))) }, set: testSet(), want: 1},
		"one is edited":      {before: func(s *server) { s.edit(RefOf(testDeployment()), "kubectl-edit", replicas(5)) }, set: testSet(), want: 1},
		"one is left":        {set: without("Route"), want: 2},
		"data is left":       {set: without("Bucket"), want: none},
		"another record":     {set: testSet(), record: Record{Version: "v2"}, want: 1},
		"conflicts by leave": {before: func(s *server) { delete(s.objects, path(RefOf(testRoute()))) }, opts: Options{ForceConflicts: true}, set: testSet(), want: 1},
		"nothing is there":   {before: func(s *server) { clear(s.objects) }, set: testSet(), want: len(testSet()) + 1},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			a := s.applier(c.opts)
			run(t, a, testSet(), Record{})
			if c.before != nil {
				c.before(s)
			}
			sent := s.sent(t)
			p, err := plan(t, a, c.set, c.record)
			if err != nil {
				t.Fatal(err)
			}
			writes := p.Writes()
			if len(writes) != c.want || len(*sent) != 0 {
				t.Errorf("%d writes, want %d; sent by planning: %v", len(writes), c.want, *sent)
			}
			want := written(t, writes)
			execute(t, p)
			for _, lines := range [][]string{want, *sent} {
				slices.SortFunc(lines[min(1, len(lines)):], strings.Compare) // the inventory comes first
			}
			if diff := cmp.Diff(want, *sent, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("-would +did\n%s", diff)
			}
		})
	}
}

// replicas edits a Deployment.
func replicas(n int) func(map[string]any) {
	return func(o map[string]any) { o["spec"].(map[string]any)["replicas"] = int64(n) }
}

// TestDrops: what a client-side apply brought and we have not is named, and what
// we have, what others brought, and defaults are not.
func TestDrops(t *testing.T) {
	const note = `{"apiVersion":"v1","kind":"Secret","metadata":{"annotations":{},"name":"ostoy-secret","labels":{"team":"blue"}},"data":{"secret.txt":"eA==","more":"eA=="}}`
	for name, c := range map[string]struct {
		manager, note string
		want          []string
	}{
		"kubectl apply":  {"kubectl-client-side-apply", note, []string{"data.more", "metadata.labels"}},
		"an evil note":   {"kubectl-client-side-apply", `{"data":{"x\nrm -rf ~\u202e\u001b[8m":"eA=="}}`, []string{"data[x rm -rf ~ [8m]"}},
		"somebody else":  {"kubectl-edit", note, nil},
		"without a note": {"kubectl-client-side-apply", "", nil},
		"an odd note":    {"kubectl-client-side-apply", "{", nil},
	} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t)
			a := s.applier(Options{})
			run(t, a, testSet(), Record{})
			s.edit(RefOf(testSecret()), c.manager, func(o map[string]any) {
				metadata := o["metadata"].(map[string]any)
				metadata["annotations"] = map[string]any{lastApplied: c.note}
				metadata["labels"] = map[string]any{"team": "blue"}
				o["data"] = map[string]any{"secret.txt": "ZWRpdGVk", "more": "eA=="}
			})
			p, err := plan(t, a, testSet(), Record{})
			if err != nil {
				t.Fatal(err)
			}
			writes := p.Writes()
			if len(writes) != 1 {
				t.Fatalf("%d writes", len(writes))
			}
			if diff := cmp.Diff(c.want, writes[0].Drops); diff != "" {
				t.Errorf("-want +got\n%s", diff)
			}
		})
	}
}
