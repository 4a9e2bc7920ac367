package check

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
)

// mallorysController is a Deployment of a project editor that looks like the controller.
func mallorysController() map[string]any {
	return map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": "s3-controller", "namespace": "mallory", "labels": map[string]any{"app.kubernetes.io/name": "ack-s3-controller"}},
		"spec": map[string]any{"replicas": 0, "template": map[string]any{"spec": map[string]any{
			"containers": []any{map[string]any{
				"name": "controller", "image": "example.com/s3-controller:1.0.0",
				"args": []any{"--watch-namespace=elsewhere"},
				"env":  []any{map[string]any{"name": "AWS_REGION", "value": "us-west-2'; id; '"}},
			}},
		}}},
	}
}

func deploymentsAre(server *clustertest.Server, items ...any) {
	server.Answer("GET /apis/apps/v1/deployments", map[string]any{"apiVersion": "apps/v1", "kind": "DeploymentList", "items": items})
}

// onlyAllowed answers SubjectAccessReviews: this user is allowed everything.
func onlyAllowed(server *clustertest.Server, user string) {
	server.Handle("POST "+reviewURL, func(w http.ResponseWriter, r *http.Request) {
		review := authorization.SubjectAccessReview{}
		_ = json.NewDecoder(r.Body).Decode(&review)
		review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SubjectAccessReview"
		review.Status.Allowed = review.Spec.User == user
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})
}

const mallorysDeployment = "deployment/s3-controller -n mallory"

// judges are the checks that judge the controller, besides the one that finds it.
func judges(c controllerLook) []Check {
	var some []Check
	for _, one := range controllerChecks(c.World) {
		if strings.Contains(strings.Join(one.Needs, " "), IDController) {
			some = append(some, one)
		}
	}
	return some
}

// TestF6Unproven: a Deployment that only looks like the controller is none, and is judged
// by no check, whichever are chosen.
func TestF6Unproven(t *testing.T) {
	server, world := reachWorld(t, nil)
	deploymentsAre(server, mallorysController())
	prove(server, false)
	c := controllerLook{world}
	wants(t, "alone", c.found(t.Context()), Failed, "not one: "+mallorysDeployment)
	all := judges(c)
	if len(all) < 6 {
		t.Fatalf("%d checks", len(all))
	}
	for _, one := range all {
		wants(t, one.ID, one.Run(t.Context()), Skipped, "no controller was found whose service account")
	}
	if got := (Target{World: world}).controller(t.Context()); got.Status != Warned || !strings.Contains(got.What, "no ACK S3 controller is installed") {
		t.Errorf("%+v", got)
	}
}

// TestF6Unverified: if you are not allowed to ask, nothing is passed and nothing is wrong.
func TestF6Unverified(t *testing.T) {
	server, world := reachWorld(t, nil)
	deploymentsAre(server, mallorysController())
	server.Forbid("POST "+reviewURL, "create", "subjectaccessreviews", "authorization.k8s.io", "")
	c := controllerLook{world}
	wants(t, "alone", c.found(t.Context()), NotAllowed, "create subjectaccessreviews")
	wants(t, "alone", c.found(t.Context()), NotAllowed, mallorysDeployment)
	for _, one := range judges(c) {
		wants(t, one.ID, one.Run(t.Context()), NotAllowed, "create subjectaccessreviews")
	}
	wants(t, "before an install", (Target{World: world}).controller(t.Context()), NotAllowed, "whether one runs is not verified")
}

// TestF6Subscription: what is wrong with a Subscription, which every project editor can
// create, fails the check only beside a controller that is proven.
func TestF6Subscription(t *testing.T) {
	wrong := Refuse("what", "why", "next")
	for name, c := range map[string]struct {
		namespace       string
		proven, refused bool
		want            Status
	}{
		"beside the controller":           {"ack-system", true, false, Failed},
		"in another project":              {"mallory", true, false, Warned},
		"no controller":                   {"ack-system", false, false, Warned},
		"you are not allowed to ask":      {"ack-system", true, true, Warned},
		"mallory's, no controller at all": {"mallory", false, false, Warned},
	} {
		server, world := reachWorld(t, nil)
		if prove(server, c.proven); c.refused {
			server.Forbid("POST "+reviewURL, "create", "subjectaccessreviews", "authorization.k8s.io", "")
		}
		wants(t, name, beside(t.Context(), controllerLook{world}, c.namespace, wrong), c.want, "what")
	}
	_, world := reachWorld(t, nil)
	if got := beside(t.Context(), (controllerLook{world}), "mallory", Pass()); got.Status != Passed {
		t.Errorf("%+v", got)
	}
}

// TestF6Beside: beside a controller, mallory's Deployment changes no finding.
func TestF6Beside(t *testing.T) {
	server, world := reachWorld(t, nil)
	real := map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment",
		"metadata": map[string]any{"name": "ack-s3-controller", "namespace": "ack-system"},
		"spec": map[string]any{"selector": map[string]any{"matchLabels": map[string]any{"app": "ack"}}, "template": map[string]any{"spec": map[string]any{
			"serviceAccountName": "ack-s3-controller",
			"containers":         []any{map[string]any{"name": "controller", "image": "public.ecr.aws/aws-controllers-k8s/s3-controller:1.13.0", "args": []any{"--aws-region=us-east-2"}}},
		}}},
	}
	deploymentsAre(server, mallorysController(), real)
	onlyAllowed(server, "system:serviceaccount:ack-system:ack-s3-controller")
	server.Answer("GET /api/v1/namespaces/ack-system/pods", map[string]any{"apiVersion": "v1", "kind": "PodList", "metadata": map[string]any{}, "items": []any{}})
	server.Answer("GET /api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller", map[string]any{
		"apiVersion": "v1", "kind": "ServiceAccount",
		"metadata": map[string]any{"name": "ack-s3-controller", "namespace": "ack-system", "annotations": map[string]any{"eks.amazonaws.com/role-arn": "arn:aws:iam::123456789012:role/ack"}},
	})
	c := controllerLook{world}
	wants(t, "found", c.found(t.Context()), Passed, "")
	for _, one := range judges(c) {
		finding := one.Run(t.Context())
		if text := finding.What + finding.Why + finding.Next; strings.Contains(text, "mallory") || strings.Contains(text, "us-west-2") || strings.Contains(text, "elsewhere") {
			t.Errorf("%s: %+v", one.ID, finding)
		}
	}
	wants(t, "single", c.single(t.Context()), Passed, "")
	wants(t, "config", c.config(t.Context()), Passed, "")
	wants(t, "running", c.running(t.Context()), Failed, "deployment/ack-s3-controller -n ack-system")
}

// TestF2SubscriptionsPasted: what the Subscriptions of several projects say is in the
// commands of one block, and a shell that gets all of it runs nothing of them.
func TestF2SubscriptionsPasted(t *testing.T) {
	server, world := reachWorld(t, nil, "operators.coreos.com/v1alpha1/Subscription")
	var items []any
	for n, evil := range []string{"x signature=y", "$(touch MALLORY) '", "it's", advicetest.Secret, "' $(touch MALLORY) '", strings.Repeat("x", 590) + "' $(touch MALLORY) '"} {
		for _, condition := range []string{"CatalogSourcesUnhealthy", "ResolutionFailed", "BundleUnpackFailed"} {
			items = append(items, map[string]any{
				"apiVersion": "operators.coreos.com/v1alpha1", "kind": "Subscription", "metadata": map[string]any{"name": evil, "namespace": fmt.Sprint("mallory-", n)},
				"spec": map[string]any{"name": "ack-s3-controller", "source": evil, "sourceNamespace": evil, "channel": evil},
				"status": map[string]any{
					"conditions":    []any{map[string]any{"type": condition, "status": "True", "reason": evil, "message": evil}},
					"catalogHealth": []any{map[string]any{"healthy": false, "catalogSourceRef": map[string]any{"name": evil, "namespace": evil}}},
				},
			})
		}
	}
	server.Answer("GET /apis/operators.coreos.com/v1alpha1/subscriptions", map[string]any{"apiVersion": "operators.coreos.com/v1alpha1", "kind": "SubscriptionList", "metadata": map[string]any{}, "items": items})
	finding := controllerLook{world}.olm(t.Context())
	if finding.Status != Warned || !strings.Contains(finding.Next, "$(touch MALLORY)") || strings.Count(finding.Next, "\n") < len(items)/2 {
		t.Fatalf("%+v", finding)
	}
	if advicetest.Paste(t, finding.Next) {
		t.Errorf("a value was run, of\n%s", finding.Next)
	}
}
