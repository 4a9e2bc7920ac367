package status

import (
	"cmp"
	"errors"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/plain"
)

func asStatus(err error, status *apierrors.APIStatus) bool { return errors.As(err, status) }

// workloads judges Deployments and their pods.
func (r *Report) workloads(f Found) {
	r.Workloads, r.Pods = []Workload{}, []Pod{}
	r.PodsPart = Part{Mark: OK}
	if f.PodsErr != nil {
		r.PodsPart = Unseen(f.PodsErr)
	}
	around := health.Around{BucketReady: r.Bucket.Mark == OK}
	for _, item := range f.Plan.Items {
		if item.Ref.Kind != "Deployment" {
			continue
		}
		w := Workload{Name: item.Ref.Name}
		w.Part = f.part(item, func(d *unstructured.Unstructured) health.State {
			return health.Deployment(d, health.CurrentPods(d, f.Pods), around)
		})
		if item.Live != nil {
			w.Want = replicas(item.Live)
			w.Ready = health.Number(item.Live.Object, "status", "readyReplicas")
			r.Pods = append(r.Pods, f.podsOf(item, around)...)
		}
		if w.Mark == OK && w.Want == 0 {
			w.Part = Part{Warning, "scaled to 0 pods", f.Again}
		}
		r.Workloads = append(r.Workloads, w)
	}
	// OSToy itself comes first, in both lists.
	slices.SortStableFunc(r.Workloads, func(a, b Workload) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(r.Pods, func(a, b Pod) int {
		return cmp.Or(cmp.Compare(a.Deployment, b.Deployment), cmp.Compare(a.Name, b.Name))
	})
}

func replicas(deployment *unstructured.Unstructured) int64 {
	if n, ok, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas"); ok {
		return n
	}
	return 1
}

// podsOf are the pods of a Deployment, those of an older template too as long as
// they live: they are what answers until the new ones do.
func (f Found) podsOf(item *apply.Item, around health.Around) []Pod {
	selector, _, _ := unstructured.NestedStringMap(item.Live.Object, "spec", "selector", "matchLabels")
	var pods []Pod
	for _, pod := range f.Pods {
		if !matches(pod, selector) {
			continue
		}
		pods = append(pods, f.pod(pod, item.Ref.Name, around))
	}
	return pods
}

func matches(pod *unstructured.Unstructured, selector map[string]string) bool {
	for key, value := range selector {
		if pod.GetLabels()[key] != value {
			return false
		}
	}
	return len(selector) > 0
}

func (f Found) pod(pod *unstructured.Unstructured, deployment string, around health.Around) Pod {
	p := Pod{
		Name: pod.GetName(), Deployment: deployment, Since: pod.GetCreationTimestamp().Time,
		Node: plain.Line(health.Text(pod.Object, "spec", "nodeName")), Ready: health.PodReady(pod), NeedsIdentity: deployment == frontend,
	}
	for _, c := range health.Maps(pod.Object, "status", "containerStatuses") {
		p.Restarts += health.Number(c, "restartCount")
	}
	p.Part = Part{Mark: OK, Text: "ready"}
	if !p.Ready {
		p.Part = f.settled(health.Pod(pod, around), pod)
		if p.Text == "" {
			p.Text = "not ready"
		}
	}
	if pod.GetDeletionTimestamp() != nil {
		p.Part = Part{Mark: Busy, Text: "ending"}
	}
	if !p.NeedsIdentity {
		return p
	}
	p.Identity = shown(health.RoleOf(pod), advice.RoleARN)
	if p.Missing = plain.Line(health.MissingIdentity(pod, f.RoleARN)); p.Missing != "" {
		p.Mark = Worst(p.Mark, Wrong)
		p.Hint = advice.Command("oc delete pod", p.Name, "-n", pod.GetNamespace())
	}
	return p
}
