package controller_test

import (
	"context"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// helmIdentity: a pod that the webhook missed is recreated, and a role that the pod does
// not have is reported.
func (s *scene) helmIdentity(t *testing.T) {
	s.install(t, "--identity", "annotation", "--wait=false").WantStdout(t, helmBegin+" -f <(oc ostoy-s3 controller render --values --identity annotation)\n")
	s.Webhook.Miss(namespace, 1)
	s.helmInstalls(t, "--identity", "annotation")
	s.install(t).WantTalk(t, "does not work as its role", "1 of 1 available")
	s.wantIdentity(t)
	s.helm(t, "uninstall", "ack-s3-controller", "-n", namespace, "--wait")
	s.helmInstalls(t, "--role-name", "other")
	s.Admin.Run(t, "controller", "install", "--identity", "subscription", "--timeout=20s").WantCode(t, notReady).WantTalk(t, "does not work as its role", "other")
}

// helmPermissions: everything that is missing is reported before anything is changed.
func (s *scene) helmPermissions(t *testing.T) {
	must(t, s.NewNamespace(t.Context(), "demo", "learner"))
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantStdout(t, "").WantTalk(t,
		"you may not install the ACK S3 controller", "in the whole cluster: create, get, patch clusterroles.rbac.authorization.k8s.io", "list deployments.apps", "get namespaces",
		"in ack-system: create, get, patch configmaps", "pods/log", "oc ostoy-s3 controller render")
	// Who may look, and nothing else, is told what the installation takes.
	s.Admin.Kubectl(t, "create", "clusterrole", "test-look", "--verb=get,list", "--resource=deployments.apps,customresourcedefinitions.apiextensions.k8s.io,namespaces,configmaps").WantCode(t, 0)
	s.Admin.Kubectl(t, "create", "clusterrolebinding", "test-look", "--clusterrole=test-look", "--user=learner").WantCode(t, 0)
	t.Cleanup(func() {
		ctx, rights := context.WithoutCancel(t.Context()), s.Client.RbacV1()
		must(t, rights.ClusterRoleBindings().Delete(ctx, "test-look", metav1.DeleteOptions{}))
		must(t, rights.ClusterRoles().Delete(ctx, "test-look", metav1.DeleteOptions{}))
	})
	learner.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--oidc-issuer", s.Issuer).WantCode(t, refused).WantTalk(t,
		"in the whole cluster: create, get, patch clusterroles", "create namespaces", "create, patch configmaps", "watch deployments.apps")
	s.wantNothingWritten(t)
}

// helmWithController: the app's install has the commands, and uses the controller later.
func (s *scene) helmWithController(t *testing.T) {
	must(t, s.NewNamespace(t.Context(), "demo"))
	install := []string{"install", "-n", "demo", "--with-controller", "--bucket-pattern", "*-bucket"}
	s.Admin.Run(t, install...).WantCode(t, refused).WantStdout(t, "").WantTalk(t,
		"no Operator Lifecycle Manager to install it", "oc ostoy-s3 controller install --bucket-pattern '*-bucket'", strings.TrimSuffix(helmLine, "\n"), "then the same command again")
	s.wantNothingWritten(t)
	s.install(t, "--wait=false")
	s.helmInstalls(t)
	s.Admin.Run(t, install...).WantCode(t, done).WantTalk(t, "✔ demo-bucket", "✔ verified")
	s.Admin.Run(t, install...).WantCode(t, done).WantTalk(t, "nothing to change")
	s.Admin.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)
}

// helmKilled: each run is killed when it has done one thing, until one finds no more to do
// than that; in the end all is as after a run that nobody disturbed. An install first marks
// the inventory that an earlier one wrote, which is one write more.
func (s *scene) helmKilled(t *testing.T) {
	s.killedOverAndOver(t, 3, "controller", "install", "--bucket-pattern", "*-bucket", "--wait=false")
	s.install(t, "--wait=false").WantTalk(t, "nothing to change")
	s.killedOverAndOver(t, 2, "controller", "uninstall")
	s.uninstall(t).WantTalk(t, "nothing to remove")
	if have := s.there(t); len(have) > 0 {
		t.Errorf("left: %q", have)
	}
}

func (s *scene) killedOverAndOver(t *testing.T, atWrite int64, args ...string) {
	t.Helper()
	const enough, least = 40, 3
	kills := 0
	for ; kills < enough && s.killedAtWrite(t, atWrite, args...); kills++ {
	}
	if kills < least || kills == enough {
		t.Errorf("%v was killed %d times", args, kills)
	}
}

// killedAtWrite reports whether a run got as far as that; else it ended well.
func (s *scene) killedAtWrite(t *testing.T, atWrite int64, args ...string) bool {
	t.Helper()
	var writes atomic.Int64
	var dead atomic.Bool
	started := make(chan struct{})
	var victim *run.Running
	r, err := relay.Open(t.Context(), s.Bed, s.Admin.Kubeconfig, func(e *relay.Exchange) {
		switch {
		case dead.Load():
			e.Cut()
		case !changes(e) || writes.Add(1) < atWrite:
			e.Pass()
		default:
			<-started
			dead.Store(true)
			_ = victim.Cmd.Process.Kill() // it may have ended a moment ago
			e.Cut()
		}
	})
	must(t, err)
	victim = run.Prepare(t, r.User(s.Admin), args...)
	victim.Start(t, func() { close(started) })
	result := victim.Ends(t)
	if !dead.Load() {
		result.WantCode(t, done)
	}
	return dead.Load()
}

// changes tells a request that changes something.
func changes(e *relay.Exchange) bool {
	if e.AWS {
		return e.Service == "iam" && !strings.HasPrefix(e.Action, "Get") && !strings.HasPrefix(e.Action, "List")
	}
	return e.HTTP.Method != "GET" && !strings.Contains(e.Name, "authorization.k8s.io") && !strings.Contains(e.Name, "dryRun=All") && !strings.Contains(e.Name, "/token")
}
