package uninstall

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testOrder: at the moment each thing goes, what needs it is gone already.
func testOrder(t *testing.T, bed *testbed.Bed) {
	const namespace = "in-order"
	admin := installed(t, bed, namespace)
	watched := &watched{bed: bed, namespace: namespace}
	user := watched.through(t, admin)
	result := uninstall(t, user, 0, namespace)
	result.WantStdout(t, "").WantTalk(t, "removed", "role "+roleName(bed, namespace), "kept", "volume ostoy-pvc", "it is data",
		"oc ostoy-s3 uninstall -n "+namespace+" --delete-data", "project "+namespace, "--delete-namespace")
	if want := []string{"the service account", "the bucket", "the role", "the inventory"}; !slices.Equal(watched.order, want) {
		t.Errorf("order %v, want %v\n%s", watched.order, want, result)
	}
	wantLeft(t, bed, namespace, pvc)
	uninstall(t, admin, 0, namespace).WantTalk(t, "nothing to remove", "volume ostoy-pvc")
	uninstall(t, admin, 0, namespace, "--delete-data", "--yes").WantTalk(t, "volume ostoy-pvc")
	wantLeft(t, bed, namespace)
}

// watched looks at what there is at the moment something is about to go.
type watched struct {
	bed       *testbed.Bed
	namespace string
	mu        sync.Mutex
	order     []string
}

func (w *watched) goes(t *testing.T, what string, gone, there []string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	have := strings.Join(left(t, w.bed, w.namespace), " ")
	for _, text := range gone {
		if strings.Contains(have, text) {
			t.Errorf("when %s goes, %s is still there: %s", what, text, have)
		}
	}
	for _, text := range there {
		if !strings.Contains(have, text) {
			t.Errorf("when %s goes, %s is gone already: %s", what, text, have)
		}
	}
	w.order = append(w.order, what)
}

// through is the user, whose requests are looked at.
func (w *watched) through(t *testing.T, user run.User) run.User {
	t.Helper()
	ofAWS, err := w.bed.AWSProxy(t.Context(), func(_ int64, r *http.Request) error {
		switch text := query(r); {
		case r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, "/"+w.namespace+"-bucket"):
			w.goes(t, "the bucket", []string{"pods/", "deployments/", "buckets/"}, []string{"configmaps/ostoy-s3", "role/"})
		case strings.Contains(text, "Action=DeleteRole&"):
			w.goes(t, "the role", []string{"pods/", "bucket/"}, []string{"configmaps/ostoy-s3"})
		}
		return nil
	})
	orders(t, err)
	ofKube, err := w.bed.KubeProxy(t.Context(), user.Kubeconfig, func(_ int64, r *http.Request) error {
		switch {
		case r.Method != http.MethodDelete:
		case strings.HasSuffix(r.URL.Path, "/configmaps/ostoy-s3"):
			w.goes(t, "the inventory", []string{"pods/", "deployments/", "secrets/", "bucket/", "role/"}, nil)
		case strings.HasSuffix(r.URL.Path, "/serviceaccounts/ostoy-sa"):
			w.goes(t, "the service account", []string{"pods/", "deployments/"}, []string{"role/"})
		}
		return nil
	})
	orders(t, err)
	user = user.With("AWS_ENDPOINT_URL=" + ofAWS)
	user.Kubeconfig = ofKube
	return user
}

// query is the body of a request to IAM, put back for the one who reads it next.
func query(r *http.Request) string {
	if r.Method != http.MethodPost {
		return ""
	}
	text, restored := readBody(r)
	r.Body = restored
	return text + "&"
}

// testAsProjectAdmin: the rights of a project's admin suffice, project included.
func testAsProjectAdmin(t *testing.T, bed *testbed.Bed) {
	const namespace = "learners-own"
	user := run.ProjectAdmin(t, bed, "admin-of-"+namespace)
	user.Run(t, "install", "--new-project="+namespace).WantCode(t, 0)
	put(t, bed, namespace, "a.txt")
	uninstall(t, user, 0, namespace).WantTalk(t, "1 object, 15 B")
	wantLeft(t, bed, namespace, pvc, full(namespace, 1))
	uninstall(t, user, 0, namespace, "--delete-data", "--adopt=bucket", "--delete-namespace", "-y").WantTalk(t, "project "+namespace)
	wantLeft(t, bed, namespace)
	// her rights in it go a moment before the project itself does
	run.Eventually(t, "the end of the project", func(ctx context.Context) error {
		_, err := bed.Dynamic.Resource(namespaces()).Get(ctx, namespace, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil
		}
		return fmt.Errorf("the project is still there (%w)", err)
	})
}

// testDryRun: the same words as the run that follows, and nothing changes or is
// asked for that could change anything.
func testDryRun(t *testing.T, bed *testbed.Bed) {
	const namespace = "only-looked-at"
	admin := installed(t, bed, namespace)
	put(t, bed, namespace, "a.txt")
	before := left(t, bed, namespace)
	var writes []string
	ofKube, err := bed.KubeProxy(t.Context(), admin.Kubeconfig, func(_ int64, r *http.Request) error {
		if r.Method != http.MethodGet && !strings.HasSuffix(r.URL.Path, "/token") {
			writes = append(writes, r.Method+" "+r.URL.Path)
		}
		return nil
	})
	orders(t, err)
	user := admin
	user.Kubeconfig = ofKube
	var would, did document
	uninstall(t, user, 0, namespace, "--dry-run", "-o", "json").WantTalk(t, "would remove", "would keep", "nothing was changed").JSON(t, &would)
	uninstall(t, user, 0, namespace, "--dry-run=client", "--delete-data").WantTalk(t, "would remove", "bucket "+namespace+"-bucket")
	if len(writes) > 0 {
		t.Errorf("a dry run writes: %v", writes)
	}
	wantLeft(t, bed, namespace, before...)
	uninstall(t, admin, 0, namespace, "-o", "json").JSON(t, &did)
	if !would.DryRun || did.DryRun || would.text() != did.text() {
		t.Errorf("would\n%s\ndid\n%s", would.text(), did.text())
	}
	for _, kept := range did.Kept {
		if kept.Object == "bucket "+namespace+"-bucket" && (kept.Objects != 1 || kept.Bytes != 15 || kept.Why == "" || kept.Next == "") {
			t.Errorf("%+v", kept)
		}
	}
	uninstall(t, admin, 2, namespace, "--dry-run=server")
}

// document is what -o json prints.
type document struct {
	DryRun              bool
	Removed, Kept, Left []struct {
		Object, Why, Next string
		Objects, Bytes    int64
	}
}

func (d document) text() string { return fmt.Sprintf("%v\n%v\n%v", d.Removed, d.Kept, d.Left) }
