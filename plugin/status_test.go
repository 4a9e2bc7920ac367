package plugin

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/audit"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

var updateStatus = flag.Bool("update", false, "rewrite the expected reports")

const statusRole = "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-9b1e22f0"

func statusNoon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

// printer is a run that has looked already.
func printer(format Format) (*statusRun, *bytes.Buffer, *bytes.Buffer) {
	var out, talk bytes.Buffer
	style := ui.Style{UTF8: true}
	app := &App{&session.Session{
		Streams: genericiooptions.IOStreams{Out: &out, ErrOut: &talk}, Now: statusNoon,
		Report: ui.New(&out, style, statusNoon), UI: ui.New(&talk, style, statusNoon),
	}}
	return &statusRun{request: StatusRequest{Output: format}, checkup: &checkup{install: &install{App: app}}}, &out, &talk
}

func goodReport() status.Report {
	ok := func(text string) status.Part { return status.Part{Mark: status.OK, Text: text} }
	setting := func(text string) status.Setting { return status.Setting{Text: text, Good: true, From: "S3"} }
	return status.Report{
		Namespace: "demo", Mark: status.OK,
		Installed: status.Installed{
			By: "ostoy-s3", Version: "v1.2.0", Since: statusNoon().Add(-75 * time.Hour), Recorded: statusNoon().Add(-time.Hour), Inventory: "found",
			Record:  apply.Record{Account: "123456789012", Region: "us-east-2", RoleARN: statusRole, Bucket: "demo-bucket", BucketOrigin: "created"},
			Objects: []apply.Ref{{Kind: "Service", Name: "ostoy-frontend-svc"}},
		},
		Bucket: status.Bucket{
			Part: ok("synced"), Name: "demo-bucket", Region: "us-east-2", S3: bucket.Ours, Contents: &bucket.Contents{Objects: 12, Bytes: 3565158},
			Protection: status.Protection{
				PublicAccess: setting("public access blocked"), TLS: setting("TLS only"),
				Encryption: setting("encrypted (AES256)"), DeletionPolicy: setting("kept when the project goes"),
			},
		},
		Role: status.Role{
			Part: ok("trust ok, policy ok"), Exists: true, ARN: statusRole, Trust: ok("ok"), Policy: ok("ok"),
			LastUsed: statusNoon().Add(-10 * time.Minute), LastUsedRegion: "us-east-2",
		},
		ServiceAccount: status.ServiceAccount{Part: ok("names the role"), Name: "ostoy-sa", RoleARN: statusRole},
		Workloads:      []status.Workload{{Part: ok("1 of 1 available"), Name: "ostoy-frontend", Ready: 1, Want: 1}},
		Pods: []status.Pod{{
			Part: ok("ready"), Name: "ostoy-frontend-1", Deployment: "ostoy-frontend", Ready: true, Since: statusNoon().Add(-time.Hour),
			Node: "worker-0", NeedsIdentity: true, Identity: statusRole,
		}},
		PodsPart: ok(""), Volume: ok("bound"),
		Route:  status.Route{Part: ok("admitted"), Kind: "Route", URL: "http://ostoy-route-demo.apps.example.com"},
		Access: exposureOf("demo", nil, exposedBy{managed: true, object: exposingObject("Route", map[string]any{"host": "ostoy-route-demo.apps.example.com"})}).words(),
		Drift:  status.Drift{Part: ok("none"), Cluster: []status.ObjectDrift{}, IAM: []status.RoleDrift{}},
	}
}

// brokenReport has one of everything that can be wrong.
func brokenReport() status.Report {
	const again = "oc ostoy-s3 install -n demo"
	r := goodReport()
	r.Mark = status.Wrong
	r.Installed.Inventory, r.Installed.Version = "missing", ""
	r.Bucket.Part = status.Part{Mark: status.Warning, Text: "synced", Hint: again}
	r.Bucket.Contents, r.Bucket.Uncounted = nil, "not allowed: needs s3:ListBucket"
	r.Bucket.Protection.PublicAccess = status.Setting{Text: "public access NOT blocked (blockPublicPolicy)", From: "the Bucket object"}
	r.Role.Part = status.Part{Mark: status.Wrong, Text: "trust drifted, policy ok", Hint: again}
	r.Role.LastUsed = time.Time{}
	r.Role.Notes = []string{"another policy is attached: arn:aws:iam::aws:policy/AdministratorAccess"}
	r.Workloads[0].Part = status.Part{Mark: status.Wrong, Text: "wait-for-bucket: AccessDenied", Hint: again}
	r.Pods[0].Part = status.Part{Mark: status.Wrong, Text: "wait-for-bucket: AccessDenied", Hint: "oc delete pod ostoy-frontend-1 -n demo, so that a new one is made"}
	r.Pods[0].Ready, r.Pods[0].Missing = false, "no volume aws-iam-token"
	r.Route = status.Route{Part: status.Part{Mark: status.Busy, Text: "waiting for a router"}, Kind: "Route"}
	r.Drift = status.Drift{
		Part: status.Part{Mark: status.Warning, Text: "3 objects and the role", Hint: again},
		Cluster: []status.ObjectDrift{
			{Object: "Deployment ostoy-frontend", Action: apply.Update, Changes: []apply.FieldChange{
				{Path: "spec.replicas", Before: int64(3), After: int64(1), Manager: "kubectl"},
				{Path: "spec.template.spec.containers[ostoy-frontend].image", Before: "other", After: strings.Repeat("long/", 60)},
			}},
			{Object: "ServiceAccount ostoy-sa", Action: apply.Create, Why: "it is not there"},
			{Object: "Service ostoy-frontend-svc", Action: apply.Update, Changes: []apply.FieldChange{{Path: "spec.ports", Before: nil, After: []any{}}}},
		},
		IAM:    []status.RoleDrift{{What: "trust policy", Reason: "it trusts old, this cluster is new"}, {What: "tags", Before: "a=b", After: "a=c"}},
		Unseen: []string{"Secret ostoy-secret: not allowed: needs get and list on secrets"},
	}
	return r
}

func auditReport() audit.Report {
	event := func(minutes int, name, who, code string) audit.Event {
		return audit.Event{Time: statusNoon().Add(-time.Duration(minutes) * time.Minute), Name: name, Who: who, From: "192.0.2.1", Region: "us-east-2", Error: code}
	}
	return audit.Report{
		Since:      statusNoon().Add(-audit.Day),
		Assumed:    []audit.Event{event(1, "AssumeRoleWithWebIdentity", "demo:ostoy-sa", ""), event(2, "AssumeRoleWithWebIdentity", "demo:default", "AccessDenied")},
		Unseen:     []string{"us-east-1"},
		More:       true,
		DataEvents: audit.DataEvents{State: audit.Off},
	}
}

// TestStatusPrinted holds what a person sees, word by word.
func TestStatusPrinted(t *testing.T) {
	audited := goodReport()
	history := auditReport()
	audited.Audit = &history
	for name, c := range map[string]struct {
		report status.Report
		format Format
	}{
		"good":   {goodReport(), FormatTable},
		"wide":   {goodReport(), FormatWide},
		"broken": {brokenReport(), FormatTable},
		"audit":  {audited, FormatTable},
		"json":   {brokenReport(), FormatJSON},
	} {
		t.Run(name, func(t *testing.T) {
			run, out, talk := printer(c.format)
			if err := run.print(c.report); err != nil {
				t.Fatal(err)
			}
			golden(t, "status-"+name+".txt", out.String())
			if talk.String() != "" {
				t.Errorf("stderr has %q", talk)
			}
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *updateStatus {
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

func TestStatusOfAllPrinted(t *testing.T) {
	many := int64(1000)
	rows := []status.Row{
		{Namespace: "ostoy-3f9a1c20", Mark: status.OK, Bucket: "ostoy-3f9a1c20-bucket", Objects: &many, More: true, Role: status.RoleOK, RoleARN: statusRole, Ready: 2, Want: 2, Drift: "no", URL: "http://x.example.com", Since: statusNoon().Add(-75 * time.Hour), Version: "v1", By: "ostoy-s3", Region: "us-east-2"},
		{Namespace: "b", Mark: status.Wrong, Bucket: "b-bucket", Role: status.RoleStale, Ready: 1, Want: 2, Drift: "iam", Problems: []string{"role, trust policy: it trusts old", "pod x: without", "and", "more"}},
	}
	for _, format := range []Format{FormatTable, FormatWide, FormatYAML} {
		run, out, talk := printer(format)
		o := &overview{statusRun: run, seen: live.Everywhere{Searched: []string{"a", "b"}}}
		if err := o.printAll(rows); err != nil {
			t.Fatal(err)
		}
		golden(t, "status-all-"+string(format)+".txt", out.String()+"--- stderr\n"+talk.String())
	}
}

func TestRecorded(t *testing.T) {
	detected := render.Facts{
		Namespace: render.Fact{Value: "demo"}, Region: render.Fact{Value: "us-east-2"}, Account: render.Fact{Value: "123456789012"},
		Partition: render.Fact{Value: "aws"}, Issuer: render.Fact{Value: "https://issuer.example.com"}, Audience: render.Fact{Value: "sts.amazonaws.com"},
		ClusterID: render.Fact{Value: "6d5c1f0e-52a4-4c39-9d0b-0f6a7b1c2d3e"},
	}
	flag := func(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }
	for name, c := range map[string]struct {
		record  apply.Record
		request StatusRequest
		region  string
		role    string
		id      bool
	}{
		"nothing on record": {apply.Record{}, StatusRequest{}, "us-east-2", "", true},
		"on record":         {apply.Record{Region: "eu-west-1", RoleARN: "arn:aws:iam::123456789012:role/mine/r"}, StatusRequest{}, "eu-west-1", "/mine/r", false},
		"nonsense":          {apply.Record{Region: "no region", RoleARN: "arn:aws:iam::123456789012:user/r"}, StatusRequest{}, "us-east-2", "", false},
		"another account's": {apply.Record{RoleARN: "arn:aws:iam::999999999999:role/r", ClusterID: "x"}, StatusRequest{}, "us-east-2", "", true},
		"flags win": {
			apply.Record{Region: "eu-west-1", RoleARN: "arn:aws:iam::123456789012:role/mine/r", ClusterID: "x"},
			StatusRequest{Facts: FactsRequest{Given: render.Facts{Region: flag("us-east-2")}}, Role: RoleRequest{Name: "given"}},
			"us-east-2", "given", true,
		},
	} {
		t.Run(name, func(t *testing.T) {
			facts, role := recorded(detected, c.request, c.record)
			if facts.Region.Value != c.region || role.Path+role.Name != c.role || facts.ClusterID.Known() != c.id {
				t.Errorf("region %s, role %s, cluster id %q", facts.Region.Value, role.Path+role.Name, facts.ClusterID.Value)
			}
		})
	}
}

func TestAge(t *testing.T) {
	for d, want := range map[time.Duration]string{
		-time.Second: "0s", 90 * time.Second: "90s", 5 * time.Minute: "5m", 119 * time.Minute: "119m",
		3 * time.Hour: "3h", 47 * time.Hour: "47h", 48 * time.Hour: "2d", 41 * 24 * time.Hour: "41d",
	} {
		if got := age(statusNoon().Add(-d), statusNoon()); got != want {
			t.Errorf("%s: %s, want %s", d, got, want)
		}
	}
}
