package check

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
)

// identity: how the controller gets its AWS credentials, and whether it still
// will after its next restart.
func (c controllerLook) identity(ctx context.Context) Finding {
	return c.each(ctx, "as which role it works", func(one told) Finding {
		if !byServiceAccount(one) {
			return Pass()
		}
		account, err := c.Get(ctx, live.ServiceAccounts(), one.Namespace, one.Account())
		switch {
		case apierrors.IsForbidden(err):
			return Unseen("get serviceaccounts in "+one.Namespace, "which role it works as")
		case err != nil:
			return Fail(c.Conn.Translate(err))
		}
		return judgeIdentity(one, account)
	})
}

// variables that give credentials without help of the webhook.
func ownCredentials() []string {
	return []string{
		"AWS_ACCESS_KEY_ID", "AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE", "AWS_CONTAINER_CREDENTIALS_FULL_URI",
		"AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "AWS_WEB_IDENTITY_TOKEN_FILE",
	}
}

// byServiceAccount reports whether only the annotation of its service account can
// give a controller credentials: nothing in its Deployment does, and no EKS Pod
// Identity has put some into its pods.
func byServiceAccount(one told) bool {
	if slices.ContainsFunc(ownCredentials(), one.env.Has) {
		return false
	}
	return !slices.ContainsFunc(one.pods, func(p ack.Pod) bool {
		_, agent := p.Variable(one.Container.Name, "AWS_CONTAINER_CREDENTIALS_FULL_URI")
		return agent
	})
}

// judgeIdentity holds the annotation and the pods against each other.
func judgeIdentity(one told, account *unstructured.Unstructured) Finding {
	name := "serviceaccount/" + one.Account() + " -n " + one.Namespace
	role := ""
	if account != nil {
		role = account.GetAnnotations()[live.RoleAnnotation]
	}
	if role == "" {
		return noRole(one, account, name)
	}
	for _, pod := range one.pods {
		has, set := pod.Variable(one.Container.Name, "AWS_ROLE_ARN")
		switch {
		case !set:
			return Refuse(
				"the ACK S3 controller does not work as its role (pod "+pod.Name+" in "+one.Namespace+")",
				"its service account names "+awserr.Redact(role)+", but the pod has no AWS_ROLE_ARN: it is older than the annotation, or the pod identity webhook missed it",
				one.Restart()+"\nif the new pod has none either, there is no pod identity webhook: put the variables and the token volume into the Subscription's spec.config",
			)
		case has != role:
			return Warn(
				"the ACK S3 controller works as another role than its service account names (pod "+pod.Name+" in "+one.Namespace+")",
				"the pod is older than the annotation: it has "+awserr.Redact(has)+", the annotation names "+awserr.Redact(role),
				one.Restart(),
			)
		}
	}
	return Pass()
}

// noRole: the annotation is gone, or never was. On a node whose own role may do
// it that works, which on OpenShift it may not.
func noRole(one told, account *unstructured.Unstructured, name string) Finding {
	what := "the service account of the ACK S3 controller names no role (" + name + ")"
	role := "arn:aws:iam::ACCOUNT:role/ROLE"
	why := "its pods have the role of the node they are on, which as a rule may not touch S3"
	for _, pod := range one.pods {
		if has, set := pod.Variable(one.Container.Name, "AWS_ROLE_ARN"); set {
			role = awserr.Redact(has)
			why = "the pod that runs was born while the annotation was there; the next one comes without"
		}
	}
	if one.Installer == ack.OLM {
		why += "; OLM before 0.33 drops the annotation at every upgrade of the operator"
	}
	if account != nil {
		for key := range account.GetAnnotations() {
			if strings.HasSuffix(key, "/role-arn") {
				why += "; the annotation " + key + " has a domain that nobody looks at"
			}
		}
	}
	finding := Refuse(what, why, "oc annotate "+name+" --overwrite "+live.RoleAnnotation+"="+role+"\n"+one.Restart())
	if one.Installer == ack.OLM {
		finding.Next += "\nto keep it over upgrades: AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and a token volume in the Subscription's spec.config"
	} else if !restartedWithout(one) {
		finding.Status = Warned
	}
	return finding
}

// restartedWithout reports whether the pods still have a role that the next ones
// will not have.
func restartedWithout(one told) bool {
	return slices.ContainsFunc(one.pods, func(p ack.Pod) bool {
		_, set := p.Variable(one.Container.Name, "AWS_ROLE_ARN")
		return set
	})
}

// IDWebhook is the check of the pod identity webhook.
const IDWebhook = "webhook"

// webhook looks for it where somebody needs it: the app, where its pods do not
// carry their identity themselves, or the controller.
func (c controllerLook) webhook(ctx context.Context) Finding {
	needed, err := c.needsWebhook(ctx)
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	if len(needed) == 0 {
		return Leave("the pods carry their identity themselves (podIdentity=projected)")
	}
	list, err := c.List(ctx, live.Webhooks(), "", "")
	switch {
	case apierrors.IsForbidden(err):
		return Unseen("list mutatingwebhookconfigurations", "whether the pod identity webhook is there")
	case err != nil:
		return Fail(c.Conn.Translate(err))
	}
	if slices.ContainsFunc(list, givesIdentity) {
		return Pass()
	}
	why := "nothing gives new pods their AWS identity: " + strings.Join(needed, ", ")
	for _, one := range list {
		if name := one.GetName(); name == webhookClassic || name == webhookHCP {
			why = "the configuration " + name + " is another cloud's: none of its webhooks is AWS's; " + why
		}
	}
	return Warn(
		"this cluster has no AWS pod identity webhook", why,
		"oc ostoy-s3 install -n "+c.Namespace+" --set podIdentity=projected does without it\n"+
			"on ROSA a support case brings it back; elsewhere install amazon-eks-pod-identity-webhook",
	)
}

// Names of the webhook's configuration: classic, self-managed and EKS; ROSA HCP.
const (
	webhookClassic = "pod-identity-webhook"
	webhookHCP     = "aws-pod-identity"
)

// givesIdentity goes by the names of the webhooks: on Azure and Google Cloud a
// configuration of the same name has others (FACTS 2.2).
func givesIdentity(configuration *unstructured.Unstructured) bool {
	hooks, _, _ := unstructured.NestedSlice(configuration.Object, "webhooks")
	return slices.ContainsFunc(hooks, func(entry any) bool {
		hook, _ := entry.(map[string]any)
		name, _ := hook["name"].(string)
		return name == "pod-identity-webhook.aws.mutate.io" || name == "pod-identity-webhook.amazonaws.com"
	})
}

// needsWebhook is who gets an identity by the webhook alone.
func (c controllerLook) needsWebhook(ctx context.Context) ([]string, error) {
	frontend, err := c.One(ctx, live.Deployments(), "ostoy-frontend")
	if err != nil {
		return nil, err
	}
	var needed []string
	if frontend != nil && !carriesToken(frontend) {
		needed = append(needed, "the app's pods have no token of their own (podIdentity=webhook)")
	}
	all, err := c.ofInterest(ctx)
	if err != nil {
		return needed, nil // who may not look is told so by the controller's checks
	}
	for _, one := range all {
		if byServiceAccount(one) {
			needed = append(needed, one.String()+" has its role by its service account")
		}
	}
	return needed, nil
}

// carriesToken reports whether a Deployment's pods bring a token for AWS along.
func carriesToken(deployment *unstructured.Unstructured) bool {
	volumes, _, _ := unstructured.NestedSlice(deployment.Object, "spec", "template", "spec", "volumes")
	return slices.ContainsFunc(volumes, func(entry any) bool {
		volume, _ := entry.(map[string]any)
		return volume["name"] == "aws-iam-token"
	})
}
