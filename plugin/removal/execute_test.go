package removal

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/smithy-go"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const services = "/api/v1/namespaces/demo/services/"

// service is a Service that a manager has applied.
func service(name, version, manager string) *unstructured.Unstructured {
	object := &unstructured.Unstructured{Object: map[string]any{"apiVersion": "v1", "kind": "Service"}}
	object.SetName(name)
	object.SetNamespace("demo")
	object.SetUID("1")
	object.SetResourceVersion(version)
	object.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: manager, Operation: metav1.ManagedFieldsOperationApply}})
	return object
}

// server plays a cluster with Services, and gives the connection to it.
func server(t *testing.T) (*clustertest.Server, *cluster.Conn) {
	t.Helper()
	s := clustertest.New(t, "v1.34.0", "v1/Service")
	conn, err := cluster.Connect(s.Getter("demo"), cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	return s, conn
}

// TestDelete: what is deleted is done; what something else has taken over meanwhile is
// kept; what the server refuses is an error, and not done.
func TestDelete(t *testing.T) {
	s, conn := server(t)
	s.Answer("DELETE "+services+"ours", metav1.Status{Status: metav1.StatusSuccess})
	s.Refuse("DELETE "+services+"taken", http.StatusConflict, metav1.StatusReasonConflict, "it was changed")
	s.Answer("GET "+services+"taken", service("taken", "2", "kubectl").Object)
	s.Forbid("DELETE "+services+"denied", "delete", "services", "", `in the namespace "demo"`)
	applier := apply.New(conn, apply.Options{Namespace: "demo"})
	line := func(name string) *Line {
		l := object("Service", name, Removed)
		l.Item.Live, l.Item.Action = service(name, "1", apply.Manager), apply.Delete
		return l
	}
	ours, taken, denied := line("ours"), line("taken"), line("denied")
	if err := Delete(t.Context(), applier, Lines{ours, taken}); err != nil || !ours.Done || ours.Fate != Removed || taken.Done || taken.Fate != Kept || !strings.Contains(taken.Why, "kubectl") {
		t.Errorf("%+v, %+v, %v", ours, taken, err)
	}
	var told *problem.Error
	if err := Delete(t.Context(), applier, Lines{denied}); !errors.As(err, &told) || denied.Done {
		t.Errorf("%+v, %v", denied, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	lines := Lines{line("ours")}
	if err := Delete(ended, applier, lines); !errors.Is(err, context.Canceled) || lines.SoFar() != "nothing was removed" {
		t.Errorf("an interrupted run: %v, %s", err, lines.SoFar())
	}
}

// TestUnanswered: what was removed beside a request that fails is counted, and a request
// without an answer leaves open what became of its thing, which is said by name.
func TestUnanswered(t *testing.T) {
	s, conn := server(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var answered sync.WaitGroup
	answered.Add(2)
	s.Answer("DELETE "+services+"done", metav1.Status{Status: metav1.StatusSuccess})
	s.Forbid("DELETE "+services+"denied", "delete", "services", "", `in the namespace "demo"`)
	hung := make(chan struct{})
	s.Handle("DELETE "+services+"hangs", func(http.ResponseWriter, *http.Request) {
		answered.Wait()
		cancel()
		<-hung
	})
	lines := Lines{}
	for _, name := range []string{"done", "denied", "hangs"} {
		l := object("Service", name, Removed)
		l.Item.Live, l.Item.Action = service(name, "1", apply.Manager), apply.Delete
		lines = append(lines, l)
	}
	applier := apply.New(conn, apply.Options{Namespace: "demo"})
	var group sync.WaitGroup
	for n, l := range lines {
		group.Go(func() {
			if n < 2 {
				defer answered.Done()
			}
			if err := Delete(ctx, applier, Lines{l}); (err == nil) != (n == 0) {
				t.Errorf("%s: %v", l.Object, err)
			}
		})
	}
	group.Wait()
	close(hung)
	if got := lines.SoFar(); got != "removed so far: Service done; it is not known whether this was removed, because no answer came: Service hangs" {
		t.Error(got)
	}
}

// TestUnansweredRole: of a role, what was taken off before is said, and the step that got
// no answer.
func TestUnansweredRole(t *testing.T) {
	plan := &iam.Removal{Name: "r", Steps: []iam.Step{{Kind: iam.DeletePolicy, What: "inline policy", Action: "iam:DeleteRolePolicy", Resource: "r"}, {Kind: iam.DeleteRole, What: "role", Action: "iam:DeleteRole", Resource: "r"}}}
	const part = "removed so far: the inline policy of role r"
	for want, refusal := range map[string]error{
		part: &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform: iam:DeleteRole"},
		part + "; it is not known whether this was removed, because no answer came: role r": errors.New("EOF"),
	} {
		l := &Line{Object: "role r", Subject: Role, Fate: Removed}
		if err := DeleteRole(t.Context(), roles{refusal: refusal}, plan, l); err != nil || (Lines{l}).SoFar() != want {
			t.Errorf("%v: %s\nwant %s", err, Lines{l}.SoFar(), want)
		}
	}
	l := &Line{Object: "ConfigMap ostoy-s3", Subject: Inventory, Fate: Removed}
	if err := l.Sent(nil); err != nil || l.Unsure != nil || l.Sent(context.Canceled) == nil || len(l.Unsure) != 1 {
		t.Errorf("%+v", l)
	}
}

// deadline is a context that is over when the test says so.
type deadline struct {
	context.Context
	over chan struct{}
}

func (d deadline) Done() <-chan struct{} { return d.over }

func (d deadline) Err() error {
	select {
	case <-d.over:
		return context.DeadlineExceeded
	default:
		return nil
	}
}

// TestAwait: the wait ends when nothing is pending, or with the error of pending; the error
// of a deadline says what was waited for.
func TestAwait(t *testing.T) {
	_, conn := server(t)
	await := func(ctx context.Context, pending func([]*unstructured.Unstructured) (string, error)) error {
		return Await(ctx, conn, "demo", kinds.Bucket, "the Buckets to be listed", pending, func(health.State) {})
	}
	if err := await(t.Context(), func([]*unstructured.Unstructured) (string, error) { return "", nil }); err != nil {
		t.Error(err)
	}
	broken := errors.New("it came back")
	if err := await(t.Context(), func([]*unstructured.Unstructured) (string, error) { return "", broken }); !errors.Is(err, broken) {
		t.Error(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	var awaited *problem.Awaited
	err := await(ctx, func([]*unstructured.Unstructured) (string, error) { return "Bucket b to be released", nil })
	if !errors.As(err, &awaited) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("%v", err)
	}
	late := deadline{t.Context(), make(chan struct{})}
	end := sync.OnceFunc(func() { close(late.over) })
	err = await(late, func([]*unstructured.Unstructured) (string, error) {
		end()
		return "Bucket b to be released", nil
	})
	if !errors.As(err, &awaited) || awaited.What != "Bucket b to be released" {
		t.Errorf("%v", err)
	}
	interrupted, stop := context.WithCancel(t.Context())
	stop()
	if err := await(interrupted, func([]*unstructured.Unstructured) (string, error) { return "b", nil }); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestAwaitMayNotWatch: what may not be watched cannot be waited for.
func TestAwaitMayNotWatch(t *testing.T) {
	s, conn := server(t)
	s.Forbid("GET /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets", "list", "buckets", "s3.services.k8s.aws", `in the namespace "demo"`)
	err := Await(t.Context(), conn, "demo", kinds.Bucket, "the Buckets to be listed", func([]*unstructured.Unstructured) (string, error) { return "", nil }, nil)
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.What, "cannot be watched") {
		t.Errorf("%v", err)
	}
}

// roles is an IAM that deletes roles, or refuses to.
type roles struct {
	iam.Remover
	refusal error
}

func (r roles) DeleteRole(context.Context, *awsiam.DeleteRoleInput, ...func(*awsiam.Options)) (*awsiam.DeleteRoleOutput, error) {
	return &awsiam.DeleteRoleOutput{}, r.refusal
}

func (r roles) DeleteRolePolicy(context.Context, *awsiam.DeleteRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.DeleteRolePolicyOutput, error) {
	return &awsiam.DeleteRolePolicyOutput{}, nil
}

// TestDeleteRole: a role that cannot be deleted is left for the user.
func TestDeleteRole(t *testing.T) {
	plan := &iam.Removal{Name: "r", Steps: []iam.Step{{Kind: iam.DeleteRole, Action: "iam:DeleteRole", Resource: "r"}}}
	gone := Line{Fate: Removed}
	if err := DeleteRole(t.Context(), roles{}, plan, &gone); err != nil || !gone.Done {
		t.Errorf("%+v, %v", gone, err)
	}
	denied := &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform: iam:DeleteRole"}
	stays := Line{Fate: Removed}
	if err := DeleteRole(t.Context(), roles{refusal: denied}, plan, &stays); err != nil || stays.Done || stays.Fate != Left || !strings.Contains(stays.Why, "iam:DeleteRole") {
		t.Errorf("%+v, %v", stays, err)
	}
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	if err := DeleteRole(ended, roles{refusal: denied}, plan, &Line{Fate: Removed}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}
