package testbed

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/standins/olm"
)

// installedVersion is the controller's where it is there from the start.
const installedVersion = "1.10.0"

// catalogVersions are what the catalog offers, oldest first: some of the real ones. An
// installed controller is at its head: an upgrade is on order (OLM.Release).
func (b *Bed) catalogVersions() []string {
	versions := []string{"1.0.35", "1.1.0", "1.9.0", installedVersion}
	if b.furnished() {
		return versions
	}
	return append(versions, "1.11.0", "1.12.2", "1.13.0")
}

// startOLM starts OLM's stand-in, which comes before the controller and finds
// what installByOLM makes finished.
func (b *Bed) startOLM(context.Context) error {
	if b.Platform.OpenShift() {
		seed, err := strconv.ParseUint(os.Getenv("TESTBED_OLM_SEED"), 10, 64)
		if err != nil {
			seed = uint64(time.Now().UnixNano())
		}
		b.say("OLM's timing is shuffled: TESTBED_OLM_SEED=%d", seed)
		b.OLM = olm.Start(b.living, olm.Config{Cluster: b.Dynamic, Versions: b.catalogVersions(), Bundle: b.bundle, Seed: seed})
		b.standIns.Go(b.OLM.Wait)
	}
	return nil
}

// installByOLM makes what OLM leaves when it has installed the controller.
func (b *Bed) installByOLM(ctx context.Context) error {
	if err := b.applyFiles(ctx, "ack-olm", "ack-rights"); err != nil {
		return err
	}
	resource := schema.GroupVersionResource{Group: "operators.coreos.com", Version: "v1alpha1", Resource: "clusterserviceversions"}
	csv, err := b.Dynamic.Resource(resource).Namespace(ControllerNamespace).Get(ctx, olm.CSV(installedVersion), metav1.GetOptions{})
	if err != nil {
		return err
	}
	text, err := b.manifest("ack-deployment", map[string]any{"Owner": string(csv.GetUID())})
	if err != nil {
		return err
	}
	return b.Apply(ctx, text)
}

// bundle is what the operator's bundle of a version brings to a namespace, and
// the rights OLM makes for its kind.
func (b *Bed) bundle(version, namespace string) ([]*unstructured.Unstructured, error) {
	names := []string{"crd-bucket", "ack-rights", "ack-deployment"}
	if !b.NoBucketRights {
		names = append(names, "rights-buckets")
	}
	var objects []*unstructured.Unstructured
	for _, name := range names {
		text, err := b.manifest(name, map[string]any{"Version": version, "Namespace": namespace})
		if err != nil {
			return nil, err
		}
		decoder := yaml.NewYAMLOrJSONDecoder(strings.NewReader(text), 4096)
		for {
			object := &unstructured.Unstructured{}
			if err := decoder.Decode(object); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				return nil, fmt.Errorf("%s: %w", name, err)
			}
			if len(object.Object) > 0 {
				objects = append(objects, object)
			}
		}
	}
	return objects, nil
}

// manifest is an embedded manifest, filled in.
func (b *Bed) manifest(name string, fields map[string]any) (string, error) {
	text, err := manifests.ReadFile("manifests/" + name + ".yaml")
	if err != nil {
		return "", err
	}
	filled, err := b.expand(name, string(text), fields)
	return string(filled), err
}
