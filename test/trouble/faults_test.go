package trouble_test

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// orderDeny refuses AWS actions to the user until the test ends. Not for
// parallel tests: it is the whole bed's AWS that refuses.
func orderDeny(t *testing.T, bed *testbed.Bed, actions ...string) {
	t.Helper()
	if err := bed.AWS.DenyFor(t.Context(), "admin", actions...); err != nil {
		t.Fatal(err)
	}
	takeBack(t, bed)
}

// orderFault is orderDeny for any error; a fault without a code is a denial.
func orderFault(t *testing.T, bed *testbed.Bed, fault testbed.Fault) {
	t.Helper()
	if fault.Code == "" {
		orderDeny(t, bed, fault.Action)
		return
	}
	if err := bed.AWS.Fail(t.Context(), fault); err != nil {
		t.Fatal(err)
	}
	takeBack(t, bed)
}

func takeBack(t *testing.T, bed *testbed.Bed) {
	t.Cleanup(func() {
		if err := bed.AWS.Reset(context.WithoutCancel(t.Context())); err != nil {
			t.Error(err)
		}
	})
}

// awsThrough puts a server of the test's own before AWS, for one user: answer
// may answer a request itself (true) or let it pass. What it gives is for the
// user's environment.
func awsThrough(t *testing.T, bed *testbed.Bed, answer func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	return "AWS_ENDPOINT_URL=" + serverBefore(t, bed.AWSEndpoint, answer)
}

// kubeThrough is awsThrough for the API server: what it gives is the user of a
// kubeconfig that leads through.
func kubeThrough(t *testing.T, user run.User, answer func(w http.ResponseWriter, r *http.Request) bool) run.User {
	t.Helper()
	path, err := user.Bed.KubeProxy(t.Context(), user.Kubeconfig, func(int64, *http.Request) error { return nil })
	if err != nil {
		t.Fatal(err)
	}
	config, err := clientcmd.LoadFromFile(path)
	if err != nil {
		t.Fatal(err)
	}
	cluster := config.Clusters[config.Contexts[config.CurrentContext].Cluster]
	cluster.Server = serverBefore(t, cluster.Server, answer)
	user.Kubeconfig = filepath.Join(t.TempDir(), "kubeconfig")
	if err := clientcmd.WriteToFile(*config, user.Kubeconfig); err != nil {
		t.Fatal(err)
	}
	return user
}

// serverBefore puts a server before another until the test ends, and gives its
// URL.
func serverBefore(t *testing.T, target string, answer func(w http.ResponseWriter, r *http.Request) bool) string {
	t.Helper()
	to, err := url.Parse(target)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{
		Rewrite:       func(r *httputil.ProxyRequest) { r.SetURL(to) },
		FlushInterval: -1, // watches: every byte at once
		ErrorHandler:  func(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) },
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(func() {
		server.CloseClientConnections() // what is held ends with its connection
		server.Close()
	})
	return server.URL
}

// inventory is what an install left on record, as JSON.
func inventory(t *testing.T, bed *testbed.Bed, namespace string) string {
	t.Helper()
	record, err := bed.Client.CoreV1().ConfigMaps(namespace).Get(t.Context(), "ostoy-s3", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return fmt.Sprint(record.Data)
}

// formAction is the action of a request to IAM or STS, empty for S3. The body
// stays readable.
func formAction(r *http.Request) string {
	body, err := io.ReadAll(r.Body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if err != nil {
		return ""
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return ""
	}
	return form.Get("Action")
}
