package uninstall

import (
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// types plays a command of oc or aws that a message prints, as somebody who is allowed to.
func (p *played) types(t *testing.T, line string) {
	t.Helper()
	words := strings.Fields(strings.ReplaceAll(line, "'", ""))
	method, url, body := "", "", ""
	switch {
	case slices.Equal(words[:len(words)-2], strings.Fields("oc patch buckets.s3.services.k8s.aws demo-bucket -n demo --type=merge")) && words[len(words)-2] == "-p":
		method, url, body = http.MethodPatch, p.cluster.URL+buckets+"/demo-bucket", words[len(words)-1]
	case slices.Equal(words, strings.Fields("aws s3api delete-bucket --bucket demo-bucket --region "+awstest.Region)):
		p.aws.Answer("DELETE demo-bucket", "")
		p.aws.Refuse("HEAD demo-bucket", http.StatusNotFound, "NotFound", "")
		p.aws.Refuse("GET demo-bucket?tagging", http.StatusNotFound, "NoSuchBucket", "")
		return
	default:
		t.Fatalf("not played: %q", line)
	}
	request, err := http.NewRequestWithContext(t.Context(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/merge-patch+json")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		t.Fatalf("%q: %s", line, response.Status)
	}
}

// holdBucket has the Bucket resource stay until its finalizer is removed.
func (p *played) holdBucket() {
	path := buckets + "/demo-bucket"
	object := p.get(path)
	metadata, _ := object["metadata"].(map[string]any)
	metadata["finalizers"] = []any{ack.Finalizer}
	p.cluster.Handle("DELETE "+path, func(w http.ResponseWriter, _ *http.Request) {
		p.mu.Lock()
		metadata["deletionTimestamp"] = "2026-01-02T03:04:05Z"
		p.mu.Unlock()
		answer(w, http.StatusOK, metav1.Status{Status: metav1.StatusSuccess})
	})
	p.cluster.Handle("PATCH "+path, func(w http.ResponseWriter, r *http.Request) {
		var patch struct{ Metadata map[string]any }
		_ = json.NewDecoder(r.Body).Decode(&patch)
		if finalizers, given := patch.Metadata["finalizers"]; given && finalizers == nil {
			p.remove(path, "Bucket")
		}
		answer(w, http.StatusOK, object)
	})
}

// TestAdviceIsFollowed: what is advised for a Bucket resource that stays, and for a bucket
// that nobody here may delete, lets the same command end well.
func TestAdviceIsFollowed(t *testing.T) {
	for name, c := range map[string]struct {
		state  func(*played)
		begins string
	}{
		"a Bucket resource that stays": {func(p *played) {
			p.holdBucket()
			p.request.Timeout = 2 * time.Second
		}, "oc patch "},
		"a bucket that nobody may delete": {func(p *played) {
			p.aws.Refuse("DELETE demo-bucket", http.StatusForbidden, "AccessDenied", "not authorized")
			p.playController("AccessDenied: s3:DeleteBucket")
		}, "aws s3api delete-bucket"},
	} {
		p := newPlayed(t)
		c.state(p)
		var told *problem.Error
		err := Run(t.Context(), p.session, p.request)
		if !errors.As(err, &told) || !strings.Contains(told.Next, c.begins) {
			t.Fatalf("%s: does not advise %q: %v\n%+v", name, c.begins, err, told)
		}
		line, _, _ := strings.Cut(told.Next[strings.Index(told.Next, c.begins):], "\n")
		p.types(t, line)
		p.request.Timeout = time.Minute
		if err := Run(t.Context(), p.session, p.request); err != nil || p.get("role") != nil {
			t.Errorf("%s: after %q: %v\n%s", name, line, err, p.talk)
		}
	}
}
