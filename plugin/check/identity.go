package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apps "k8s.io/api/apps/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
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
	IDPodIdentity    = "pod-identity"
	IDTokenIssuer    = "token-issuer"
	idOrphaned       = "role-orphaned"

	// what a role may do beyond its use, which its user may have wanted
	IDRoleExcess    = "role-excess"
	IDTrustAudience = "trust-audience"
)

// identityChecks are about how a pod becomes the role.
func identityChecks(w *live.World) []Check {
	i := identityLook{World: w}
	here := []string{IDInstalled}
	return inGroup(Identity, append([]Check{
		{
			ID: IDServiceAccount, Severity: Error, Vital: true, Needs: here, Beside: []string{IDAccount},
			Title: "service account " + render.ServiceAccount + " exists, names the role and requests the right token",
			Run:   inTurn(i.by(accountThere), i.by(annotated)),
		},
		{ID: IDTokenIssuer, Severity: Error, Needs: []string{IDServiceAccount, IDIssuer}, Title: "tokens are of the issuer that the role is made for", Run: i.by(tokenIssuer)},
		{
			ID: IDPodIdentity, Severity: Error, Needs: here,
			Title: "the pods have the app's AWS identity, and no other credentials",
			Run: every(
				inTurn(i.identified, i.eachPod(podToken)),
				i.credentials, i.eachPod(podRegion),
			),
		},
		{ID: idOrphaned, Severity: Warning, Needs: []string{IDInstalled, IDIssuer, IDCredentials}, Title: "no role of ours is left that nobody can assume", Run: i.by(orphaned)},
	}, i.roleChecks()...))
}

// roleChecks are about the role: whom it trusts, and what it may do.
func (i identityLook) roleChecks() []Check {
	needs := []string{IDRoleExists}
	return inGroup(Identity, []Check{
		{ID: IDRoleExists, Severity: Error, Vital: true, Needs: []string{IDInstalled, IDIssuer, IDCredentials}, Title: "the role is there", Run: i.by(roleThere)},
		{ID: "role-policy", Severity: Error, Needs: needs, Title: "the role may do what OSToy does", Run: every(i.by(rolePolicy), i.by(roleBoundary))},
		{ID: IDRoleExcess, Severity: Warning, Needs: needs, Title: "the role may do nothing else", Run: i.by(roleExcess)},
		{ID: IDTrust, Severity: Error, Needs: needs, Title: "the trust policy admits the app's service account, and no others by wildcard", Run: i.trusting(trustsApp)},
		{
			ID: IDTrustAudience, Severity: Error, Needs: needs, Beside: []string{IDTrust},
			Title: "the trust policy names the tokens' audience, and admits no other principal", Run: i.trusting(trustsOnly),
		},
	})
}

// by is a look at what one function judges.
func (i identityLook) by(judge func(context.Context, identityLook) Finding) look {
	return func(ctx context.Context) Finding { return judge(ctx, i) }
}

// identified looks whether the pods are given an identity at all.
func (i identityLook) identified(ctx context.Context) Finding {
	return inTurn(every(i.eachPod(podAccount), i.by(podSkipped)), i.eachPod(podIdentity))(ctx)
}

// frontend is the frontend's Deployment, nil where it is not there.
func (i identityLook) frontend(ctx context.Context) (*apps.Deployment, error) {
	object, err := i.One(ctx, kinds.Deployment.GVR(), frontendName)
	if err != nil || object == nil {
		return nil, err
	}
	d := &apps.Deployment{}
	return d, runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, d)
}

// pods are the frontend's that are alive.
func (i identityLook) pods(ctx context.Context) ([]core.Pod, error) {
	objects, err := i.Here(ctx, kinds.Pod.GVR())
	if err != nil {
		return nil, err
	}
	var pods []core.Pod
	for _, object := range objects {
		var pod core.Pod
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(object.Object, &pod); err != nil {
			return nil, err
		}
		if pod.Labels["app"] == frontendName && pod.DeletionTimestamp == nil && !ended(pod) {
			pods = append(pods, pod)
		}
	}
	return pods, nil
}

// eachPod judges every pod of the frontend in every way.
func (i identityLook) eachPod(judges ...func(context.Context, identityLook, core.Pod) Finding) look {
	return func(ctx context.Context) Finding {
		pods, err := i.pods(ctx)
		if err != nil {
			return unreadable(i.Conn, err, "list pods in "+i.Namespace, "what identity OSToy's pods have")
		}
		if len(pods) == 0 {
			return Leave("the frontend has no pod")
		}
		var all []Finding
		for _, pod := range pods {
			for _, judge := range judges {
				all = append(all, judge(ctx, i, pod))
			}
		}
		return worstFirst(all)
	}
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
	if i.coming == "" && (inventory.RoleOrigin == apply.OriginAdopted || i.Hands.Tutorial) {
		return installIn(i.World, "--adopt", "--tighten-role")
	}
	return i.mendRole(ctx)
}

// mendRole is what puts the role right: install, unless somebody else makes it.
func (i identityLook) mendRole(ctx context.Context) string {
	inventory, _ := i.Inventory(ctx)
	delivered := i.Hands.Engine != "" && !inventory.Found // what makes the role is not in the cluster
	if i.coming != "" || inventory.RoleOrigin != apply.OriginExisting && !delivered {
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
		return installIn(i.World)
	case apply.OriginExisting:
		if role, err := i.Role(ctx); err == nil && iam.OnlyUsed(inventory.RoleARN, i.Facts, role) {
			return installIn(i.World, append([]string{"--iam=skip"}, i.roleFlags(ctx, inventory)...)...)
		}
		return installIn(i.World, i.roleFlags(ctx, inventory)...) + "\n" + advice.ManagedByOthers
	}
	return installIn(i.World, i.roleFlags(ctx, inventory)...)
}

// roleFlags name the install's role as iam.Recall allows.
func (i identityLook) roleFlags(ctx context.Context, inventory apply.Inventory) []string {
	return iam.Recall(inventory.RoleARN, inventory.RoleOrigin == apply.OriginExisting, i.Facts, ifRead(ctx, i.Role))
}

// ifRead is a role for package iam, nil if it cannot be read.
func ifRead(ctx context.Context, read func(context.Context) (*iam.Actual, error)) func() *iam.Actual {
	return func() *iam.Actual {
		role, err := read(ctx)
		if err != nil {
			return nil
		}
		return role
	}
}

// Provider asks whether IAM knows the issuer and takes our audience.
func Provider(ctx context.Context, w *live.World) Finding {
	provider, err := w.Provider(ctx)
	return judgeProvider(provider, err, w.Facts)
}

func judgeProvider(provider *iam.OIDCProvider, err error, f render.Facts) Finding {
	issuer, audience := f.Issuer.Value, f.Audience.Value
	arn := render.ProviderARN(f.Partition.Value, f.Account.Value, issuer)
	switch {
	case err != nil:
		return unreadAWS(err, "iam:GetOpenIDConnectProvider on "+arn, "whether IAM knows the issuer")
	case !provider.Exists:
		return Refuse("IAM does not know the issuer "+issuer,
			fmt.Sprintf("account %s has no OIDC provider %s, so no pod of this cluster can assume a role there", f.Account.Value, arn),
			"use the account that the cluster was created in (--profile), or register the issuer:\n"+
				advice.Command("aws iam create-open-id-connect-provider", "--url", issuer, "--client-id-list", "openshift", "sts.amazonaws.com"))
	case !provider.Takes(audience):
		return Refuse("the OIDC provider of the cluster does not take audience "+audience,
			"its client ids are "+strings.Join(provider.ClientIDs, ", "),
			advice.Command("aws iam add-client-id-to-open-id-connect-provider", "--open-id-connect-provider-arn", arn, "--client-id", audience))
	}
	return Pass()
}
