package controller_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// TestByChart plays on a cluster without OLM, where the controller comes by ACK's
// own chart.
func TestByChart(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.EKS, NoController: true})
	for _, one := range []struct {
		name string
		play func(*scene, *testing.T)
	}{
		{"without a chart", (*scene).withoutChart},
		{"installed by Helm", (*scene).installedByHelm},
		{"chart", (*scene).chart},
		{"edits", (*scene).chartEdits},
		{"archive and registry", (*scene).chartArchive},
		{"newer", (*scene).chartNewer},
		{"as ACK writes it", (*scene).chartWithNulls},
		{"identity", (*scene).chartIdentity},
		{"definitions", (*scene).chartDefinitions},
		{"endless", (*scene).chartEndless},
		{"refused", (*scene).chartRefused},
		{"rights", (*scene).chartRights},
		{"render", (*scene).chartRender},
		{"with controller", (*scene).chartWithController},
		{"uninstall", (*scene).chartUninstall},
		{"killed", (*scene).chartKilled},
	} {
		t.Run(one.name, func(t *testing.T) { one.play(beginOn(t, bed), t) })
	}
}

const helmLine = "helm install ack-s3-controller oci://public.ecr.aws/aws-controllers-k8s/s3-chart --namespace ack-system --create-namespace -f <(oc ostoy-s3 controller render)\n"

// withoutChart makes what can be made, and says what has to be typed.
func (s *scene) withoutChart(t *testing.T) {
	s.install(t, "--dry-run=server").WantStdout(t, "").WantTalk(t,
		"no --chart is given: only the namespace ack-system, the role and the permissions", "+ role      ostoy-s3-controller/ack-s3-controller-", "+ 2 objects 2 ClusterRoles", "this was a dry run")
	s.wantNothingWritten(t)

	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, notReady).WantStdout(t, helmLine).WantTalk(t,
		"no --chart is given: only the namespace ack-system, the role and the permissions", "+ role      ostoy-s3-controller/ack-s3-controller-", "+ 2 objects 2 ClusterRoles",
		"the controller itself is not installed", "no Operator Lifecycle Manager, and no chart was given", "try   "+helmLine, "--chart oci://", "+ namespace ack-system")
	if roles := s.roles(t.Context(), t); len(roles) != 1 {
		t.Errorf("roles %v", roles)
	}
	s.mark = s.KubeMark()
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, notReady).WantStdout(t, helmLine).WantNoTalk(t, "Plan", "created")
	if writes := s.written(t); len(writes) > 0 {
		t.Errorf("a second run wrote %v", writes)
	}
	// The line is for the same role in the same place.
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--role-name", "other", "--identity", "annotation", "--region", "us-west-2", "-n", "elsewhere", "--version", "1.9.0").
		WantCode(t, notReady).WantStdout(t, "helm install ack-s3-controller oci://public.ecr.aws/aws-controllers-k8s/s3-chart --namespace elsewhere --create-namespace"+
		" --version 1.9.0 -f <(oc ostoy-s3 controller render -n elsewhere --region us-west-2 --identity annotation --role-name other)\n")
	values := s.Admin.Run(t, "controller", "render", "-n", "elsewhere", "--region", "us-west-2", "--identity", "annotation", "--role-name", "other").WantCode(t, done).Stdout
	for _, text := range []string{"region: us-west-2", "role/ostoy-s3-controller/other", "name: ack-s3-controller", "--namespace elsewhere"} {
		if !strings.Contains(values, text) {
			t.Errorf("the values lack %q:\n%s", text, values)
		}
	}
	if strings.Contains(values, "AWS_WEB_IDENTITY_TOKEN_FILE") {
		t.Errorf("the values put the identity into the pod:\n%s", values)
	}
}

// installedByHelm: who typed that line has a controller, which is used.
func (s *scene) installedByHelm(t *testing.T) {
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, notReady)
	s.helmsRuns(t)
	// Now that one is used, its account is exempt instead of the one to come.
	s.install(t).WantStdout(t, "").WantTalk(t, "installed by Helm (deployment/ack-s3-controller-s3-chart -n elsewhere): it is used as it is", "~ object    ValidatingAdmissionPolicy")
	if exempt := s.exempt(t); !strings.Contains(exempt, `in ["system:serviceaccount:elsewhere:ack-s3-controller"]`) {
		t.Errorf("exempt: %s", exempt)
	}
	s.install(t, "--chart", theChart(t)).WantTalk(t, "installed by Helm", "nothing to change")
}

// chart: shown, done, and nothing left to do.
func (s *scene) chart(t *testing.T) {
	plan := []string{"+ namespace ack-system", "+ chart     s3-chart 1.10.0", "its role by the pod's own token volume", "+ role      ostoy-s3-controller/ack-s3-controller-"}
	s.install(t, "--chart", theChart(t), "--dry-run=client").WantTalk(t, append(plan, "this was a dry run")...)
	s.install(t, "--chart", theChart(t), "--dry-run=server").WantTalk(t, append(plan, "this was a dry run")...)
	s.wantNothingWritten(t)
	s.install(t, "--chart", theChart(t)).WantStdout(t, "").WantTalk(t, append(plan, "9 created", "1 of 1 available, as ostoy-s3-controller/ack-s3-controller-")...)
	s.wantIdentity(t)
	s.wantOnce(t, "AWS_REGION", "us-east-2")
	s.mark = s.KubeMark()
	var told struct {
		Mode, Version, Identity string
		Ready                   bool
		Changes                 []any
	}
	s.install(t, "--chart", theChart(t), "-o", "json").JSON(t, &told)
	if told.Mode != "chart" || told.Version != "1.10.0" || told.Identity != "subscription" || !told.Ready || len(told.Changes) > 0 {
		t.Errorf("%+v", told)
	}
	s.install(t, "--chart", theChart(t)).WantTalk(t, "nothing to change").WantNoTalk(t, "Plan")
	if writes := s.written(t); len(writes) > 0 {
		t.Errorf("further runs wrote %v", writes)
	}
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket").WantCode(t, misused).WantTalk(t, "ack-system comes from a chart", "the same command with --chart oci://")

	// A learner's app finds its bucket made.
	must(t, s.NewNamespace(t.Context(), "demo", "learner"))
	learner := run.ProjectAdmin(t, s.Bed, "learner")
	learner.Run(t, "install", "-n", "demo").WantCode(t, done).WantTalk(t, "✔ demo-bucket", "✔ verified")
	d := s.status(t)
	if len(d.Controllers) != 1 {
		t.Fatalf("%+v", d)
	}
	if c := d.Controllers[0]; !c.Ours || c.Installer == "Helm" || c.Version != "1.10.0" || c.Role.PodsWithIt != 1 || c.OLM != nil || d.Buckets.Synced != 1 {
		t.Errorf("status: %+v", d)
	}
	if told := s.Admin.Run(t, "controller", "status").WantCode(t, done).Stdout; !strings.Contains(told, "ack-system/"+chartDeployment) || !strings.Contains(told, "installed with oc ostoy-s3") {
		t.Errorf("status:\n%s", told)
	}
	learner.Run(t, "uninstall", "-n", "demo", "--delete-data", "--yes").WantCode(t, done)
}

// wantOnce: the controller's container has the variable once: a list of variables
// that has it twice cannot be applied a second time.
func (s *scene) wantOnce(t *testing.T, name, value string) {
	t.Helper()
	d, err := s.Client.AppsV1().Deployments(namespace).Get(t.Context(), chartDeployment, metav1.GetOptions{})
	must(t, err)
	var values []string
	for _, env := range d.Spec.Template.Spec.Containers[0].Env {
		if env.Name == name {
			values = append(values, env.Value)
		}
	}
	if len(values) != 1 || values[0] != value {
		t.Errorf("%s is %q, want %q once", name, values, value)
	}
}

const extraConfig = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: ack-extra}\ndata: {a: chart}\n"

// chartEdits: what somebody changed by hand is shown and put back.
func (s *scene) chartEdits(t *testing.T) {
	chart := chartWith(t, map[string]string{"templates/extra.yaml": extraConfig})
	s.install(t, "--chart", chart)
	s.Admin.Kubectl(t, "-n", namespace, "patch", "configmap", "ack-extra", "--type=merge", "-p", `{"data":{"a":"hand"}}`).WantCode(t, 0)
	s.Admin.Kubectl(t, "-n", namespace, "set", "env", "deployment/"+chartDeployment, "ACK_LOG_LEVEL=debug").WantCode(t, 0)
	s.Admin.Kubectl(t, "delete", "clusterrolebinding", chartDeployment).WantCode(t, 0)
	s.install(t, "--chart", chart, "--dry-run=server").WantTalk(t, "data.a: hand → chart")
	s.install(t, "--chart", chart).WantTalk(t, "~ object    ConfigMap ack-extra", "data.a: hand → chart", "kubectl-patch",
		"~ object    Deployment "+chartDeployment, "debug → info", "ClusterRoleBinding", "2 updated", "1 of 1 available")
	s.install(t, "--chart", chart).WantTalk(t, "nothing to change")
}

// chartArchive takes the chart as it is published.
func (s *scene) chartArchive(t *testing.T) {
	file := filepath.Join(t.TempDir(), "s3-chart-1.10.0.tgz")
	archive := packed(t, theChart(t))
	must(t, os.WriteFile(file, archive, 0o644))
	newer := packed(t, chartWith(t, ofVersion(t, "1.11.0")))
	registry := registryOf(t, map[string][]byte{"1.10.0": archive, "1.11.0": newer, "latest": newer})

	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--chart", registry, "--version", "9.9.9").WantCode(t, misused).WantTalk(t, "9.9.9", "no such version; the newest is 1.11.0", "--version 1.11.0")
	s.Admin.Run(t, "controller", "install", "--bucket-pattern", "*-bucket", "--chart", file, "--version", "9.9.9").WantCode(t, misused).WantTalk(t, "--version 9.9.9", "s3-chart 1.10.0")
	s.wantNothingWritten(t)
	s.install(t, "--chart", file).WantTalk(t, "+ chart     s3-chart 1.10.0", "1 of 1 available")
	s.install(t, "--chart", theChart(t), "--version", "v1.10.0").WantTalk(t, "nothing to change")
	s.install(t, "--chart", registry, "--version", "1.10.0").WantTalk(t, "nothing to change")
	s.install(t, "--chart", registry).WantTalk(t, "~ chart     s3-chart 1.11.0   controller 1.10.0 → 1.11.0", "1 of 1 available")
	s.install(t, "--chart", registry).WantTalk(t, "nothing to change")
}

// image is what the controller's Deployment runs.
func (s *scene) image(t *testing.T) string {
	t.Helper()
	d, err := s.Client.AppsV1().Deployments(namespace).Get(t.Context(), chartDeployment, metav1.GetOptions{})
	must(t, err)
	return d.Spec.Template.Spec.Containers[0].Image
}

// chartNewer: what is new comes, what is no longer in it goes, the kind of all
// Buckets stays.
func (s *scene) chartNewer(t *testing.T) {
	s.install(t, "--chart", chartWith(t, map[string]string{
		"templates/extra.yaml": extraConfig + "---\n" + strings.ReplaceAll(extraRole, "NAME", "ack-extra"),
	}))
	files := ofVersion(t, "1.11.0")
	files["crds"] = ""
	newer := chartWith(t, files)
	plan := []string{"~ chart     s3-chart 1.11.0   controller 1.10.0 → 1.11.0", "× object    ConfigMap ack-extra   no longer wanted", "× object    Role ack-extra"}
	s.install(t, "--chart", newer, "--dry-run=server").WantTalk(t, plan...)
	s.install(t, "--chart", newer).WantTalk(t, append(plan, "CustomResourceDefinition buckets.s3.services.k8s.aws   kept", "1 of 1 available")...)
	if image := s.image(t); !strings.HasSuffix(image, ":1.11.0") {
		t.Errorf("it runs %s", image)
	}
	s.wantIdentity(t)
	for _, kind := range []string{"configmap", "role"} {
		s.Admin.Kubectl(t, "-n", namespace, "get", kind, "ack-extra").WantCode(t, 1)
	}
	s.Admin.Kubectl(t, "get", "crd", definition).WantCode(t, 0)
	s.install(t, "--chart", newer).WantTalk(t, "nothing to change")
}

const extraRole = "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: NAME}\nrules:\n- {apiGroups: [\"\"], resources: [configmaps], verbs: [get]}\n"

// chartWithNulls has what ACK's own templates give where a value is empty: null.
func (s *scene) chartWithNulls(t *testing.T) {
	chart := chartWith(t, map[string]string{
		"templates/deployment.yaml": chartFile(t, "templates/deployment.yaml",
			"\n        {{- if or .Values.aws.credentials.secretName .Values.deployment.extraVolumeMounts }}\n        volumeMounts:", "\n        volumeMounts:\n        {{- if or .Values.aws.credentials.secretName .Values.deployment.extraVolumeMounts }}",
			"\n      {{- if or .Values.aws.credentials.secretName .Values.deployment.extraVolumes }}\n      volumes:", "\n      volumes:\n      {{- if or .Values.aws.credentials.secretName .Values.deployment.extraVolumes }}"),
		"templates/_controller.tpl": chartFile(t, "templates/_controller.tpl",
			`{{ include "s3-chart.watched" . | quote }}`, `{{ include "s3-chart.watched" . }}`, `{{ .Values.watchSelectors | quote }}`, `{{ .Values.watchSelectors }}`),
		"templates/role-extra.yaml": strings.ReplaceAll(extraRole, "{name: NAME}", "{name: ack-s3-writer, creationTimestamp: null, annotations: null}"),
		"values.schema.json":        chartFile(t, "values.schema.json", "http://json-schema.org", "https://json-schema.org"),
	})
	for _, identity := range []string{"annotation", "subscription"} {
		s.install(t, "--chart", chart, "--identity", identity).WantTalk(t, "1 of 1 available")
		s.wantIdentity(t)
		s.install(t, "--chart", chart).WantTalk(t, "nothing to change")
	}
}
