package controller

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// versionOurs is Found.versionOurs. Where neither Subscription nor inventory exists,
// the operator's settings count, if ostoy-s3 applied them: they are deleted after the
// versions.
func (r *Removal) versionOurs(csv string) bool {
	f := r.found
	if f.versionOurs(csv) {
		return true
	}
	settings := slices.ContainsFunc(r.objects.Objects, func(item *apply.Item) bool {
		return item.Ref.Kind == "ConfigMap" && item.Ref.Name == operator.UserConfig
	})
	return settings && len(f.otherSubscriptions(f.Namespace)) == 0
}

// versionsOurs reports whether any version in the namespace may be one of ours.
func (r *Removal) versionsOurs() bool { return r.found.Subscription() != nil || r.versionOurs("") }

// claimants are Found.claimants.
func (r *Removal) claimants() []string { return r.found.claimants(r.versionOurs) }

func (r *Removal) recorded() bool { return r.found.Inventory.Found && !r.found.Inventory.Foreign }

func (r *Removal) isMine(c ack.Controller) bool {
	olms := c.Installer == ack.OLM && c.Namespace == r.found.Namespace
	return r.found.isMine(c) || olms && r.versionOurs(c.Labels["olm.owner"])
}

// mine are the Deployments of the cluster that this tool installed.
func (r *Removal) mine() []ack.Controller {
	return slices.DeleteFunc(slices.Clone(r.found.Controllers.All), func(c ack.Controller) bool { return !r.isMine(c) })
}

// others are the controllers of the cluster, proven, that it did not.
func (r *Removal) others() []ack.Controller { return r.notMine(r.found.Controllers.Proven) }

func (r *Removal) notMine(some []ack.Controller) []ack.Controller {
	return slices.DeleteFunc(slices.Clone(some), r.isMine)
}

// isNotMine reports whether an object is the Deployment of something that is not this
// tool's, whether it is a controller or only looks like one.
func (r *Removal) isNotMine(deployment *unstructured.Unstructured) bool {
	return slices.ContainsFunc(r.notMine(r.found.Controllers.All), func(c ack.Controller) bool {
		return c.Namespace == deployment.GetNamespace() && c.Name == deployment.GetName()
	})
}

// endsController reports whether there is a controller of ours to end, or one
// that a run before this one has ended in part.
func (r *Removal) endsController() bool {
	begun := r.recorded() && len(r.claimants()) == 0
	return begun || r.found.Subscription() != nil || len(r.mine()) > 0 || len(r.going(TheVersion, nil)) > 0
}

// refuseOthers refuses where there is a controller, and nothing about it is ours.
// Where rights of ours are, those go, and the reader is told what stays.
func (r *Removal) refuseOthers() error {
	if some := r.notMine(r.found.Controllers.Unverified); len(some) > 0 {
		return r.refuseUnverified(some)
	}
	others := r.others()
	if len(others) == 0 {
		return nil
	}
	if r.Empty() {
		return r.notOurs(others[0])
	}
	for _, c := range others {
		r.add(&Part{
			Subject: TheRemark, Object: "controller " + c.Name + " in " + c.Namespace, Fate: Kept,
			Why: "this tool did not install it", Next: oneLineOf(r.removalOf(c)),
		})
	}
	return nil
}

// refuseUnverified refuses if controllers may be left of which you are not allowed to
// ask: what becomes of the Buckets depends on them. Where nothing is to be removed, they
// are a note.
func (r *Removal) refuseUnverified(unverified []ack.Controller) error {
	text := "whether " + namesOf(unverified) + " is an ACK S3 controller is not verified: you are not allowed to " + access.Reviewing
	if r.Empty() {
		r.Notes = append(r.Notes, text)
		return nil
	}
	return &problem.Error{
		Kind: problem.Refused, What: "whether another ACK S3 controller stays is not verified", Why: text,
		Next: "ask a cluster admin to run the same command, or for that permission", More: "docs/controller.md",
	}
}

func oneLineOf(text string) string { return strings.ReplaceAll(text, "\n", "; ") }

func (r *Removal) notOurs(c ack.Controller) error {
	by := c.Installer.By()
	if c.Installer == ack.OLM {
		by += ", for a Subscription that is not ours"
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("the ACK S3 controller here (deployment %s in %s) is not ours", c.Name, c.Namespace),
		Why:  "it was installed by " + by + ", and is for them to remove who installed it",
		Next: r.removalOf(c) + "\nbefore that, delete all Buckets: " + advice.Command("oc get buckets.s3.services.k8s.aws -A"),
	}
}

// removalOf is what to type to remove a controller as it was installed.
func (r *Removal) removalOf(c ack.Controller) string {
	switch c.Installer {
	case ack.Helm:
		release := c.Annotations["meta.helm.sh/release-name"]
		if release == "" {
			return advice.Command("helm list", "-n", c.Namespace) + " shows the release; " + advice.Command("helm uninstall RELEASE", "-n", c.Namespace)
		}
		in := c.Annotations["meta.helm.sh/release-namespace"]
		if in == "" {
			in = c.Namespace
		}
		return advice.Command("helm uninstall", release, "-n", in)
	case ack.OLM:
		return r.removalByOLM(c)
	}
	if by := apply.DeliveredBy(objectOf(c)); by != "" {
		return by + " brings it: remove it from Git"
	}
	return advice.Command("oc delete", c.Words()...)
}

func (r *Removal) removalByOLM(c ack.Controller) string {
	var lines []string
	for _, s := range r.found.Subscriptions {
		if s.GetNamespace() == c.Namespace && !apply.Ours(s) {
			lines = append(lines, advice.Command("oc delete subscriptions.operators.coreos.com", s.GetName(), "-n", c.Namespace))
		}
	}
	version := c.Labels["olm.owner"]
	if version == "" {
		version = "NAME"
	}
	return strings.Join(append(lines, advice.Command("oc delete clusterserviceversions.operators.coreos.com", version, "-n", c.Namespace)), "\n")
}

// otherOperators are the operators of the namespace besides ours, by what asks
// for them or is left of them.
func (r *Removal) otherOperators() []string {
	var names []string
	for _, s := range r.subscriptions {
		if !apply.Ours(s) || olm.Package(s) != operator.Package {
			names = append(names, "Subscription "+s.GetName())
		}
	}
	for _, version := range r.versions {
		ours := ofOperator(version) && r.versionOurs(version.GetName())
		if !ours && olm.CSVOf(version).CopiedFrom == "" {
			names = append(names, "ClusterServiceVersion "+version.GetName())
		}
	}
	return names
}

func objectOf(c ack.Controller) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetLabels(c.Labels)
	object.SetAnnotations(c.Annotations)
	object.SetManagedFields(c.ManagedFields)
	return object
}
