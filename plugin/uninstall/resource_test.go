package uninstall

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// playController adopts a Bucket resource that is created again, and deletes its bucket, or
// complains of what keeps it from that until it is told to retain the bucket.
func (p *played) playController(complaint string) {
	path := buckets + "/demo-bucket"
	p.cluster.Handle("PATCH "+path, func(w http.ResponseWriter, r *http.Request) {
		if strings.HasPrefix(r.Header.Get("Content-Type"), "application/merge-patch") {
			object := p.get(path)
			p.remove(path, "retained Bucket")
			answer(w, http.StatusOK, object)
			return
		}
		object := p.put(buckets, "s3.services.k8s.aws/v1alpha1", "Bucket", "demo-bucket", map[string]any{
			"uid": "again", "finalizers": []any{ack.Finalizer}, "annotations": map[string]any{"services.k8s.aws/deletion-policy": ack.Delete},
		})
		p.cluster.Handle("DELETE "+path, func(w http.ResponseWriter, _ *http.Request) {
			if complaint == "" {
				p.remove(path, "adopted Bucket")
			} else {
				p.mu.Lock()
				object["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-02T03:04:05Z"
				object["status"] = map[string]any{"conditions": []any{map[string]any{"type": "ACK.Recoverable", "status": "True", "message": complaint}}}
				p.mu.Unlock()
			}
			answer(w, http.StatusOK, metav1.Status{Status: metav1.StatusSuccess})
		})
		answer(w, http.StatusOK, object)
	})
}

// TestThroughController: a bucket that you are not allowed to delete is deleted by the
// controller, if S3 lets it.
func TestThroughController(t *testing.T) {
	const begin = "Deployment, ServiceAccount, Bucket, "
	for complaint, c := range map[string]struct{ gone, says, next string }{
		"":                                {"adopted Bucket, role, ConfigMap", "Bucket object, bucket demo-bucket", ""},
		"BucketNotEmpty: not empty":       {"retained Bucket, role, ConfigMap", "bucket demo-bucket  0 objects", ""},
		"AccessDenied: s3:DeleteBucket":   {"retained Bucket", "left for you", "aws s3api delete-bucket --bucket demo-bucket --region us-east-2"},
		"AccessDenied: denied by the SCP": {"retained Bucket", "it is deleted after the bucket", "somebody with s3:DeleteBucket"},
	} {
		p := newPlayed(t)
		p.aws.Refuse("DELETE demo-bucket", http.StatusForbidden, "AccessDenied", "not authorized")
		p.playController(complaint)
		err := Run(t.Context(), p.session, p.request)
		var told *problem.Error
		if (err != nil) != (c.next != "") || err != nil && (!errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.Next, c.next) || !strings.Contains(told.Why, complaint)) {
			t.Errorf("%q: %v", complaint, err)
		}
		if p.gone() != begin+c.gone || !strings.Contains(p.talk.String(), c.says) {
			t.Errorf("%q: %s\n%s", complaint, p.gone(), p.talk)
		}
	}
}

// TestDeniedWithoutResource: without a Bucket resource, or in a project that is being
// deleted, there is no controller to ask.
func TestDeniedWithoutResource(t *testing.T) {
	for name, with := range map[string]func(*played){
		"no Bucket resource": func(p *played) { delete(p.objects, buckets+"/demo-bucket") },
		"a project that is being deleted": func(p *played) {
			p.objects["/api/v1/namespaces/demo"]["metadata"].(map[string]any)["deletionTimestamp"] = "2026-01-02T03:04:05Z"
		},
	} {
		p := newPlayed(t)
		with(p)
		p.aws.Refuse("DELETE demo-bucket", http.StatusForbidden, "AccessDenied", "not authorized")
		var told *problem.Error
		err := Run(t.Context(), p.session, p.request)
		if !errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.Why, "s3:DeleteBucket") || strings.Contains(p.gone(), "role") {
			t.Errorf("%s: %v, %s", name, err, p.gone())
		}
	}
}

// TestRunBesides: another run that has written the inventory since it was read ends this
// one before anything is deleted; a user who may not write it may still delete.
func TestRunBesides(t *testing.T) {
	inventory := inDemo + "configmaps/" + apply.InventoryName
	p := newPlayed(t)
	p.cluster.Handle("PATCH "+inventory, func(w http.ResponseWriter, _ *http.Request) {
		p.get(inventory)["data"] = map[string]any{"bucket": "demo-bucket"}
		p.get(inventory)["metadata"].(map[string]any)["resourceVersion"] = "9"
		answer(w, http.StatusConflict, metav1.Status{Status: metav1.StatusFailure, Reason: metav1.StatusReasonConflict, Code: http.StatusConflict})
	})
	if err := Run(t.Context(), p.session, p.request); !errors.Is(err, apply.ErrLostRace) || p.gone() != "" {
		t.Errorf("%v, %s", err, p.gone())
	}
	p = newPlayed(t)
	p.cluster.Forbid("PATCH "+inventory, "patch", "configmaps", "", `in the namespace "demo"`)
	if err := Run(t.Context(), p.session, p.request); err != nil || !strings.HasSuffix(p.gone(), "role, ConfigMap") {
		t.Errorf("%v, %s", err, p.gone())
	}
}
