package release

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	services  = "/api/v1/namespaces/demo/services"
	inventory = "/api/v1/namespaces/demo/configmaps/" + apply.InventoryName
)

// playing plays a project with an install: one Service, which has other managers, too, and
// the inventory.
func playing(t *testing.T, others ...string) *clustertest.Server {
	t.Helper()
	server := clustertest.New(t, "v1.33.0", "v1/Namespace", "v1/Service", "v1/ConfigMap", "v1/Secret", "v1/PersistentVolumeClaim", "v1/ServiceAccount")
	server.Answer("GET /api/v1/namespaces/demo", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo"}})
	for _, kind := range []string{"configmaps", "secrets", "persistentvolumeclaims", "serviceaccounts"} {
		server.Answer("GET /api/v1/namespaces/demo/"+kind, map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}})
	}
	service := installedItem("web", others...).Live.Object
	server.Answer("GET "+services, map[string]any{"apiVersion": "v1", "kind": "ServiceList", "items": []any{service}})
	server.Answer("GET "+services+"/web", service)
	server.Handle("PATCH "+services+"/web", func(w http.ResponseWriter, r *http.Request) {
		var patch map[string]any
		_ = json.NewDecoder(r.Body).Decode(&patch)
		patch["apiVersion"], patch["kind"] = "v1", "Service"
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(patch)
	})
	record := installedItem(apply.InventoryName).Live
	record.SetKind("ConfigMap")
	server.Answer("GET "+inventory, record.Object)
	server.Answer("DELETE "+inventory, map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Success"})
	return server
}

// ran is what a release does, and prints.
type ran struct {
	err        error
	data, talk *bytes.Buffer
}

func running(ctx context.Context, server *clustertest.Server, r Request) ran {
	streams, _, data, talk := genericiooptions.NewTestIOStreams()
	s := &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}
	if r.Timeout == 0 {
		r.Timeout = time.Minute
	}
	return ran{Run(ctx, s, r), data, talk}
}

// changes are the requests that change something.
func changes(server *clustertest.Server) string {
	var all []string
	for _, key := range []string{"PATCH " + services + "/web", "DELETE " + inventory} {
		if server.Requests()[key] > 0 {
			all = append(all, strings.Fields(key)[0])
		}
	}
	return strings.Join(all, " ")
}

// TestRun: the objects are released, then the inventory is deleted, and a document says
// who manages the objects.
func TestRun(t *testing.T) {
	server := playing(t, "argocd-controller")
	got := running(t.Context(), server, Request{Output: session.FormatJSON})
	if got.err != nil || changes(server) != "PATCH DELETE" {
		t.Errorf("%v, %s\n%s", got.err, changes(server), got.talk)
	}
	for _, want := range []string{"1 object", "unchanged, managed by argocd-controller", "inventory", "role and bucket stay", "1 object released"} {
		if !strings.Contains(got.talk.String(), want) {
			t.Errorf("no %q in\n%s", want, got.talk)
		}
	}
	var told document
	if err := json.Unmarshal(got.data.Bytes(), &told); err != nil || told.Namespace != "demo" || told.DryRun || !told.Inventory ||
		len(told.Objects) != 1 || told.Objects[0].Object != "Service web" || len(told.Objects[0].Managers) != 1 {
		t.Errorf("%v\n%s", err, got.data)
	}
}

// TestRunToNone: objects that nobody else manages, which are named as such.
func TestRunToNone(t *testing.T) {
	server := playing(t)
	got := running(t.Context(), server, Request{To: ToNone})
	if got.err != nil || changes(server) != "PATCH DELETE" || got.data.Len() > 0 {
		t.Errorf("%v, %s", got.err, changes(server))
	}
	for _, want := range []string{"managed by nobody then", "to manage them again, as long as they are unchanged: oc ostoy-s3 install -n demo"} {
		if !strings.Contains(got.talk.String(), want) {
			t.Errorf("no %q in\n%s", want, got.talk)
		}
	}
}

// TestRunRefuses: while no engine manages the objects nothing changes, and the command that
// makes Argo CD sync is for the namespace that it has on such a cluster.
func TestRunRefuses(t *testing.T) {
	for argoIn, more := range map[string]string{"argocd": "v1/Pod", "openshift-gitops": "route.openshift.io/v1/Route"} {
		server := playing(t)
		server.Serve("v1/Service", "v1/ConfigMap", more)
		server.Answer("GET /apis/route.openshift.io/v1/namespaces/demo/routes", map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}})
		got := running(t.Context(), server, Request{})
		var told *problem.Error
		if !errors.As(got.err, &told) || told.Kind != problem.Refused || !strings.Contains(told.Next, "demo -n "+argoIn+" ") || changes(server) != "" {
			t.Errorf("%v, %s", got.err, changes(server))
		}
	}
	server := playing(t)
	server.Refuse("GET /api/v1/namespaces/demo", 404, "NotFound", "no")
	if got := running(t.Context(), server, Request{}); !problem.IsInput(got.err) || !strings.Contains(got.err.Error(), "project demo does not exist") || changes(server) != "" {
		t.Errorf("%v", got.err)
	}
	for name, facts := range map[string]session.Facts{
		"a name":       {Given: render.Facts{Namespace: render.Fact{Value: "No_Name"}}},
		"no such file": {File: filepath.Join(t.TempDir(), "none")},
	} {
		if got := running(t.Context(), server, Request{Facts: facts}); !problem.IsInput(got.err) {
			t.Errorf("%s: %v", name, got.err)
		}
	}
}

// TestRunUnseen: what cannot be read is an error, and no empty project.
func TestRunUnseen(t *testing.T) {
	for name, key := range map[string]string{"the inventory": "GET " + inventory, "the objects": "GET " + services, "the project": "GET /api/v1/namespaces/demo"} {
		server := playing(t, "argocd-controller")
		server.Refuse(key, 400, "BadRequest", "out of order")
		if got := running(t.Context(), server, Request{}); got.err == nil || changes(server) != "" || got.talk.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, got.err, got.talk)
		}
	}
}

// TestRunChangesNothing: a dry run, and a project in which nothing is of an install.
func TestRunChangesNothing(t *testing.T) {
	server := playing(t, "argocd-controller")
	got := running(t.Context(), server, Request{DryRun: true, Output: session.FormatJSON})
	if got.err != nil || changes(server) != "" || !strings.Contains(got.talk.String(), "this was a dry run") || !strings.Contains(got.data.String(), `"dryRun": true`) {
		t.Errorf("%v, %s\n%s%s", got.err, changes(server), got.talk, got.data)
	}
	server.Answer("GET "+services, map[string]any{"apiVersion": "v1", "kind": "ServiceList", "items": []any{}})
	server.Refuse("GET "+inventory, 404, "NotFound", "no")
	got = running(t.Context(), server, Request{Output: session.FormatJSON})
	if got.err != nil || changes(server) != "" || !strings.Contains(got.talk.String(), "there is nothing to release") || strings.Contains(got.talk.String(), "Plan") || !strings.Contains(got.data.String(), `"objects": []`) {
		t.Errorf("%v, %s\n%s%s", got.err, changes(server), got.talk, got.data)
	}
}

// TestRunIsCutOff: who stops a run is told what it has done, and the inventory stays for
// the next.
func TestRunIsCutOff(t *testing.T) {
	kind := func(err error) problem.Kind {
		var told *problem.Error
		errors.As(err, &told)
		return told.Kind
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	server := playing(t, "argocd-controller")
	if got := running(ctx, server, Request{}); kind(got.err) != problem.Interrupted || !strings.Contains(got.err.Error(), "nothing was changed") || changes(server) != "" {
		t.Errorf("%v", got.err)
	}
	ctx, cancel = context.WithCancel(t.Context())
	t.Cleanup(cancel)
	server.Handle("DELETE "+inventory, func(http.ResponseWriter, *http.Request) {
		cancel()
		<-ctx.Done()
		panic(http.ErrAbortHandler)
	})
	if got := running(ctx, server, Request{}); kind(got.err) != problem.Interrupted || !strings.Contains(got.err.Error(), "done so far, and staying: 1 object released") {
		t.Errorf("%v", got.err)
	}
	server.Refuse("PATCH "+services+"/web", 403, "Forbidden", "you may not")
	if got := running(t.Context(), server, Request{}); got.err == nil || strings.Contains(got.talk.String(), "released") {
		t.Errorf("%v\n%s", got.err, got.talk)
	}
}

// TestTo: the values that the flag has.
func TestTo(t *testing.T) {
	for _, to := range []To{ToAny, ToArgoCD, ToFlux, ToNone} {
		if !to.Known() {
			t.Errorf("%q is not known", to)
		}
	}
	if To("helm").Known() {
		t.Error("helm is known")
	}
}

// TestTell: data is among what is released, by who manages it then, in one order; and the
// inventory alone is something to release.
func TestTell(t *testing.T) {
	there := installed{namespace: render.Fact{Value: "demo"}, removal: &apply.Removal{
		Objects: []*apply.Item{installedItem("b", "zeta"), installedItem("a", "alpha"), installedItem("c")},
		Volumes: []*apply.Item{installedItem("data")}, Bucket: installedItem("demo-bucket", "zeta"),
	}}
	for range 5 {
		var talk bytes.Buffer
		tell(ui.New(&talk, ui.Style{}, time.Now), there)
		var at []int
		for _, want := range []string{"2 objects unchanged, and managed by nobody then", "1 object  unchanged, managed by alpha", "2 objects unchanged, managed by zeta", "role and bucket stay"} {
			at = append(at, strings.Index(talk.String(), want))
		}
		if !slices.IsSorted(at) || at[0] < 0 || strings.Contains(talk.String(), "inventory") {
			t.Fatalf("%v in\n%s", at, &talk)
		}
	}
	if got := documentOf(Request{}, there); got.Inventory || len(got.Objects) != 5 || len(got.Objects[4].Managers) != 1 {
		t.Errorf("%+v", got)
	}
	for _, c := range []struct {
		removal apply.Removal
		nothing bool
	}{
		{apply.Removal{}, true},
		{apply.Removal{InventoryOurs: true}, false},
		{apply.Removal{Bucket: installedItem("b")}, false},
		{apply.Removal{Volumes: []*apply.Item{installedItem("v")}, InventoryOurs: true}, false},
	} {
		if got := (installed{removal: &c.removal}).nothing(); got != c.nothing {
			t.Errorf("%+v: %t", c.removal, got)
		}
	}
}
