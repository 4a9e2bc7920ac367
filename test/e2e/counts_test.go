package e2e

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// requests are what one run asked.
type requests struct {
	kube []testbed.KubeRequest
	aws  []testbed.AWSRequest
}

// counted runs the tool while nobody else does, and prints what it asked.
func counted(t *testing.T, user run.User, args ...string) (run.Result, requests) {
	t.Helper()
	bed := user.Bed
	if err := bed.AWS.ResetLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	mark := bed.KubeMark()
	home := t.TempDir()
	result := user.With("HOME="+home).Run(t, args...)
	if left, err := os.ReadDir(home); err != nil || len(left) > 0 {
		t.Errorf("the run left %v in the home directory (%v)", left, err)
	}
	var asked requests
	asked.kube = settledRequests(t, user, mark)
	var err error
	if asked.aws, err = bed.AWS.Log(t.Context(), "admin"); err != nil {
		t.Fatal(err)
	}
	asked.aws = slices.DeleteFunc(asked.aws, testbed.AWSRequest.Again)
	t.Logf("%s\n%s", strings.Join(args, " "), asked)
	return result, asked
}

// settledRequests waits until the audit log is complete: the server writes a
// request down after it has answered it, so that one of kubectl's, made after
// the run, stands behind all of the run's.
func settledRequests(t *testing.T, user run.User, mark int64) []testbed.KubeRequest {
	t.Helper()
	user.Kubectl(t, "get", "--raw", "/version").WantCode(t, 0)
	eventually(t, "the audit log", func(context.Context) error {
		last, err := user.Bed.KubeRequests(mark, "kubectl/")
		if err == nil && len(last) == 0 {
			err = errors.New("is not complete")
		}
		return err
	})
	found, err := user.Bed.KubeRequests(mark, run.Name)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// String is the table of requests.
func (r requests) String() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d requests to the API server (%d writes), %d to AWS (%d to IAM, %d writes)\n",
		len(r.kube), len(r.kubeWrites()), len(r.aws), len(r.iam()), len(r.awsWrites()))
	for _, k := range r.kube {
		fmt.Fprintf(&b, "  %-7s %3d %s\n", k.Verb, k.Status.Code, k.URI)
	}
	for _, a := range r.aws {
		fmt.Fprintf(&b, "  %-7s %3d %s\n", a.Service, a.Status, a.Operation)
	}
	return b.String()
}

func (r requests) iam() []string {
	var operations []string
	for _, a := range r.aws {
		if a.Service == "iam" {
			operations = append(operations, a.Operation)
		}
	}
	slices.Sort(operations)
	return operations
}

// awsWrites are the requests that are not by their names mere questions.
func (r requests) awsWrites() []string {
	var writes []string
	for _, a := range r.aws {
		if !slices.ContainsFunc([]string{"Get", "List", "Head"}, func(verb string) bool { return strings.HasPrefix(a.Operation, verb) }) {
			writes = append(writes, a.Operation)
		}
	}
	return writes
}

// kubeWrites are the requests that persist something.
func (r requests) kubeWrites() []string {
	var writes []string
	for _, k := range r.kube {
		if !harmless(k) {
			writes = append(writes, k.Verb+" "+k.URI)
		}
	}
	return writes
}

// harmless requests persist nothing: reading, what is asked to be a dry run,
// and reviews, which the API server answers and forgets.
func harmless(k testbed.KubeRequest) bool {
	if slices.Contains([]string{"get", "list", "watch"}, k.Verb) {
		return true
	}
	address, err := url.Parse(k.URI)
	if err != nil {
		return false
	}
	return address.Query().Get("dryRun") == "All" || k.Verb == "create" && strings.HasPrefix(address.Path, "/apis/authorization.k8s.io/")
}

// wantFirstRequests: what a first install may cost. Where the project exists, each object is
// sent twice: the first time as a dry run, before the role exists. Two requests to IAM are about the
// controller's role, of which this bed's IAM knows nothing, and one is about the role
// that an earlier version may have created.
func wantFirstRequests(t *testing.T, asked requests) {
	t.Helper()
	const mostKube, mostAWS = 71, 11
	if iam := asked.iam(); len(iam) > 7 {
		t.Errorf("%d IAM requests, at most 7 are promised: %v", len(iam), iam)
	}
	wantAtMost(t, asked, mostKube, mostAWS)
	records := 0
	asked.kube = slices.DeleteFunc(asked.kube, func(k testbed.KubeRequest) bool {
		record := !harmless(k) && strings.Contains(k.URI, "/configmaps/ostoy-s3?")
		if record {
			records++
		}
		return record
	})
	if records != 2 {
		t.Errorf("the inventory was written %d times; want the objects before the first of them, and the rest at the end", records)
	}
	wantNoneTwice(t, asked)
}

// wantSecondRequests: what an install that has nothing to do may cost.
func wantSecondRequests(t *testing.T, asked requests) {
	t.Helper()
	want := []string{"GetOpenIDConnectProvider", "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"}
	if iam := asked.iam(); !slices.Equal(iam, want) {
		t.Errorf("IAM was asked %v, want %v", iam, want)
	}
	// The proof in the end takes away what it wrote.
	if writes := asked.awsWrites(); !slices.Equal(writes, []string{"DeleteObjects"}) {
		t.Errorf("AWS was written to: %v", writes)
	}
	if writes := asked.kubeWrites(); len(writes) > 0 {
		t.Errorf("the API server was written to: %v", writes)
	}
	const mostKube, mostAWS = 48, 10
	wantAtMost(t, asked, mostKube, mostAWS)
	wantNoneTwice(t, asked)
}

// wantAtMost holds what a run costs today, for whoever and wherever it costs
// most: one more is a decision, not an accident.
func wantAtMost(t *testing.T, asked requests, kube, aws int) {
	t.Helper()
	if n := len(asked.once()); n > kube {
		t.Errorf("%d requests to the API server, it was done with %d", n, kube)
	}
	if n := len(asked.aws); n > aws {
		t.Errorf("%d requests to AWS, it was done with %d", n, aws)
	}
}

// once are the requests to the API server that there is never a reason to
// repeat. Watches may be resumed; reviews are asked until the answer is yes, and a
// way into a pod until it listens, after another look at the pods; a
// token that nobody could give because there was no project, or no service
// account in it, is asked for again.
func (r requests) once() []testbed.KubeRequest {
	ways := 0
	return slices.DeleteFunc(slices.Clone(r.kube), func(k testbed.KubeRequest) bool {
		path, _, _ := strings.Cut(k.URI, "?")
		if strings.HasSuffix(path, "/portforward") {
			ways++
		}
		if ways > 0 && k.Verb == "list" && strings.HasSuffix(path, "/pods") {
			return true
		}
		return k.Verb == "watch" || strings.HasPrefix(path, "/apis/authorization.k8s.io/") ||
			strings.HasSuffix(path, "/token") && k.Status.Code >= 400 || strings.HasSuffix(path, "/portforward")
	})
}

// wantNoneTwice: one run asks nothing twice.
func wantNoneTwice(t *testing.T, asked requests) {
	t.Helper()
	times := map[string]int{}
	for _, k := range asked.once() {
		// Tokens are made for an audience, which the address does not tell.
		if path, _, _ := strings.Cut(k.URI, "?"); !strings.HasSuffix(path, "/token") {
			times[k.Verb+" "+k.URI]++
		}
	}
	for _, a := range asked.aws {
		times[a.Operation+" "+a.Resource]++
	}
	for request, n := range times {
		if n > 1 {
			t.Errorf("asked %d times: %s", n, request)
		}
	}
}

// wantNoAWSWrites: nobody who uses the tool has written anything to AWS that
// has to do with the namespace.
func wantNoAWSWrites(t *testing.T, bed *testbed.Bed, namespace string) {
	t.Helper()
	if writes := awsWritesOf(t, bed, namespace); len(writes) > 0 {
		t.Errorf("AWS was written to: %v", writes)
	}
}

// awsWritesOf are the tool's writes to role and bucket of a namespace.
func awsWritesOf(t *testing.T, bed *testbed.Bed, namespace string) []string {
	t.Helper()
	log, err := bed.AWS.Log(t.Context(), "admin")
	if err != nil {
		t.Fatal(err)
	}
	return requests{aws: slices.DeleteFunc(log, func(a testbed.AWSRequest) bool {
		before, after, _ := strings.Cut(a.Resource, namespace+"-")
		return !strings.HasSuffix(before, "/") && !strings.HasSuffix(before, ":") ||
			!strings.HasPrefix(after, "bucket") && !strings.HasPrefix(after, "ostoy-sa-")
	})}.awsWrites()
}
