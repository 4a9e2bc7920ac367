package plugin

import (
	"errors"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestFetchChart: a chart at hand is not taken for another version than it is.
func TestFetchChart(t *testing.T) {
	const folder = "../render/testdata/s3-chart"
	for _, version := range []string{"", "1.10.0", "v1.10.0", "latest"} {
		if chart, err := fetchChart(t.Context(), folder, version); err != nil || chart.Version() != "1.10.0" {
			t.Errorf("%q: %v, %v", version, chart, err)
		}
	}
	var told *problem.Error
	if _, err := fetchChart(t.Context(), folder, "1.9.0"); !errors.As(err, &told) || told.Kind != problem.Usage || told.Next == "" {
		t.Errorf("another version: %v", err)
	}
	if chart, err := fetchChart(t.Context(), "", "1.9.0"); chart != nil || err != nil {
		t.Errorf("no chart: %v, %v", chart, err)
	}
}
