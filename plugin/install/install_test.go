package install

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// TestCutOff: who stops a run is told what it did, and that another goes on.
func TestCutOff(t *testing.T) {
	d := &Done{}
	stopped, cancel := context.WithCancel(t.Context())
	cancel()
	kind := func(err error) problem.Kind {
		var told *problem.Error
		if !errors.As(err, &told) {
			return 0
		}
		return told.Kind
	}
	if err := session.CutOff(stopped, fmt.Errorf("wait: %w", context.Canceled), time.Minute, d.SoFar); kind(err) != problem.Interrupted || !strings.Contains(err.Error(), "nothing was changed") {
		t.Errorf("interrupted before anything: %v", err)
	}
	d.Project = "demo"
	d.Objects = map[apply.Action]int{apply.Create: 3, apply.Update: 1}
	d.Role, d.RoleName, d.RoleSteps = &iam.Result{Done: make([]iam.Step, 1)}, "learner", 2
	err := session.CutOff(t.Context(), fmt.Errorf("patch: %w", context.DeadlineExceeded), time.Minute, d.SoFar)
	for _, want := range []string{"--timeout 1m0s", "project demo created", "role learner: 1 of 2 steps", "3 created, 1 updated"} {
		if kind(err) != problem.Failed || !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q: %v", want, err)
		}
	}
	request := &url.Error{Op: "Get", URL: "https://api:6443/api/v1/namespaces/demo?limit=1", Err: context.DeadlineExceeded}
	for want, err := range map[string]error{
		"it was waiting for Secret x to be read":                   fmt.Errorf("plan: %w", problem.While("Secret x to be read", context.DeadlineExceeded)),
		"no answer in time to GET api:6443/api/v1/namespaces/demo": fmt.Errorf("look: %w", request),
		"AWS did not do iam:GetRole: no answer in time":            &problem.Error{Kind: problem.Failed, What: "AWS did not do iam:GetRole", Err: context.DeadlineExceeded},
	} {
		if err := session.CutOff(t.Context(), err, time.Minute, d.SoFar); kind(err) != problem.Failed || !strings.Contains(err.Error(), want+"\n") {
			t.Errorf("does not say %q: %v", want, err)
		}
	}
	refused := &problem.Error{Kind: problem.Refused, What: "no"}
	if err := session.CutOff(t.Context(), refused, time.Minute, d.SoFar); kind(err) != problem.Refused {
		t.Errorf("a refusal became %v", err)
	}
	verdict := &problem.Error{Kind: problem.NotReady, Err: context.DeadlineExceeded}
	if err := session.CutOff(t.Context(), verdict, time.Minute, d.SoFar); kind(err) != problem.NotReady {
		t.Errorf("a verdict became %v", err)
	}
	if session.CutOff(t.Context(), nil, time.Minute, d.SoFar) != nil {
		t.Error("a good end became an error")
	}
}
