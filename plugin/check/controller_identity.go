package check

import (
	"context"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// identity: how the controller gets its AWS credentials, and whether it still
// will after its next restart.
func (c controllerLook) identity(ctx context.Context) Finding {
	return c.each(ctx, "as which role it works", func(one ack.Told) Finding {
		if !byServiceAccount(one) {
			return Pass()
		}
		account, err := c.Get(ctx, kinds.ServiceAccount.GVR(), one.Namespace, one.Account())
		switch {
		case apierrors.IsForbidden(err):
			return Unseen("get serviceaccounts in "+one.Namespace, "which role it works as")
		case err != nil:
			return Fail(c.Conn.Translate(err))
		}
		return judgeIdentity(one, account)
	})
}

// byServiceAccount reports whether only the annotation of its service account can
// give a controller credentials.
func byServiceAccount(one ack.Told) bool { return one.CredentialsFrom() == ack.FromAnnotation }

// judgeIdentity holds the annotation and the pods against each other.
func judgeIdentity(one ack.Told, account *unstructured.Unstructured) Finding {
	fault, is := one.RoleFault(account)
	if !is {
		return Pass()
	}
	return faulty(fault)
}

// faulty is the finding for what is wrong with a controller.
func faulty(f ack.Fault) Finding {
	next := awserr.RedactLines(f.Next)
	if f.Grave {
		return Refuse(f.What, awserr.Redact(f.Why), next)
	}
	return Warn(f.What, awserr.Redact(f.Why), next)
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
	list, err := c.List(ctx, kinds.MutatingWebhookConfiguration.GVR(), "", "")
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
		advice.Command("oc ostoy-s3 install", "-n", c.Namespace, "--set", "podIdentity=projected")+" does without it\n"+
			"on ROSA a support case brings it back; elsewhere install amazon-eks-pod-identity-webhook",
	)
}

// Names of the webhook's configuration: classic, self-managed and EKS; ROSA HCP.
const (
	webhookClassic = "pod-identity-webhook"
	webhookHCP     = "aws-pod-identity"
)

// givesIdentity goes by the names of the webhooks: on Azure and Google Cloud a
// configuration of the same name has others (openshift/cloud-credential-operator,
// pkg/operator/podidentity).
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
	frontend, err := c.One(ctx, kinds.Deployment.GVR(), "ostoy-frontend")
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
