package controller

import (
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func TestNamespaceIsShared(t *testing.T) {
	for name, c := range map[string]struct {
		other *unstructured.Unstructured
		group bool // the OperatorGroup stays, too
	}{
		"another operator": {object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, metadata: {name: iam, namespace: ack-system}, spec: {name: ack-iam-controller}}"), true},
		"its version":      {object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, metadata: {name: ack-iam-controller.v1.0.0, namespace: ack-system}}"), true},
		"a Deployment":     {object(t, "{apiVersion: apps/v1, kind: Deployment, metadata: {name: web, namespace: ack-system}}"), false},
	} {
		w := newWorld(t, true, append(byOLM(t), c.other)...).withRole()
		going, err := w.run(t.Context(), RemovalOptions{})
		if err != nil {
			t.Fatal(err)
		}
		kept := parts(going, removal.Kept)
		if strings.Contains(kept, "OperatorGroup") != c.group || !strings.Contains(kept, "namespace ack-system") || w.get(kinds.Namespace.GVR(), "", ackSystem) == nil {
			t.Errorf("%s, kept: %s", name, kept)
		}
		w.sound()
	}
	copied := object(t, "{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, metadata: {name: other.v1.0.0, namespace: ack-system, labels: {olm.copiedFrom: x}}}")
	w := newWorld(t, true, append(byOLM(t), copied)...).withRole()
	if _, err := w.run(t.Context(), RemovalOptions{}); err != nil || w.get(kinds.Namespace.GVR(), "", ackSystem) != nil {
		t.Errorf("a copy of OLM's keeps the namespace: %v", err)
	}
}

func TestForeignNamespaceStays(t *testing.T) {
	objects := byOLM(t)
	for _, o := range objects {
		if o.GetKind() == "Namespace" {
			o.SetManagedFields(nil)
		}
	}
	w := newWorld(t, true, objects...).withRole()
	if going, err := w.run(t.Context(), RemovalOptions{}); err != nil || !strings.Contains(parts(going, removal.Kept), "namespace") || w.get(kinds.Namespace.GVR(), "", ackSystem) == nil {
		t.Errorf("%v", err)
	}
}

func TestRoleOfTheController(t *testing.T) {
	w := newWorld(t, true, byOLM(t)...).withRole()
	w.role.denied = true
	going, err := w.run(t.Context(), RemovalOptions{})
	if err != nil || parts(going, removal.Left) != "role "+w.role.name || w.get(kinds.ConfigMap.GVR(), ackSystem, "ostoy-s3-controller") == nil {
		t.Errorf("%v, left %s", err, parts(going, removal.Left))
	}
	w.role.denied = false
	if _, err := w.run(t.Context(), RemovalOptions{}); err != nil || w.everything() != definitionStays {
		t.Errorf("again: %v\n%s", err, w.everything())
	}

	w = newWorld(t, true, byOLM(t)...).withRole()
	w.role.tags[render.TagIssuer] = "https://another.example.com"
	_, err = w.run(t.Context(), RemovalOptions{AdoptRole: false})
	wantProblem(t, err, problem.Refused, w.role.name, "--keep-role")
	w.role.tags = nil
	_, err = w.run(t.Context(), RemovalOptions{AdoptRole: true})
	wantProblem(t, err, problem.Refused, "not ours")
	if len(w.writes) > 0 {
		t.Errorf("touched: %v", w.writes)
	}

	going, err = w.plan(t.Context(), RemovalOptions{})
	if going == nil || err == nil {
		t.Fatal("a foreign role passed")
	}
	wantProblem(t, going.CheckAccount("222222222222"), problem.Refused, "222222222222", "123456789012", "--profile")
	if err := going.CheckAccount("123456789012"); err != nil {
		t.Error(err)
	}
	if !strings.Contains(parts(going, removal.Removed), "namespace "+ackSystem) {
		t.Error(parts(going, removal.Removed))
	}
	going.KeepRole() // and the namespace, or else a user could create it and assume the role
	if kept := parts(going, removal.Kept); !strings.Contains(kept, "role "+render.ControllerRoleName(testFacts().Issuer.Value)) || !strings.Contains(kept, "namespace "+ackSystem) {
		t.Error(parts(going, removal.Kept))
	}
}

// TestNoS3: no file of the removal can speak to S3.
func TestNoS3(t *testing.T) {
	files, err := filepath.Glob("removal*.go")
	if err != nil {
		t.Fatal(err)
	}
	files = append(files, "uninstall/uninstall.go")
	looked := 0
	for _, name := range files {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			t.Fatal(err)
		}
		looked++
		for _, one := range file.Imports {
			if path := strings.Trim(one.Path.Value, `"`); strings.HasSuffix(path, "plugin/aws/bucket") || strings.Contains(path, "service/s3") {
				t.Errorf("%s imports %s", name, path)
			}
		}
	}
	if looked < 5 {
		t.Errorf("%d files looked at", looked)
	}
}
