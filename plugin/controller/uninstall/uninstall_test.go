package uninstall

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// play is a cluster without OLM in which everything is allowed and no controller is.
func play(t *testing.T) (s *session.Session, server *clustertest.Server, out, talk *bytes.Buffer) {
	t.Helper()
	server = clustertest.New(t, "v1.33.0", "v1/Namespace", "v1/ConfigMap", "v1/ServiceAccount", "apps/v1/Deployment",
		"rbac.authorization.k8s.io/v1/ClusterRole", "apiextensions.k8s.io/v1/CustomResourceDefinition", "authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SelfSubjectRulesReview")
	allow(server, true)
	server.Answer("GET /apis/apps/v1/deployments", map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}})
	streams, _, out, talk := genericiooptions.NewTestIOStreams()
	return &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}, server, out, talk
}

func allow(server *clustertest.Server, all bool) {
	rules := []any{}
	if all {
		rules = append(rules, map[string]any{"verbs": []any{"*"}, "apiGroups": []any{"*"}, "resources": []any{"*"}})
	}
	for _, review := range []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"} {
		server.Answer("POST /apis/authorization.k8s.io/v1/"+review, map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "Review", "status": map[string]any{"allowed": all, "resourceRules": rules},
		})
	}
}

func request() Request { return Request{KeepRole: true, Timeout: time.Minute} }

// TestNothing: where there is nothing of ours, nothing is written, and the document says so.
func TestNothing(t *testing.T) {
	s, server, out, talk := play(t)
	r := request()
	r.Output = session.FormatJSON
	if err := Run(t.Context(), s, r); err != nil {
		t.Fatal(err)
	}
	var document struct{ Removed, Kept, Left []any }
	if err := json.Unmarshal(out.Bytes(), &document); err != nil || len(document.Removed)+len(document.Left) > 0 || document.Removed == nil {
		t.Errorf("%v: %s", err, out)
	}
	if !strings.Contains(talk.String(), "ack-system") || !strings.HasSuffix(talk.String(), "nothing to remove\n") {
		t.Error(talk.String())
	}
	for path := range server.Persisted() {
		if !strings.Contains(path, "authorization.k8s.io") {
			t.Error(path)
		}
	}
}

// inventory puts a ServiceAccount of ours and the inventory that names it.
func inventory(server *clustertest.Server) {
	owned := func(object map[string]any, name string) map[string]any {
		object["metadata"] = map[string]any{
			"name": name, "namespace": "ack-system", "uid": name, "resourceVersion": "1",
			"labels":        map[string]any{render.TagManagedBy: render.ManagedBy},
			"managedFields": []any{map[string]any{"manager": "ostoy-s3", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{}}},
		}
		return object
	}
	server.Answer("GET /api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller",
		owned(map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}, "ack-s3-controller"))
}

// TestDryRun: what would be removed is printed, and nothing is written.
func TestDryRun(t *testing.T) {
	s, server, _, talk := play(t)
	inventory(server)
	r := request()
	r.DryRun = true
	if err := Run(t.Context(), s, r); err != nil || !strings.Contains(talk.String(), "would remove  ServiceAccount ack-s3-controller") {
		t.Errorf("%v\n%s", err, talk)
	}
	for path := range server.Persisted() {
		if strings.HasPrefix(path, "DELETE") {
			t.Error(path)
		}
	}
}

// TestRefused: what is wrong is told before anything is removed.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*clustertest.Server, *Request)
		want  problem.Kind
		says  string
	}{
		"a name that none can have": {func(_ *clustertest.Server, r *Request) { r.Facts.Given.Namespace = render.Fact{Value: "not/a/name"} }, problem.Usage, "not/a/name"},
		"not allowed":               {func(server *clustertest.Server, _ *Request) { allow(server, false) }, problem.Refused, "you may not remove the ACK S3 controller"},
		"no credentials": {func(server *clustertest.Server, r *Request) {
			r.KeepRole = false
			inventory(server)
		}, problem.Refused, "--keep-role"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
			s, server, _, _ := play(t)
			r := request()
			r.Facts.Given = render.Facts{Region: render.Fact{Value: "us-east-2"}, Issuer: render.Fact{Value: "https://oidc.example.com/1"}}
			c.spoil(server, &r)
			var told *problem.Error
			err := Run(t.Context(), s, r)
			if !errors.As(err, &told) || told.Kind != c.want || !strings.Contains(told.What+told.Why+told.Next, c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestInterrupted: a run that is cut off says what it has removed.
func TestInterrupted(t *testing.T) {
	s, _, _, _ := play(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var told *problem.Error
	if err := Run(ctx, s, request()); !errors.As(err, &told) || told.Kind != problem.Interrupted || told.Why != "nothing was removed" {
		t.Errorf("%v", err)
	}
}
