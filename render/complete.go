package render

import (
	"fmt"
	"slices"
	"strings"
)

// Complete fills what follows from other facts or from the platform, each
// with a source that says so, and puts given values into their usual form
// (issuer without trailing slash, version with three numbers and a v).
func (f Facts) Complete() Facts {
	if issuer, err := NormalizeIssuer(f.Issuer.Value); err == nil {
		f.Issuer.Value = issuer
	}
	if version, ok := canonicalVersion(f.KubeVersion.Value); ok {
		f.KubeVersion.Value = version
	}
	fill := func(fact *Fact, value, source string) {
		if !fact.Known() && value != "" {
			*fact = Fact{Value: value, Source: source}
		}
	}
	fill(&f.Partition, PartitionOf(f.Region.Value), "follows from the region")
	fill(&f.Audience, DefaultAudience, "default")
	fill(&f.Platform, PlatformOfIssuer(f.Issuer.Value), "follows from the issuer")
	fill(&f.KubeVersion, DefaultKubeVersion, "default")
	if !f.APIVersions.Known() && f.Platform.Known() {
		f.APIVersions = ListFact{Values: defaultAPIs(f.Platform.Value), Source: "default of platform " + f.Platform.Value}
	}
	return f
}

// PlatformOfIssuer tells the platform where the issuer's host alone gives it
// away: EKS, and Red Hat's hosts (which do not tell HCP from classic). Else empty.
func PlatformOfIssuer(issuer string) string {
	host, _, _ := strings.Cut(IssuerHostPath(issuer), "/")
	switch {
	case EKSRegion(issuer) != "":
		return PlatformEKS
	case strings.HasSuffix(host, ".openshiftapps.com"), strings.HasPrefix(host, "rh-oidc."):
		return PlatformOpenShift
	}
	return ""
}

// EKSRegion is the region in the issuer of an EKS cluster
// (https://oidc.eks.REGION.amazonaws.com/id/ID), empty for another issuer.
func EKSRegion(issuer string) string {
	host, _, _ := strings.Cut(IssuerHostPath(issuer), "/")
	labels := strings.Split(host, ".")
	if len(labels) < 4 || labels[0] != "oidc" || labels[1] != "eks" || !isRegion(labels[2]) || labels[3] != "amazonaws" {
		return ""
	}
	return labels[2]
}

// defaultAPIs is what the chart needs to know of the APIs a platform serves.
func defaultAPIs(platform string) []string {
	apis := []string{
		"apps/v1", "apps/v1/Deployment",
		"networking.k8s.io/v1", "networking.k8s.io/v1/Ingress",
		"rbac.authorization.k8s.io/v1", "rbac.authorization.k8s.io/v1/RoleBinding",
		"s3.services.k8s.aws/v1alpha1", "s3.services.k8s.aws/v1alpha1/Bucket",
		"v1",
	}
	switch platform {
	case PlatformROSAHCP, PlatformROSAClassic, PlatformOpenShift:
		apis = append(apis,
			"project.openshift.io/v1", "project.openshift.io/v1/Project",
			"route.openshift.io/v1", "route.openshift.io/v1/Route",
			"security.openshift.io/v1")
	}
	slices.Sort(apis)
	return apis
}

// Missing is one required fact that is not known.
type Missing struct {
	Name string // as in a facts file
	Why  string // what was tried
	Flag string // what gives it
}

// Missing lists the required facts that are unknown: namespace, issuer,
// account, region (the partition follows from it), and the platform where
// nothing says which API groups there are.
func (f Facts) Missing() []Missing {
	f = f.Complete()
	required := []struct {
		fact Fact
		name string
	}{
		{f.Namespace, "namespace"},
		{f.Issuer, "issuer"},
		{f.Account, "accountID"},
		{f.Region, "region"},
		{platformOrGroups(f), "platform"},
	}
	var missing []Missing
	for _, r := range required {
		if r.fact.Known() {
			continue
		}
		why := r.fact.Why
		if why == "" {
			why = "not given"
		}
		missing = append(missing, Missing{Name: r.name, Why: why, Flag: flagOf(r.name)})
	}
	return missing
}

// platformOrGroups is known if it is known whether there are Routes.
func platformOrGroups(f Facts) Fact {
	switch {
	case f.APIVersions.Known():
		return Fact{Value: "known"}
	case f.APIVersions.Why != "":
		return Fact{Why: f.APIVersions.Why}
	}
	return f.Platform
}

func flagOf(name string) string {
	for _, field := range fields() {
		if field.key == name {
			return field.flag
		}
	}
	return ""
}

// Require gives nil if nothing is missing, else one *InputError that lists
// every missing fact, why it could not be found, and the flag that gives it.
func (f Facts) Require() error {
	missing := f.Missing()
	if len(missing) == 0 {
		return nil
	}
	what := fmt.Sprintf("%d facts are missing", len(missing))
	if len(missing) == 1 {
		what = "a fact is missing: " + missing[0].Name
	}
	width := 0
	for _, m := range missing {
		width = max(width, len(m.Name))
	}
	var lines, flags []string
	for _, m := range missing {
		lines = append(lines, fmt.Sprintf("%-*s  %s", width, m.Name, m.Why))
		flags = append(flags, m.Flag+" "+strings.ToUpper(m.Name))
	}
	return &InputError{
		What: what,
		Why:  strings.Join(lines, "\n"),
		Next: "give " + strings.Join(flags, " ") + ", or a facts file: --facts FILE",
	}
}
