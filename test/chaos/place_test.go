package chaos_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// place is where one scene is played, and by whom.
type place struct {
	bed       *testbed.Bed
	namespace string
	user      run.User
}

// forLearner is the same place, played in by an ordinary user of its own.
func (p place) forLearner(t *testing.T) place {
	t.Helper()
	p.user = run.ProjectAdmin(t, p.bed, "learner-of-"+p.namespace)
	return p
}

// through opens a relay before both servers for the user, until the test ends.
func (p place) through(t *testing.T, play relay.Play) (*relay.Relay, run.User) {
	t.Helper()
	r, err := relay.Open(t.Context(), p.bed, p.user.Kubeconfig, play)
	if err != nil {
		t.Fatal(err)
	}
	return r, r.User(p.user)
}

// end is how everything is when a command has ended well, in words that hold
// for every namespace. What garbage collection still takes away is waited for.
func (p place) end(t *testing.T) world.World {
	t.Helper()
	run.Eventually(t, "the end of what has no owner", p.noOrphans)
	if p.user.Name != run.Admin(p.bed).Name {
		run.Eventually(t, "the end of the project", p.notTerminating)
	}
	all := world.Look(t, p.bed, p.namespace)
	end := all.Comparable(p.bed, p.namespace)
	for key := range all {
		if strings.HasPrefix(key, "pods/") && !p.hasDeployments(all) {
			end["pods"] = "there"
		}
	}
	end["namespace"] = p.origin(t)
	return end
}

func (p place) hasDeployments(all world.World) bool {
	return all["deployments/ostoy-frontend"] != ""
}

// noOrphans wants no ReplicaSet without its Deployment: they go a moment later.
func (p place) noOrphans(ctx context.Context) error {
	sets, err := p.bed.Client.AppsV1().ReplicaSets(p.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	deployments, err := p.bed.Client.AppsV1().Deployments(p.namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return err
	}
	if len(sets.Items) > 0 && len(deployments.Items) == 0 {
		return fmt.Errorf("%d ReplicaSets", len(sets.Items))
	}
	return nil
}

// notTerminating wants the namespace to be there or not, and not in between. Who
// has lost the rights in a project, as its admin does early in its end, cannot
// see the rest of it, and nor can the tool.
func (p place) notTerminating(ctx context.Context) error {
	namespace, err := p.bed.Client.CoreV1().Namespaces().Get(ctx, p.namespace, metav1.GetOptions{})
	if err == nil && namespace.DeletionTimestamp != nil {
		return errors.New("it is terminating")
	}
	if apierrors.IsNotFound(err) {
		return nil
	}
	return err
}

// origin is who says to have made the namespace.
func (p place) origin(t *testing.T) string {
	t.Helper()
	list, err := p.bed.Client.CoreV1().Namespaces().List(t.Context(), metav1.ListOptions{FieldSelector: "metadata.name=" + p.namespace})
	if err != nil {
		t.Fatal(err)
	}
	if len(list.Items) == 0 {
		return "not there"
	}
	description, _, _ := strings.Cut(list.Items[0].Annotations["openshift.io/description"], " (")
	return "there, " + description
}

// undisturbed plays a scenario through a relay that only counts.
func (p place) undisturbed(t *testing.T, s scenario) (requests []string, end world.World) {
	t.Helper()
	s.prepare(t, p)
	counter, user := p.through(t, (*relay.Exchange).Pass)
	user.Run(t, s.args(p.namespace)...).WantCode(t, 0)
	requests = counter.Requests()
	if len(requests) == 0 {
		t.Fatal(errors.New("no request came through the relay"))
	}
	return requests, p.end(t)
}
