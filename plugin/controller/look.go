package controller

import (
	"context"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/olm"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Definition is the name of the CustomResourceDefinition of ACK's Bucket.
const Definition = "buckets.s3.services.k8s.aws"

// Found is what there is of ACK S3 controllers in a cluster, wherever they are,
// and in the namespace that ours has or would have. Its objects are shared: they
// must not be changed.
type Found struct {
	World     *live.World
	Namespace string // of ours: World's
	OLM       bool   // the cluster has the Operator Lifecycle Manager

	Project       *unstructured.Unstructured   // the Namespace, nil if it is not there
	Controllers   live.Controllers             // of the whole cluster, and what looks like one
	Subscriptions []*unstructured.Unstructured // to the operator, in the whole cluster
	Groups        []*unstructured.Unstructured // OperatorGroups of the namespace
	Versions      []*unstructured.Unstructured // ClusterServiceVersions of the operator in the namespace
	Plans         []*unstructured.Unstructured // InstallPlans of the namespace
	Definition    *unstructured.Unstructured   // of ACK's Bucket, nil if there is none
	Inventory     apply.Inventory              // of ours, in the namespace
}

// Look asks what there is, everything at the same time. A refusal is an error:
// who may not look cannot tell whether a controller is there.
func Look(ctx context.Context, w *live.World) (*Found, error) {
	f := &Found{World: w, Namespace: w.Namespace}
	served, err := w.Conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	f.OLM = olm.Served(served)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) { f.Project, err = w.Project(ctx); return err })
	group.Go(func() (err error) { f.Controllers, err = w.Controllers(ctx); return err })
	group.Go(func() (err error) {
		f.Definition, err = w.Get(ctx, kinds.CustomResourceDefinition.GVR(), "", Definition)
		return err
	})
	group.Go(func() (err error) {
		f.Inventory, err = apply.New(w.Conn, apply.Options{Namespace: w.Namespace, Set: apply.Controller()}).ReadInventory(ctx)
		return err
	})
	if f.OLM {
		f.lookAtOLM(ctx, group)
	}
	if err := group.Wait(); err != nil {
		return nil, w.Conn.Translate(err)
	}
	f.Subscriptions = those(f.Subscriptions, ofPackage)
	f.Versions = those(f.Versions, ofOperator) // OLM copies those of operators for all namespaces into each
	return f, nil
}

func (f *Found) lookAtOLM(ctx context.Context, group *errgroup.Group) {
	list := func(into *[]*unstructured.Unstructured, kind kinds.Kind, namespace string) {
		group.Go(func() (err error) {
			*into, err = f.World.List(ctx, kind.GVR(), namespace, "")
			if apierrors.IsNotFound(err) { // an OLM that lacks the kind has none of it
				return nil
			}
			return err
		})
	}
	list(&f.Subscriptions, kinds.Subscription, "")
	list(&f.Groups, kinds.OperatorGroup, f.Namespace)
	list(&f.Versions, kinds.ClusterServiceVersion, f.Namespace)
	list(&f.Plans, kinds.InstallPlan, f.Namespace)
}

func ofPackage(subscription *unstructured.Unstructured) bool {
	return olm.Package(subscription) == operator.Package
}

// ofOperator reports whether a ClusterServiceVersion is one of the operator's.
func ofOperator(version *unstructured.Unstructured) bool {
	return namesOperator(version.GetName()) && olm.CSVOf(version).CopiedFrom == ""
}

// versionPrefix begins the name of every version of the operator: PACKAGE.vVERSION.
const versionPrefix = operator.Package + ".v"

// namesOperator reports whether the name of a ClusterServiceVersion is one of the
// operator's.
func namesOperator(csv string) bool { return strings.HasPrefix(csv, versionPrefix) }

// CSVOf is the name of a version's ClusterServiceVersion; names are taken as they
// are.
func CSVOf(version string) string {
	if strings.HasPrefix(version, operator.Package+".") {
		return version
	}
	return versionPrefix + strings.TrimPrefix(version, "v")
}

// VersionOf is the version in the name of a ClusterServiceVersion.
func VersionOf(csv string) string { return strings.TrimPrefix(csv, versionPrefix) }

// Subscription is ours: the one in our namespace that we applied; nil if there is
// none.
func (f *Found) Subscription() *unstructured.Unstructured {
	for _, s := range f.Subscriptions {
		if s.GetNamespace() == f.Namespace && apply.Ours(s) {
			return s
		}
	}
	return nil
}

// Mine are the Deployments that this tool installed: those that OLM installed for a
// Subscription that it manages (versionOurs), and those that an earlier version applied.
// They may not be proven yet.
func (f *Found) Mine() []ack.Controller { return those(f.Controllers.All, f.isMine) }

// Others are the controllers, proven, that are not managed by ostoy-s3.
func (f *Found) Others() []ack.Controller { return f.notMine(f.Controllers.Proven) }

// unverified are the Deployments that are not managed by ostoy-s3, and of which you are
// not allowed to ask whether they are controllers.
func (f *Found) unverified() []ack.Controller { return f.notMine(f.Controllers.Unverified) }

// those are the ones of all that are wanted.
func those[T any](all []T, wanted func(T) bool) []T {
	return slices.DeleteFunc(slices.Clone(all), func(one T) bool { return !wanted(one) })
}

// each is what something says of each.
func each[A, B any](all []A, says func(A) B) (some []B) {
	for _, one := range all {
		some = append(some, says(one))
	}
	return some
}

func (f *Found) notMine(some []ack.Controller) []ack.Controller {
	return slices.DeleteFunc(slices.Clone(some), f.isMine)
}

func (f *Found) isMine(c ack.Controller) bool {
	if c.Installer == ack.OLM {
		return c.Namespace == f.Namespace && f.versionOurs(c.Labels["olm.owner"])
	}
	return c.Namespace == f.Namespace && apply.Ours(objectOf(c))
}

// otherSubscriptions are those to the operator that are not ours, in one
// namespace or ("") anywhere.
func (f *Found) otherSubscriptions(namespace string) []*unstructured.Unstructured {
	ours := f.Subscription()
	return those(f.Subscriptions, func(s *unstructured.Unstructured) bool {
		return s != ours && (namespace == "" || s.GetNamespace() == namespace)
	})
}

// NamespaceOurs reports whether the namespace exists and this tool created it, by an
// apply (earlier versions) or a create.
func (f *Found) NamespaceOurs() bool { return f.Project != nil && createdHere(f.Project) }

// createdHere does not trust managedFields in a project that a user requested: OpenShift
// lets the admin of a project update it, and the name of a field manager is a parameter
// of the request. They cannot remove the annotation with the requester
// (openshift-apiserver, ValidateProjectUpdate), and a namespace that is created directly
// has none.
func createdHere(namespace *unstructured.Unstructured) bool {
	if namespace.GetAnnotations()[live.Requester] != "" {
		return false
	}
	return slices.ContainsFunc(namespace.GetManagedFields(), func(e metav1.ManagedFieldsEntry) bool {
		return e.Manager == apply.Manager && e.Subresource == ""
	})
}
