package controller

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	waiting "k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Done is what an execution has done so far, also where it did not get to the
// end.
type Done struct {
	Namespace bool // made
	Inventory bool // written
	Role      []iam.Step
	Objects   map[apply.Action]int
	Approved  []string // InstallPlans
	Steps     []string // versions of an upgrade that are installed, the one before it first
	Restarted []string // pods that came without their identity, and were deleted
	Unsure    []string // what may have been changed as well: no answer came

	role *iam.Result // nil: not begun
}

// Execute does what the plan says: the namespace, then the inventory, before the
// first object it lists; the end of permissions that projects must not have; the
// admission policy, until it is in effect; the role beside ConfigMap, ServiceAccount and
// ClusterRoles; then the Subscription. It does not wait for the controller: Follow does. observe is told of each part, one call at a time.
func (p *Plan) Execute(ctx context.Context, done *Done, observe func(health.State)) error {
	done.Objects = map[apply.Action]int{}
	defer func() {
		done.Inventory = p.Objects.WroteInventory()
		done.Unsure = append(done.Unsure, announce.Unsure(p.Objects, done.role, p.roleName())...)
	}()
	if p.MakesNamespace {
		if err := p.makeNamespace(ctx, done); err != nil {
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
	if err := awaitPolicy(ctx, p, observe); err != nil {
		return err
	}
	last := max(first, len(waves)-1)
	err := p.Objects.Beside(
		func() error { return p.makeRole(ctx, done, observe) },
		func() error { return p.applyWaves(ctx, first, last, count) },
	)
	if err != nil {
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

// recorded reports whether there is to be an inventory: not where only the permissions
// on Buckets are managed here.
func (p *Plan) recorded() bool { return p.Mode != Used }

func (p *Plan) applyWaves(ctx context.Context, from, to int, count func(apply.Event)) error {
	for n := from; n < to; n++ {
		if err := p.Objects.ApplyWave(ctx, n, count); err != nil {
			return err
		}
	}
	return nil
}

// roleName is the name of the role that is planned, "" if none is.
func (p *Plan) roleName() string {
	if p.Role == nil {
		return ""
	}
	return p.Role.Role.Name
}

func (p *Plan) makeRole(ctx context.Context, done *Done, observe func(health.State)) error {
	if p.Role == nil || p.Role.Empty() {
		return nil
	}
	result, err := iam.Execute(ctx, p.roles, p.Role)
	done.Role, done.role = result.Done, &result
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
func (p *Plan) makeNamespace(ctx context.Context, done *Done) error {
	conn := p.found.World.Conn
	client, err := conn.Resource(ctx, kinds.Namespace.GVK(), "")
	if err != nil {
		return err
	}
	object := &unstructured.Unstructured{}
	object.SetGroupVersionKind(kinds.Namespace.GVK())
	object.SetName(p.found.Namespace)
	object.SetLabels(map[string]string{render.TagManagedBy: apply.Manager})
	_, err = client.Create(ctx, object, metav1.CreateOptions{FieldManager: apply.Manager})
	if err != nil && !apply.Refused(err) {
		done.Unsure = append(done.Unsure, "namespace "+p.found.Namespace)
	}
	there := object
	if apierrors.IsAlreadyExists(err) { // another run of this tool created it, or somebody else
		there, err = client.Get(ctx, p.found.Namespace, metav1.GetOptions{})
	}
	if err == nil && there != object && !createdHere(there) {
		return problem.Refuse("namespace "+p.found.Namespace+" was created by somebody else while this command ran",
			"who has permissions in it can act as the controller, and has not been looked at",
			"the same command again")
	}
	if err != nil {
		return fmt.Errorf("create namespace %s: %w", p.found.Namespace, conn.Translate(err))
	}
	return nil
}

// policyWaves is how many waves there are up to the last one that holds a part of the
// admission policy.
func policyWaves(waves [][]*apply.Item) int {
	for n := len(waves); n > 0; n-- {
		if slices.ContainsFunc(waves[n-1], func(it *apply.Item) bool { return IsAdmission(it.Ref) }) {
			return n
		}
	}
	return 0
}

// An API server compiles a new policy a moment after it was written: every second it
// looks whether one changed (policyRefreshIntervalDefault in
// pkg/admission/plugin/policy/generic/policy_source.go of k8s.io/apiserver), and each of
// several API servers does so for itself.
const (
	probePause = 250 * time.Millisecond
	// probesInARow is how often the probe has to be refused, one after the other: longer
	// than the other API servers need.
	probesInARow = 8
	probeLimit   = 30 * time.Second
	// probeBlind is how long is waited where the probe says nothing.
	probeBlind = 5 * time.Second
)

// awaitPolicy waits until the policy that this run wrote judges Buckets, before anything
// becomes wider. It sends a Bucket that the policy must refuse, as a dry run, under the
// one name for which the policy exempts no user. Where there are no Buckets before
// the controller is installed, there is nothing to wait for.
func awaitPolicy(ctx context.Context, p *Plan, observe func(health.State)) error {
	wrote := p.Objects.Wrote("ValidatingAdmissionPolicy", operator.PolicyName) || p.Objects.Wrote("ValidatingAdmissionPolicyBinding", operator.PolicyName)
	if !wrote || p.found.Definition == nil {
		return nil
	}
	probe := operator.Probe()
	buckets := p.found.World.Conn.Dynamic.Resource(kinds.Bucket.GVR()).Namespace(probe.GetNamespace())
	observe(health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "waiting until it is in effect"})
	known, err := awaitRefusal(ctx, buckets, probe)
	switch {
	case err == nil && known:
		observe(health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "in effect", Ready: true})
		reportPlanted(ctx, p, observe)
	case err == nil:
		observe(health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "applied; whether it is in effect cannot be seen, waited " + probeBlind.String(), Ready: true})
	case ctx.Err() == nil:
		return &problem.Error{
			Kind: problem.NotReady,
			What: "the ValidatingAdmissionPolicy " + operator.PolicyName + " is not in effect after " + probeLimit.String(),
			Why:  "the API server admits a Bucket that the policy refuses; no permission was added and no role was changed",
			Next: "the same command again; " + advice.Command("oc get validatingadmissionpolicies.admissionregistration.k8s.io", operator.PolicyName, "-o", "yaml") + " shows its status",
		}
	}
	return err
}

// reportPlanted names the Buckets with the S3 buckets of other projects that were created
// after the plan was made and before the policy was in effect.
func reportPlanted(ctx context.Context, p *Plan, observe func(health.State)) {
	all, err := cluster.ListAll(ctx, p.found.World.Conn.Dynamic.Resource(kinds.Bucket.GVR()), metav1.ListOptions{})
	if err != nil { // the report is for the reader, and Buckets are not needed to go on
		return
	}
	for _, now := range refused(p, all) {
		known := slices.ContainsFunc(p.Admission.Refused, func(b RefusedBucket) bool { return b.Namespace == now.Namespace && b.Name == now.Name })
		if !known && now.foreign {
			observe(health.State{
				Kind: "Bucket", Name: "Bucket " + now.Namespace + "/" + now.Name, Level: health.Warn,
				Text: "was created just before the policy was in effect: " + strings.Join(now.Why, "; "),
			})
		}
	}
}

// awaitRefusal sends the probe until the policy has refused it often enough. If the
// probe is refused for another reason, it cannot be known, and a while is waited.
func awaitRefusal(ctx context.Context, buckets dynamic.ResourceInterface, probe *unstructured.Unstructured) (known bool, err error) {
	refused := 0
	blind, served := false, false
	err = waiting.PollUntilContextTimeout(ctx, probePause, probeLimit, true, func(ctx context.Context) (bool, error) {
		_, err := buckets.Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: apply.Manager})
		served = !apierrors.IsNotFound(err)
		switch {
		case err == nil, !served: // a definition that was created a moment ago
			refused = 0
		case byPolicy(err):
			refused++
		default:
			blind = ctx.Err() == nil && !apierrors.IsServerTimeout(err) && !apierrors.IsTooManyRequests(err) && !apierrors.IsServiceUnavailable(err)
		}
		return blind || refused == probesInARow, nil
	})
	switch {
	case waiting.Interrupted(err) && !served && ctx.Err() == nil: // no Bucket can be created
		return false, nil
	case err != nil || !blind:
		return err == nil, err
	}
	return false, interrupt.Sleep(ctx, probeBlind)
}

// byPolicy reports whether a refusal is that of the policy.
func byPolicy(err error) bool {
	return strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+operator.PolicyName+"'")
}
