package status

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/audit"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/exposure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

var update = flag.Bool("update", false, "rewrite the expected reports")

const statusRole = "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-9b1e22f0"

// aSession writes to two buffers.
func aSession() (s *session.Session, out, talk *bytes.Buffer) {
	out, talk = &bytes.Buffer{}, &bytes.Buffer{}
	style := ui.Style{UTF8: true}
	return &session.Session{
		Streams: genericiooptions.IOStreams{Out: out, ErrOut: talk}, Now: noon, Report: ui.New(out, style, noon), UI: ui.New(talk, style, noon),
	}, out, talk
}

func goodReport() Report {
	ok := func(text string) report.Part { return report.Part{Mark: report.OK, Text: text} }
	setting := func(text string) Setting { return Setting{Text: text, Good: true, From: "S3"} }
	return Report{
		Namespace: "demo", Mark: report.OK,
		Installed: Installed{
			By: "ostoy-s3", Version: "v1.2.0", Since: noon().Add(-75 * time.Hour), Recorded: noon().Add(-time.Hour), Inventory: "found",
			Record:  apply.Record{Account: "123456789012", Region: "us-east-2", RoleARN: statusRole, Bucket: "demo-bucket", BucketOrigin: "created"},
			Objects: []apply.Ref{{Kind: "Service", Name: "ostoy-frontend-svc"}},
		},
		Bucket: Bucket{
			Part: ok("synced"), Name: "demo-bucket", Region: "us-east-2", S3: bucket.Ours, Contents: &bucket.Contents{Objects: 12, Bytes: 3565158},
			Protection: Protection{
				PublicAccess: setting("public access blocked"), TLS: setting("TLS only"),
				Encryption: setting("encrypted (AES256)"), DeletionPolicy: setting("kept when the project goes"),
			},
		},
		Role: Role{
			Part: ok("trust ok, policy ok"), Exists: true, ARN: statusRole, Trust: ok("ok"), Policy: ok("ok"),
			LastUsed: noon().Add(-10 * time.Minute), LastUsedRegion: "us-east-2",
		},
		ServiceAccount: ServiceAccount{Part: ok("names the role"), Name: "ostoy-sa", RoleARN: statusRole},
		Workloads:      []Workload{{Part: ok("1 of 1 available"), Name: "ostoy-frontend", Ready: 1, Want: 1}},
		Pods: []Pod{{
			Part: ok("ready"), Name: "ostoy-frontend-1", Deployment: "ostoy-frontend", Ready: true, Since: noon().Add(-time.Hour),
			Node: "worker-0", NeedsIdentity: true, Identity: statusRole,
		}},
		PodsPart: ok(""), Volume: ok("bound"),
		Route:  Route{Part: ok("admitted"), Kind: "Route", URL: "http://ostoy-route-demo.apps.example.com"},
		Access: exposure.Of("demo", nil, exposure.By{Managed: true, Object: routeWith(map[string]any{"host": "ostoy-route-demo.apps.example.com"})}).Words(),
		Drift:  Drift{Part: ok("none"), Cluster: []ObjectDrift{}, IAM: []RoleDrift{}},
	}
}

// brokenReport has one of everything that can be wrong.
func brokenReport() Report {
	const again = "oc ostoy-s3 install -n demo"
	r := goodReport()
	r.Mark = report.Wrong
	r.Installed.Inventory, r.Installed.Version = "missing", ""
	r.Bucket.Part = report.Part{Mark: report.Warning, Text: "synced", Hint: again}
	r.Bucket.Contents, r.Bucket.Uncounted = nil, "not allowed: needs s3:ListBucket"
	r.Bucket.Protection.PublicAccess = Setting{Text: "public access NOT blocked (blockPublicPolicy)", From: "the Bucket object"}
	r.Role.Part = report.Part{Mark: report.Wrong, Text: "trust drifted, policy ok", Hint: again}
	r.Role.LastUsed = time.Time{}
	r.Role.Notes = []string{"another policy is attached: arn:aws:iam::aws:policy/AdministratorAccess"}
	r.Workloads[0].Part = report.Part{Mark: report.Wrong, Text: "wait-for-bucket: AccessDenied", Hint: again}
	r.Pods[0].Part = report.Part{Mark: report.Wrong, Text: "wait-for-bucket: AccessDenied", Hint: "oc delete pod ostoy-frontend-1 -n demo, so that a new one is made"}
	r.Pods[0].Ready, r.Pods[0].Missing = false, "no volume aws-iam-token"
	r.Route = Route{Part: report.Part{Mark: report.Busy, Text: "waiting for a router"}, Kind: "Route"}
	r.Drift = Drift{
		Part: report.Part{Mark: report.Warning, Text: "3 objects and the role", Hint: again},
		Cluster: []ObjectDrift{
			{Object: "Deployment ostoy-frontend", Action: apply.Update, Changes: []apply.FieldChange{
				{Path: "spec.replicas", Before: int64(3), After: int64(1), Manager: "kubectl"},
				{Path: "spec.template.spec.containers[ostoy-frontend].image", Before: "other", After: strings.Repeat("long/", 60)},
			}},
			{Object: "ServiceAccount ostoy-sa", Action: apply.Create, Why: "it is not there"},
			{Object: "Service ostoy-frontend-svc", Action: apply.Update, Changes: []apply.FieldChange{{Path: "spec.ports", Before: nil, After: []any{}}}},
		},
		IAM:    []RoleDrift{{What: "trust policy", Reason: "it trusts old, this cluster is new"}, {What: "tags", Before: "a=b", After: "a=c"}},
		Unseen: []string{"Secret ostoy-secret: not allowed: needs get and list on secrets"},
	}
	return r
}

func auditReport() audit.Report {
	event := func(minutes int, name, who, code string) audit.Event {
		return audit.Event{Time: noon().Add(-time.Duration(minutes) * time.Minute), Name: name, Who: who, From: "192.0.2.1", Region: "us-east-2", Error: code}
	}
	return audit.Report{
		Since:      noon().Add(-audit.Day),
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
		report Report
		format session.Format
	}{
		"good":   {goodReport(), session.FormatTable},
		"wide":   {goodReport(), session.FormatWide},
		"broken": {brokenReport(), session.FormatTable},
		"audit":  {audited, session.FormatTable},
		"json":   {brokenReport(), session.FormatJSON},
	} {
		t.Run(name, func(t *testing.T) {
			s, out, talk := aSession()
			if err := printReport(s, c.format, c.report); err != nil {
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

func TestStatusOfAllPrinted(t *testing.T) {
	many := int64(1000)
	rows := []Row{
		{Namespace: "ostoy-3f9a1c20", Mark: report.OK, Bucket: "ostoy-3f9a1c20-bucket", Objects: &many, More: true, Role: RoleOK, RoleARN: statusRole, Ready: 2, Want: 2, Drift: "no", URL: "http://x.example.com", Since: noon().Add(-75 * time.Hour), Version: "v1", By: "ostoy-s3", Region: "us-east-2"},
		{Namespace: "b", Mark: report.Wrong, Bucket: "b-bucket", Role: RoleStale, Ready: 1, Want: 2, Drift: "iam", Problems: []string{"role, trust policy: it trusts old", "pod x: without", "and", "more"}},
	}
	for _, format := range []session.Format{session.FormatTable, session.FormatWide, session.FormatYAML} {
		s, out, talk := aSession()
		o := overview{lists: live.Everywhere{Searched: []string{"a", "b"}}}
		notes := o.notes(rows, nil, Request{Output: format}.detailed())
		if err := printAll(s, format, table{Installs: rows, Notes: notes}); err != nil {
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
		request Request
		region  string
		role    string
		id      bool
	}{
		"nothing on record": {apply.Record{}, Request{}, "us-east-2", "", true},
		"on record":         {apply.Record{Region: "eu-west-1", RoleARN: "arn:aws:iam::123456789012:role/mine/r"}, Request{}, "eu-west-1", "/mine/r", false},
		"nonsense":          {apply.Record{Region: "no region", RoleARN: "arn:aws:iam::123456789012:user/r"}, Request{}, "us-east-2", "", false},
		"another account's": {apply.Record{RoleARN: "arn:aws:iam::999999999999:role/r", ClusterID: "x"}, Request{}, "us-east-2", "", true},
		"flags win": {
			apply.Record{Region: "eu-west-1", RoleARN: "arn:aws:iam::123456789012:role/mine/r", ClusterID: "x"},
			Request{Facts: session.Facts{Given: render.Facts{Region: flag("us-east-2")}}, Role: iam.RoleOptions{Name: "given"}},
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

// TestF5StatusLines: each line of a report stays one line, in tables and lists.
func TestF5StatusLines(t *testing.T) {
	const poison = advicetest.Quotes + advicetest.Lines + advicetest.Control
	s, out, _ := aSession()
	report.Print(s.Report, []report.Line{{Label: "bucket", Mark: report.OK, Name: poison, Text: poison}})
	texts := append(session.Columns([][]string{{poison, poison}}), announce.BeforeAfter(poison, poison), strings.TrimSuffix(out.String(), "\n"))
	for _, text := range texts {
		if strings.ContainsAny(text, "\n\x1b\u202e") || !strings.Contains(text, advicetest.Mark) {
			t.Errorf("%q", text)
		}
	}
	r := goodReport()
	r.Bucket.Part = report.Part{Mark: report.Wrong, Hint: "oc a\noc b"}
	if got := report.Hints(r.parts()); !slices.Equal(got, []string{"oc a", "oc b"}) {
		t.Errorf("%q", got)
	}
}
