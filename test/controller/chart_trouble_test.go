package controller_test

import (
	"context"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/relay"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// chartIdentity: a pod that the webhook missed is made anew, and what was chosen
// once stays.
func (s *scene) chartIdentity(t *testing.T) {
	s.Webhook.Miss(namespace, 1)
	s.install(t, "--chart", theChart(t), "--identity", "annotation").WantTalk(t,
		"its role by the annotation of its service account", "does not work as its role", "it is made anew", "1 of 1 available")
	s.wantIdentity(t)
	s.install(t, "--chart", theChart(t)).WantTalk(t, "nothing to change")
	s.install(t, "--chart", theChart(t), "--identity", "subscription").WantTalk(t, "AWS_WEB_IDENTITY_TOKEN_FILE", "1 of 1 available")
	s.wantIdentity(t)
	s.install(t, "--chart", theChart(t)).WantTalk(t, "nothing to change")
}

// chartDefinitions: those that others brought, or left behind, are used as they
// are.
func (s *scene) chartDefinitions(t *testing.T) {
	definitions := filepath.Join(theChart(t), "crds", "s3.services.k8s.aws_buckets.yaml")
	s.Admin.Kubectl(t, "create", "-f", definitions, "--field-manager=helm").WantCode(t, 0)
	s.install(t, "--chart", theChart(t)).WantTalk(t, definition+" is there already, and others brought it: it is used as it is", "8 created", "1 of 1 available")
	s.install(t, "--chart", theChart(t)).WantTalk(t, "nothing to change")
	managers := func() (names []string) {
		crd, err := s.Dynamic.Resource(crds()).Get(t.Context(), definition, metav1.GetOptions{})
		must(t, err)
		for _, field := range crd.GetManagedFields() {
			names = append(names, field.Manager)
		}
		return names
	}
	if names := strings.Join(managers(), " "); strings.Contains(names, "ostoy-s3") {
		t.Errorf("it is managed by %s", names)
	}
	s.install(t, "--chart", theChart(t), "--force-conflicts", "--force-owner").WantTalk(t, "CustomResourceDefinition "+definition)
	if names := strings.Join(managers(), " "); !strings.Contains(names, "ostoy-s3") {
		t.Errorf("it is managed by %s", names)
	}
	if names := strings.Join(managers(), " "); strings.Contains(names, "helm") {
		t.Errorf("it is still managed by %s", names)
	}
	s.install(t, "--chart", theChart(t)).WantTalk(t, "nothing to change")
}

// chartRefused touches nothing.
func (s *scene) chartRefused(t *testing.T) {
	other := t.TempDir()
	must(t, os.MkdirAll(filepath.Join(other, "templates"), 0o755))
	must(t, os.WriteFile(filepath.Join(other, "Chart.yaml"), []byte("apiVersion: v2\nname: other\nversion: 1.2.3\n"), 0o644))
	must(t, os.WriteFile(filepath.Join(other, "templates", "a.yaml"), []byte(extraConfig), 0o644))
	registry := registryOf(t, map[string][]byte{"1.10.0": packed(t, theChart(t))})
	for _, one := range []struct {
		name string
		args []string
		talk []string
	}{
		{"another chart", []string{"--chart", other}, []string{"other 1.2.3", "it holds no Deployment of the ACK S3 controller", "try   --chart oci://"}},
		{"no such path", []string{"--chart", filepath.Join(other, "none")}, []string{"none", "there is no such file or folder", "try   check the path"}},
		{"no chart", []string{"--chart", filepath.Join(other, "templates")}, []string{"no Chart.yaml", "try   give the folder"}},
		{"no such tag", []string{"--chart", registry + ":9.9.9"}, []string{":9.9.9", "no such version; the newest is 1.10.0", "try   "}},
		{"upgrade", []string{"--chart", registry, "--upgrade"}, []string{"--upgrade is OLM's"}},
		{"values it does not take", []string{"--chart", chartWith(t, map[string]string{"values.schema.json": `{"properties":{"aws":{"additionalProperties":false}}}`})}, []string{"do not fit the chart of --chart, s3-chart", "additional properties", "try   "}},
	} {
		result := s.Admin.Run(t, append([]string{"controller", "install", "--bucket-pattern", "*-bucket"}, one.args...)...)
		if result.Code != misused {
			t.Errorf("%s: exit code %d\n%s", one.name, result.Code, result)
		}
		result.WantStdout(t, "").WantTalk(t, one.talk...)
	}
	if roles := s.roles(t.Context(), t); len(roles) > 0 {
		t.Errorf("roles were made: %v", roles)
	}
	s.Admin.Kubectl(t, "get", "namespace", namespace).WantCode(t, 1)
	s.Admin.Kubectl(t, "get", "crd", definition).WantCode(t, 1)
}

// chartRights: everything that is missing, at once, before anything is touched.
func (s *scene) chartRights(t *testing.T) {
	must(t, s.NewNamespace(t.Context(), "demo", "learner"))
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantStdout(t, "").WantTalk(t,
		"you may not install the ACK S3 controller", "in the whole cluster: create, get, patch clusterroles.rbac.authorization.k8s.io", "list deployments.apps", "get namespaces",
		"oc ostoy-s3 controller render")
	learner.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--chart", theChart(t)).WantCode(t, refused).WantTalk(t,
		"in the whole cluster: create, get, patch clusterrolebindings", "create, get, patch clusterroles", "create, get, patch customresourcedefinitions", "create, get namespaces",
		"in ack-system: create, get, patch configmaps", "create, get, list, patch, watch deployments.apps", "pods/log", "serviceaccounts",
		"oc ostoy-s3 controller render --chart "+theChart(t))
	// Who may look, and nothing else, is told what the chart takes.
	s.Admin.Kubectl(t, "create", "clusterrole", "test-look", "--verb=get,list", "--resource=deployments.apps,customresourcedefinitions.apiextensions.k8s.io,namespaces,configmaps").WantCode(t, 0)
	s.Admin.Kubectl(t, "create", "clusterrolebinding", "test-look", "--clusterrole=test-look", "--user=learner").WantCode(t, 0)
	t.Cleanup(func() {
		ctx, rights := context.WithoutCancel(t.Context()), s.Client.RbacV1()
		must(t, rights.ClusterRoleBindings().Delete(ctx, "test-look", metav1.DeleteOptions{}))
		must(t, rights.ClusterRoles().Delete(ctx, "test-look", metav1.DeleteOptions{}))
	})
	learner.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--oidc-issuer", s.Issuer).WantCode(t, refused).WantTalk(t, "in the whole cluster: create, get, patch clusterroles").WantNoTalk(t, "deployments")
	learner.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--oidc-issuer", s.Issuer, "--chart", theChart(t)).WantCode(t, refused).WantTalk(t,
		"create, get, patch clusterrolebindings", "create, patch customresourcedefinitions", "create namespaces", "create, patch, watch deployments.apps", "create, patch configmaps")
	s.wantNothingWritten(t)
}

// chartRender prints what install applies.
func (s *scene) chartRender(t *testing.T) {
	s.Admin.Run(t, "controller", "render").WantCode(t, done).WantStdout(t, s.Admin.Run(t, "controller", "render", "--values").WantCode(t, done).Stdout)
	rendered := s.Admin.Run(t, "controller", "render", "--chart", theChart(t)).WantCode(t, done).Stdout
	for _, kind := range []string{"Deployment", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"} {
		if !strings.Contains(rendered, "kind: "+kind+"\n") {
			t.Fatalf("no %s is rendered:\n%s", kind, rendered)
		}
	}
	if values := s.Admin.Run(t, "controller", "render", "--values").Stdout; !strings.Contains(values, "ValidatingAdmissionPolicy ostoy-s3-buckets,") ||
		!strings.Contains(values, "oc ostoy-s3 controller render --chart oci://") {
		t.Errorf("the values do not say where the admission policy is:\n%s", values)
	}
	must(t, s.NewNamespace(t.Context(), namespace))
	s.Admin.Typing(rendered).Kubectl(t, "apply", "--server-side", "--dry-run=server", "-f", "-").WantCode(t, 0)
	s.install(t, "--chart", theChart(t))
	s.Admin.WantNothingToApply(t, rendered, "--field-manager=ostoy-s3")
}

// chartWithController: the app's install names the way, and uses what came by it.
func (s *scene) chartWithController(t *testing.T) {
	must(t, s.NewNamespace(t.Context(), "demo"))
	s.Admin.Run(t, "install", "-n", "demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, refused).WantStdout(t, "").WantTalk(t,
		"no Operator Lifecycle Manager to install it", "it comes by ACK's chart", "oc ostoy-s3 controller install --chart oci://", "then the same command again")
	s.wantNothingWritten(t)
	s.install(t, "--chart", theChart(t))
	s.Admin.Run(t, "install", "-n", "demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "✔ demo-bucket", "✔ verified")
	s.Admin.Run(t, "install", "-n", "demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "nothing to change")
	s.Admin.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)
}

// chartUninstall takes all of it away, but the kind of all Buckets.
func (s *scene) chartUninstall(t *testing.T) {
	chart := chartWith(t, map[string]string{"templates/extra.yaml": extraConfig})
	s.install(t, "--chart", chart)
	would := s.Admin.Run(t, "controller", "uninstall", "--dry-run").WantCode(t, done).WantTalk(t,
		"would remove", "Deployment", "role ack-s3-controller-", "namespace ack-system", "would keep", "CustomResourceDefinition "+definition)
	did := s.Admin.Run(t, "controller", "uninstall").WantCode(t, done)
	if a, b := fateOf(would.Stderr, "would remove"), fateOf(did.Stderr, "removed"); a != b || a == "" {
		t.Errorf("would remove %q, removed %q", a, b)
	}
	s.wantNothingOfAChart(t)
	s.Admin.Kubectl(t, "get", "crd", definition).WantCode(t, 0)
	s.Admin.Run(t, "controller", "uninstall").WantCode(t, done).WantTalk(t, "nothing to remove")
	// What it left is ours to use again.
	s.install(t, "--chart", theChart(t)).WantTalk(t, "1 of 1 available").WantNoTalk(t, "others brought it")
}

// fateOf is what stands behind a word that begins a paragraph of the report.
func fateOf(talk, word string) string {
	_, after, _ := strings.Cut("\n"+talk, "\n"+word+"  ")
	var lines []string
	for n, line := range strings.Split(after, "\n") {
		if n > 0 && !strings.HasPrefix(line, " ") {
			break
		}
		lines = append(lines, strings.TrimSpace(line))
	}
	return strings.Join(lines, " ")
}

func (s *scene) wantNothingOfAChart(t *testing.T) {
	t.Helper()
	if roles := s.roles(t.Context(), t); len(roles) > 0 {
		t.Errorf("roles are left: %v", roles)
	}
	s.Admin.Kubectl(t, "get", "namespace", namespace).WantCode(t, 1)
	left := s.Admin.Kubectl(t, "get", "clusterroles,clusterrolebindings", "-o", "name").WantCode(t, 0).Stdout
	for _, name := range strings.Fields(left) {
		if strings.Contains(name, "ack-s3") || strings.Contains(name, "ostoy-s3") {
			t.Errorf("%s is left", name)
		}
	}
}

// chartKilled: each run is killed when it has done one thing, until one finds no more
// to do than that; in the end all is as after a run that nobody disturbed. An install
// first marks the inventory that an earlier one wrote, which is one write more.
func (s *scene) chartKilled(t *testing.T) {
	s.killedOverAndOver(t, 3, "controller", "install", "--bucket-pattern", "*-bucket", "--chart", theChart(t))
	s.install(t, "--chart", theChart(t)).WantTalk(t, "nothing to change")
	s.wantIdentity(t)
	s.killedOverAndOver(t, 2, "controller", "uninstall")
	s.Admin.Run(t, "controller", "uninstall").WantCode(t, done).WantTalk(t, "nothing to remove")
	s.wantNothingOfAChart(t)
}

func (s *scene) killedOverAndOver(t *testing.T, atWrite int64, args ...string) {
	t.Helper()
	const enough = 40
	kills := 0
	for ; kills < enough && s.killedAtWrite(t, atWrite, args...); kills++ {
	}
	if kills < 5 || kills == enough {
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
