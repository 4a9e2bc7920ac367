package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// Validate checks every known fact and gives one *problem.Error that lists
// everything wrong. Unknown facts are Require's matter.
func (f Facts) Validate() error {
	return joinFlaws(slices.Concat(
		f.namespaceFlaws(),
		check(f.ClusterID, "cluster id", clusterIDForm.MatchString, "it is made of at most 64 letters, digits, dots, underscores and hyphens",
			"oc get clusterversion version -o jsonpath='{.spec.clusterID}' shows it"),
		check(f.Platform, "platform", isPlatform, "known are "+strings.Join(platforms(), ", "), "give one of them with --platform"),
		f.issuerFlaws(),
		check(f.Audience, "audience", audienceForm.MatchString, "an audience is at most 255 characters without spaces, quotes and * ? $",
			"leave --audience away: "+DefaultAudience+" is right nearly everywhere"),
		f.awsFlaws(),
		check(f.KubeVersion, "Kubernetes version", isKubeVersion, "a version looks like v1.33.4", "oc version shows that of the server"),
		f.apiVersionFlaws(),
	))
}

// joinFlaws makes one error of many; one alone stays as it is.
func joinFlaws(flaws []*problem.Error) error {
	switch len(flaws) {
	case 0:
		return nil
	case 1:
		return flaws[0]
	}
	var whys, nexts []string
	var causes []error
	for _, flaw := range flaws {
		whys = append(whys, flaw.Error())
		if !slices.Contains(nexts, flaw.Next) {
			nexts = append(nexts, flaw.Next)
		}
		causes = append(causes, flaw)
	}
	return problem.Input(fmt.Sprintf("%d facts cannot be used", len(flaws)), strings.Join(whys, "\n"), strings.Join(nexts, "\n")).Because(errors.Join(causes...))
}

// check is the usual complaint about a single fact: known, and not well.
func check(fact Fact, name string, well func(string) bool, why, next string) []*problem.Error {
	if !fact.Known() || well(fact.Value) {
		return nil
	}
	return []*problem.Error{problem.Input(name+" "+quote(fact.Value), why+from(fact.Source), next)}
}

// from tells where a wrong fact came from, unless the reader just typed it.
func from(source string) string {
	if source == "" || source == "flag" {
		return ""
	}
	return " (from " + source + ")"
}

func (f Facts) namespaceFlaws() []*problem.Error {
	if !f.Namespace.Known() {
		return nil
	}
	return withSource(ValidateNamespace(f.Namespace.Value), f.Namespace.Source)
}

func (f Facts) issuerFlaws() []*problem.Error {
	if !f.Issuer.Known() {
		return nil
	}
	_, err := NormalizeIssuer(f.Issuer.Value)
	return withSource(err, f.Issuer.Source)
}

// withSource adds a fact's source to a complaint about it, if there is one.
func withSource(err error, source string) []*problem.Error {
	flaw := (*problem.Error)(nil)
	if !errors.As(err, &flaw) {
		return nil
	}
	told := *flaw
	told.Why += from(source)
	return []*problem.Error{&told}
}

// awsFlaws checks account, partition and region, and that they agree.
func (f Facts) awsFlaws() []*problem.Error {
	flaws := slices.Concat(
		check(f.Account, "account id", accountForm.MatchString, "an AWS account id has twelve digits", "aws sts get-caller-identity shows it"),
		check(f.Partition, "partition", isPartition, "known are "+strings.Join(Partitions(), ", "),
			"leave --partition away: it follows from the region"),
		check(f.Region, "region", isKnownRegion, "it is not a region of "+strings.Join(Partitions(), ", "), "give one like us-east-2 with --region"),
	)
	theirs, ours := PartitionOf(f.Region.Value), f.Partition.Value
	if len(flaws) > 0 || !f.Region.Known() || !f.Partition.Known() || theirs == ours {
		return flaws
	}
	return []*problem.Error{problem.Input("region "+quote(f.Region.Value),
		fmt.Sprintf("it lies in the partition %s%s, and the account in %s%s", theirs, from(f.Region.Source), ours, from(f.Partition.Source)),
		"give a --region of the partition "+ours+", or AWS credentials (--profile) of "+theirs)}
}

func (f Facts) apiVersionFlaws() []*problem.Error {
	for _, v := range f.APIVersions.Values {
		if !apiVersionForm.MatchString(v) {
			return []*problem.Error{problem.Input("API version "+quote(v),
				"it is neither group/version nor group/version/Kind"+from(f.APIVersions.Source),
				"oc api-versions lists what the cluster serves")}
		}
	}
	return nil
}

func isPartition(s string) bool   { return slices.Contains(Partitions(), s) }
func isKnownRegion(s string) bool { return PartitionOf(s) != "" }
func isPlatform(s string) bool    { return slices.Contains(platforms(), s) }
func isKubeVersion(s string) bool { _, ok := canonicalVersion(s); return ok }

func platforms() []string {
	return []string{PlatformROSAHCP, PlatformROSAClassic, PlatformOpenShift, PlatformEKS, PlatformKubernetes}
}

// The partitions of AWS that are supported.
const (
	PartitionAWS   = "aws"
	PartitionGov   = "aws-us-gov"
	PartitionChina = "aws-cn"
	PartitionEUSC  = "aws-eusc"
)

// Partitions are the partitions of AWS that are supported.
func Partitions() []string {
	return []string{PartitionAWS, PartitionGov, PartitionChina, PartitionEUSC}
}

// PartitionOf is the partition a region belongs to; empty if the region is
// malformed or of a partition that is not supported (the isolated ones).
func PartitionOf(region string) string {
	if !regionForm.MatchString(region) {
		return ""
	}
	switch {
	case strings.HasPrefix(region, "us-gov-"):
		return PartitionGov
	case strings.HasPrefix(region, "cn-"):
		return PartitionChina
	case strings.HasPrefix(region, "eusc-"):
		return PartitionEUSC
	case strings.Contains(region, "-iso"):
		return ""
	}
	return PartitionAWS
}

// maxNamespace leaves room for "-bucket" in the 63 characters of a bucket name.
const maxNamespace = 63 - len("-bucket")

// ValidateNamespace checks the name of a project OSToy may live in. The bucket
// is <namespace>-bucket, so S3's rules for names count as well as Kubernetes':
// https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
func ValidateNamespace(name string) error {
	why := namespaceFlaw(name)
	if why == "" {
		return nil
	}
	return problem.Input("namespace "+quote(name), why, "choose another with -n, or let one be made: oc ostoy-s3 install --new-project")
}

// namespaceFlaw says why a namespace cannot be used, empty if it can.
func namespaceFlaw(name string) string {
	bucket := BucketName(name)
	switch {
	case name == "":
		return "the name is empty"
	case len(name) > maxNamespace:
		return fmt.Sprintf("it has %d characters, and at most %d fit, because its bucket is called <namespace>-bucket and S3 allows 63", len(name), maxNamespace)
	case !dnsLabel.MatchString(name):
		return "a namespace is made of lower case letters, digits and hyphens, and begins and ends with a letter or digit"
	case isSystemNamespace(name):
		return "it belongs to the cluster, and apps do not go there"
	}
	for _, prefix := range []string{"xn--", "sthree-", "amzn-s3-demo-"} {
		if strings.HasPrefix(bucket, prefix) {
			return "the bucket would be called " + bucket + ", and S3 keeps names that begin with " + prefix + " for itself"
		}
	}
	for _, suffix := range []string{"-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3", "-an"} {
		if strings.HasSuffix(name, suffix) || strings.HasSuffix(bucket, suffix) {
			return "S3 keeps names that end in " + suffix + " for itself, and a project called so invites mistaking it for one"
		}
	}
	return ""
}

// isSystemNamespace lists what OpenShift refuses as a project, and "default".
func isSystemNamespace(name string) bool {
	switch name {
	case "default", "openshift", "kubernetes", "kube":
		return true
	}
	return strings.HasPrefix(name, "openshift-") ||
		strings.HasPrefix(name, "kubernetes-") ||
		strings.HasPrefix(name, "kube-")
}

// DefaultKubeVersion stands in where nobody told which version the cluster
// has: no object of the chart depends on it.
const DefaultKubeVersion = "v1.33.0"

// canonicalVersion gives a Kubernetes version as v1.2.3 with what a vendor put
// behind it (-eks-1a2b3c, +k3s1), and false if it is none. The v and the third
// number may be missing, as in Helm's --kube-version.
func canonicalVersion(s string) (string, bool) {
	version := strings.TrimPrefix(s, "v")
	end := strings.IndexAny(version+"-", "-+")
	if strings.Count(version[:end], ".") == 1 {
		version = version[:end] + ".0" + version[end:]
	}
	_, err := semver.StrictNewVersion(version)
	return "v" + version, err == nil
}

// Usable is f without the facts whose value cannot be used; why is then what is wrong
// with it. Facts that contradict each other stay.
func (f Facts) Usable() Facts {
	for _, field := range fields() {
		var alone Facts
		if field.list != nil {
			*field.list(&alone) = *field.list(&f)
		} else {
			*field.one(&alone) = *field.one(&f)
		}
		flaw := alone.Validate()
		switch {
		case flaw == nil:
		case field.list != nil:
			*field.list(&f) = ListFact{Why: flaw.Error()}
		default:
			*field.one(&f) = Fact{Why: flaw.Error()}
		}
	}
	return f
}

// IssuerPending reports whether the issuer, and with it the name of the role, is not known
// before the project exists.
func (f Facts) IssuerPending() bool { return f.Issuer.Value == PendingIssuer }
