package render

import (
	"testing"
	"testing/fstest"
)

// Null is what templates leave where there is nothing to say, as ACK's do.
func TestForeignNulls(t *testing.T) {
	chart, err := LoadDir(fstest.MapFS{
		"Chart.yaml":       {Data: []byte(chartYAML)},
		"templates/a.yaml": {Data: []byte("apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: a\n  creationTimestamp: null\n  labels:\n  annotations:\n")},
	})
	if err != nil {
		t.Fatal(err)
	}
	objects, err := chart.Objects(inAckSystem(), "rel", nil)
	if err != nil || len(objects) != 1 {
		t.Fatalf("%v, %v", summary(objects), err)
	}
	if labels := objects[0].GetLabels(); len(labels) > 0 || objects[0].GetAnnotations()[WaveAnnotation] != "-3" {
		t.Errorf("%v", objects[0].Object)
	}
}
