package check

import (
	"cmp"
	"context"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// running: one ready pod of any controller that looks at this project is enough, if none
// crashes.
func (c controllerLook) running(ctx context.Context) Finding {
	if crash := c.crash(ctx); crash.Status != Passed {
		return crash
	}
	all, err := c.ofInterest(ctx)
	if err != nil {
		return c.unjudged(err, "list pods where the controller is", "whether its pod is ready")
	}
	for _, one := range all {
		for _, pod := range one.Pods {
			if pod.Ready() {
				return Pass()
			}
		}
	}
	finding := notRunning(all[0])
	finding.Why += "; " + c.waiting(ctx)
	finding.Next += c.letGo(ctx)
	return finding
}

// notRunning says why a controller has no ready pod.
func notRunning(one ack.Told) Finding {
	state := one.Rollout().Settled()
	return Refuse("the ACK S3 controller is not running ("+one.String()+")", awserr.Redact(cmp.Or(state.Text, "its pod is not ready")),
		awserr.RedactLines(cmp.Or(state.Hint, advice.Command("oc describe", one.Words()...))))
}

// crash looks for a pod that ends over and over, and into its log.
func (c controllerLook) crash(ctx context.Context) Finding {
	return c.each(ctx, "whether it crashes, and its last words", func(one ack.Told) Finding {
		for _, pod := range one.Pods {
			if !pod.Crashes(one.Container.Name) {
				continue
			}
			log, err := c.LastLog(ctx, pod.Namespace, pod.Name, one.Container.Name)
			if err != nil {
				log = ""
			}
			return faulty(one.CrashFault(pod, log))
		}
		return Pass()
	})
}

// single: one controller manages the Buckets of a project, and one operator owns the kind.
func (c controllerLook) single(ctx context.Context) Finding {
	found := c.alone(ctx)
	if found.Status == Skipped || found.Status == NotAllowed {
		return found
	}
	return worstFirst([]Finding{found, owner(ctx, c)})
}

func (c controllerLook) alone(ctx context.Context) Finding {
	all, err := c.ofInterest(ctx)
	if err != nil {
		return c.unjudged(err, "get configmaps where the controllers are", "whether two look at this project")
	}
	watching := slices.DeleteFunc(all, func(one ack.Told) bool { return !one.Flags.Watches(c.Namespace) })
	if fault, is := ack.Overlap(watching); is {
		return faulty(fault)
	}
	return Pass()
}

// watching: a controller that is told to look elsewhere never sees the Bucket.
func watching(one ack.Told, namespace string) Finding {
	if !one.Flags.Watches(namespace) {
		return Refuse("the ACK S3 controller does not look at project "+namespace+" ("+one.String()+")",
			"it watches only "+strings.Join(one.Flags.Pieces("watch-namespace"), ", ")+": the Bucket gets no status",
			setting(one.Controller, "ACK_WATCH_NAMESPACE", "", "leave it empty (all projects) or name the project, too"))
	}
	if kinds := one.Flags.Pieces("reconcile-resources"); len(kinds) > 0 && !strings.Contains(strings.ToLower(strings.Join(kinds, ",")), "bucket") {
		return Refuse("the ACK S3 controller does not look at Buckets ("+one.String()+")",
			"--reconcile-resources names only "+strings.Join(kinds, ", "),
			"add Bucket to it, or take it out")
	}
	return Pass()
}

// patchData is the command that gives keys of a controller's ConfigMap these values.
func patchData(c ack.Controller, name string, data map[string]string) string {
	return advice.MergePatch(map[string]any{"data": data}, "configmap", name, "-n", c.Namespace)
}

// setting is what to type to give a controller a setting.
func setting(c ack.Controller, key, value, note string) string {
	names, _ := ack.Needs(c.Container)
	if len(names) == 0 || c.Installer == ack.Helm {
		return "set " + key + " where the controller was installed (" + note + "), for example in the values of its chart"
	}
	return note + ": " + patchData(c, names[0], map[string]string{key: value}) + "\n" + c.Restart()
}

// identity: how the controller gets its AWS credentials, and whether it still
// will after its next restart.
func (c controllerLook) identity(ctx context.Context) Finding {
	return c.each(ctx, "as which role it works", func(one ack.Told) Finding {
		if !byServiceAccount(one) {
			return Pass()
		}
		account, err := c.Get(ctx, kinds.ServiceAccount.GVR(), one.Namespace, one.Account())
		if err != nil {
			return unreadable(c.Conn, err, "get serviceaccounts in "+one.Namespace, "which role it works as")
		}
		return judgeIdentity(one, account)
	})
}

// byServiceAccount reports whether only the annotation of its service account can
// give a controller credentials.
func byServiceAccount(one ack.Told) bool { return one.CredentialsFrom() == ack.FromAnnotation }

// judgeIdentity holds the annotation and the pods against each other.
func judgeIdentity(one ack.Told, account *unstructured.Unstructured) Finding {
	if fault, is := one.RoleFault(account); is {
		return faulty(fault)
	}
	return Pass()
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
	needed, app, err := c.needsWebhook(ctx)
	if err != nil {
		return Fail(c.Conn.Translate(err))
	}
	if len(needed) == 0 {
		return Leave("the pods carry their identity themselves (podIdentity=projected)")
	}
	list, err := c.List(ctx, kinds.MutatingWebhookConfiguration.GVR(), "", "")
	if err != nil {
		return unreadable(c.Conn, err, "list mutatingwebhookconfigurations", "whether the pod identity webhook is there")
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
	next := "on ROSA a support case brings it back; elsewhere install amazon-eks-pod-identity-webhook"
	if app { // what else needs it, the app's flags do not change
		next = installIn(c.World, "--set", "podIdentity=projected") + " does without it\n" + next
	}
	return Warn("this cluster has no AWS pod identity webhook", why, next)
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
	return slices.ContainsFunc(health.Maps(configuration.Object, "webhooks"), func(hook map[string]any) bool {
		return hook["name"] == "pod-identity-webhook.aws.mutate.io" || hook["name"] == "pod-identity-webhook.amazonaws.com"
	})
}

// needsWebhook is who gets an identity by the webhook alone, and whether the app is one of
// them.
func (c controllerLook) needsWebhook(ctx context.Context) (needed []string, app bool, err error) {
	frontend, err := c.One(ctx, kinds.Deployment.GVR(), "ostoy-frontend")
	if err != nil {
		return nil, false, err
	}
	if frontend != nil && !carriesToken(frontend) {
		app = true
		needed = append(needed, "the app's pods have no token of their own (podIdentity=webhook)")
	}
	all, err := c.ofInterest(ctx)
	if err != nil {
		return needed, app, nil // who may not look is told so by the controller's checks
	}
	for _, one := range all {
		if byServiceAccount(one) {
			needed = append(needed, one.String()+" has its role by its service account")
		}
	}
	return needed, app, nil
}

// carriesToken reports whether a Deployment's pods bring a token for AWS along.
func carriesToken(deployment *unstructured.Unstructured) bool {
	return slices.ContainsFunc(health.Maps(deployment.Object, "spec", "template", "spec", "volumes"), func(volume map[string]any) bool {
		return volume["name"] == "aws-iam-token"
	})
}
