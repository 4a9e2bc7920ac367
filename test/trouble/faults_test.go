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
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

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
	to, err := url.Parse(bed.AWSEndpoint)
	if err != nil {
		t.Fatal(err)
	}
	forward := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(to) }}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !answer(w, r) {
			forward.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	return "AWS_ENDPOINT_URL=" + server.URL
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
