package controller

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF2HelmInstall: what you give is one word of the printed command.
func TestF2HelmInstall(t *testing.T) {
	f := render.Facts{Namespace: render.Fact{Value: "ack-system"}}
	const begin = "helm install ack-s3-controller oci://public.ecr.aws/aws-controllers-k8s/s3-chart --namespace ack-system --create-namespace"
	for version, want := range map[string]string{"": begin + " -f v.yaml", "v1.9.0": begin + " --version 1.9.0 -f v.yaml", "$(id)": begin + " --version '$(id)' -f v.yaml"} {
		if got := HelmInstall(f, version, "-f", "v.yaml"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
