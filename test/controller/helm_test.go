package controller_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// chartDeployment is the name that ACK's chart gives its Deployment, and its objects
// outside of namespaces (templates/_helpers.tpl of helm/ in aws-controllers-k8s/s3-controller).
const chartDeployment = "ack-s3-controller-s3-chart"

// helmTools builds the helm that this module pins, once for all tests.
var helmTools = sync.OnceValues(func() (string, error) {
	return testbed.Tools(context.Background(), os.Stderr, "")
})

// helm runs helm as the cluster's admin.
func (s *scene) helm(t *testing.T, args ...string) {
	t.Helper()
	dir, err := helmTools()
	must(t, err)
	home := t.TempDir()
	cmd := exec.CommandContext(t.Context(), filepath.Join(dir, "helm"), args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+s.Admin.Kubeconfig, "HELM_CACHE_HOME="+home, "HELM_CONFIG_HOME="+home, "HELM_DATA_HOME="+home)
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("helm %v: %v\n%s", args, err, text)
	}
}

// helmInstalls runs the printed command, with a chart that stands for ACK's own.
func (s *scene) helmInstalls(t *testing.T, render ...string) {
	t.Helper()
	values := s.Admin.Run(t, append([]string{"controller", "render", "--values"}, render...)...).WantCode(t, done).Stdout
	file := filepath.Join(t.TempDir(), "values.yaml")
	must(t, os.WriteFile(file, []byte(values), 0o600))
	chart, err := filepath.Abs(filepath.Join("testdata", "s3-chart"))
	must(t, err)
	s.helm(t, "install", "ack-s3-controller", chart, "--namespace", namespace, "--create-namespace", "-f", file)
}

// TestWithHelm plays on a cluster without OLM, where the user installs ACK's chart with
// Helm.
func TestWithHelm(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.EKS, NoController: true})
	for _, one := range []struct {
		name string
		play func(*scene, *testing.T)
	}{
		{"printed", (*scene).helmPrinted},
		{"waited for", (*scene).helmAwaited},
		{"elsewhere", (*scene).helmElsewhere},
		{"identity", (*scene).helmIdentity},
		{"permissions", (*scene).helmPermissions},
		{"with controller", (*scene).helmWithController},
		{"killed", (*scene).helmKilled},
	} {
		t.Run(one.name, func(t *testing.T) { one.play(beginOn(t, bed), t) })
	}
}

const (
	helmBegin = "helm install ack-s3-controller oci://public.ecr.aws/aws-controllers-k8s/s3-chart --namespace ack-system --create-namespace"
	helmLine  = helmBegin + " -f <(oc ostoy-s3 controller render --values)\n"
)

// helmPrinted: what the chart does not create is created, and the command is printed.
func (s *scene) helmPrinted(t *testing.T) {
	plan := []string{"you install the controller itself with Helm", "+ namespace ack-system", "+ role      ostoy-s3-controller/ack-s3-controller-", "+ 2 objects 2 ClusterRoles"}
	s.install(t, "--dry-run=server").WantStdout(t, "").WantTalk(t, append(plan, "this was a dry run")...)
	s.wantNothingWritten(t)

	s.install(t, "--wait=false").WantStdout(t, helmLine).WantTalk(t, append(plan, "applied, not waited for")...)
	if roles := s.roles(t.Context(), t); len(roles) != 1 {
		t.Errorf("roles %v", roles)
	}
	s.mark = s.KubeMark()
	s.install(t, "--wait=false").WantStdout(t, helmLine).WantTalk(t, "nothing to change").WantNoTalk(t, "Plan", "created")
	// Nobody runs the command.
	s.Admin.Run(t, "controller", "install", "--timeout=5s").WantCode(t, notReady).WantStdout(t, helmLine).WantTalk(t,
		"waiting for the Deployment that Helm creates", strings.TrimSuffix(helmLine, "\n"))
	var told struct {
		Mode, Helm string
		Ready      bool
		Changes    []any
	}
	s.install(t, "--wait=false", "-o", "json").JSON(t, &told)
	if told.Mode != "by hand" || told.Helm+"\n" != helmLine || told.Ready || len(told.Changes) > 0 {
		t.Errorf("%+v", told)
	}
	if writes := s.written(t); len(writes) > 0 {
		t.Errorf("further runs wrote %v", writes)
	}
	// The command is for the same role in the same place.
	flags := []string{"-n", "elsewhere", "--region", "us-west-2", "--identity", "annotation", "--role-name", "other"}
	s.install(t, append(flags, "--wait=false", "--version", "1.9.0")...).WantStdout(t,
		strings.Replace(helmBegin, "ack-system", "elsewhere", 1)+" --version 1.9.0 -f <(oc ostoy-s3 controller render --values "+strings.Join(flags, " ")+")\n")
	values := s.Admin.Run(t, append([]string{"controller", "render"}, flags...)...).WantCode(t, done).Stdout
	for _, text := range []string{"region: us-west-2", "role/ostoy-s3-controller/other", "name: ack-s3-controller", "--namespace elsewhere", "ValidatingAdmissionPolicy ostoy-s3-buckets,"} {
		if !strings.Contains(values, text) {
			t.Errorf("the values lack %q:\n%s", text, values)
		}
	}
	if strings.Contains(values, "AWS_WEB_IDENTITY_TOKEN_FILE") {
		t.Errorf("the values put the identity into the pod:\n%s", values)
	}
}

// helmAwaited: the run waits for the controller that Helm installs; later ones keep role
// and permissions; all of it can be removed.
func (s *scene) helmAwaited(t *testing.T) {
	running := run.Begin(t, s.Admin, "controller", "install", "--bucket-pattern", "*-bucket")
	running.Says(t, "waiting for the Deployment that Helm creates")
	s.helmInstalls(t)
	running.Ends(t).WantCode(t, done).WantStdout(t, helmLine).WantTalk(t, "1 of 1 available, as ostoy-s3-controller/ack-s3-controller-")
	s.wantIdentity(t)

	s.mark = s.KubeMark()
	s.install(t).WantStdout(t, "").WantTalk(t, "installed by Helm", "nothing to change")
	if writes := s.written(t); len(writes) > 0 {
		t.Errorf("a second run wrote %v", writes)
	}
	s.install(t, "--bucket-pattern", "ostoy-*-bucket").WantTalk(t, "narrower than before", "1 of 1 available")
	s.install(t, "--bucket-pattern", "*-bucket").WantTalk(t, "wider than before")

	must(t, s.NewNamespace(t.Context(), "demo", "learner"))
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "install", "-n", "demo").WantCode(t, done).WantTalk(t, "✔ demo-bucket", "✔ verified")
	s.Admin.Run(t, "controller", "uninstall").WantCode(t, refused).WantTalk(t, "there is 1 Bucket", "demo/demo-bucket")
	learner.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)

	s.uninstall(t, "--dry-run").WantTalk(t, "would remove", "role ack-s3-controller-", "would keep", "helm uninstall ack-s3-controller -n ack-system", "oc delete namespace ack-system")
	s.uninstall(t).WantTalk(t, "role ack-s3-controller-", "2 ClusterRoles", "helm uninstall ack-s3-controller -n ack-system", "oc delete namespace ack-system")
	if roles := s.roles(t.Context(), t); len(roles) > 0 {
		t.Errorf("roles are left: %v", roles)
	}
	s.helm(t, "uninstall", "ack-s3-controller", "-n", namespace, "--wait")
	s.uninstall(t).WantTalk(t, "removed", "namespace ack-system")
	s.Admin.Kubectl(t, "get", "namespace", namespace).WantCode(t, 1)
}

// helmElsewhere: a controller in another namespace is used without changes.
func (s *scene) helmElsewhere(t *testing.T) {
	s.install(t, "--wait=false")
	s.helmsRuns(t)
	// Now that one is used, its account is exempt instead of the one to come.
	s.install(t).WantStdout(t, "").WantTalk(t, "installed by Helm (deployment/ack-s3-controller-s3-chart -n elsewhere): it is used as it is", "~ object    ValidatingAdmissionPolicy")
	if exempt := s.exempt(t); !strings.Contains(exempt, `in ["system:serviceaccount:elsewhere:ack-s3-controller"]`) {
		t.Errorf("exempt: %s", exempt)
	}
	s.install(t).WantTalk(t, "installed by Helm", "nothing to change")
}
