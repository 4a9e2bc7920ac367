package verify

import (
	"cmp"
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
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
	if health.PodReady(pod) {
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

// openshiftAudience is the audience of the pod identity webhook of ROSA with hosted
// control planes, and beside render.DefaultAudience a client id of the providers that
// rosa and ccoctl register.
const openshiftAudience = "openshift"

// Audiences are those that tokens may be requested for although only a pod names them:
// such a token is of use at AWS and at no other service.
func Audiences() []string { return []string{render.DefaultAudience, openshiftAudience} }

// audienceToAsk is the one that tokens are requested for: the install's, or the pods' if it
// is known. "" is none.
func audienceToAsk(r *run) string {
	switch {
	case r.Target.Audience != "":
		return r.Target.Audience
	case r.pods.Audience != "":
		return known(r.pods.Audience)
	}
	// No pod names one, as where the webhook has not changed them: the annotation may.
	for _, c := range r.pods.Claims {
		if c.Audience != "" {
			return known(c.Audience)
		}
	}
	return render.DefaultAudience
}

// known is an audience if it is one of Audiences, else "".
func known(audience string) string {
	if slices.Contains(Audiences(), audience) {
		return audience
	}
	return ""
}

// checkAudience is why no token is requested: the pods, or the service account, name
// another audience than the install's.
func checkAudience(r *run) error {
	var names []string
	for _, c := range r.pods.Claims {
		if c.Audience != "" && c.Audience != r.Audience {
			names = append(names, fmt.Sprintf("%s names audience %s", c.Source, shownAudience(c.Audience)))
		}
	}
	if len(names) == 0 {
		return nil
	}
	wanted := "tokens are requested only for " + strings.Join(Audiences(), " and ") + ", or for the audience that --audience gives; none was requested"
	if r.Audience != "" {
		wanted = "the audience of the install is " + shownAudience(r.Audience) + "; no token was requested"
	}
	return problem.Refuse("the app's pods do not have the audience of the install",
		strings.Join(append(names, wanted), "\n"),
		r.ifChanged("if the install has another audience, name it:\n"+r.again(Flag{"--audience", "AUDIENCE"}))).See(helpPage)
}

// shownAudience is an audience in a sentence: any text may be one, and only the
// characters of names and URLs are repeated.
func shownAudience(text string) string {
	if !plainAudience.MatchString(text) {
		return "(a value that is not a name or a URL)"
	}
	return text
}

var plainAudience = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$`)

// regionFits reports whether AWS may be asked in a region that the pods name: one of the
// install's partition.
func (t Target) regionFits(region string) bool {
	partition := render.PartitionOf(region)
	return partition != "" && (t.Partition == "" || partition == t.Partition)
}

// checkRegion is why AWS is not asked in the region that the pods name.
func checkRegion(r *run) error {
	if r.pods.Region == "" || r.regionFits(r.pods.Region) {
		return nil
	}
	why := "a pod's " + regionVariable + " is " + advice.Region(r.pods.Region).String()
	if r.Partition != "" {
		why += "; the install is in partition " + r.Partition
	}
	return problem.Refuse("the app's pods have a region that is not one of the install's partition",
		why,
		r.ifChanged("if the install is in another account, name it:\n"+r.again(Flag{"--account-id", "ACCOUNT"}))).See(helpPage)
}
