package status

import (
	"cmp"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/tutorial"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// workloads judges Deployments and their pods, and says whether all could be seen.
func workloads(f Found, bucketReady bool) (all []Workload, pods []Pod, seen report.Part) {
	all, pods, seen = []Workload{}, []Pod{}, report.Part{Mark: report.OK}
	if f.PodsErr != nil {
		seen = report.Unseen(f.PodsErr)
	}
	around := health.Around{BucketReady: bucketReady, Install: f.install}
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
			pods = append(pods, podsOf(f, item, around)...)
		}
		if w.Mark == report.OK && w.Want == 0 {
			w.Part = report.Part{Mark: report.Warning, Text: "scaled to 0 pods", Hint: f.Again}
		}
		all = append(all, w)
	}
	// OSToy itself comes first, in both lists.
	slices.SortStableFunc(all, func(a, b Workload) int { return cmp.Compare(a.Name, b.Name) })
	slices.SortStableFunc(pods, func(a, b Pod) int {
		return cmp.Or(cmp.Compare(a.Deployment, b.Deployment), cmp.Compare(a.Name, b.Name))
	})
	return all, pods, seen
}

// install is how the app gets what install makes: with further flags, that of whoever
// manages it.
func (f Found) install(flags ...string) string {
	if len(flags) == 0 && f.Again != "" {
		return f.Again
	}
	return f.hands().Install(f.Facts.Namespace.Value, flags...)
}

// hands are who manages the objects of the plan.
func (f Found) hands() live.Hands {
	if f.Plan == nil {
		return live.Hands{}
	}
	var objects []*unstructured.Unstructured
	for _, item := range f.Plan.Items {
		objects = append(objects, item.Live)
	}
	return tutorial.HandsOf(objects, f.Facts.Namespace.Value)
}

func replicas(deployment *unstructured.Unstructured) int64 {
	if n, ok, _ := unstructured.NestedInt64(deployment.Object, "spec", "replicas"); ok {
		return n
	}
	return 1
}

// podsOf are the pods of a Deployment, those of an older template too as long as
// they live: they are what answers until the new ones do.
func podsOf(f Found, item *apply.Item, around health.Around) []Pod {
	selector, _, _ := unstructured.NestedStringMap(item.Live.Object, "spec", "selector", "matchLabels")
	var pods []Pod
	for _, pod := range f.Pods {
		if len(selector) > 0 && labels.SelectorFromSet(selector).Matches(labels.Set(pod.GetLabels())) {
			pods = append(pods, podOf(f, pod, item.Ref.Name, around))
		}
	}
	return pods
}

func podOf(f Found, pod *unstructured.Unstructured, deployment string, around health.Around) Pod {
	p := Pod{
		Name: pod.GetName(), Deployment: deployment, Since: pod.GetCreationTimestamp().Time,
		Node: plain.Line(health.Text(pod.Object, "spec", "nodeName")), Ready: health.PodReady(pod), NeedsIdentity: deployment == frontend,
	}
	for _, c := range health.Maps(pod.Object, "status", "containerStatuses") {
		p.Restarts += health.Number(c, "restartCount")
	}
	p.Part = report.Part{Mark: report.OK, Text: "ready"}
	if !p.Ready {
		p.Part = report.Settled(health.Pod(pod, around), pod, f.Now)
		if p.Text == "" {
			p.Text = "not ready"
		}
	}
	if pod.GetDeletionTimestamp() != nil {
		p.Part = report.Part{Mark: report.Busy, Text: "ending"}
	}
	if !p.NeedsIdentity {
		return p
	}
	p.Identity = shown(health.RoleOf(pod), advice.RoleARN)
	if p.Missing = plain.Line(health.MissingIdentity(pod, f.RoleARN)); p.Missing != "" {
		p.Mark = report.Worst(p.Mark, report.Wrong)
		p.Hint = advice.Command("oc delete pod", p.Name, "-n", pod.GetNamespace())
		if p.another = health.MissingIdentity(pod, "") == ""; p.another { // a new pod would have it, too
			p.Hint = f.Again
		}
	}
	return p
}

// shown is a value that others wrote, as a report repeats it: what it is not, if it is not
// legal for its kind. "" stays "".
func shown(text string, kind func(string) advice.Value) string {
	if text == "" {
		return ""
	}
	return kind(text).String()
}

// shownRecord is what the inventory has on record, as a report repeats it: the ConfigMap
// can be edited in the project.
func shownRecord(record apply.Record) apply.Record {
	origin := func(text string) advice.Value {
		return advice.OneOf(text, "an origin", apply.OriginCreated, apply.OriginAdopted, apply.OriginExisting)
	}
	return apply.Record{
		RoleARN:       shown(record.RoleARN, advice.RoleARN),
		RoleOrigin:    shown(record.RoleOrigin, origin),
		PolicyARN:     shown(record.PolicyARN, advice.PolicyARN),
		BucketPattern: shown(record.BucketPattern, advice.BucketPattern),
		Bucket:        shown(record.Bucket, advice.BucketName),
		BucketOrigin:  shown(record.BucketOrigin, origin),
		Account:       shown(record.Account, advice.Account),
		Partition: shown(record.Partition, func(text string) advice.Value {
			return advice.OneOf(text, "a partition of AWS", render.Partitions()...)
		}),
		Region:          shown(record.Region, advice.Region),
		Issuer:          shown(record.Issuer, advice.Issuer),
		ClusterID:       shown(record.ClusterID, advice.ClusterID),
		NamespaceOrigin: shown(record.NamespaceOrigin, origin),
		Version:         shown(record.Version, advice.Version),
		Identity: shown(record.Identity, func(text string) advice.Value {
			return advice.OneOf(text, "a way to give the controller its role", string(operator.Subscription), string(operator.Annotation))
		}),
	}
}

// shownTags are tags in one line each.
func shownTags(tags map[string]string) map[string]string {
	if tags == nil {
		return nil
	}
	all := make(map[string]string, len(tags))
	for key, value := range tags {
		all[plain.Line(key)] = plain.Line(value)
	}
	return all
}
