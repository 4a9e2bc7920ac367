// Package gitops_test is about manifests that are committed and installs that
// others manage, too: directories, engines and their documents, `oc ostoy-s3
// diff`, `install --diff`, `oc ostoy-s3 release`, and being taken over by Argo CD
// and Flux. What docs/gitops.md and docs/moving.md say is walked. One bed serves
// all, one namespace each.
package gitops_test

import (
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) {
	const atOnce = 4
	os.Exit(run.MainSharing(m, testbed.Options{Platform: testbed.ROSAHCP}, atOnce))
}

// The exit codes of diff, and what install refuses with.
const (
	none, some, misused, refused, undecided = 0, 1, 2, 4, 5
)

// must ends the test where the test itself could not do something.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// installed is the cluster admin, who has installed in a new project.
func installed(t *testing.T, namespace string, flags ...string) run.User {
	t.Helper()
	admin := run.Admin(run.TheBed(t))
	admin.Run(t, append([]string{"install", "--new-project=" + namespace}, flags...)...).WantCode(t, 0)
	return admin
}

// wantStdout wants every text on stdout, and none of those after "not".
func wantStdout(t *testing.T, r run.Result, texts ...string) {
	t.Helper()
	for _, text := range texts {
		unwanted, not := strings.CutPrefix(text, "not ")
		if not && strings.Contains(r.Stdout, unwanted) || !not && !strings.Contains(r.Stdout, text) {
			t.Errorf("stdout: want %q\n%s", text, r)
		}
	}
}

// asked are the requests of the tool since a mark that have to do with a
// namespace.
func asked(t *testing.T, bed *testbed.Bed, mark int64, namespace string) []testbed.KubeRequest {
	t.Helper()
	all, err := bed.KubeRequests(mark, run.Name)
	must(t, err)
	return slices.DeleteFunc(all, func(k testbed.KubeRequest) bool { return !strings.Contains(k.URI+"/", "/"+namespace+"/") })
}

// wantOnlyLooks wants requests that persist nothing, and none of them twice.
func wantOnlyLooks(t *testing.T, requests []testbed.KubeRequest) {
	t.Helper()
	if len(requests) == 0 {
		t.Error("nothing was asked: the test looks in the wrong place")
	}
	seen := map[string]bool{}
	for _, k := range requests {
		address, err := url.Parse(k.URI)
		must(t, err)
		dry := address.Query().Get("dryRun") == "All"
		if k.Verb != "get" && k.Verb != "list" && !dry {
			t.Errorf("it wrote: %s %s", k.Verb, k.URI)
		}
		line := k.Verb + " " + k.URI
		if seen[line] {
			t.Errorf("asked twice: %s", line)
		}
		seen[line] = true
	}
}
