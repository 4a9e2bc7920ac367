package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	waiting "k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// policyWaves is how many of the first waves hold nothing but the admission policy.
func policyWaves(waves [][]*apply.Item) int {
	is := func(wave []*apply.Item) bool {
		return !slices.ContainsFunc(wave, func(it *apply.Item) bool { return it.Ref.Group != operator.AdmissionGroup })
	}
	n := 0
	for n < len(waves) && is(waves[n]) {
		n++
	}
	return n
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
// one name for which the policy exempts no user. Where Buckets are not served yet, there
// is nothing to wait for.
func (p *Plan) awaitPolicy(ctx context.Context, observe func(health.State)) error {
	wrote := p.Objects.Wrote("ValidatingAdmissionPolicy", operator.PolicyName) || p.Objects.Wrote("ValidatingAdmissionPolicyBinding", operator.PolicyName)
	if p.found.Definition == nil || !wrote {
		return nil
	}
	probe := operator.Probe()
	buckets, err := p.found.World.Conn.Resource(ctx, schema.FromAPIVersionAndKind(probe.GetAPIVersion(), probe.GetKind()), probe.GetNamespace())
	if err != nil { // a definition that is not served
		return ctx.Err()
	}
	observe(health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "waiting until it is in effect"})
	known, err := awaitRefusal(ctx, buckets, probe)
	switch {
	case err == nil && known:
		observe(health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "in effect", Ready: true})
		p.reportPlanted(ctx, observe)
	case err == nil:
		observe(health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "applied; you are not allowed to see whether it is in effect, so " + probeBlind.String() + " were waited", Ready: true})
	case ctx.Err() == nil:
		return &problem.Error{
			Kind: problem.NotReady,
			What: "the ValidatingAdmissionPolicy " + operator.PolicyName + " is not in effect after " + probeLimit.String(),
			Why:  "the API server admits a Bucket that the policy refuses; no permission was added and no role was changed",
			Next: "the same command again; oc get validatingadmissionpolicies.admissionregistration.k8s.io " + operator.PolicyName + " -o yaml shows its status",
		}
	}
	return err
}

// reportPlanted names the Buckets with the S3 buckets of other projects that were created
// after the plan was made and before the policy was in effect.
func (p *Plan) reportPlanted(ctx context.Context, observe func(health.State)) {
	all, err := cluster.ListAll(ctx, p.found.World.Conn.Dynamic.Resource(live.Buckets()), metav1.ListOptions{})
	if err != nil { // the report is for the reader, and Buckets are not needed to go on
		return
	}
	for _, now := range p.refused(all) {
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
	blind := false
	err = waiting.PollUntilContextTimeout(ctx, probePause, probeLimit, true, func(ctx context.Context) (bool, error) {
		_, err := buckets.Create(ctx, probe, metav1.CreateOptions{DryRun: []string{metav1.DryRunAll}, FieldManager: apply.Manager})
		switch {
		case err == nil:
			refused = 0
		case byPolicy(err):
			refused++
		default:
			blind = ctx.Err() == nil && !apierrors.IsServerTimeout(err) && !apierrors.IsTooManyRequests(err) && !apierrors.IsServiceUnavailable(err)
		}
		return blind || refused == probesInARow, nil
	})
	if err != nil || !blind {
		return err == nil, err
	}
	pause := time.NewTimer(probeBlind)
	defer pause.Stop()
	select {
	case <-ctx.Done():
		return false, ctx.Err()
	case <-pause.C:
		return false, nil
	}
}

// byPolicy reports whether a refusal is that of the policy.
func byPolicy(err error) bool {
	return strings.Contains(err.Error(), "ValidatingAdmissionPolicy '"+operator.PolicyName+"'")
}
