package check

import (
	"context"
	"errors"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/limits"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func theApp() []*unstructured.Unstructured {
	container := func(cpu string) map[string]any {
		return map[string]any{"name": "ostoy-frontend", "image": "quay.io/ostoy/frontend:1", "resources": map[string]any{"requests": map[string]any{"cpu": cpu}, "limits": map[string]any{"memory": "128Mi", "ephemeral-storage": "512Mi"}}}
	}
	return []*unstructured.Unstructured{
		{Object: map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "ostoy-frontend"}, "spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"app": "x"}},
			"template": map[string]any{"spec": map[string]any{"containers": []any{container("100m")}, "initContainers": []any{container("150m")}}},
		}}},
		{Object: map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "ostoy-pvc"}, "spec": map[string]any{
			"resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}},
		}}},
	}
}

func aQuota(name, hard, used string, scopes ...core.ResourceQuotaScope) limits.Quota {
	return limits.Quota{
		Name: "ResourceQuota q",
		Spec: core.ResourceQuotaSpec{Hard: core.ResourceList{core.ResourceName(name): resource.MustParse(hard)}, Scopes: scopes},
		Used: core.ResourceList{core.ResourceName(name): resource.MustParse(used)},
	}
}

func TestQuota(t *testing.T) {
	pod := theApp()[0].DeepCopy().Object["spec"].(map[string]any)["template"].(map[string]any)
	pod["metadata"] = map[string]any{"labels": map[string]any{"app": "x"}}
	there := []*unstructured.Unstructured{{Object: pod}}
	for name, c := range map[string]struct {
		quota  limits.Quota
		pods   []*unstructured.Unstructured
		status Status
		says   string
	}{
		"room for one":                 {aQuota("pods", "1", "0"), nil, Passed, ""},
		"others fill it":               {aQuota("pods", "3", "3"), nil, Failed, "ResourceQuota q allows 3 of pods, 3 is used by others, and 1 is needed for Deployment ostoy-frontend"},
		"it is us who fill it":         {aQuota("pods", "1", "1"), there, Passed, ""},
		"made smaller afterwards":      {aQuota("pods", "0", "1"), there, Warned, "when they are recreated"},
		"the init container is larger": {aQuota("requests.cpu", "149m", "0"), nil, Failed, "--set frontend.resources.requests.cpu=AMOUNT"},
		"just enough":                  {aQuota("requests.cpu", "150m", "0"), nil, Passed, ""},
		"the short name":               {aQuota("cpu", "100m", "0"), nil, Failed, "--set frontend.resources.requests.cpu=AMOUNT"},
		"limits":                       {aQuota("limits.memory", "200Mi", "100Mi"), nil, Failed, "--set frontend.resources.limits.memory=AMOUNT"},
		"a limit that is not stated":   {aQuota("limits.cpu", "10", "0"), nil, Failed, "ResourceQuota q accepts only pods that state limits.cpu of container ostoy-frontend"},
		"ephemeral storage":            {aQuota("limits.ephemeral-storage", "600Mi", "100Mi"), nil, Failed, "limits.ephemeral-storage"},
		"volumes":                      {aQuota("persistentvolumeclaims", "0", "0"), nil, Failed, "PersistentVolumeClaim ostoy-pvc"},
		"storage":                      {aQuota("requests.storage", "512Mi", "0"), nil, Failed, "--set storage.size=SIZE"},
		"storage of the class":         {aQuota("gold.storageclass.storage.k8s.io/requests.storage", "512Mi", "0"), nil, Failed, "--set storage.size=SIZE"},
		"storage of another class":     {aQuota("lead.storageclass.storage.k8s.io/requests.storage", "0", "0"), nil, Passed, ""},
		"Deployments":                  {aQuota("count/deployments.apps", "4", "4"), nil, Failed, "count/deployments.apps"},
		"ReplicaSets":                  {aQuota("count/replicasets.apps", "0", "0"), nil, Failed, "Deployment ostoy-frontend"},
		"Services together":            {aQuota("count/services", "1", "0"), nil, Failed, "2 are needed for Service a, Service b"},
		"Services, the old name":       {aQuota("services", "1", "0"), nil, Failed, "Service a, Service b"},
		"Buckets":                      {aQuota("count/buckets.s3.services.k8s.aws", "0", "0"), nil, Failed, "Bucket demo-bucket"},
		"something else":               {aQuota("count/jobs.batch", "0", "0"), nil, Passed, ""},
		"for pods that end":            {aQuota("pods", "0", "0", core.ResourceQuotaScopeTerminating), nil, Passed, ""},
		"for pods that do not end":     {aQuota("pods", "0", "0", core.ResourceQuotaScopeNotTerminating), nil, Failed, "pods"},
	} {
		d := demand{}
		app := theApp()
		d.add(limits.OfObject("Deployment ostoy-frontend", schema.GroupResource{Group: "apps", Resource: "deployments"}), c.pods != nil)
		d.addPods(app[0], nil, c.pods, nil)
		d.add(limits.OfClaimIn("PersistentVolumeClaim ostoy-pvc", "gold", resource.MustParse("1Gi")), false)
		d.add(limits.OfObject("Service a", schema.GroupResource{Resource: "services"}), false)
		d.add(limits.OfObject("Service b", schema.GroupResource{Resource: "services"}), false)
		d.add(limits.OfObject("Bucket demo-bucket", schema.GroupResource{Group: "s3.services.k8s.aws", Resource: "buckets"}), false)
		wants(t, name, judgeQuotas(&live.World{Namespace: "demo"}, []limits.Quota{c.quota}, d), c.status, c.says)
	}
	wants(t, "class not known", judgeQuotas(&live.World{Namespace: "demo"}, []limits.Quota{aQuota("gold.storageclass.storage.k8s.io/requests.storage", "1", "0")},
		demand{hidden: "list storageclasses"}), NotAllowed, "list storageclasses")
}

func TestJudgeClasses(t *testing.T) {
	class := func(name, key string) *unstructured.Unstructured {
		object := &unstructured.Unstructured{Object: map[string]any{"volumeBindingMode": "WaitForFirstConsumer"}}
		object.SetName(name)
		if key != "" {
			object.SetAnnotations(map[string]string{key: "true"})
		}
		return object
	}
	claim := func(spec map[string]any) []*unstructured.Unstructured {
		return []*unstructured.Unstructured{{Object: map[string]any{"metadata": map[string]any{"name": "ostoy-pvc"}, "spec": spec}}}
	}
	named, unnamed, none := claim(map[string]any{"storageClassName": "gp3"}), claim(map[string]any{}), claim(map[string]any{"storageClassName": ""})
	plain := []*unstructured.Unstructured{class("gp3", "")}
	for name, c := range map[string]struct {
		open, classes []*unstructured.Unstructured
		status        Status
		says          string
	}{
		"a default one":           {unnamed, []*unstructured.Unstructured{class("gp3", "storageclass.kubernetes.io/is-default-class")}, Passed, ""},
		"a default one of old":    {unnamed, []*unstructured.Unstructured{class("gp3", "storageclass.beta.kubernetes.io/is-default-class")}, Passed, ""},
		"the one named":           {named, plain, Passed, ""},
		"no default":              {unnamed, plain, Failed, "there is gp3"},
		"one to make the default": {unnamed, plain, Failed, "oc annotate storageclass --overwrite gp3 storageclass.kubernetes.io/is-default-class=true"},
		"several to choose from":  {unnamed, append(plain, class("gp2", "")), Failed, "--set storage.storageClassName=NAME chooses"},
		"another one named":       {named, []*unstructured.Unstructured{class("gp2", "")}, Failed, "no storage class gp3"},
		"the other one":           {named, []*unstructured.Unstructured{class("gp2", "")}, Failed, "--set storage.storageClassName=gp2 chooses"},
		"none at all":             {unnamed, nil, Failed, "a cluster admin creates"},
		"wants none, and says so": {none, plain, Passed, ""},
	} {
		wants(t, name, judgeClasses(c.open, c.classes), c.status, c.says)
	}
}

func TestJudgeTerminating(t *testing.T) {
	project := &unstructured.Unstructured{Object: map[string]any{"status": map[string]any{"conditions": []any{
		map[string]any{"type": "NamespaceFinalizersRemaining", "status": "True", "message": "Some content in the namespace has finalizers remaining: x/y in 1 resource instances"},
		map[string]any{"type": "NamespaceDeletionContentFailure", "status": "False", "message": "fine"},
	}}}}
	project.SetName("demo")
	now := metav1.NewTime(time.Unix(0, 0))
	project.SetDeletionTimestamp(&now)
	bucket := &unstructured.Unstructured{Object: map[string]any{}}
	bucket.SetName("demo-bucket")
	bucket.SetFinalizers([]string{ack.Finalizer})
	all := []*unstructured.Unstructured{bucket}
	wants(t, "finalizer", judgeTerminating(project, all), Failed, ack.Finalizer)
	wants(t, "how to let go", judgeTerminating(project, all), Failed, "oc patch buckets.s3.services.k8s.aws demo-bucket -n demo")
	wants(t, "others", judgeTerminating(project, nil), Failed, "x/y in 1 resource instances")
}

func TestJudgeAccountAndRegion(t *testing.T) {
	for name, c := range map[string]struct {
		places []place
		status Status
	}{
		"nothing on record":    {nil, Passed},
		"the same":             {[]place{{"1", "a"}}, Passed},
		"one of two agrees":    {[]place{{"2", "a"}, {"1", "b"}}, Passed},
		"none agrees":          {[]place{{"2", "a"}, {"3", "b"}}, Failed},
		"the profile is wrong": {[]place{{"2", "a"}, {"2", "b"}}, Failed},
	} {
		wants(t, name, judgeAccount("1", "demo", c.places), c.status, "")
	}
	used := render.Fact{Value: "us-east-2", Source: "infrastructures/cluster"}
	wants(t, "the same region", judgeRegion("us-east-2", used, "us-east-2", "demo"), Passed, "")
	wants(t, "no region", judgeRegion("", used, "us-east-2", "demo"), Passed, "")
	wants(t, "another", judgeRegion("eu-west-1", used, "us-east-2", "demo"), Warned, "infrastructures/cluster")
	wants(t, "install would ask elsewhere", judgeRegion("eu-west-1", render.Fact{Value: "eu-west-1"}, "us-east-2", "demo"), Passed, "")
}

// TestLiveClaim: a claim that the plan has read is not read again.
func TestLiveClaim(t *testing.T) {
	claim := fromYAML(t, "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: ostoy-pvc, namespace: demo}}")
	with := func(item *apply.Item) *apply.Plan {
		item.Ref = apply.RefOf(claim)
		return &apply.Plan{Items: []*apply.Item{item}}
	}
	for name, c := range map[string]struct {
		fresh  bool
		plan   *apply.Plan
		failed error
		found  bool
		lists  int
	}{
		"the plan has it":             {false, with(&apply.Item{Live: claim}), nil, true, 0},
		"the plan would create it":    {false, with(&apply.Item{}), nil, false, 0},
		"another object is refused":   {false, with(&apply.Item{Live: claim}), errors.New("refused"), true, 0},
		"the plan may not have read":  {false, with(&apply.Item{}), errors.New("refused"), true, 1},
		"the plan could not read it":  {false, with(&apply.Item{Err: errors.New("refused")}), nil, true, 1},
		"nobody can plan":             {false, nil, nil, true, 1},
		"the project does not exist":  {true, nil, nil, false, 0},
		"and neither does the object": {true, with(&apply.Item{}), nil, false, 0},
	} {
		server := clustertest.New(t, "v1.33.0", "v1/PersistentVolumeClaim")
		const list = "GET /api/v1/namespaces/demo/persistentvolumeclaims"
		server.Answer(list, map[string]any{"kind": "List", "apiVersion": "v1", "metadata": map[string]any{}, "items": []any{claim.Object}})
		world := connected(t, server)
		world.Planner = func(context.Context) (*apply.Plan, error) { return c.plan, c.failed }
		got, err := liveClaim(t.Context(), clusterLook{World: world, fresh: c.fresh}, claim)
		if err != nil || (got != nil) != c.found || server.Requests()[list] != c.lists {
			t.Errorf("%s: %v, %v; asked %v", name, got, err, server.Requests())
		}
	}
}
