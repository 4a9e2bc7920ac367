package project

import (
	"context"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const group = "project.openshift.io"

// Create makes a project. It is false, and no error, if another run of this tool has made
// it since the caller looked: the caller can go on in it.
func Create(ctx context.Context, conn *cluster.Conn, name string) (created bool, err error) {
	object, err := Object(ctx, conn, name)
	if err != nil {
		return false, err
	}
	client, err := conn.Resource(ctx, object.GroupVersionKind(), "")
	if err != nil {
		return false, err
	}
	asked, inDoubt := cluster.InDoubt(ctx)
	_, err = client.Create(asked, object, metav1.CreateOptions{FieldManager: apply.Manager})
	// If no answer came to an earlier try, it may also have been this run.
	if err != nil && !(apierrors.IsAlreadyExists(err) && isOurs(ctx, conn, name)) {
		return false, refused(conn, name, err)
	}
	return err == nil || inDoubt(), nil
}

// Object is what makes the project: a ProjectRequest on OpenShift, a Namespace elsewhere.
func Object(ctx context.Context, conn *cluster.Conn, name string) (*unstructured.Unstructured, error) {
	served, err := conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	if served.ServesGroup(group) {
		return &unstructured.Unstructured{Object: map[string]any{
			"apiVersion":  group + "/v1",
			"kind":        "ProjectRequest",
			"metadata":    map[string]any{"name": name},
			"displayName": "OSToy with S3",
			"description": Mark(name),
		}}, nil
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1",
		"kind":       "Namespace",
		"metadata": map[string]any{
			"name":   name,
			"labels": map[string]any{render.TagManagedBy: render.ManagedBy},
		},
	}}, nil
}

// isOurs reports whether a project is one that this tool made. Its maker may see it a
// moment later only: OpenShift binds the role after it has made it.
func isOurs(ctx context.Context, conn *cluster.Conn, name string) bool {
	const patience, pause = 5 * time.Second, 250 * time.Millisecond
	var now State
	_ = wait.PollUntilContextTimeout(ctx, pause, patience, true, func(ctx context.Context) (seen bool, err error) {
		now, err = LookAt(ctx, conn, name)
		return now.Exists, err
	})
	return now.Ours && !now.Terminating
}

func refused(conn *cluster.Conn, name string, err error) error {
	if !apierrors.IsAlreadyExists(err) {
		return conn.Translate(err)
	}
	return &problem.Error{
		Kind: problem.Refused,
		What: "project " + name + " belongs to somebody else",
		Why:  "it exists, and you may not see it",
		Next: "oc ostoy-s3 install --new-project",
		Err:  err,
	}
}

// Delete takes back a project that was made a moment ago and holds nothing yet, until ctx
// ends. The permissions in it may not have reached every API server yet, so a refusal is
// asked again.
func Delete(ctx context.Context, conn *cluster.Conn, name string) error {
	const pause = 250 * time.Millisecond
	client, err := Client(ctx, conn)
	if err == nil {
		_ = wait.PollUntilContextCancel(ctx, pause, true, func(ctx context.Context) (bool, error) {
			err = client.Delete(ctx, name, metav1.DeleteOptions{})
			return !apierrors.IsForbidden(err), nil
		})
	}
	if apierrors.IsConflict(err) { // on its way out: the answer to an earlier try was lost
		if now, lookErr := LookAt(ctx, conn, name); lookErr == nil && now.Terminating {
			return nil
		}
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// Client is for Projects on OpenShift, where their admins may delete them, and for
// Namespaces elsewhere.
func Client(ctx context.Context, conn *cluster.Conn) (dynamic.ResourceInterface, error) {
	served, err := conn.Discovery(ctx)
	if err != nil {
		return nil, err
	}
	if served.ServesGroup(group) {
		return conn.Dynamic.Resource(kinds.Project.GVR()), nil
	}
	return conn.Dynamic.Resource(kinds.Namespace.GVR()), nil
}
