package operator

import (
	"fmt"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/version"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Validate checks what OLM's objects and the chart's values both need: a known
// Identity, a namespace that can be one, a region, and a role of the region's
// partition. The error is an *render.InputError.
//
// The namespace is not held to the rules for the app's: there is no bucket named
// after it, and operators may live in namespaces of the cluster.
func Validate(f render.Facts, o Options) error {
	if !o.inPod() && o.Identity != Annotation {
		return &render.InputError{
			What: "identity " + strconv.Quote(string(o.Identity)),
			Why:  "the controller's pod gets its role by its Subscription or by an annotation of its service account",
			Next: "give --identity subscription or --identity annotation, or omit it: subscription is the default",
		}
	}
	if err := ValidateNamespace(f); err != nil {
		return err
	}
	if render.PartitionOf(f.Region.Value) == "" {
		return regionError(f.Region)
	}
	return o.validateRole(f.Region.Value)
}

// ValidateNamespace holds the controller's namespace against what a cluster takes:
// an RFC 1123 label. The error is a *render.InputError.
func ValidateNamespace(f render.Facts) error {
	if name := namespace(f); len(validation.IsDNS1123Label(name)) > 0 {
		return &render.InputError{
			What: "namespace " + strconv.Quote(name),
			Why:  "a namespace is made of at most 63 lower case letters, digits and hyphens, and begins and ends with a letter or digit",
			Next: "give another with --namespace, or leave it away: " + DefaultNamespace + " is the default",
		}
	}
	return nil
}

func regionError(region render.Fact) error {
	const next = "give one like us-east-2 with --region"
	if region.Known() {
		return &render.InputError{What: "region " + strconv.Quote(region.Value), Why: "it is not a region of AWS", Next: next}
	}
	why := "the controller does not start without one"
	if region.Why != "" {
		why += ", and none is known: " + region.Why
	}
	return &render.InputError{What: "the controller's region is missing", Why: why, Next: next}
}

// validateRole: a webhook injects what is no ARN as it is (FACTS 10.2), and the
// controller then fails where nobody looks.
func (o Options) validateRole(region string) error {
	if o.RoleARN == "" {
		return &render.InputError{
			What: "the controller's role is missing",
			Why:  "without the ARN of an IAM role the controller can make no bucket",
			Next: "give the account, from which the ARN follows, with --account-id",
		}
	}
	arn, err := render.ParseARNOf(o.RoleARN, "iam", "role")
	if err != nil {
		return err
	}
	if partition := render.PartitionOf(region); arn.Partition != partition {
		return &render.InputError{
			What: "role " + o.RoleARN,
			Why:  fmt.Sprintf("it is of the partition %s, and the region %s of %s", arn.Partition, region, partition),
			Next: "give a --region of the partition " + arn.Partition + ", or a role of " + partition,
		}
	}
	return nil
}

// validateCatalog checks what only OLM's Subscription needs.
func (o Options) validateCatalog() error {
	if o.StartingCSV == "" {
		return &render.InputError{
			What: "the controller's version is missing",
			Why:  "the Subscription names the version that OLM is to install, so that it installs no other",
			Next: "give one that the catalog has, for example --version 1.13.0",
		}
	}
	number, ours := strings.CutPrefix(o.StartingCSV, Package+".v")
	if _, err := version.ParseSemantic(number); !ours || err != nil {
		return &render.InputError{
			What: "version " + strconv.Quote(o.StartingCSV),
			Why:  "the versions of the package " + Package + " are called " + Package + ".v and three numbers",
			Next: "give the three numbers, for example --version 1.13.0",
			Err:  err,
		}
	}
	if o.Catalog == "" || o.CatalogNamespace == "" {
		return &render.InputError{
			What: "the catalog is missing",
			Why:  "the Subscription names the CatalogSource, and its namespace, that the package " + Package + " comes from",
			Next: "see which have it: oc get packagemanifests -A",
		}
	}
	return nil
}
