package apply

import (
	"context"
	"errors"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apierr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// Rejection is the cause of an error of an object that a rule of the cluster refuses: an
// admission policy, a webhook, a quota, a limit.
type Rejection struct {
	*apierrors.StatusError
	Ref  Ref
	Rule string // its name, "" if the answer names none
	Says string // what the rule says, "" of a Secret: it may repeat values
}

// byRule reports whether an answer is the refusal of a rule of the cluster, rather than of
// this user or of the object's form.
func byRule(s metav1.Status) bool {
	return slices.Contains([]apierr.Reason{apierr.Policy, apierr.WebhookDown, apierr.Quota, apierr.PodSecurity, apierr.Limits}, apierr.ReasonOf(s))
}

// refusal is an error that says whose refusal it is, if it is the one of a rule.
func refusal(err error, s metav1.Status, by Rejection) error {
	if !byRule(s) {
		return err
	}
	by.StatusError = &apierrors.StatusError{ErrStatus: s}
	return &by
}

// Refusals takes the refusals of the cluster's rules out of the error that Applier.Plan
// gives with a plan. The rest is nil if there is nothing else in it.
func Refusals(p *Plan, err error) (refused []*Rejection, rest error) {
	if p == nil || err == nil {
		return nil, err
	}
	return p.refused, p.rest
}

// sortOut remembers the refusals of rules among the errors of the objects, and the rest.
func sortOut(p *Plan, errs []error) error {
	var others []error
	for _, err := range errs {
		if one, is := errors.AsType[*Rejection](err); is {
			p.refused = append(p.refused, one)
			continue
		}
		others = append(others, err)
	}
	p.rest = combine(others)
	return combine(errs)
}

// Unjudged are the objects of the plan that the cluster's rules were not asked about: a
// webhook does not support dry runs.
func Unjudged(p *Plan) []Ref {
	var refs []Ref
	for _, it := range p.Items {
		if it.manner.blind {
			refs = append(refs, it.Ref)
		}
	}
	return refs
}

// tryInventory asks whether the server would accept the inventory, if there is none yet.
func tryInventory(ctx context.Context, p *Plan) error {
	a := p.applier
	if a.opts.How != TryCreates || a.opts.Fresh || p.old.Found {
		return nil
	}
	it := &Item{Ref: a.opts.Set.inventoryRef(), object: recordOf(a, nil), manner: manner{force: true}}
	_, err := a.patch(ctx, it, true)
	if noDryRuns(err) {
		return nil
	}
	return failure(a, "planned", it.Ref, err)
}

// Pod is what the server says of a pod as a Deployment would create it.
type Pod struct {
	Of      Ref
	Would   *unstructured.Unstructured // as the server would persist it; nil if that is not known
	New     bool                       // the Deployment does not exist yet
	Account bool                       // it is not tried with its own service account, which does not exist yet
	Err     error                      // why the server refuses it, in three parts; nil if that is not known
}

// TryPods asks the server, by dry runs, whether it would accept the pods of the Deployments
// that the plan creates or whose template it changes: the rules for pods are asked only
// when a pod is created, which is after everything else. A pod has an owner, as one that
// a ReplicaSet creates, because rules often forbid pods without one.
func TryPods(ctx context.Context, p *Plan) []Pod {
	var pods []Pod
	for _, it := range p.Items {
		if it.Ref.Kind == kinds.Deployment.String() && RollsOut(it) {
			pods = append(pods, Pod{Of: it.Ref})
		}
	}
	together(pods, func(n int, pod Pod) error {
		at := slices.IndexFunc(p.Items, func(it *Item) bool { return it.Ref == pod.Of })
		pods[n] = tryPod(ctx, p, p.Items[at])
		return nil
	})
	return pods
}

// RollsOut reports whether executing the plan creates pods of a Deployment: it is new, or
// its template changes, and it does not have zero replicas.
func RollsOut(it *Item) bool {
	if replicas, stated, _ := unstructured.NestedInt64(it.object.Object, "spec", "replicas"); stated && replicas == 0 {
		return false
	}
	return it.Action == Create || it.Live == nil || slices.ContainsFunc(it.Changes, func(c FieldChange) bool {
		return strings.HasPrefix(c.Path, "spec.template.")
	})
}

func tryPod(ctx context.Context, p *Plan, of *Item) Pod {
	a, tried := p.applier, Pod{Of: of.Ref, New: of.Live == nil}
	object := podOf(of.object)
	account, _, _ := unstructured.NestedString(object.Object, "spec", "serviceAccountName")
	if slices.ContainsFunc(p.Items, func(it *Item) bool {
		return it.Ref.Kind == kinds.ServiceAccount.String() && it.Ref.Name == account && it.Live == nil
	}) {
		tried.Account = true
		unstructured.RemoveNestedField(object.Object, "spec", "serviceAccountName")
	}
	it := &Item{Ref: RefOf(object), object: object, manner: manner{force: true}}
	would, err := a.patch(ctx, it, true)
	switch {
	case err == nil:
		tried.Would = would
	case !noDryRuns(err):
		tried.Err = failure(a, "planned", it.Ref, err)
	}
	return tried
}

// podOf is a pod of a Deployment, as one of its ReplicaSets would create it.
func podOf(deployment *unstructured.Unstructured) *unstructured.Unstructured {
	template, _, _ := unstructured.NestedMap(deployment.Object, "spec", "template")
	pod := &unstructured.Unstructured{Object: map[string]any{}}
	pod.SetGroupVersionKind(kinds.Pod.GVK())
	metadata, _ := template["metadata"].(map[string]any)
	labels, _, _ := unstructured.NestedStringMap(metadata, "labels")
	notes, _, _ := unstructured.NestedStringMap(metadata, "annotations")
	name := deployment.GetName() + "-preflight"
	pod.SetName(name)
	pod.SetNamespace(deployment.GetNamespace())
	if labels == nil {
		labels = map[string]string{}
	}
	labels["pod-template-hash"] = "preflight"
	pod.SetLabels(labels)
	pod.SetAnnotations(notes)
	controls := true
	pod.SetOwnerReferences([]metav1.OwnerReference{{
		APIVersion: "apps/v1", Kind: "ReplicaSet", Name: name, UID: "00000000-0000-0000-0000-000000000000", Controller: &controls,
	}})
	pod.Object["spec"] = template["spec"]
	return pod
}
