package check

import (
	"context"
	"slices"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// identityLook are the checks of how a pod becomes the role: the service account
// names the role, the role trusts the account's tokens, the pods carry one.
type identityLook struct {
	*live.World
	// coming is set where the app is about to be installed: then what is installed
	// says nothing about its tokens, and coming is what mends a role.
	coming string
}

// IDs of the identity checks that others need.
const (
	IDServiceAccount = "service-account"
	IDRoleExists     = "role"
	IDTrust          = "trust-policy"
	IDTrustIssuer    = "trust-issuer"
	IDTrustSubject   = "trust-subject"
	idOrphaned       = "role-orphaned"

	// what a role may do beyond its use, which its user may have wanted
	IDRoleExcess    = "role-excess"
	IDTrustAudience = "trust-audience"
	IDTrustOthers   = "trust-others"
	IDPodAccount    = "pod-service-account"
	IDPodSkipped    = "webhook-skipped"
	IDPodIdentity   = "pod-identity"
)

// identityChecks are about how a pod becomes the role.
func identityChecks(w *live.World) []Check {
	i := identityLook{World: w}
	all := append(i.accountChecks(), i.roleChecks()...)
	all = append(append(all, i.trustChecks()...), i.podChecks()...)
	for n := range all {
		all[n].Group = Identity
	}
	return all
}

func (i identityLook) accountChecks() []Check {
	return []Check{
		{
			ID: IDServiceAccount, Severity: Error, Needs: []string{IDInstalled},
			Title: "the service account " + render.ServiceAccount + " is there", Run: i.accountThere,
		},
		{
			ID: "annotation-domain", Severity: Error, Needs: []string{IDServiceAccount},
			Title: "no role is named under a misspelt annotation", Run: i.annotated(misspelt),
		},
		{
			ID: "role-annotation", Severity: Error, Needs: []string{IDServiceAccount, IDIssuer, IDCredentials},
			Title: "the service account names the role", Run: i.annotated(namesRole),
		},
		{
			ID: "token-annotations", Severity: Error, Needs: []string{IDServiceAccount},
			Title: "the service account asks for the right token", Run: i.annotated(asksForToken),
		},
		{
			ID: "token-issuer", Severity: Error, Needs: []string{IDServiceAccount, IDIssuer},
			Title: "tokens are of the issuer that the role is made for", Run: i.tokenIssuer,
		},
	}
}

func (i identityLook) roleChecks() []Check {
	needs := []string{IDRoleExists}
	return []Check{
		{
			ID: IDRoleExists, Severity: Error, Needs: []string{IDInstalled, IDIssuer, IDCredentials},
			Title: "the role is there", Run: i.roleThere,
		},
		{ID: "role-policy", Severity: Error, Needs: needs, Title: "the role may do what OSToy does", Run: i.rolePolicy},
		{ID: IDRoleExcess, Severity: Warning, Needs: needs, Title: "the role may do nothing else", Run: i.roleExcess},
		{ID: "role-boundary", Severity: Error, Needs: needs, Title: "no permissions boundary is in the way", Run: i.roleBoundary},
		{
			ID: idOrphaned, Severity: Warning, Needs: []string{IDInstalled, IDIssuer, IDCredentials},
			Title: "no role of ours is left that nobody can assume", Run: i.orphaned,
		},
	}
}

func (i identityLook) trustChecks() []Check {
	needs := []string{IDTrustIssuer}
	return []Check{
		{ID: IDTrust, Severity: Error, Needs: []string{IDRoleExists}, Title: "the role's trust policy is for tokens", Run: i.trusting(trustPolicy)},
		{ID: IDTrustIssuer, Severity: Error, Needs: []string{IDTrust}, Title: "the role trusts this cluster", Run: i.trusting(trustIssuer)},
		{ID: IDTrustSubject, Severity: Error, Needs: needs, Title: "the role trusts the app's service account and no other by wildcard", Run: i.trusting(trustSubject)},
		{ID: IDTrustAudience, Severity: Error, Needs: needs, Title: "the role asks for the tokens' audience", Run: i.trusting(trustAudience)},
		{ID: IDTrustOthers, Severity: Warning, Needs: []string{IDTrustSubject}, Title: "the role trusts no other principal", Run: i.trusting(trustOthers)},
	}
}

func (i identityLook) podChecks() []Check {
	needs := []string{IDPodIdentity}
	return []Check{
		{ID: IDPodAccount, Severity: Error, Needs: []string{IDInstalled}, Title: "the pods run as " + render.ServiceAccount, Run: i.eachPod(i.podAccount)},
		{ID: IDPodSkipped, Severity: Error, Needs: []string{IDInstalled}, Title: "nothing tells the webhook to pass the pods by", Run: i.podSkipped},
		{
			ID: IDPodIdentity, Severity: Error, Needs: []string{IDPodAccount, IDPodSkipped},
			Title: "the pods have an AWS identity", Run: i.eachPod(i.podIdentity),
		},
		{ID: "pod-role", Severity: Error, Needs: needs, Title: "the pods assume the install's role", Run: i.eachPod(i.podRole)},
		{ID: "pod-audience", Severity: Error, Needs: needs, Title: "the pods' token is for the role's audience", Run: i.eachPod(i.podAudience)},
		{ID: "pod-token-readable", Severity: Error, Needs: needs, Title: "OSToy may read its token", Run: i.eachPod(i.podToken)},
		{ID: "pod-credentials", Severity: Error, Needs: []string{IDInstalled}, Title: "no access key wins over the role", Run: i.eachPod(i.podCredentials)},
		{ID: "pod-region", Severity: Error, Needs: []string{IDInstalled}, Title: "the pods know the bucket's region", Run: i.eachPod(i.podRegion)},
	}
}

// frontend is the frontend's Deployment, nil where it is not there.
func (i identityLook) frontend(ctx context.Context) (*apps.Deployment, error) {
	object, err := i.One(ctx, live.Deployments(), frontend)
	if err != nil || object == nil {
		return nil, err
	}
	d := &apps.Deployment{}
	return d, runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, d)
}

// frontend is the workload that has an identity, and its container.
const frontend = "ostoy-frontend"

// pods are the frontend's that are alive.
func (i identityLook) pods(ctx context.Context) ([]core.Pod, error) {
	objects, err := i.Here(ctx, live.Pods())
	if err != nil {
		return nil, err
	}
	var pods []core.Pod
	for _, object := range objects {
		var pod core.Pod
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &pod); err != nil {
			return nil, err
		}
		ended := pod.Status.Phase == core.PodSucceeded || pod.Status.Phase == core.PodFailed
		if pod.Labels["app"] == frontend && pod.DeletionTimestamp == nil && !ended {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// eachPod is the check of every pod of the frontend; the worst is told.
func (i identityLook) eachPod(judge func(context.Context, core.Pod) Finding) func(context.Context) Finding {
	return func(ctx context.Context) Finding {
		pods, err := i.pods(ctx)
		switch {
		case apierrors.IsForbidden(err):
			return Unseen("list pods in "+i.Namespace, "what identity OSToy's pods have")
		case err != nil:
			return Fail(i.Conn.Translate(err))
		case len(pods) == 0:
			return Leave("the frontend has no pod")
		}
		worst := Pass()
		for _, pod := range pods {
			worst = worse(worst, judge(ctx, pod))
		}
		return worst
	}
}

// worse is the worse of two findings, the first of two that are equally bad.
func worse(a, b Finding) Finding {
	rank := map[Status]int{Passed: 0, Skipped: 1, NotAllowed: 2, Warned: 3, Failed: 4}
	if rank[b.Status] > rank[a.Status] {
		return b
	}
	return a
}

// injected reports whether the pods get their identity from the pod identity
// webhook: the template carries nothing of it.
func (i identityLook) injected(ctx context.Context) (bool, error) {
	d, err := i.frontend(ctx)
	if err != nil || d == nil {
		return false, err
	}
	for _, c := range appContainers(d.Spec.Template.Spec) {
		if len(lacks(d.Spec.Template.Spec, c)) < partsOfIdentity {
			return false, nil
		}
	}
	return !slices.ContainsFunc(d.Spec.Template.Spec.Volumes, func(v core.Volume) bool { return tokenIn(v) != nil }), nil
}

// narrow is the command that narrows a role that was there before install, else
// mendRole.
func (i identityLook) narrow(ctx context.Context) string {
	inventory, _ := i.Inventory(ctx)
	if i.coming == "" && inventory.RoleOrigin == apply.OriginAdopted {
		return installIn(i.Namespace, "--adopt", "--tighten-role")
	}
	return i.mendRole(ctx)
}

// mendRole is what puts the role right: install, unless somebody else makes it.
func (i identityLook) mendRole(ctx context.Context) string {
	inventory, _ := i.Inventory(ctx)
	if i.coming != "" || inventory.RoleOrigin != apply.OriginExisting {
		return i.again(ctx)
	}
	return HaveRoleMade(advice.Command("oc ostoy-s3 iam render", append([]string{"-n", i.Namespace}, i.roleFlags(ctx, inventory)...)...))
}

// HaveRoleMade is what to do about a role that somebody else makes, given the
// command that prints how it has to be.
func HaveRoleMade(render string) string {
	return "have the role made as " + render + " prints it, with the --format of who makes it"
}

// again is the command that puts right what install made.
func (i identityLook) again(ctx context.Context) string {
	if i.coming != "" {
		return i.coming
	}
	inventory, _ := i.Inventory(ctx)
	switch inventory.RoleOrigin {
	case apply.OriginAdopted: // install knows which
		return installIn(i.Namespace)
	case apply.OriginExisting:
		if role, err := i.Role(ctx); err == nil && iam.OnlyUsed(inventory.RoleARN, i.Facts, role) {
			return installIn(i.Namespace, append([]string{"--iam=skip"}, i.roleFlags(ctx, inventory)...)...)
		}
		return installIn(i.Namespace, i.roleFlags(ctx, inventory)...) + "\n" + advice.ManagedByOthers
	}
	return installIn(i.Namespace, i.roleFlags(ctx, inventory)...)
}
