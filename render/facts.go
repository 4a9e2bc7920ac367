package render

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Fact is one thing the manifests or the role depend on, and where it was
// learned. An unknown fact has an empty Value; Why then says what was tried.
type Fact struct {
	Value  string `json:"value" yaml:"value"`
	Source string `json:"source,omitempty" yaml:"source,omitempty"`
	Why    string `json:"why,omitempty" yaml:"why,omitempty"`
}

// Known reports whether the fact has a value.
func (f Fact) Known() bool { return f.Value != "" }

// ListFact is a Fact that is a list.
type ListFact struct {
	Values []string `json:"values" yaml:"values"`
	Source string   `json:"source,omitempty" yaml:"source,omitempty"`
	Why    string   `json:"why,omitempty" yaml:"why,omitempty"`
}

// Known reports whether the list was learned; a known list is never empty.
func (f ListFact) Known() bool { return len(f.Values) > 0 }

// Facts is everything the objects and the role depend on that is not a matter
// of taste. Whether something exists or is allowed is a check, never a Fact.
type Facts struct {
	// Namespace is the project OSToy lives in; its bucket is <namespace>-bucket.
	Namespace Fact `json:"namespace" yaml:"namespace"`
	// ClusterID is OpenShift's cluster UUID, unknown for those who may not read it.
	ClusterID Fact `json:"clusterID" yaml:"clusterID"`
	// Platform is one of the Platform constants, or unknown.
	Platform Fact `json:"platform" yaml:"platform"`
	// Issuer is the service account issuer: https, no trailing slash, no port, no query.
	Issuer Fact `json:"issuer" yaml:"issuer"`
	// Audience is the token audience the role trusts.
	Audience Fact `json:"audience" yaml:"audience"`
	// Account is the twelve digits of the AWS account.
	Account Fact `json:"accountID" yaml:"accountID"`
	// Partition is aws, aws-us-gov, aws-cn or aws-eusc.
	Partition Fact `json:"partition" yaml:"partition"`
	// Region is where the bucket is made, for example us-east-2.
	Region Fact `json:"region" yaml:"region"`
	// KubeVersion is the API server's version, for example v1.33.4.
	KubeVersion Fact `json:"kubeVersion" yaml:"kubeVersion"`
	// APIVersions lists what the cluster serves as group/version and
	// group/version/Kind, the form Helm's --api-versions takes.
	APIVersions ListFact `json:"apiVersions" yaml:"apiVersions"`
}

// Platforms a cluster can be. They only choose defaults for those who give the
// platform by hand; no object and no right depends on them.
const (
	PlatformROSAHCP     = "rosa-hcp"
	PlatformROSAClassic = "rosa-classic"
	PlatformOpenShift   = "openshift"
	PlatformEKS         = "eks"
	PlatformKubernetes  = "kubernetes"
)

// DefaultAudience is what the role trusts unless told otherwise. It is the
// same in every partition, China included, and is projected into the pod
// explicitly, so that the webhook's own default never matters.
const DefaultAudience = "sts.amazonaws.com"

// field ties one fact to its key in a facts file and to its flag. Everything
// that treats facts alike (files, merging, tables, complaints) goes through
// the list of fields, so that a new fact is one line there.
type field struct {
	key  string
	flag string
	one  func(*Facts) *Fact     // nil for a list
	list func(*Facts) *ListFact // nil for a single value
}

// fields are all facts in the order a reader expects them.
func fields() []field {
	return []field{
		{key: "namespace", flag: "--namespace", one: func(f *Facts) *Fact { return &f.Namespace }},
		{key: "clusterID", flag: "--cluster-id", one: func(f *Facts) *Fact { return &f.ClusterID }},
		{key: "platform", flag: "--platform", one: func(f *Facts) *Fact { return &f.Platform }},
		{key: "issuer", flag: "--oidc-issuer", one: func(f *Facts) *Fact { return &f.Issuer }},
		{key: "audience", flag: "--audience", one: func(f *Facts) *Fact { return &f.Audience }},
		{key: "accountID", flag: "--account-id", one: func(f *Facts) *Fact { return &f.Account }},
		{key: "partition", flag: "--partition", one: func(f *Facts) *Fact { return &f.Partition }},
		{key: "region", flag: "--region", one: func(f *Facts) *Fact { return &f.Region }},
		{key: "kubeVersion", flag: "--kube-version", one: func(f *Facts) *Fact { return &f.KubeVersion }},
		{key: "apiVersions", flag: "--api-versions", list: func(f *Facts) *ListFact { return &f.APIVersions }},
	}
}

// origin is whether a fact is known, and where it keeps its source and its reason.
func (f field) origin(facts *Facts) (known bool, source, why *string) {
	if f.list != nil {
		list := f.list(facts)
		return list.Known(), &list.Source, &list.Why
	}
	one := f.one(facts)
	return one.Known(), &one.Source, &one.Why
}

// Row is one fact as a table shows it.
type Row struct {
	Name   string // its key in a facts file
	Flag   string // the flag that gives it
	Value  string // a list is joined by commas
	Source string
	Why    string // why it is unknown
}

// Rows gives every fact, known or not, in the order of a facts file.
func (f Facts) Rows() []Row {
	var rows []Row
	for _, field := range fields() {
		_, source, why := field.origin(&f)
		row := Row{Name: field.key, Flag: field.flag, Source: *source, Why: *why}
		if field.list != nil {
			row.Value = strings.Join(field.list(&f).Values, ",")
		} else {
			row.Value = field.one(&f).Value
		}
		rows = append(rows, row)
	}
	return rows
}

// Merge gives the facts of over, and those of base that over does not know.
// Where neither knows a fact, over's reason is kept if it has one.
func Merge(over, base Facts) Facts {
	for _, field := range fields() {
		known, _, why := field.origin(&over)
		byBase, _, _ := field.origin(&base)
		switch {
		case known || !byBase && *why != "":
		case field.list != nil:
			*field.list(&over) = *field.list(&base)
		default:
			*field.one(&over) = *field.one(&base)
		}
	}
	return over
}

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
	if len(labels) < 4 || labels[0] != "oidc" || labels[1] != "eks" || !regionForm.MatchString(labels[2]) || labels[3] != "amazonaws" {
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
		missing = append(missing, Missing{Name: r.name, Why: cmp.Or(r.fact.Why, "not given"), Flag: flagOf(r.name)})
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

// Require gives nil if nothing is missing, else one *problem.Error that lists
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
	return problem.Input(what, strings.Join(lines, "\n"), "give "+strings.Join(flags, " ")+", or a facts file: --facts FILE")
}
