package measure

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// agent is how the executable calls itself to servers.
const agent = "kubectl-ostoy_s3"

// Person is somebody who runs the executable on a bed.
type Person struct {
	Bed        *testbed.Bed
	Tool       string // path of the executable
	Kubeconfig string
	Env        []string // KEY=VALUE, wins over the bed's
}

// Run runs the executable to its end and gives the time it took.
func (p Person) Run(ctx context.Context, args ...string) (time.Duration, error) {
	home, err := os.MkdirTemp("", "ostoy-home-")
	if err != nil {
		return 0, err
	}
	defer func() { _ = os.RemoveAll(home) }()
	cmd := exec.CommandContext(ctx, p.Tool, args...)
	cmd.Dir = home
	cmd.Env = append(p.Bed.Env(), "HOME="+home, "KUBECONFIG="+p.Kubeconfig)
	cmd.Env = append(cmd.Env, p.Env...)
	var talk bytes.Buffer
	cmd.Stderr = &talk
	begin := time.Now()
	if err := cmd.Run(); err != nil {
		return 0, fmt.Errorf("%s %s: %w\n%s", agent, strings.Join(args, " "), err, talk.Bytes())
	}
	return time.Since(begin), nil
}

// Count runs the executable and tallies its requests. Nobody else may use the
// bed as its user at the same time.
func (p Person) Count(ctx context.Context, args ...string) (Tally, error) {
	if err := p.Bed.AWS.ResetLog(ctx); err != nil {
		return nil, err
	}
	mark := p.Bed.KubeMark()
	if _, err := p.Run(ctx, args...); err != nil {
		return nil, err
	}
	kube, err := p.settled(ctx, mark)
	if err != nil {
		return nil, err
	}
	aws, err := p.Bed.AWS.Log(ctx)
	return Count(kube, slices.DeleteFunc(aws, notOurs)), err
}

// notOurs are the requests that neither the user nor verify has made: the pods'
// and the controller's.
func notOurs(request testbed.AWSRequest) bool {
	return request.Principal != "admin" && !strings.HasSuffix(request.UserAgent, " app/ostoy-s3-verify")
}

// settled reads the log of requests when it has stopped growing: the API server
// writes a request down after it has answered.
func (p Person) settled(ctx context.Context, mark int64) ([]testbed.KubeRequest, error) {
	var found []testbed.KubeRequest
	err := testbed.Poll(ctx, 500*time.Millisecond, func(context.Context) error {
		before := len(found)
		var err error
		if found, err = p.Bed.KubeRequests(mark, agent); err != nil {
			return err
		}
		if before == 0 || len(found) != before {
			return fmt.Errorf("%d requests so far", len(found))
		}
		return nil
	})
	return found, err
}
