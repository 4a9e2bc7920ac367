package controller

import (
	"context"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	waiting "k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// policyWaves is how many waves there are up to the last one that holds a part of the
// admission policy. A chart's objects may be in earlier ones.
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
// one name for which the policy exempts no user. Where there are no Buckets before OLM
// installs the operator, there is nothing to wait for.
func (p *Plan) awaitPolicy(ctx context.Context, observe func(health.State)) error {
	wrote := p.Objects.Wrote("ValidatingAdmissionPolicy", operator.PolicyName) || p.Objects.Wrote("ValidatingAdmissionPolicyBinding", operator.PolicyName)
	defined := p.found.Definition != nil || p.Objects.Wrote("CustomResourceDefinition", Definition)
	if !wrote || !defined {
		return nil
	}
	probe := operator.Probe()
	buckets := p.found.World.Conn.Dynamic.Resource(live.Buckets()).Namespace(probe.GetNamespace())
	observe(health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "waiting until it is in effect"})
	known, err := awaitRefusal(ctx, buckets, probe)
	switch {
	case err == nil && known:
		observe(health.State{Kind: "ValidatingAdmissionPolicy", Name: "policy", Text: "in effect", Ready: true})
		p.reportPlanted(ctx, observe)
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
