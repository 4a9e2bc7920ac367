package controller

import "testing"

// TestPlansOfTheOperator do not keep its namespace; one that names another
// operator does.
func TestPlansOfTheOperator(t *testing.T) {
	for yaml, want := range map[string]bool{
		"{apiVersion: operators.coreos.com/v1alpha1, kind: InstallPlan, spec: {clusterServiceVersionNames: [ack-s3-controller.v1.13.0]}}":                            true,
		"{apiVersion: operators.coreos.com/v1alpha1, kind: InstallPlan, spec: {clusterServiceVersionNames: [ack-s3-controller.v1.13.0, ack-iam-controller.v1.8.1]}}": false,
		"{apiVersion: operators.coreos.com/v1alpha1, kind: InstallPlan, spec: {}}":                                                                                   false,
		"{apiVersion: v1, kind: ConfigMap}": false,
	} {
		if got := isPlanOfOperator(object(t, yaml)); got != want {
			t.Errorf("%s: %t, want %t", yaml, got, want)
		}
	}
}
