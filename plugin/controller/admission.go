package controller

import (
	"context"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/access"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// Admission is what the plan says about the admission policy for Buckets
// (operator.AdmissionPolicy).
type Admission struct {
	// Served reports whether the cluster serves ValidatingAdmissionPolicies. Without
	// them project admins only get read access to Buckets.
	Served bool
	// Exempt are the user names of the controllers that the policy does not check.
	Exempt []string
	// Refused are the existing Buckets that the policy refuses from now on.
	Refused []RefusedBucket
	// Warnings are what the reader has to know before.
	Warnings []Warning
}

// RefusedBucket is a Bucket that the policy would not admit if a project admin
// created it now.
type RefusedBucket struct {
	Namespace string   `json:"namespace"`
	Name      string   `json:"name"`
	Why       []string `json:"why"`

	foreign bool // its S3 bucket is not its project's, by its name
}

// Warning is a sentence for the reader, and what to do about it, if anything.
type Warning struct{ What, Next string }

func (a *Admission) warn(what, next string) { a.Warnings = append(a.Warnings, Warning{what, next}) }

// IsAdmission reports whether an object is the admission policy for Buckets or its
// binding.
func IsAdmission(ref apply.Ref) bool { return ref.Group == operator.AdmissionGroup }

// decideAdmission settles whether there is a policy. By OLM it refuses where there
// can be none, unless the user accepts that.
func decideAdmission(ctx context.Context, p *Plan) error {
	served, err := p.found.World.Conn.Discovery(ctx)
	if err != nil {
		return err
	}
	p.Admission.Served = live.ServesAdmission(served)
	switch {
	case p.Admission.Served:
	case p.Mode == ByOLM && !p.options.AllowAnyBucket:
		return problem.Refuse("Buckets cannot be kept to the S3 buckets of their own project on this cluster",
			notServed+", and "+everyVerb+": each of them could change or delete any S3 bucket that the controller's role covers",
			"upgrade the cluster; or, if you trust the admins and editors of all projects, the same command with --allow-any-bucket").See("docs/controller.md")
	default:
		p.Admission.warn(withoutPolicy(p))
	}
	return nil
}

const (
	notServed = "this cluster does not serve ValidatingAdmissionPolicies (requires Kubernetes 1.30 or OpenShift 4.17)"
	// everyVerb is what "OLM" does for the CRDs of an operator for all namespaces
	// (ensureProvidedAPIClusterRole in its pkg/controller/operators/olm).
	everyVerb = "OLM gives the admins and editors of every project all verbs on Buckets"
)

// withoutPolicy is the warning where there is no policy.
func withoutPolicy(p *Plan) (what, next string) {
	install := advice.Command("oc ostoy-s3 controller install", advice.ControllerIn(p.found.Namespace)...)
	byOLM := func(c ack.Controller) bool { return c.Installer == ack.OLM }
	if slices.ContainsFunc(slices.Concat(p.found.Mine(), p.found.Others()), byOLM) || p.Mode == ByOLM {
		return notServed + ", and " + everyVerb + ": each of them can change or delete any S3 bucket that the controller's role covers",
			"upgrade the cluster; the next " + install + " then adds the admission policy"
	}
	return notServed + ", so project admins and editors can read Buckets and not create them",
		"a cluster admin creates each Bucket: " + advice.Command("oc ostoy-s3 install -n PROJECT") + "; after an upgrade of the cluster, " + install + " adds policy and permissions"
}

// exempt settles which controllers the policy does not check: the one of this tool,
// and those that are proven. If a controller that is managed by something else is used,
// nothing shows whose the namespace of this tool's own controller is, and its service
// account has to be proven as well. Nobody is exempt who is not known. It gives what to
// note about that.
func exempt(p *Plan) (notes []string) {
	a := &p.Admission
	exempt := map[string]bool{}
	if p.proof.unasked && a.Served {
		notes = keepExempt(p, exempt)
	}
	own := operator.Account(p.facts)
	var lookalikes []string
	for _, name := range slices.Sorted(maps.Keys(p.proof.accounts)) {
		switch c, is := p.proof.named[name]; {
		case p.proof.accounts[name]:
			exempt[name] = true
		case is && (name != own || p.Mode == Used):
			lookalikes = append(lookalikes, c)
		}
	}
	switch {
	case len(lookalikes) > 0 && a.Served:
		a.warn(notExempt(lookalikes)+notEverywhere, "")
	case len(lookalikes) > 0:
		a.warn(lookalike(lookalikes), "")
	}
	if !a.Served {
		return nil
	}
	// Beside a controller that is used, the own account is exempt only if a Deployment uses
	// it: an earlier controller may have left its permissions behind.
	uses := p.proof.unasked || slices.Contains(live.AccountsOf(p.found.Controllers.All), own)
	if p.Mode != Used || exempt[own] && uses {
		a.Exempt = []string{own}
	}
	delete(exempt, own)
	a.Exempt = append(a.Exempt, slices.Sorted(maps.Keys(exempt))...)
	return notes
}

// notEverywhere ends a sentence about the service account of a Deployment that is not
// proven. A controller that watches only some projects has a Role there, and is not proven.
const notEverywhere = "not allowed to list and update Buckets in all projects, so it is not a controller of the whole cluster; " +
	"if it watches only some projects, it is a controller of those, and two controllers undo each other's work"

// lookalike is a warning about the first few of some Deployments that are not proven.
func lookalike(deployments []string) string {
	if len(deployments) == 1 {
		return deployments[0] + " looks like an ACK S3 controller: its service account is " + notEverywhere
	}
	return some(deployments) + " look like ACK S3 controllers: the service account of each is " + notEverywhere
}

// notExempt begins a warning about the first few of some Deployments: a project editor
// can create as many as they like.
func notExempt(deployments []string) string {
	if len(deployments) == 1 {
		return deployments[0] + " is not exempt from the admission policy: its service account is "
	}
	return some(deployments) + " are not exempt from the admission policy: the service account of each is "
}

// keepExempt is exempt where nothing can be proven: who is exempt already stays so.
func keepExempt(p *Plan, exempt map[string]bool) (notes []string) {
	for _, name := range p.proof.exempt {
		exempt[name] = true
	}
	const refused = "you are not allowed to " + access.Reviewing + ", which show whether "
	if len(exempt) > 0 {
		notes = append(notes, refused+"a service account is a controller's: the policy keeps exempting "+strings.Join(slices.Sorted(maps.Keys(exempt)), ", "))
	}
	unknown := those(slices.Sorted(maps.Keys(p.proof.named)), func(name string) bool { return !exempt[name] })
	if len(unknown) > 0 {
		p.Admission.warn(notExempt(each(unknown, func(name string) string { return p.proof.named[name] }))+"not known to be a controller's: "+refused+
			"it is one. If it is, the policy refuses what it writes into the spec of a Bucket", "ask a cluster admin to run the same command")
	}
	return notes
}

// lookAtBuckets gives the existing Buckets that the policy refuses from now on; a
// warning if that cannot be known.
func lookAtBuckets(ctx context.Context, p *Plan) ([]RefusedBucket, []Warning, error) {
	if !p.Admission.Served || p.found.Definition == nil {
		return nil, nil, nil
	}
	all, err := p.found.World.List(ctx, kinds.Bucket.GVR(), "", "")
	switch {
	case apierrors.IsNotFound(err): // not served yet
		return nil, nil, nil
	case apierrors.IsForbidden(err):
		return nil, []Warning{{What: "you are not allowed to list Buckets: which of them the admission policy refuses from now on is not known"}}, nil
	case err != nil:
		return nil, nil, p.found.World.Conn.Translate(err)
	}
	return refused(p, all), nil, nil
}

// refused are those of some Buckets that the policy refuses to create.
func refused(p *Plan, all []*unstructured.Unstructured) []RefusedBucket {
	var some []RefusedBucket
	for _, bucket := range all {
		if why := operator.Refused(p.facts, bucket); why != nil && bucket.GetDeletionTimestamp() == nil {
			some = append(some, RefusedBucket{
				Namespace: bucket.GetNamespace(), Name: bucket.GetName(), Why: each(why, plain.Line),
				foreign: operator.OfOtherProjects([]*unstructured.Unstructured{bucket}) != nil,
			})
		}
	}
	return some
}

// withdrawn are objects that an earlier install applied and that this cluster must
// not have: the permission to write Buckets that nothing checks.
func withdrawn(ctx context.Context, p *Plan) ([]apply.Ref, error) {
	if p.Admission.Served {
		return nil, nil
	}
	role, err := p.found.World.Get(ctx, kinds.ClusterRole.GVR(), "", operator.EditRole)
	if err != nil || role == nil || !apply.Ours(role) {
		return nil, p.found.World.Conn.Translate(err)
	}
	return []apply.Ref{{Group: rbacGroup, Version: "v1", Kind: "ClusterRole", Name: operator.EditRole}}, nil
}

// accessOf are the objects that give projects their Buckets.
func accessOf(p *Plan) []*unstructured.Unstructured {
	return operator.Access(p.facts, p.Admission.Served, p.Admission.Exempt)
}
