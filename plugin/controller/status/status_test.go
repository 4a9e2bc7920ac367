package status

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

var update = flag.Bool("update", false, "rewrite the expected reports")

func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

func printer() (*session.Session, *bytes.Buffer, *bytes.Buffer) {
	var out, talk bytes.Buffer
	style := ui.Style{UTF8: true}
	return &session.Session{
		Streams: genericiooptions.IOStreams{Out: &out, ErrOut: &talk}, Now: noon,
		Report: ui.New(&out, style, noon), UI: ui.New(&talk, style, noon),
	}, &out, &talk
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, []byte(got), 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; -update rewrites it):\n%s", path, diff)
	}
}

const controllerRole = "arn:aws:iam::123456789012:role/ostoy-s3-controller/ack-s3-controller-9b1e22f0"

func goodController() controller.Instance {
	ok := func(text string) report.Part { return report.Part{Mark: report.OK, Text: text} }
	return controller.Instance{
		Mark: report.OK, Namespace: "ack-system", Deployment: "ack-s3-controller", Ours: true, Installer: ack.OLM, Version: "1.13.0",
		Image: "public.ecr.aws/aws-controllers-k8s/s3-controller:1.13.0",
		OLM: &controller.Subscribed{
			Part: ok("installed"), Namespace: "ack-system", Subscription: "ack-s3-controller", Channel: "alpha",
			Catalog: "openshift-marketplace/community-operators", Approval: "Manual", State: "AtLatestKnown", Installed: "1.13.0", Phase: "Succeeded",
			Newest: &controller.Newest{Part: ok("installed"), Version: "1.13.0"},
		},
		Role:     controller.Role{Part: ok("in 1 of 1 pods"), ARN: controllerRole, From: controller.FromSubscription, Pods: 1},
		Region:   controller.Region{Part: ok(""), Name: "us-east-2", Settings: "us-east-2"},
		Workload: controller.Workload{Part: ok("1 of 1 available"), Ready: 1, Want: 1},
		Pods:     []controller.Pod{{Part: ok("ready"), Name: "ack-s3-controller-7c9d8f6b5-x2x4v", Ready: true, Since: noon().Add(-75 * time.Hour), RoleARN: controllerRole}},
		PodsSeen: ok(""),
		Leader:   controller.Leader{Part: ok(""), Holder: "ack-s3-controller-7c9d8f6b5-x2x4v", Lease: "ack-system/ack-s3.services.k8s.aws", Renewed: noon().Add(-3 * time.Second)},
		Settings: controller.Settings{Part: ok("every setting it needs")},
		Errors:   controller.Errors{Part: ok("none in the last 200 lines of its log")},
	}
}

func goodControllers() *controller.Report {
	return &controller.Report{
		Mark: report.OK, Controllers: []controller.Instance{goodController()},
		Kind: report.Part{Mark: report.OK, Text: controller.Definition},
		Policy: controller.Policy{
			Part: report.Part{Mark: report.OK, Text: "enforced, unchanged; exempt: ack-system/ack-s3-controller"}, State: operator.PolicyEnforced,
			Exempt: []string{"system:serviceaccount:ack-system:ack-s3-controller"},
		},
		Namespaces: []controller.TrustedNamespace{{Part: report.Part{Mark: report.OK, Text: "no RoleBinding lets anybody but cluster admins write to it"}, Namespace: "ack-system"}},
		Buckets:    controller.Buckets{Part: report.Part{Mark: report.OK, Text: "14 synced"}, Total: 14, Synced: 14},
	}
}

// brokenControllers has one of everything that can be wrong.
func brokenControllers() *controller.Report {
	wrong := func(text, hint string) report.Part { return report.Part{Mark: report.Wrong, Text: text, Hint: hint} }
	warning := func(text, hint string) report.Part {
		return report.Part{Mark: report.Warning, Text: text, Hint: hint}
	}
	r := goodControllers()
	r.Mark = report.Wrong
	one := &r.Controllers[0]
	one.Mark = report.Wrong
	one.OLM.Part = warning("OLM cannot reach its catalog", "oc get catalogsources -n openshift-marketplace")
	one.OLM.State = "UpgradePending"
	one.OLM.Upgrade = &controller.Upgrade{Part: report.Part{Mark: report.OK, Text: "waits for approval", Hint: "oc ostoy-s3 controller install --upgrade"}, Version: "1.14.0", InstallPlan: "install-abcde"}
	one.OLM.Newest = &controller.Newest{Part: report.Part{Mark: report.OK, Text: "in the catalog", Hint: "oc ostoy-s3 controller install --upgrade"}, Version: "1.15.0"}
	one.Role = controller.Role{Part: wrong("the pod has no AWS_ROLE_ARN: the webhook missed it", "oc rollout restart deployment/ack-s3-controller -n ack-system\nif that does not help: another line"), ARN: controllerRole, From: controller.From(ack.FromAnnotation)}
	one.Region = controller.Region{Part: warning("its settings say us-west-2; the webhook sets us-east-2", "oc patch configmap x"), Name: "us-east-2"}
	one.Watches = []string{"demo", "shop"}
	one.Workload = controller.Workload{Part: wrong("0 of 1 available", ""), Want: 1}
	one.Pods[0].Part, one.Pods[0].Restarts = wrong("crashes: the resource tag x is no pair of key and value", "oc edit configmap ack-s3-user-config -n ack-system\noc rollout restart deployment/ack-s3-controller -n ack-system"), 5
	one.Leader = controller.Leader{Part: report.Part{Mark: report.Unknown, Text: "not allowed: needs get and list on leases.coordination.k8s.io"}}
	one.Settings = controller.Settings{Part: wrong("wrong: ACK_RESOURCE_TAGS", "oc ostoy-s3 controller install"), Flaws: []controller.Flaw{{Setting: "ACK_RESOURCE_TAGS", Why: "x is no pair"}}}
	one.Errors = controller.Errors{Part: warning("12 in the last 200 lines of its log", ""), Count: 12, Said: []controller.Error{
		{Text: "Reconciler error: AccessDenied", Why: "its role may not do s3:CreateBucket", Objects: []string{"demo/demo-bucket", "shop/shop-bucket"}, Count: 9, Last: noon().Add(-3 * time.Minute)},
		{Text: "error retrieving resource lock", Count: 3},
	}}
	helm := goodController()
	helm.Namespace, helm.Deployment, helm.Ours, helm.Installer, helm.OLM, helm.Version = "kube-system", "ack-s3-controller-s3-chart", false, ack.Helm, nil, ""
	helm.Pods, helm.PodsSeen = nil, report.Part{Mark: report.Unknown, Text: "not allowed: needs get and list on pods"}
	helm.Errors.Part = report.Part{Mark: report.Unknown, Text: "not allowed: needs get on pods/log"}
	r.Controllers = append(r.Controllers, helm)
	r.Overlap = wrong("2 controllers look at the same Buckets, and each undoes what the other did", "keep one")
	r.Waiting = []controller.Subscribed{{Part: warning("its InstallPlan install-1 waits for approval", "oc patch installplan"), Namespace: "ops", Subscription: "s3"}}
	r.Only = "ack-system"
	r.Policy = controller.Policy{Part: warning("does not exist; users can change every S3 bucket", "oc ostoy-s3 controller install"), State: operator.PolicyMissing}
	r.Namespaces[0].Part = warning("with permissions in it, but not in the whole cluster: user mallory (RoleBinding late). They can act as the controller's service account", "oc delete -n ack-system rolebinding/late")
	r.Namespaces[0].Writers = []string{"user mallory (RoleBinding late)"}
	r.Buckets = controller.Buckets{Part: wrong("8 synced, 6 failing", ""), Total: 14, Synced: 8, Failing: 6}
	for n := range 7 {
		r.Buckets.OfOtherProjects = append(r.Buckets.OfOtherProjects, fmt.Sprintf("mallory/b%d (S3 bucket finance-%d-bucket)", n, n))
	}
	for _, name := range []string{"a", "b", "c", "d", "e", "f"} {
		r.Buckets.Of = append(r.Buckets.Of, controller.BucketStatus{Part: wrong("the name belongs to another AWS account: BucketAlreadyExists", "choose another project"), Namespace: name, Name: name + "-bucket", Finalizer: true})
	}
	return r
}

// TestControllerStatusPrinted holds what a person sees, word by word.
func TestControllerStatusPrinted(t *testing.T) {
	for name, c := range map[string]struct {
		report *controller.Report
		format session.Format
	}{
		"good":   {goodControllers(), session.FormatTable},
		"broken": {brokenControllers(), session.FormatTable},
		"json":   {brokenControllers(), session.FormatJSON},
		"yaml":   {goodControllers(), session.FormatYAML},
	} {
		t.Run(name, func(t *testing.T) {
			run, out, talk := printer()
			if err := show(run, c.report, c.format); err != nil {
				t.Fatal(err)
			}
			golden(t, name+".txt", out.String())
			if talk.String() != "" {
				t.Errorf("stderr has %q", talk)
			}
		})
	}
}

// TestControllerStatusOfNone: a script can tell that there is none, and nothing is
// on stdout.
func TestControllerStatusOfNone(t *testing.T) {
	server := clustertest.New(t, "v1.33.0", "apps/v1/Deployment")
	server.Answer("GET /apis/apps/v1/deployments", map[string]any{"kind": "DeploymentList", "apiVersion": "apps/v1", "metadata": map[string]any{}, "items": []any{}})
	run, out, _ := printer()
	run.Getter = server.Getter("demo")
	var told *problem.Error
	err := Run(t.Context(), run, Request{Output: session.FormatTable, Timeout: time.Minute})
	if !errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.Next, "oc ostoy-s3 controller install") {
		t.Errorf("%v", err)
	}
	bad := Request{Timeout: time.Minute}
	bad.Facts.Given.Namespace = render.Fact{Value: "not/a/name", Source: "flag --namespace"}
	var input *problem.Error
	if err := Run(t.Context(), run, bad); !problem.IsInput(err) || !errors.As(err, &input) {
		t.Errorf("%v", err)
	}
	if out.Len() > 0 {
		t.Errorf("stdout has %q", out)
	}
}

// TestNewestLines: the catalog is told of where it says something else than what is
// installed and what is planned, and where it could not be read.
func TestNewestLines(t *testing.T) {
	has := func(version string) *controller.Newest {
		return &controller.Newest{Part: report.Part{Mark: report.OK, Text: "in the catalog", Hint: "go on"}, Version: version}
	}
	unread := &controller.Newest{Part: report.Part{Mark: report.Unknown, Text: "the catalog could not be read"}}
	for name, c := range map[string]struct {
		of   controller.Subscribed
		want string // "" for no line
	}{
		"without a Subscription": {controller.Subscribed{Installed: "1.13.0"}, ""},
		"installed":              {controller.Subscribed{Installed: "1.13.0", Newest: has("1.13.0")}, ""},
		"planned":                {controller.Subscribed{Installed: "1.11.0", Upgrade: &controller.Upgrade{Version: "1.13.0"}, Newest: has("1.13.0")}, ""},
		"beyond what is planned": {controller.Subscribed{Installed: "1.10.0", Upgrade: &controller.Upgrade{Version: "1.11.0"}, Newest: has("1.13.0")}, "1.13.0 in the catalog: go on"},
		"nothing planned":        {controller.Subscribed{Installed: "1.10.0", Newest: has("1.13.0")}, "1.13.0 in the catalog; OLM has planned no upgrade: go on"},
		"not read":               {controller.Subscribed{Installed: "1.10.0", Newest: unread}, "unknown the catalog could not be read"},
	} {
		got := ""
		for _, line := range newestLines(c.of) {
			got += line.Name + " " + line.Text
		}
		if got != c.want {
			t.Errorf("%s: %q, want %q", name, got, c.want)
		}
	}
}
