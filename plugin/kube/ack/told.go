package ack

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
)

// RoleAnnotation is the service account annotation that names the role
// (pkg/annotations.go of aws/amazon-eks-pod-identity-webhook).
const RoleAnnotation = "eks.amazonaws.com/role-arn"

// Told is a controller with what it is told, and its pods.
type Told struct {
	Controller
	Env   Environment
	Flags Flags
	Pods  []Pod
}

// Fault is something wrong with a controller: what it is, what comes of it or
// from it, and what to type. It quotes logs and annotations: clean it before it
// is shown.
type Fault struct {
	What, Why, Next string
	Grave           bool // it does not work, or will not after its next restart
}

// Source is where a controller has its AWS credentials from.
type Source string

// The sources, as a report names them.
const (
	FromPod        Source = "pod spec"         // token and role are in the Deployment
	FromKeys       Source = "keys"             // access keys, or a file with some
	FromAgent      Source = "EKS Pod Identity" // or another agent beside it
	FromAnnotation Source = "service account"  // its annotation, by the pod identity webhook
)

// CredentialsFrom is where the credentials come from, by what wins in AWS's SDK.
// That the service account's annotation is there is not in it: FromAnnotation is
// what is left where nothing in the Deployment gives any, and no EKS Pod Identity
// has put some into the pods.
func (t Told) CredentialsFrom() Source {
	has := func(names ...string) bool { return slices.ContainsFunc(names, t.Env.Has) }
	const agent = "AWS_CONTAINER_CREDENTIALS_FULL_URI"
	switch {
	case has("AWS_ACCESS_KEY_ID"):
		return FromKeys
	case has("AWS_WEB_IDENTITY_TOKEN_FILE"):
		return FromPod
	case has("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
		return FromKeys
	case has(agent, "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI"), slices.ContainsFunc(t.Pods, func(p Pod) bool {
		_, set := p.Variable(t.Container.Name, agent)
		return set
	}):
		return FromAgent
	}
	return FromAnnotation
}

// PodRegion is the region that the pods have in their own spec, where it wins
// over the ConfigMap, which is only in envFrom; "" where they have none there.
func (t Told) PodRegion() string {
	for _, pod := range t.Pods {
		if region, set := pod.Variable(t.Container.Name, "AWS_REGION"); set {
			return region
		}
	}
	return ""
}

// Region is the one that the controller works in where a Bucket names no other: of
// its flag, which may be written out or take the variable's value; else of the
// variable. "" where nothing tells.
func (t Told) Region() string {
	env := Environment{Values: map[string]string{}, Hidden: t.Env.Hidden}
	maps.Copy(env.Values, t.Env.Values)
	if region := t.PodRegion(); region != "" {
		env.Values["AWS_REGION"] = region
	}
	if region, given := FlagsOf(t.Container, env).Get("aws-region"); given && region != "" && !strings.HasPrefix(region, "$(") {
		return region
	}
	return env.Values["AWS_REGION"]
}

// RegionFault is there where pods and settings differ: what the webhook puts into
// the pod wins over the ConfigMap, silently.
func (t Told) RegionFault() (Fault, bool) {
	meant, has := t.Env.Values["AWS_REGION"], t.PodRegion()
	if meant == "" || has == "" || meant == has {
		return Fault{}, false
	}
	works := advice.Region(has)
	return Fault{
		What: "the ACK S3 controller works in " + works.String() + ", its settings say " + advice.Region(meant).String() + " (" + t.String() + ")",
		Why:  "the pod identity webhook sets AWS_REGION=" + works.String() + " in its pod, over the ConfigMap; no harm here: every Bucket of ours names its region",
		Next: "to make them agree: " + advice.MergePatch(map[string]any{"data": map[string]string{"AWS_REGION": works.Word()}}, "configmap", t.ConfigMap(), "-n", t.Namespace),
	}, true
}

// ConfigMap is the one that a controller takes its settings from.
func (c Controller) ConfigMap() string {
	if names, _ := Needs(c.Container); len(names) > 0 {
		return names[0]
	}
	return UserConfig
}

// CrashFault tells why a pod crashes by the log of its run before, or quotes it.
func (c Controller) CrashFault(pod Pod, log string) Fault {
	const quoted = 3
	fault := Fault{
		What: "the ACK S3 controller crashes (pod " + pod.Name + " in " + pod.Namespace + ")", Grave: true,
		Why:  "its log cannot be read",
		Next: advice.Command("oc logs", pod.Name, "-c", c.Container.Name, "-n", pod.Namespace, "--previous"),
	}
	cause, known := CauseOf(log)
	switch words := LastWords(log, quoted); {
	case known:
		fault.Why, fault.Next = cause.Why, cause.Next
		value, safe := safe()[cause.Setting]
		switch {
		case c.Installer != OLM || cause.Setting == "":
		case cause.unset() && safe:
			fault.Next += ": " + advice.MergePatch(map[string]any{"data": map[string]string{cause.Setting: value}}, "configmap", c.ConfigMap(), "-n", c.Namespace)
		default:
			fault.Next += ": " + advice.Command("oc edit configmap", c.ConfigMap(), "-n", c.Namespace)
		}
		fault.Next += "\nthen " + c.Restart()
	case words != "":
		fault.Why = "its last words: " + words
	}
	return fault
}

// RoleFault holds the annotation of a service account, nil if there is none of
// that name, and the pods against each other: for credentials FromAnnotation.
func (t Told) RoleFault(account *unstructured.Unstructured) (Fault, bool) {
	role := ""
	if account != nil {
		role = account.GetAnnotations()[RoleAnnotation]
	}
	if role == "" {
		return t.noRole(account), true
	}
	for _, pod := range t.Pods {
		switch has, set := pod.Variable(t.Container.Name, "AWS_ROLE_ARN"); {
		case !set:
			return Fault{
				What:  "the ACK S3 controller does not work as its role (pod " + pod.Name + " in " + pod.Namespace + ")",
				Why:   "its service account names " + advice.RoleARN(role).String() + ", but the pod has no AWS_ROLE_ARN: it is older than the annotation, or the pod identity webhook missed it",
				Next:  t.Restart() + "\nif the new pod has none either, there is no pod identity webhook: put the variables and the token volume into spec.config of the Subscription",
				Grave: true,
			}, true
		case has != role:
			return Fault{
				What: "the ACK S3 controller works as another role than its service account names (pod " + pod.Name + " in " + pod.Namespace + ")",
				Why:  "the pod is older than the annotation: it has " + advice.RoleARN(has).String() + ", the annotation names " + advice.RoleARN(role).String(),
				Next: t.Restart(),
			}, true
		}
	}
	return Fault{}, false
}

// noRole: the annotation is gone, or never was. On a node whose own role may do
// it that works, which on OpenShift it may not.
func (t Told) noRole(object *unstructured.Unstructured) Fault {
	account, role, born := "serviceaccount/"+t.Account(), "arn:aws:iam::ACCOUNT:role/ROLE", false
	why := "its pods have the role of the node they are on, which as a rule may not touch S3"
	for _, pod := range t.Pods {
		if has, set := pod.Variable(t.Container.Name, "AWS_ROLE_ARN"); set {
			role, born = advice.RoleARN(has).Word(), true
			why = "the pod that runs was born while the annotation was there; the next one comes without"
		}
	}
	if t.Installer == OLM {
		why += "; OLM before 0.33 drops the annotation at every upgrade of the operator"
	}
	if object != nil {
		for key := range object.GetAnnotations() {
			if strings.HasSuffix(key, "/role-arn") && key != RoleAnnotation {
				why += "; the annotation " + key + " has a domain that nobody looks at"
			}
		}
	}
	fault := Fault{
		What: "the service account of the ACK S3 controller names no role (" + account + " -n " + t.Namespace + ")", Why: why,
		Next:  advice.Command("oc annotate", account, "-n", t.Namespace, "--overwrite", RoleAnnotation+"="+role) + "\n" + t.Restart(),
		Grave: t.Installer == OLM || born,
	}
	if t.Installer == OLM {
		fault.Next += "\nto keep it over upgrades: AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE and a token volume in spec.config of the Subscription"
	}
	return fault
}

// Rollout judges the Deployment, with the pods of its newest template. Scaled to 0 it
// is wrong: no rollout would say so.
func (t Told) Rollout() health.State {
	if t.Replicas() == 0 {
		return health.Failing(health.State{Text: "it is scaled to 0", Hint: advice.Command("oc scale", append(t.Words(), "--replicas=1")...)})
	}
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&t.Deployment)
	if err != nil {
		return health.State{Text: err.Error()}
	}
	return health.Deployment(&unstructured.Unstructured{Object: content}, t.current(content), health.Around{})
}

// Current reports whether a pod is one of the newest template's.
func (t Told) Current(pod Pod) bool {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(&t.Deployment)
	return err == nil && slices.ContainsFunc(t.current(content), func(one *unstructured.Unstructured) bool { return one.GetName() == pod.Name })
}

func (t Told) current(deployment map[string]any) []*unstructured.Unstructured {
	objects := make([]*unstructured.Unstructured, len(t.Pods))
	for i, pod := range t.Pods {
		objects[i] = pod.Object
	}
	return health.CurrentPods(&unstructured.Unstructured{Object: deployment}, objects)
}

// Overlap is there where two that run look at the same Buckets: each works on all of
// them, and one of another account creates a second bucket of the name, or fails
// indefinitely.
func Overlap(all []Told) (Fault, bool) {
	shares := func(a, b Told) bool {
		mine, theirs := a.Flags.Pieces("watch-namespace"), b.Flags.Pieces("watch-namespace")
		return len(mine) == 0 || len(theirs) == 0 || slices.ContainsFunc(mine, b.Flags.Watches)
	}
	running := slices.DeleteFunc(slices.Clone(all), func(t Told) bool { return t.Replicas() == 0 })
	var names, last []string
	for i, one := range running {
		if slices.ContainsFunc(slices.Delete(slices.Clone(running), i, i+1), func(other Told) bool { return shares(one, other) }) {
			names = append(names, one.String())
			if last == nil || one.Installer != OLM { // OLM reverts what is changed of its Deployment
				last = one.Words()
			}
		}
	}
	if len(names) == 0 {
		return Fault{}, false
	}
	return Fault{
		What:  fmt.Sprintf("%d ACK S3 controllers look at the same Buckets", len(names)),
		Why:   "each works on all of them, with its own role and region, and undoes what the other did: " + strings.Join(names, "; "),
		Next:  "keep one; what each watches is its --watch-namespace; to stop one: " + advice.Command("oc scale", append(last, "--replicas=0")...),
		Grave: true,
	}, true
}
