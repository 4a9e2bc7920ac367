package controller

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// What this tool did not install stays: the reader gets the command that removes it.

// versionsOurs reports whether any version in the namespace may be managed by ostoy-s3.
func versionsOurs(r *Removal) bool {
	return r.found.OLM && (r.found.Subscription() != nil || r.found.versionOurs(""))
}

// lookAtOperators lists what Look left out: the operators of the namespace besides the
// controller's.
func lookAtOperators(ctx context.Context, r *Removal) error {
	if !r.found.OLM {
		return nil
	}
	all, err := r.found.World.List(ctx, kinds.Subscription.GVR(), "", "")
	if err != nil {
		return err
	}
	subscriptions := those(all, func(s *unstructured.Unstructured) bool {
		return s.GetNamespace() == r.found.Namespace && (!apply.Ours(s) || !ofPackage(s))
	})
	all, err = r.found.World.List(ctx, kinds.ClusterServiceVersion.GVR(), r.found.Namespace, "")
	versions := those(all, func(v *unstructured.Unstructured) bool {
		return olm.CSVOf(v).CopiedFrom == "" && !(ofOperator(v) && r.found.versionOurs(v.GetName()))
	})
	r.operators = each(slices.Concat(subscriptions, versions), func(o *unstructured.Unstructured) string { return o.GetKind() + " " + o.GetName() })
	return err
}

// refuseClaimed refuses if somebody replaced the Subscription: ServiceAccount and
// settings have the same names for every Subscription to the operator, and the role
// trusts that ServiceAccount.
func refuseClaimed(r *Removal) error {
	claimants := r.found.claimants()
	namespaced := slices.ContainsFunc(r.lines.With(removal.Removed), isFurniture)
	if len(claimants) == 0 || !namespaced {
		return nil
	}
	next := each(claimants, func(claimant string) string {
		kind, name, _ := strings.Cut(claimant, " ")
		return advice.Command("oc delete", strings.ToLower(kind)+"s."+olmGroup, name, "-n", r.found.Namespace)
	})
	return problem.Refuse("namespace "+r.found.Namespace+" has another installation of the ACK S3 controller",
		strings.Join(claimants, ", ")+", not managed by ostoy-s3, works with the ServiceAccount, the settings and the role that would be removed",
		strings.Join(next, "\n")+"\nthen the same command again").See("docs/controller.md")
}

// staying are the controllers of the cluster that are not removed: those that are proven,
// and the one that Helm installed for the role of this tool.
func staying(r *Removal) []ack.Controller {
	proven := r.found.Others()
	return append(proven, those(r.found.byHelm(), func(c ack.Controller) bool { return !slices.ContainsFunc(proven, c.Same) })...)
}

// endsController reports whether there is a controller to end, or one that an earlier
// run ended in part.
func endsController(r *Removal) bool {
	return r.recorded() || r.found.Subscription() != nil || len(r.found.Mine()) > 0 || len(r.versions()) > 0
}

// refuseOthers refuses if there is a controller, and nothing about it is managed by
// ostoy-s3. If something is, that is removed, and the plan says what stays.
func refuseOthers(r *Removal) error {
	if some := r.found.unverified(); len(some) > 0 {
		return refuseUnverified(r, some)
	}
	staying := staying(r)
	if len(staying) > 0 && r.Empty() {
		return notOurs(r, staying[0])
	}
	for _, c := range staying {
		r.add(&removal.Line{
			Subject: removal.Remark, Object: "controller " + c.Name + " in " + c.Namespace, Fate: removal.Kept,
			Why: "this tool did not install it", Next: strings.ReplaceAll(removalOf(r, c), "\n", "; "),
		})
	}
	if len(staying) > 0 && len(r.objects(isPolicy)) > 0 {
		r.Notes = append(r.Notes, staying[0].String()+" stays, and the ValidatingAdmissionPolicy "+operator.PolicyName+
			" is removed: nothing keeps a Bucket to the S3 buckets of its own project any more")
	}
	return nil
}

// refuseUnverified refuses if controllers may be left of which you are not allowed to
// ask. Where nothing is to be removed, they are a note.
func refuseUnverified(r *Removal, unverified []ack.Controller) error {
	text := "whether " + namesOf(unverified) + " is an ACK S3 controller is not verified: you are not allowed to " + access.Reviewing
	if r.Empty() {
		r.Notes = append(r.Notes, text)
		return nil
	}
	return problem.Refuse("whether another ACK S3 controller stays is not verified",
		text,
		"ask a cluster admin to run the same command, or for that permission").See("docs/controller.md")
}

func notOurs(r *Removal, c ack.Controller) error {
	by := c.Installer.By()
	if c.Installer == ack.OLM {
		by += ", for a Subscription that ostoy-s3 does not manage"
	}
	return problem.Refuse(fmt.Sprintf("the ACK S3 controller here (deployment %s in %s) is not managed by ostoy-s3", c.Name, c.Namespace),
		"it was installed by "+by+", and is removed in the same way",
		removalOf(r, c)+"\nbefore that, delete all Buckets: "+advice.Command("oc get buckets.s3.services.k8s.aws -A"))
}

// removalOf is what to type to remove a controller as it was installed.
func removalOf(r *Removal, c ack.Controller) string {
	switch c.Installer {
	case ack.Helm:
		release := c.Annotations["meta.helm.sh/release-name"]
		if release == "" {
			return advice.Command("helm list", "-n", c.Namespace) + " shows the release; " + advice.Command("helm uninstall RELEASE", "-n", c.Namespace)
		}
		return advice.Command("helm uninstall", release, "-n", cmp.Or(c.Annotations["meta.helm.sh/release-namespace"], c.Namespace))
	case ack.OLM:
		return removalByOLM(r, c)
	}
	if by := apply.DeliveredBy(objectOf(c)); by != "" {
		return by + " applies it: remove it from Git"
	}
	return advice.Command("oc delete", c.Words()...)
}

func removalByOLM(r *Removal, c ack.Controller) string {
	var lines []string
	for _, s := range r.found.Subscriptions {
		if s.GetNamespace() == c.Namespace && !apply.Ours(s) {
			lines = append(lines, advice.Command("oc delete subscriptions.operators.coreos.com", s.GetName(), "-n", c.Namespace))
		}
	}
	version := cmp.Or(c.Labels["olm.owner"], "NAME")
	return strings.Join(append(lines, advice.Command("oc delete clusterserviceversions.operators.coreos.com", version, "-n", c.Namespace)), "\n")
}

func objectOf(c ack.Controller) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{}}
	object.SetLabels(c.Labels)
	object.SetAnnotations(c.Annotations)
	object.SetManagedFields(c.ManagedFields)
	return object
}

// MayLookToRemove refuses who may not see what there is, of controllers and of
// Buckets in the whole cluster: nobody else can tell whether one may be removed.
// It then names what else a removal usually takes and is missing, too.
func MayLookToRemove(ctx context.Context, conn *cluster.Conn, namespace string) error {
	served, err := conn.Discovery(ctx)
	if err != nil {
		return err
	}
	withOLM := olm.Served(served)
	look := lookRights(withOLM, namespace)
	if served.Has(kinds.Bucket) {
		look = append(look, rightsIn("", grant{kinds.Bucket.GVR().Group, "buckets", "list"})...)
	}
	named := []grant{{"", "configmaps", "delete"}, {"", "serviceaccounts", "delete"}}
	if withOLM {
		named = append(named, grant{olmGroup, "subscriptions", "delete"})
	}
	usual := slices.Concat(endRights(withOLM, namespace), rightsIn(namespace, named...),
		rightsIn("", grant{rbacGroup, "clusterroles", "delete"}), admissionRights(served, "delete"))
	lacking, err := deniedFirst(ctx, conn, namespace, look, usual)
	return orRefused(lacking, err, namespace, mayNotRemove())
}

func mayNotRemove() *problem.Error {
	return problem.Refuse("you may not remove the ACK S3 controller", "", "ask a cluster admin to run the same command")
}

// endRights are what endController takes, but for the objects of a chart.
func endRights(withOLM bool, namespace string) []access.Right {
	grants := []grant{{"", "pods", "list watch"}, {"apps", "deployments", "list watch"}}
	if withOLM {
		grants = append(grants, grant{olmGroup, "clusterserviceversions", "list watch delete"}, grant{olmGroup, "installplans", "list watch"})
	}
	return rightsIn(namespace, grants...)
}

// mayRemove refuses who may not do all that is planned, before any of it is done.
func mayRemove(ctx context.Context, r *Removal) error {
	served, err := r.conn.Discovery(ctx)
	if err != nil {
		return err
	}
	var rights []access.Right
	add := func(namespace string, grants ...grant) { rights = append(rights, rightsIn(namespace, grants...)...) }
	if endsController(r) {
		rights = endRights(versionsOurs(r), r.found.Namespace)
	}
	for _, p := range r.objects(func(*removal.Line) bool { return true }) {
		mapping, err := served.Mapping(p.Item.Ref.GVK())
		if err != nil {
			return err
		}
		add(p.Item.Live.GetNamespace(), grant{mapping.Resource.Group, mapping.Resource.Resource, "delete"})
	}
	if len(r.going(removal.Inventory)) > 0 {
		add(r.found.Namespace, grant{"", "configmaps", "delete"})
	}
	if len(r.going(removal.Project)) > 0 {
		add("", grant{"", "namespaces", "delete"})
	}
	lacking, err := denied(ctx, r.conn, r.found.Namespace, rights)
	return orRefused(lacking, err, r.found.Namespace, mayNotRemove())
}
