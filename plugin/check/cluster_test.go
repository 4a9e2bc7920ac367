package check

import (
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func theApp() []*unstructured.Unstructured {
	container := func(cpu string) map[string]any {
		return map[string]any{"name": "ostoy-frontend", "image": "quay.io/ostoy/frontend:1", "resources": map[string]any{"requests": map[string]any{"cpu": cpu}, "limits": map[string]any{"memory": "128Mi", "ephemeral-storage": "512Mi"}}}
	}
	return []*unstructured.Unstructured{
		{Object: map[string]any{"kind": "Deployment", "metadata": map[string]any{"name": "ostoy-frontend"}, "spec": map[string]any{
			"selector": map[string]any{"matchLabels": map[string]any{"app": "x"}},
			"template": map[string]any{"spec": map[string]any{"containers": []any{container("100m")}, "initContainers": []any{container("150m")}}},
		}}},
		{Object: map[string]any{"kind": "PersistentVolumeClaim", "metadata": map[string]any{"name": "ostoy-pvc"}, "spec": map[string]any{
			"resources": map[string]any{"requests": map[string]any{"storage": "1Gi"}},
		}}},
	}
}

func aQuota(name, hard, used string, scopes ...any) *unstructured.Unstructured {
	spec := map[string]any{"hard": map[string]any{name: hard}}
	if len(scopes) > 0 {
		spec["scopes"] = scopes
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "q"}, "spec": spec,
		"status": map[string]any{"used": map[string]any{name: used}},
	}}
}

func TestQuota(t *testing.T) {
	pod := theApp()[0].DeepCopy().Object["spec"].(map[string]any)["template"].(map[string]any)
	pod["metadata"] = map[string]any{"labels": map[string]any{"app": "x"}}
	there := []*unstructured.Unstructured{{Object: pod}}
	for name, c := range map[string]struct {
		quota  *unstructured.Unstructured
		pods   []*unstructured.Unstructured
		status Status
	}{
		"room for one":                 {aQuota("pods", "1", "0"), nil, Passed},
		"others fill it":               {aQuota("pods", "3", "3"), nil, Failed},
		"it is us who fill it":         {aQuota("pods", "1", "1"), there, Passed},
		"made smaller afterwards":      {aQuota("pods", "0", "1"), there, Warned},
		"the init container is larger": {aQuota("requests.cpu", "149m", "0"), nil, Failed},
		"just enough":                  {aQuota("requests.cpu", "150m", "0"), nil, Passed},
		"the short name":               {aQuota("cpu", "100m", "0"), nil, Failed},
		"limits":                       {aQuota("limits.memory", "200Mi", "100Mi"), nil, Failed},
		"ephemeral storage":            {aQuota("limits.ephemeral-storage", "600Mi", "100Mi"), nil, Failed},
		"volumes":                      {aQuota("persistentvolumeclaims", "0", "0"), nil, Failed},
		"storage":                      {aQuota("requests.storage", "512Mi", "0"), nil, Failed},
		"something else":               {aQuota("count/jobs.batch", "0", "0"), nil, Passed},
		"for pods that end":            {aQuota("pods", "0", "0", "Terminating"), nil, Passed},
		"for pods that run for ever":   {aQuota("pods", "0", "0", "NotTerminating"), nil, Failed},
	} {
		needed, have := need(theApp(), c.pods, nil)
		says := ""
		if c.status != Passed {
			says = "quota q allows"
		}
		wants(t, name, judgeQuotas("demo", []*unstructured.Unstructured{c.quota}, needed, have), c.status, says)
	}
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
		"another one named":       {named, []*unstructured.Unstructured{class("gp2", "")}, Failed, "no storage class gp3"},
		"none at all":             {unnamed, nil, Failed, "a cluster admin makes"},
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
