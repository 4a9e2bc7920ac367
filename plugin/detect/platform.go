package detect

import (
	"context"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// infrastructure is what infrastructures/cluster says, or why it says nothing.
type infrastructure struct {
	read   bool
	region string
	hosted bool // the control plane runs elsewhere
	rosa   bool
	why    string
}

const infrastructureSource = "infrastructures/cluster"

func (s *search) infrastructure(ctx context.Context) error {
	object, why, err := s.read(ctx, config("infrastructures"), "", "cluster")
	if err != nil {
		return err
	}
	s.infra = infrastructure{why: why}
	if object != nil {
		s.infra = parseInfrastructure(object.Object)
	}
	s.infraKnown()
	return nil
}

// parseInfrastructure reads the fields of FACTS.md section 3. ROSA marks the
// AWS resources of its clusters by tags.
func parseInfrastructure(object map[string]any) infrastructure {
	infra := infrastructure{read: true}
	infra.region, _, _ = unstructured.NestedString(object, "status", "platformStatus", "aws", "region")
	if infra.region == "" {
		infra.why = infrastructureSource + " names no AWS region"
	}
	topology, _, _ := unstructured.NestedString(object, "status", "controlPlaneTopology")
	infra.hosted = topology == "External"
	tags, _, _ := unstructured.NestedSlice(object, "status", "platformStatus", "aws", "resourceTags")
	for _, tag := range tags {
		if tag, ok := tag.(map[string]any); ok && tag["key"] == "red-hat-clustertype" && tag["value"] == "rosa" {
			infra.rosa = true
		}
	}
	return infra
}

// platform decides from the surest sign to the weakest: OpenShift's own word,
// the issuer's host, the vendor in the version, the API groups served.
func (s *search) platform() render.Fact {
	fact := func(platform, source string) render.Fact { return render.Fact{Value: platform, Source: source} }
	if s.infra.read {
		redHat := strings.Contains(s.result.Facts.Issuer.Value, ".openshiftapps.com")
		switch {
		case s.infra.hosted && (s.infra.rosa || redHat):
			return fact(render.PlatformROSAHCP, infrastructureSource)
		case s.infra.rosa:
			return fact(render.PlatformROSAClassic, infrastructureSource)
		}
		return fact(render.PlatformOpenShift, infrastructureSource)
	}
	if s.served == nil {
		return render.Fact{Why: s.infra.why}
	}
	if s.served.ServesGroup("config.openshift.io") || s.served.ServesGroup("route.openshift.io") {
		return fact(render.PlatformOpenShift, "API groups served")
	}
	if platform := render.PlatformOfIssuer(s.result.Facts.Issuer.Value); platform == render.PlatformEKS {
		return fact(platform, "issuer")
	}
	if strings.Contains(s.served.Version, "-eks-") {
		return fact(render.PlatformEKS, "/version")
	}
	return fact(render.PlatformKubernetes, "API groups served")
}
