package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Done is what an execution has done so far, also where it did not get to the
// end.
type Done struct {
	Namespace bool // made
	Role      []iam.Step
	Objects   map[apply.Action]int
	Approved  []string // InstallPlans
	Steps     []string // versions of an upgrade that are installed, the one before it first
	Restarted []string // pods that came without their identity, and were deleted
}

// Execute does what the plan says: the namespace, then the inventory, before the
// first object it lists; the end of permissions that projects must not have; the
// admission policy, until it is in effect; the role beside ConfigMap, ServiceAccount and
// ClusterRoles; then the Subscription, or the chart's Deployment. It does not wait for
// what comes of it: Follow does. observe is told of each part, one call at a time.
func (p *Plan) Execute(ctx context.Context, done *Done, observe func(health.State)) error {
	done.Objects = map[apply.Action]int{}
	if p.MakesNamespace {
		if err := p.makeNamespace(ctx); err != nil {
			return err
		}
		done.Namespace = true
		observe(health.State{Kind: "Namespace", Name: "namespace", Text: "created", Ready: true})
	}
	if p.recorded() {
		if err := p.Objects.WriteInventory(ctx, p.Role != nil && !p.Role.Empty()); err != nil {
			return err
		}
	}
	waves := p.Objects.Waves()
	count := func(event apply.Event) { done.Objects[event.Action]++ }
	if err := p.Objects.DeleteFirst(ctx, ofProjects, count); err != nil {
		return err
	}
	// The policy has to judge before the role or a permission becomes wider.
	first := policyWaves(waves)
	if err := p.applyWaves(ctx, 0, first, count); err != nil {
		return err
	}
	if err := p.awaitPolicy(ctx, observe); err != nil {
		return err
	}
	last := max(first, len(waves)-1)
	group, groupCtx := errgroup.WithContext(ctx)
	group.Go(func() error { return p.makeRole(groupCtx, done, observe) })
	group.Go(func() error { return p.applyWaves(groupCtx, first, last, count) })
	if err := group.Wait(); err != nil {
		return err
	}
	// The last wave starts the controller, which ends itself without its role.
	if err := p.applyWaves(ctx, last, len(waves), count); err != nil {
		return err
	}
	if !p.recorded() {
		return p.Objects.DeleteLeft(ctx, count)
	}
	return p.Objects.Prune(ctx, count)
}

// ofProjects reports whether an object is a permission on Buckets that the users of
// projects have: ClusterRoles that Kubernetes adds to admin, edit or view.
func ofProjects(it *apply.Item) bool {
	if it.Ref.Kind != "ClusterRole" || it.Live == nil {
		return false
	}
	aggregated := func(label string) bool { return strings.HasPrefix(label, rbacGroup+"/aggregate-to-") }
	return it.Ref.Name == operator.EditRole || slices.ContainsFunc(slices.Collect(maps.Keys(it.Live.GetLabels())), aggregated)
}

// recorded reports whether there is to be an inventory: not where nothing but
// rights is ours.
func (p *Plan) recorded() bool { return p.Mode == ByOLM || p.Mode == ByChart }

func (p *Plan) applyWaves(ctx context.Context, from, to int, count func(apply.Event)) error {
	for n := from; n < to; n++ {
		if err := p.Objects.ApplyWave(ctx, n, count); err != nil {
			return err
		}
	}
	return nil
}

func (p *Plan) makeRole(ctx context.Context, done *Done, observe func(health.State)) error {
	if p.Role == nil || p.Role.Empty() {
		return nil
	}
	result, err := iam.Execute(ctx, p.roles, p.Role)
	done.Role = result.Done
	if err != nil {
		return err
	}
	text := "updated"
	if result.Created {
		text = "created"
	}
	observe(health.State{Kind: "Role", Name: "role", Text: text, Ready: true})
	return nil
}

// makeNamespace creates the namespace: on a cluster admin's behalf no project has to be
// requested. An apply would succeed on a project that a user requested since the plan
// was made, and nobody has looked at who has permissions in that one.
func (p *Plan) makeNamespace(ctx context.Context) error {
	conn := p.found.World.Conn
	client, err := conn.Resource(ctx, schema.GroupVersionKind{Version: "v1", Kind: "Namespace"}, "")
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace",
		"metadata": map[string]any{
			"name":   p.found.Namespace,
			"labels": map[string]any{render.TagManagedBy: apply.Manager},
		},
	}}
	_, err = client.Create(ctx, object, metav1.CreateOptions{FieldManager: apply.Manager})
	if apierrors.IsAlreadyExists(err) { // another run of this tool created it, or somebody else
		var there *unstructured.Unstructured
		if there, err = client.Get(ctx, p.found.Namespace, metav1.GetOptions{}); err == nil && createdHere(there) {
			return nil
		}
		if err == nil {
			return p.namespaceTaken()
		}
	}
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", p.found.Namespace, conn.Translate(err))
	}
	return nil
}

func (p *Plan) namespaceTaken() error {
	return &problem.Error{
		Kind: problem.Refused,
		What: "namespace " + p.found.Namespace + " was created by somebody else while this command ran",
		Why:  "who has permissions in it can act as the controller, and has not been looked at",
		Next: "the same command again",
	}
}
