package controller_test

import (
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

// install installs and looks at what there must be then.
func (s *scene) install(t *testing.T, flags ...string) run.Result {
	t.Helper()
	args := append([]string{"controller", "install"}, flags...)
	if !slices.Contains(flags, "--bucket-pattern") && !slices.Contains(flags, "--policy-arn") {
		args = append(args, "--bucket-pattern", "*-bucket")
	}
	result := s.Admin.Run(t, args...)
	return result.WantCode(t, done)
}

// csv is the name of the one version that is installed.
func (s *scene) csv(t *testing.T) string {
	t.Helper()
	versions := s.objects(t, olm("clusterserviceversions"))
	if len(versions) != 1 {
		t.Fatalf("%d versions are installed, want one", len(versions))
	}
	phase, _, _ := unstructured.NestedString(versions[0].Object, "status", "phase")
	if phase != "Succeeded" {
		t.Errorf("%s is %s", versions[0].GetName(), phase)
	}
	return versions[0].GetName()
}

// wantIdentity: each pod of the controller works as the one role of ours.
func (s *scene) wantIdentity(t *testing.T) {
	t.Helper()
	roles := s.roles(t.Context(), t)
	if len(roles) != 1 || !strings.HasPrefix(roles[0], "ack-s3-controller-") {
		t.Fatalf("roles %v, want the controller's", roles)
	}
	pods, err := s.Client.CoreV1().Pods(namespace).List(t.Context(), metav1.ListOptions{})
	must(t, err)
	alive := 0
	for _, pod := range pods.Items {
		if pod.DeletionTimestamp != nil {
			continue
		}
		alive++
		variables := map[string]string{}
		for _, env := range pod.Spec.Containers[0].Env {
			variables[env.Name] = env.Value
		}
		if want := "arn:aws:iam::123456789012:role/ostoy-s3-controller/" + roles[0]; variables["AWS_ROLE_ARN"] != want || variables["AWS_WEB_IDENTITY_TOKEN_FILE"] == "" {
			t.Errorf("pod %s has %v, want role %s", pod.Name, variables, want)
		}
	}
	if alive != 1 {
		t.Errorf("%d pods, want one", alive)
	}
}

// annotation is the role that the service account names.
func (s *scene) annotation(t *testing.T) string {
	t.Helper()
	account, err := s.Client.CoreV1().ServiceAccounts(namespace).Get(t.Context(), "ack-s3-controller", metav1.GetOptions{})
	must(t, err)
	return account.Annotations["eks.amazonaws.com/role-arn"]
}

func TestInstall(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t).WantStdout(t, "").WantTalk(t,
		"+ namespace ack-system", "1.13.0 by OLM", "✔ operator           1.13.0 installed",
		"1 of 1 available, as ostoy-s3-controller/ack-s3-controller-")
	if csv := s.csv(t); csv != "ack-s3-controller.v1.13.0" {
		t.Errorf("installed %s, want the newest", csv)
	}
	s.wantIdentity(t)
	if s.annotation(t) == "" {
		t.Error("the service account names no role")
	}

	s.mark = s.KubeMark()
	before := s.written(t)
	s.install(t).WantTalk(t, "nothing to change").WantNoTalk(t, "Plan", "restored", "created")
	if after := s.written(t); len(after) != len(before) {
		t.Errorf("a second run wrote %v", after)
	}

	// A learner's app finds its bucket made.
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "install", "--new-project=demo").WantCode(t, done).WantTalk(t, "✔ demo-bucket", "✔ verified")
	s.Admin.Run(t, "check", "-n", "demo").WantCode(t, done)
	learner.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes", "--delete-namespace").WantCode(t, done)
}

// written are the writes on record since the mark.
func (s *scene) written(t *testing.T) []string {
	t.Helper()
	asked, err := s.KubeRequests(s.mark, run.Name)
	must(t, err)
	var writes []string
	for _, r := range asked {
		if (r.Verb == "create" || r.Verb == "patch" || r.Verb == "update" || r.Verb == "delete") &&
			!strings.Contains(r.URI, "dryRun=All") && !strings.Contains(r.URI, "authorization.k8s.io") {
			writes = append(writes, r.Verb+" "+r.URI)
		}
	}
	return writes
}

func TestDryRun(t *testing.T) {
	t.Parallel()
	s := begin(t)
	for _, how := range []string{"client", "server"} {
		s.install(t, "--dry-run="+how).WantTalk(t, "+ namespace ack-system", "1.13.0 by OLM", "nothing was changed: this was a dry run")
	}
	s.wantNothingWritten(t)
}

// TestEditsArePutBack: what somebody changed by hand is shown and mended.
func TestEditsArePutBack(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.install(t)
	s.Admin.Kubectl(t, "-n", namespace, "patch", "configmap", "ack-s3-user-config", "--type=merge", "-p", `{"data":{"FEATURE_GATES":null,"ACK_LOG_LEVEL":"debug"}}`).WantCode(t, 0)
	s.install(t).WantTalk(t, "~ object    ConfigMap ack-s3-user-config", "data.ACK_LOG_LEVEL: debug → info", "kubectl-patch", "1 updated")
	s.install(t).WantTalk(t, "nothing to change")
}

func TestOlderVersion(t *testing.T) {
	t.Parallel()
	s := begin(t)
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--version", "9.9.9").WantCode(t, refused).WantTalk(t, "9.9.9", "1.13.0")
	s.wantNothingWritten(t)
	s.install(t, "--version", "1.10.0").WantTalk(t, "1.10.0 by OLM", "1.10.0 installed")
	if csv := s.csv(t); csv != "ack-s3-controller.v1.10.0" {
		t.Errorf("installed %s", csv)
	}
	// The catalog has a newer one: said, not done.
	eventually(t, "the upgrade waits", s.upgradeWaits)
	s.install(t).WantTalk(t, "is available: oc ostoy-s3 controller install --upgrade", "nothing to change")
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--version", "1.13.0").WantCode(t, refused).WantTalk(t, "--upgrade")
	if csv := s.csv(t); csv != "ack-s3-controller.v1.10.0" {
		t.Errorf("%s came by itself", csv)
	}
}

func TestAsADocument(t *testing.T) {
	t.Parallel()
	s := begin(t)
	var told struct {
		Mode, Version, Identity, Role string
		Ready                         bool
		Changes                       []struct{ Object, Action string }
		Approved                      []string
	}
	s.install(t, "-o", "json").JSON(t, &told)
	if told.Mode != "OLM" || told.Version != "1.13.0" || told.Identity != "subscription" || !told.Ready || len(told.Approved) != 1 || len(told.Changes) < 8 {
		t.Errorf("%+v", told)
	}
}

func TestWithController(t *testing.T) {
	t.Parallel()
	s := begin(t)
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "install", "--new-project=demo").WantCode(t, refused).
		WantTalk(t, "the cluster does not know Buckets", "oc ostoy-s3 controller install", "nothing was changed")
	learner.Run(t, "install", "--new-project=demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, refused).
		WantTalk(t, "you may not install the ACK S3 controller", "create, get namespaces", "subscriptions.operators.coreos.com", "oc ostoy-s3 controller render")
	s.Admin.Run(t, "install", "--new-project=demo", "--with-controller", "--bucket-pattern", "*-bucket", "--dry-run=server").WantCode(t, done).
		WantTalk(t, "1.13.0 by OLM", "+ project   demo", "+ bucket    demo-bucket")
	s.wantNothingWritten(t)

	url := s.Admin.Run(t, "install", "--new-project=demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, done).
		WantTalk(t, "✔ operator", "✔ demo-bucket", "✔ verified").Stdout
	if url != "http://ostoy-route-demo.apps.lab.example.com\n" {
		t.Errorf("stdout %q", url)
	}
	s.Admin.Run(t, "install", "-n", "demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "nothing to change")
	s.Admin.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)
	s.Admin.Run(t, "install", "-n", "demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "✔ verified")
	s.Admin.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)
}

// TestWithControllerInAProjectThatIsThere plans Buckets that nobody serves yet.
func TestWithControllerInAProjectThatIsThere(t *testing.T) {
	t.Parallel()
	s := begin(t)
	must(t, s.NewNamespace(t.Context(), "demo"))
	s.Admin.Run(t, "install", "-n", "demo", "--with-controller", "--bucket-pattern", "*-bucket").WantCode(t, done).WantTalk(t, "+ bucket    demo-bucket", "✔ verified")
	s.Admin.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)
}
