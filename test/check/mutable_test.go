package check_test

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// testMutableImagesAdvice adds to an install what app-image-mutable advises, with the
// digests that the kubelet reports, and wants the check to pass then.
func testMutableImagesAdvice(t *testing.T, bed *testbed.Bed) {
	s := &scene{Bed: bed, Namespace: "digests", User: run.ProjectAdmin(t, bed, "digests-maker")}
	s.User.Run(t, "install", "--new-project="+s.Namespace).WantCode(t, 0)
	var flags []string
	for n, name := range []string{"frontend", "microservice"} {
		digest := "sha256:" + strings.Repeat(fmt.Sprint(n+1), 64)
		flags = append(flags, "--set", name+".image.digest="+digest)
		for _, pod := range s.pods(t, "ostoy-"+name) {
			s.status(t, "pod", pod, fmt.Sprintf(`{"containerStatuses":[{"name":"ostoy-%[1]s","image":"quay.io/ostoylab/ostoy-%[1]s","imageID":"quay.io/ostoylab/ostoy-%[1]s@%[2]s",
				"ready":true,"started":true,"restartCount":0,"state":{"running":{}}}]}`, name, digest))
		}
	}
	eventually(t, func(context.Context) error {
		found := s.mutable(t)
		if words := "add to the values and flags of your install: " + strings.Join(flags, " "); found.Status != "warning" || !strings.HasSuffix(found.Next, words) {
			return fmt.Errorf("%+v, want a warning that ends with %q", found, words)
		}
		return nil
	})
	s.User.Run(t, append([]string{"install", "-n", s.Namespace}, flags...)...).WantCode(t, 0).WantTalk(t, "@sha256:1111", "@sha256:2222")
	if found := s.mutable(t, flags...); found.Status != "passed" {
		t.Errorf("after the advice: %+v", found)
	}
}

// mutable is the outcome of app-image-mutable.
func (s *scene) mutable(t *testing.T, flags ...string) outcome {
	t.Helper()
	var document struct{ Checks []outcome }
	s.User.Run(t, append([]string{"check", "-n", s.Namespace, "-o", "json"}, flags...)...).JSON(t, &document)
	at := slices.IndexFunc(document.Checks, func(o outcome) bool { return o.ID == "app-image-mutable" })
	if at < 0 {
		t.Fatal("the check did not run")
	}
	return document.Checks[at]
}
