package render

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Validate checks every known fact and gives one *InputError that lists
// everything wrong. Unknown facts are Require's matter.
func (f Facts) Validate() error {
	return joinFlaws(slices.Concat(
		f.namespaceFlaws(),
		check(f.ClusterID, "cluster id", isClusterID, "it is made of at most 64 letters, digits, dots, underscores and hyphens",
			"oc get clusterversion version -o jsonpath='{.spec.clusterID}' shows it"),
		check(f.Platform, "platform", isPlatform, "known are "+strings.Join(platforms(), ", "), "give one of them with --platform"),
		f.issuerFlaws(),
		check(f.Audience, "audience", isAudience, "an audience is at most 255 characters without spaces, quotes and * ? $",
			"leave --audience away: "+DefaultAudience+" is right nearly everywhere"),
		f.awsFlaws(),
		check(f.KubeVersion, "Kubernetes version", isKubeVersion, "a version looks like v1.33.4", "oc version shows that of the server"),
		f.apiVersionFlaws(),
	))
}

// joinFlaws makes one error of many; one alone stays as it is.
func joinFlaws(flaws []*InputError) error {
	switch len(flaws) {
	case 0:
		return nil
	case 1:
		return flaws[0]
	}
	joined := &InputError{What: fmt.Sprintf("%d facts cannot be used", len(flaws))}
	var whys, nexts []string
	var causes []error
	for _, flaw := range flaws {
		whys = append(whys, flaw.Error())
		if !slices.Contains(nexts, flaw.Next) {
			nexts = append(nexts, flaw.Next)
		}
		causes = append(causes, flaw)
	}
	joined.Why, joined.Next = strings.Join(whys, "\n"), strings.Join(nexts, "\n")
	joined.Err = errors.Join(causes...)
	return joined
}

// check is the usual complaint about a single fact: known, and not well.
func check(fact Fact, name string, well func(string) bool, why, next string) []*InputError {
	if !fact.Known() || well(fact.Value) {
		return nil
	}
	return []*InputError{{What: name + " " + quote(fact.Value), Why: why + from(fact.Source), Next: next}}
}

// from tells where a wrong fact came from, unless the reader just typed it.
func from(source string) string {
	if source == "" || source == "flag" {
		return ""
	}
	return " (from " + source + ")"
}

func (f Facts) namespaceFlaws() []*InputError {
	if !f.Namespace.Known() {
		return nil
	}
	return withSource(ValidateNamespace(f.Namespace.Value), f.Namespace.Source)
}

func (f Facts) issuerFlaws() []*InputError {
	if !f.Issuer.Known() {
		return nil
	}
	_, err := NormalizeIssuer(f.Issuer.Value)
	return withSource(err, f.Issuer.Source)
}

// withSource adds a fact's source to a complaint about it, if there is one.
func withSource(err error, source string) []*InputError {
	flaw := (*InputError)(nil)
	if !errors.As(err, &flaw) {
		return nil
	}
	told := *flaw
	told.Why += from(source)
	return []*InputError{&told}
}

// awsFlaws checks account, partition and region, and that they agree.
func (f Facts) awsFlaws() []*InputError {
	flaws := slices.Concat(
		check(f.Account, "account id", isAccount, "an AWS account id has twelve digits", "aws sts get-caller-identity shows it"),
		check(f.Partition, "partition", isPartition, "known are "+strings.Join(Partitions(), ", "),
			"leave --partition away: it follows from the region"),
		check(f.Region, "region", isKnownRegion, "it is not a region of "+strings.Join(Partitions(), ", "), "give one like us-east-2 with --region"),
	)
	theirs, ours := PartitionOf(f.Region.Value), f.Partition.Value
	if len(flaws) > 0 || !f.Region.Known() || !f.Partition.Known() || theirs == ours {
		return flaws
	}
	return []*InputError{{
		What: "region " + quote(f.Region.Value),
		Why:  fmt.Sprintf("it lies in the partition %s%s, and the account in %s%s", theirs, from(f.Region.Source), ours, from(f.Partition.Source)),
		Next: "give a --region of the partition " + ours + ", or AWS credentials (--profile) of " + theirs,
	}}
}

func (f Facts) apiVersionFlaws() []*InputError {
	for _, v := range f.APIVersions.Values {
		if !isAPIVersion(v) {
			return []*InputError{{
				What: "API version " + quote(v),
				Why:  "it is neither group/version nor group/version/Kind" + from(f.APIVersions.Source),
				Next: "oc api-versions lists what the cluster serves",
			}}
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

// isClusterID is generous, but keeps to what an AWS tag may hold.
func isClusterID(s string) bool {
	return len(s) <= 64 && only(s, func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte("._-", c) >= 0 })
}

// isAudience follows IAM's client ids, without what a policy would interpret.
func isAudience(s string) bool {
	return len(s) <= 255 && only(s, func(c byte) bool { return printable(c) && strings.IndexByte(`"'\*?$`+"`", c) < 0 })
}

// isAPIVersion accepts v1, v1/Pod, group/v1 and group/v1/Kind.
func isAPIVersion(s string) bool {
	parts := strings.Split(s, "/")
	for _, part := range parts {
		if part == "" || !only(part, func(c byte) bool { return letter(c) || digit(c) || strings.IndexByte(".-", c) >= 0 }) {
			return false
		}
	}
	return len(parts) <= 3
}
