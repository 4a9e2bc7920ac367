package verify

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"
)

// What of a pod tells its identity at AWS (FACTS 2.1).
const (
	tokenVolume    = "aws-iam-token"
	roleVariable   = "AWS_ROLE_ARN"
	regionVariable = "AWS_REGION"
	roleAnnotation = "eks.amazonaws.com/role-arn"

	frontend = "ostoy-frontend" // the app label of the pods, and their container
)

// Pods is what the app's pods say of themselves. All of it may be empty.
type Pods struct {
	Ready    string // name of one that is ready
	Any      string // name of one, ready or not
	Role     string // ARN
	Audience string
	Region   string
}

// LookAtPods looks at the frontend's pods, and at the service account where no
// pod names a role: one request, or two. Errors are as the API server gave them;
// that there is no service account is one.
func LookAtPods(ctx context.Context, client dynamic.Interface, namespace, account string) (Pods, error) {
	resource := schema.GroupVersionResource{Version: "v1", Resource: "pods"}
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
	if found.Role != "" {
		return found, nil
	}
	live, err := client.Resource(serviceAccounts()).Namespace(namespace).Get(ctx, account, metav1.GetOptions{})
	if err != nil {
		return found, err
	}
	found.Role = live.GetAnnotations()[roleAnnotation]
	return found, nil
}

// add takes over what a pod says; one that is ready wins.
func (p *Pods) add(pod *unstructured.Unstructured) {
	if p.Ready != "" {
		return
	}
	p.Any = pod.GetName()
	if ready(pod) {
		p.Ready = pod.GetName()
	}
	p.Role, p.Audience, p.Region = "", audienceOf(pod), ""
	for _, container := range fields(pod.Object, "spec", "containers") {
		for _, variable := range fields(container, "env") {
			value, _ := variable["value"].(string)
			switch variable["name"] {
			case roleVariable:
				p.Role = value
			case regionVariable:
				p.Region = value
			}
		}
	}
}

func ready(pod *unstructured.Unstructured) bool {
	return slices.ContainsFunc(fields(pod.Object, "status", "conditions"), func(c map[string]any) bool {
		return c["type"] == "Ready" && c["status"] == "True"
	})
}

// audienceOf is the audience of the token that the pod shows AWS.
func audienceOf(pod *unstructured.Unstructured) string {
	for _, volume := range fields(pod.Object, "spec", "volumes") {
		if volume["name"] != tokenVolume {
			continue
		}
		for _, source := range fields(volume, "projected", "sources") {
			if audience, _, _ := unstructured.NestedString(source, "serviceAccountToken", "audience"); audience != "" {
				return audience
			}
		}
	}
	return ""
}

// fields are the objects of a list; what is none is left out.
func fields(object map[string]any, path ...string) []map[string]any {
	list, _, _ := unstructured.NestedSlice(object, path...)
	var all []map[string]any
	for _, item := range list {
		if one, ok := item.(map[string]any); ok {
			all = append(all, one)
		}
	}
	return all
}
