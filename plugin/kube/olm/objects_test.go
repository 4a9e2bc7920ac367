package olm

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// object reads one as OLM writes it.
func object(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	data, err := yaml.ToJSON([]byte(text))
	if err != nil {
		t.Fatal(err)
	}
	out := &unstructured.Unstructured{}
	if err := out.UnmarshalJSON(data); err != nil {
		t.Fatalf("%v in\n%s", err, text)
	}
	return out
}

func objects(t *testing.T, texts ...string) []*unstructured.Unstructured {
	t.Helper()
	var out []*unstructured.Unstructured
	for _, text := range texts {
		out = append(out, object(t, text))
	}
	return out
}

// refusal holds an error against the kind and all words it is to have.
func refusal(t *testing.T, err error, kind problem.Kind, words ...string) {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Errorf("%v is no problem", err)
		return
	}
	text := p.What + "\n" + p.Why + "\n" + p.Next
	if p.Kind != kind || p.What == "" || p.Why == "" || p.Next == "" {
		t.Errorf("%d, want kind %d and three parts:\n%s", p.Kind, kind, text)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("%q is not in\n%s", word, text)
		}
	}
}

func TestKinds(t *testing.T) {
	for want, got := range map[string]string{
		"packages.operators.coreos.com/v1, Resource=packagemanifests":    kinds.PackageManifest.GVR().String(),
		"operators.coreos.com/v1alpha1, Resource=subscriptions":          kinds.Subscription.GVR().String(),
		"operators.coreos.com/v1alpha1, Resource=installplans":           kinds.InstallPlan.GVR().String(),
		"operators.coreos.com/v1alpha1, Resource=clusterserviceversions": kinds.ClusterServiceVersion.GVR().String(),
		"operators.coreos.com/v1, Resource=operatorgroups":               kinds.OperatorGroup.GVR().String(),
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}

func TestOwnedByCSV(t *testing.T) {
	for name, c := range map[string]struct {
		meta string
		want bool
	}{
		"by reference":         {"ownerReferences: [{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, name: ack-s3-controller.v1.10.0, uid: u}]", true},
		"by label":             {"labels: {olm.owner: ack-s3-controller.v1.10.0, olm.owner.kind: ClusterServiceVersion}", true},
		"another operator's":   {"ownerReferences: [{apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, name: ack-iam-controller.v1.8.1, uid: u}]", false},
		"a longer name":        {"labels: {olm.owner: ack-s3-controller-extra.v1.0.0}", false},
		"a Subscription's":     {"ownerReferences: [{apiVersion: operators.coreos.com/v1alpha1, kind: Subscription, name: ack-s3-controller.v1.10.0, uid: u}]", false},
		"nobody's":             {"labels: {}", false},
		"among several owners": {"ownerReferences: [{apiVersion: v1, kind: Pod, name: x, uid: u}, {apiVersion: operators.coreos.com/v1alpha1, kind: ClusterServiceVersion, name: ack-s3-controller.v1.0.0, uid: u}]", true},
	} {
		if got := OwnedByCSV(object(t, "apiVersion: v1\nkind: ServiceAccount\nmetadata: {name: a, "+c.meta+"}"), "ack-s3-controller"); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

func TestSaidIsFitToBeShown(t *testing.T) {
	got := said("pull \x1b[31mAKIAABCDEFGHIJKLMNOP failed\n\tfor https://user:pw@mirror.example.com/x\x07" + strings.Repeat(" more", 200))
	for _, bad := range []string{"AKIA", "pw@", "\x1b", "\n", "\x07"} {
		if strings.Contains(got, bad) {
			t.Errorf("%q is in %q", bad, got)
		}
	}
	if len(got) > 450 || !strings.HasPrefix(got, "pull") {
		t.Errorf("%d characters: %q", len(got), got)
	}
}
