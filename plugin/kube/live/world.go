// Package live is what is there of one install, in the cluster and in AWS:
// every question that checks and status ask, each put to the server once, when
// the first of them wants to know, whoever asks next. Questions that do not
// depend on each other may be asked at the same time.
//
// A refusal is an answer: who may not look gets the server's own error, and what
// that means is for the caller. The package reads, and changes nothing; it judges
// nothing and prints nothing.
package live

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strconv"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/once"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// World is what is there of the install in one namespace. Make one for each
// look: it never asks twice, so it grows old. It is safe for concurrent use.
type World struct {
	Conn      *cluster.Conn
	Namespace string
	Facts     render.Facts   // as far as they are known
	AWSRegion string         // of flag, environment or profile, "" where none names one
	Roles     *iam.Client    // nil where there are no AWS credentials
	Buckets   *bucket.Client // nil where there are no AWS credentials
	// RoleNamed is the name of the install's role where no record has to tell it.
	RoleNamed string
	// Planner plans what install would do; nil where too little is known for it.
	Planner func(context.Context) (*apply.Plan, error)
	// Hands are who manages the objects, for advice.
	Hands Hands

	asked once.Answers[any, any] // by question: a listKey, an objectKey or an about
}

// about is a question of which there is one for each name.
type about struct{ question, name string }

// ask asks a question, or gives the answer of the first time.
func ask[T any](ctx context.Context, w *World, what any, question func() (T, error)) (T, error) {
	answer, err := w.asked.Of(what).Get(ctx, func() (any, error) { return question() })
	value, _ := answer.(T) // none where the caller's context ended
	return value, err
}

// listKey is a kind in a namespace; the empty namespace is the whole cluster.
type listKey struct {
	resource  schema.GroupVersionResource
	namespace string
	selector  string
}

type objectKey struct {
	resource        schema.GroupVersionResource
	namespace, name string
}

// List gives all objects of a resource in a namespace ("" for the whole cluster)
// that a label selector ("" for all) chooses. They are shared: do not change
// them. A resource that is not served is a NotFound, as the server words it.
func (w *World) List(ctx context.Context, resource schema.GroupVersionResource, namespace, selector string) ([]*unstructured.Unstructured, error) {
	return ask(ctx, w, listKey{resource, namespace, selector}, func() ([]*unstructured.Unstructured, error) {
		return cluster.ListAll(ctx, w.Conn.Dynamic.Resource(resource).Namespace(namespace), metav1.ListOptions{LabelSelector: selector})
	})
}

// Here is List in the install's own namespace.
func (w *World) Here(ctx context.Context, resource schema.GroupVersionResource) ([]*unstructured.Unstructured, error) {
	return w.List(ctx, resource, w.Namespace, "")
}

// Get gives one object; nil, and no error, where it is not there. Namespace is
// empty for what has none. What Here lists anyway is better taken from there.
func (w *World) Get(ctx context.Context, resource schema.GroupVersionResource, namespace, name string) (*unstructured.Unstructured, error) {
	return ask(ctx, w, objectKey{resource, namespace, name}, func() (*unstructured.Unstructured, error) {
		return absent(w.Conn.Dynamic.Resource(resource).Namespace(namespace).Get(ctx, name, metav1.GetOptions{}))
	})
}

// One is the object of that name among those in the install's own namespace;
// nil, and no error, where it is not there.
func (w *World) One(ctx context.Context, resource schema.GroupVersionResource, name string) (*unstructured.Unstructured, error) {
	list, err := w.Here(ctx, resource)
	for _, object := range list {
		if object.GetName() == name {
			return object, nil
		}
	}
	return nil, err
}

func absent(object *unstructured.Unstructured, err error) (*unstructured.Unstructured, error) {
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	return object, err
}

// Project is the namespace; nil where it is not there. Who may not see it gets
// the server's refusal.
func (w *World) Project(ctx context.Context) (*unstructured.Unstructured, error) {
	return w.Get(ctx, kinds.Namespace.GVR(), "", w.Namespace)
}

// Inventory is what install put on record; the zero Inventory where it did not.
func (w *World) Inventory(ctx context.Context) (apply.Inventory, error) {
	return ask(ctx, w, about{"inventory", ""}, func() (apply.Inventory, error) {
		return apply.New(w.Conn, apply.Options{Namespace: w.Namespace}).ReadInventory(ctx)
	})
}

// Plan is what install, called as this look was, would do to the objects here.
// Its error is install's own refusal. Nil, and no error, where nobody can plan.
func (w *World) Plan(ctx context.Context) (*apply.Plan, error) {
	return ask(ctx, w, about{"plan", ""}, func() (*apply.Plan, error) {
		if w.Planner == nil {
			return nil, nil
		}
		return w.Planner(ctx)
	})
}

// MayUseSCC reports whether a service account of the project may use OpenShift's
// SecurityContextConstraints of that name.
func (w *World) MayUseSCC(ctx context.Context, account, name string) (bool, error) {
	review := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "authorization.k8s.io/v1",
		"kind":       "LocalSubjectAccessReview",
		"metadata":   map[string]any{"namespace": w.Namespace},
		"spec": map[string]any{
			"user":   "system:serviceaccount:" + w.Namespace + ":" + account,
			"groups": []any{"system:serviceaccounts", "system:serviceaccounts:" + w.Namespace, "system:authenticated"},
			"resourceAttributes": map[string]any{
				"namespace": w.Namespace, "verb": "use", "name": name,
				"group": "security.openshift.io", "resource": "securitycontextconstraints",
			},
		},
	}}
	resource := kinds.LocalSubjectAccessReview.GVR()
	answer, err := w.Conn.Dynamic.Resource(resource).Namespace(w.Namespace).Create(ctx, review, metav1.CreateOptions{})
	if err != nil {
		return false, err
	}
	allowed, _, _ := unstructured.NestedBool(answer.Object, "status", "allowed")
	return allowed, nil
}

// Events are those about an object, the newest first; none if they cannot be read. An
// object that was created anew has its own.
func (w *World) Events(ctx context.Context, object *unstructured.Unstructured) []health.Event {
	opts := metav1.ListOptions{FieldSelector: "involvedObject.kind=" + object.GetKind() + ",involvedObject.name=" + object.GetName()}
	list, err := w.Conn.Dynamic.Resource(kinds.Event.GVR()).Namespace(w.Namespace).List(ctx, opts)
	if err != nil {
		return nil
	}
	slices.SortStableFunc(list.Items, func(a, b unstructured.Unstructured) int { return strings.Compare(lastSeen(b), lastSeen(a)) })
	var events []health.Event
	for _, event := range list.Items {
		if uid := health.Text(event.Object, "involvedObject", "uid"); uid != "" && uid != string(object.GetUID()) {
			continue
		}
		events = append(events, health.Event{
			Reason: health.Text(event.Object, "reason"), Message: health.Text(event.Object, "message"),
			Warning: health.Text(event.Object, "type") == "Warning",
		})
	}
	return events
}

// lastSeen orders events: RFC 3339 times in UTC sort as texts.
func lastSeen(event unstructured.Unstructured) string {
	return cmp.Or(health.Text(event.Object, "series", "lastObservedTime"), health.Text(event.Object, "lastTimestamp"), health.Text(event.Object, "eventTime"))
}

// Account is the service account of the app, nil where it is not there.
func (w *World) Account(ctx context.Context) (*unstructured.Unstructured, error) {
	return w.One(ctx, kinds.ServiceAccount.GVR(), render.ServiceAccount)
}

// Keys are the names of the keys of a ConfigMap or Secret.
type Keys struct {
	Found bool
	Names []string // sorted
}

// KeysOf gives the names of the keys of a ConfigMap or Secret in the install's
// namespace. The values are let go at once.
func (w *World) KeysOf(ctx context.Context, resource schema.GroupVersionResource, name string) (Keys, error) {
	return ask(ctx, w, about{"keys of " + resource.Resource, name}, func() (Keys, error) {
		// Not Get: that would keep the values as long as World lives.
		object, err := absent(w.Conn.Dynamic.Resource(resource).Namespace(w.Namespace).Get(ctx, name, metav1.GetOptions{}))
		if err != nil || object == nil {
			return Keys{}, err
		}
		data, _, _ := unstructured.NestedMap(object.Object, "data")
		return Keys{Found: true, Names: slices.Sorted(maps.Keys(data))}, nil
	})
}

// TokenIssuer is the issuer that stands in a token of the app's service account;
// the token is not kept.
func (w *World) TokenIssuer(ctx context.Context) (string, error) {
	return ask(ctx, w, about{"token issuer", ""}, func() (string, error) {
		return w.Conn.TokenIssuer(ctx, w.Namespace, render.ServiceAccount)
	})
}

const (
	// lastLines is how many lines of the end of a log are read.
	lastLines = 200

	// lastBytes is more than these lines can have. A kubelet that is asked for the
	// last lines of a log (tailLines) and for a number of bytes (limitBytes) sends that
	// many bytes of the first of these lines (ReadLogs of k8s.io/cri-client/pkg/logs):
	// a smaller limit would drop the end, where the reason of a crash is. A line of a
	// log file has at most 16 KiB by default (max_container_log_line_size of
	// containerd; less in CRI-O), because a longer one is written as several: 200 have
	// 3.2 MB.
	lastBytes = 4 << 20

	// startBytes is how much of the beginning of a log is read.
	startBytes = 64 << 10
)

// LogStart is the beginning of what a pod's container has logged since it started.
// What the kubelet has removed since is not in it.
func (w *World) LogStart(ctx context.Context, pod, container string) (string, error) {
	return ask(ctx, w, about{"start of log", pod + "/" + container}, func() (string, error) {
		return readLog(ctx, w.Conn, w.Namespace, pod, map[string]string{"container": container}, startBytes)
	})
}

// LastLog is LogOfLastRun, asked for once.
func (w *World) LastLog(ctx context.Context, namespace, pod, container string) (string, error) {
	return ask(ctx, w, about{"end of log", namespace + "/" + pod + "/" + container}, func() (string, error) {
		return LogOfLastRun(ctx, w.Conn, namespace, pod, container)
	})
}

// LogOfLastRun is the end of the log of a container: of its run before this one,
// or, where there was none, of this one.
func LogOfLastRun(ctx context.Context, conn *cluster.Conn, namespace, pod, container string) (string, error) {
	text, err := Log(ctx, conn, namespace, pod, container, true)
	if err != nil {
		text, err = Log(ctx, conn, namespace, pod, container, false)
	}
	return text, err
}

// Log is the last 200 lines that a container has written, in this run or the one before.
func Log(ctx context.Context, conn *cluster.Conn, namespace, pod, container string, previous bool) (string, error) {
	return readLog(ctx, conn, namespace, pod, map[string]string{
		"container": container,
		"tailLines": strconv.Itoa(lastLines),
		"previous":  strconv.FormatBool(previous),
	}, lastBytes)
}

// readLog reads a log, and is the only function that does. What a container writes can
// have any size and any text, which need not be UTF-8: no more than so many bytes of it
// are read, also from a kubelet that sends more.
func readLog(ctx context.Context, conn *cluster.Conn, namespace, pod string, params map[string]string, bytes int) (string, error) {
	request := conn.REST().Get().AbsPath("/api/v1/namespaces", namespace, "pods", pod, "log").Param("limitBytes", strconv.Itoa(bytes))
	for name, value := range params {
		request = request.Param(name, value)
	}
	answer := request.Do(ctx)
	if err := answer.Error(); err != nil { // has the words of a refusal, Raw has not
		return "", err
	}
	text, err := answer.Raw()
	return plain.Text(string(text)), err
}
