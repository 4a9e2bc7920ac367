package verify

import (
	"cmp"
	"context"
	"slices"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
)

// What of a pod tells its identity at AWS: what the pod identity webhook injects.
const (
	tokenVolume    = "aws-iam-token"
	roleVariable   = "AWS_ROLE_ARN"
	regionVariable = "AWS_REGION"

	roleAnnotation     = "eks.amazonaws.com/role-arn"
	audienceAnnotation = "eks.amazonaws.com/audience"

	frontend = "ostoy-frontend"  // the app label of the pods, and their container
	waiting  = "wait-for-bucket" // the init container
)

// Pods is what the app's pods say of themselves. All of it may be empty. Everything but
// the names is text that an editor of the project can write.
type Pods struct {
	Ready    string // name of one that is ready
	Any      string // name of one, ready or not
	Role     string // ARN
	Audience string
	Region   string
	// Claims are the roles and audiences of all pods that run, each pair once.
	Claims []Claim
}

// Claim is a role and an audience as one object names them.
type Claim struct {
	Source   string // "pod ostoy-frontend-x"
	Role     string // ARN; "" if it names none
	Audience string // "" if it names none
	Hidden   bool   // the role is, or may be, in an object that this one refers to
}

// LookAtPods looks at the frontend's pods, and at the service account where no
// pod names a role: one request, or two. Errors are as the API server gave them;
// that there is no service account is one.
func LookAtPods(ctx context.Context, client dynamic.Interface, namespace, account string) (Pods, error) {
	found, err := listPods(ctx, client, namespace)
	if err != nil || found.Role != "" {
		return found, err
	}
	live, err := client.Resource(kinds.ServiceAccount.GVR()).Namespace(namespace).Get(ctx, account, metav1.GetOptions{})
	if err != nil {
		return found, err
	}
	found.Role = live.GetAnnotations()[roleAnnotation]
	return found, nil
}

// lookAtClaims looks at the frontend's pods and, at the same time, at the service
// account, for all that they claim of their identity.
func lookAtClaims(ctx context.Context, client dynamic.Interface, namespace, account string) (Pods, error) {
	var found Pods
	var live *unstructured.Unstructured
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		found, err = listPods(ctx, client, namespace)
		return err
	})
	group.Go(func() (err error) {
		live, err = client.Resource(kinds.ServiceAccount.GVR()).Namespace(namespace).Get(ctx, account, metav1.GetOptions{})
		return err
	})
	if err := group.Wait(); err != nil {
		return found, err
	}
	annotated := Claim{
		Source: "the annotation of service account " + account,
		Role:   live.GetAnnotations()[roleAnnotation], Audience: live.GetAnnotations()[audienceAnnotation],
	}
	found.Role = cmp.Or(found.Role, annotated.Role)
	found.claim(annotated)
	return found, nil
}

func listPods(ctx context.Context, client dynamic.Interface, namespace string) (Pods, error) {
	resource := kinds.Pod.GVR()
	list, err := client.Resource(resource).Namespace(namespace).List(ctx, metav1.ListOptions{LabelSelector: "app=" + frontend})
	if err != nil {
		return Pods{}, err
	}
	var found Pods
	for i := range list.Items {
		if pod := &list.Items[i]; pod.GetDeletionTimestamp() == nil {
			found.add(pod)
		}
	}
	return found, nil
}

// add takes over what a pod says; one that is ready wins.
func (p *Pods) add(pod *unstructured.Unstructured) {
	claims := claimsOf(pod)
	if !finished(pod) {
		for _, c := range claims {
			p.claim(c)
		}
	}
	if p.Ready != "" {
		return
	}
	p.Any = pod.GetName()
	if ready(pod) {
		p.Ready = pod.GetName()
	}
	p.Role, p.Audience, p.Region = "", audienceOf(pod), ""
	for _, c := range claims {
		p.Role = cmp.Or(c.Role, p.Role)
	}
	for _, container := range containersOf(pod) {
		for _, variable := range variables(container, regionVariable) {
			value, _ := variable["value"].(string)
			p.Region = cmp.Or(value, p.Region)
		}
	}
}

// claim remembers what was not claimed before.
func (p *Pods) claim(c Claim) {
	known := func(k Claim) bool { return k.Role == c.Role && k.Audience == c.Audience && k.Hidden == c.Hidden }
	if c.Role == "" && c.Audience == "" && !c.Hidden || slices.ContainsFunc(p.Claims, known) {
		return
	}
	p.Claims = append(p.Claims, c)
}

// claimsOf are the roles that the app's containers in a pod have, and the audience of its
// tokenFor.
func claimsOf(pod *unstructured.Unstructured) []Claim {
	var all []Claim
	source, audience := "pod "+pod.GetName(), audienceOf(pod)
	for _, container := range containersOf(pod) {
		named := variables(container, roleVariable)
		for _, variable := range named {
			value, _ := variable["value"].(string)
			all = append(all, Claim{Source: source, Role: value, Audience: audience, Hidden: variable["valueFrom"] != nil})
		}
		// What env names wins over envFrom (Kubernetes API, Container).
		if len(named) == 0 && len(health.Maps(container, "envFrom")) > 0 {
			all = append(all, Claim{Source: source, Audience: audience, Hidden: true})
		}
	}
	if len(all) == 0 {
		all = append(all, Claim{Source: source, Audience: audience})
	}
	return all
}

// containersOf are the containers in a pod that are the app's, and not those that
// something else has added, which may have another role. Where none has the app's name,
// any of them may be the app.
func containersOf(pod *unstructured.Unstructured) []map[string]any {
	all := append(health.Maps(pod.Object, "spec", "initContainers"), health.Maps(pod.Object, "spec", "containers")...)
	named := func(name string) func(map[string]any) bool {
		return func(container map[string]any) bool { return container["name"] == name }
	}
	if !slices.ContainsFunc(all, named(frontend)) {
		return all
	}
	return slices.DeleteFunc(all, func(c map[string]any) bool { return !named(frontend)(c) && !named(waiting)(c) })
}

// variables are the entries of an environment variable in a container.
func variables(container map[string]any, name string) []map[string]any {
	return slices.DeleteFunc(health.Maps(container, "env"), func(variable map[string]any) bool { return variable["name"] != name })
}

// finished reports whether the containers of a pod have ended and are not restarted.
func finished(pod *unstructured.Unstructured) bool {
	phase, _, _ := unstructured.NestedString(pod.Object, "status", "phase")
	return phase == "Succeeded" || phase == "Failed"
}

func ready(pod *unstructured.Unstructured) bool {
	return slices.ContainsFunc(health.Maps(pod.Object, "status", "conditions"), func(c map[string]any) bool {
		return c["type"] == "Ready" && c["status"] == "True"
	})
}

// audienceOf is the audience of the token that the pod shows AWS.
func audienceOf(pod *unstructured.Unstructured) string {
	for _, volume := range health.Maps(pod.Object, "spec", "volumes") {
		if volume["name"] != tokenVolume {
			continue
		}
		for _, source := range health.Maps(volume, "projected", "sources") {
			if audience, _, _ := unstructured.NestedString(source, "serviceAccountToken", "audience"); audience != "" {
				return audience
			}
		}
	}
	return ""
}
