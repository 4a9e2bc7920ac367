package controller

import (
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
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

// mine and others are the controllers of the cluster.
func (r *Removal) mine() []ack.Controller {
	return slices.DeleteFunc(slices.Clone(r.found.Deployments), func(c ack.Controller) bool { return !r.isMine(c) })
}

func (r *Removal) others() []ack.Controller {
	return slices.DeleteFunc(slices.Clone(r.found.Deployments), r.isMine)
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
		Next: r.removalOf(c) + "\nbefore that, delete all Buckets: oc get buckets.s3.services.k8s.aws -A",
	}
}

// removalOf is what to type to remove a controller as it was installed.
func (r *Removal) removalOf(c ack.Controller) string {
	switch c.Installer {
	case ack.Helm:
		release := c.Annotations["meta.helm.sh/release-name"]
		if release == "" {
			return "helm list -n " + c.Namespace + " shows the release; helm uninstall RELEASE -n " + c.Namespace
		}
		in := c.Annotations["meta.helm.sh/release-namespace"]
		if in == "" {
			in = c.Namespace
		}
		return shell.Words("helm", "uninstall", release, "-n", in)
	case ack.OLM:
		return r.removalByOLM(c)
	}
	if by := apply.DeliveredBy(objectOf(c)); by != "" {
		return by + " brings it: remove it from Git"
	}
	return "oc delete " + c.String()
}

func (r *Removal) removalByOLM(c ack.Controller) string {
	var lines []string
	for _, s := range r.found.Subscriptions {
		if s.GetNamespace() == c.Namespace && !apply.Ours(s) {
			lines = append(lines, "oc delete subscriptions."+olmGroup+" "+s.GetName()+" -n "+c.Namespace)
		}
	}
	version := c.Labels["olm.owner"]
	if version == "" {
		version = "NAME"
	}
	return strings.Join(append(lines, "oc delete clusterserviceversions."+olmGroup+" "+version+" -n "+c.Namespace), "\n")
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
