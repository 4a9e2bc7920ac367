package status

import (
	"errors"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// recordedApp is what the project demo is compared with if its inventory says this.
func recordedApp(r Request, record apply.Record) expected {
	detected := render.Facts{
		Namespace: render.Fact{Value: "demo"}, Region: render.Fact{Value: "us-east-2"}, Account: render.Fact{Value: "123456789012"},
		Partition: render.Fact{Value: "aws"}, Issuer: render.Fact{Value: "https://issuer.example.com"}, Audience: render.Fact{Value: "sts.amazonaws.com"},
	}
	if given := r.Facts.Given.Region; given.Known() {
		detected.Region = given
	}
	e := expected{request: r, detected: detected, inventory: apply.Inventory{Record: record}}
	e.facts, _ = recorded(detected, r, record)
	return e
}

const (
	installDemo = "oc ostoy-s3 install -n demo"
	adminPolicy = "arn:aws:iam::aws:policy/AdministratorAccess"
	ownRole     = "arn:aws:iam::123456789012:role/mine/r"
)

// tagged is the role that IAM shows with the tags of the project demo.
func tagged(arn string) Found {
	return Found{IAM: IAM{Role: &iam.Actual{Exists: true, ARN: arn, Tags: map[string]string{
		render.TagManagedBy: render.ManagedBy, render.TagNamespace: "demo", render.TagIssuer: "https://issuer.example.com",
	}}}}
}

// TestF2AgainFromTheRecord: nothing of the record, which can be edited in the project,
// becomes a flag of the printed command without a word of AWS.
func TestF2AgainFromTheRecord(t *testing.T) {
	for _, role := range append(advicetest.RoleARNs(), ownRole) {
		record := apply.Record{RoleARN: role, Region: "eu-west-1", Account: poison, Issuer: "https://other.example.com", Partition: poison, PolicyARN: adminPolicy, RoleOrigin: poison}
		for _, said := range []Found{
			{},
			{S3: S3{BucketErr: errors.New("no")}, IAM: IAM{RoleErr: errors.New("no")}},
			{IAM: IAM{Role: &iam.Actual{}}},
			{IAM: IAM{Role: &iam.Actual{Exists: true, ARN: role, Tags: map[string]string{render.TagManagedBy: render.ManagedBy}}}},
			{S3: S3{Bucket: bucket.State{Kind: bucket.OtherAccount, Region: "eu-west-1"}}},
			tagged("arn:aws:iam::123456789012:role/another/r"),
		} {
			if got := recordedApp(Request{}, record).again(live.Hands{}, said); got != installDemo {
				t.Errorf("%q: %s", role, got)
			}
		}
	}
}

// TestF2AgainFromAWS: what AWS says, and what you gave, is in the printed command.
func TestF2AgainFromAWS(t *testing.T) {
	mine := apply.Record{RoleARN: ownRole, PolicyARN: adminPolicy}
	used := apply.Record{RoleARN: ownRole, RoleOrigin: apply.OriginExisting}
	trusted := Found{IAM: IAM{Role: &iam.Actual{Exists: true, ARN: ownRole, Trust: `{"Statement": {"Effect": "Allow", "Action": "sts:AssumeRoleWithWebIdentity",
"Principal": {"Federated": "arn:aws:iam::123456789012:oidc-provider/issuer.example.com"},
"Condition": {"StringEquals": {"issuer.example.com:sub": "system:serviceaccount:demo:ostoy-sa", "issuer.example.com:aud": "sts.amazonaws.com"}}}}`}}}
	const dash, odd = "arn:aws:iam::123456789012:role/-rf", "arn:aws:iam::123456789012:role/a!b/#c/~d/r"
	for name, c := range map[string]struct {
		request Request
		record  apply.Record
		said    Found
		want    string
	}{
		"its role":             {Request{}, mine, tagged(ownRole), " --role-name r --role-path /mine/"},
		"begins with a hyphen": {Request{}, apply.Record{RoleARN: dash}, tagged(dash), " --role-name=-rf --role-path /"},
		"an odd path":          {Request{}, apply.Record{RoleARN: odd}, tagged(odd), " --role-name r --role-path '/a!b/#c/~d/'"},
		"adopted":              {Request{}, apply.Record{RoleARN: ownRole, RoleOrigin: apply.OriginAdopted}, tagged(ownRole), ""},
		"used, with tags":      {Request{}, used, tagged(ownRole), " --role-name r --role-path /mine/"},
		"used, by its trust":   {Request{}, used, trusted, " --role-name r --role-path /mine/ --iam=skip"},
		"changed, by trust":    {Request{}, mine, trusted, ""},
		"used, not proven":     {Request{}, used, Found{IAM: IAM{RoleErr: errors.New("no")}}, " --role-name ROLE --role-path PATH"},
		"S3's region":          {Request{}, apply.Record{Region: "eu-west-1"}, Found{S3: S3{Bucket: bucket.State{Kind: bucket.OtherRegion, Region: "us-west-2"}}}, " --region us-west-2"},
		"the usual region":     {Request{}, apply.Record{Region: "eu-west-1"}, Found{S3: S3{Bucket: bucket.State{Kind: bucket.Ours, Region: "us-east-2"}}}, ""},
		"your region":          {Request{Facts: session.Facts{Given: render.Facts{Region: render.Fact{Value: "eu-north-1"}}}}, apply.Record{}, Found{}, " --region eu-north-1"},
		"your role":            {Request{Role: iam.RoleOptions{Name: "x", Path: "/y/"}}, used, Found{}, " --role-name x --role-path /y/"},
		"your policy":          {Request{Role: iam.RoleOptions{PolicyARN: adminPolicy}}, apply.Record{}, Found{}, " --policy-arn " + adminPolicy},
	} {
		want := installDemo + c.want
		if got := recordedApp(c.request, c.record).again(live.Hands{}, c.said); got != want {
			t.Errorf("%s: %s, want %s", name, got, want)
		}
	}
	e := recordedApp(Request{}, mine)
	if got, want := e.again(live.Hands{}, tagged(ownRole), "--adopt"), installDemo+" --role-name r --role-path /mine/ --adopt"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	e.detected.Issuer = render.Fact{} // then the inventory's is compared with, and proves nothing
	if got := e.again(live.Hands{}, tagged(ownRole)); got != installDemo {
		t.Error(got)
	}
}

// TestF2SkipFromTheRecord: the inventory alone gives no --iam=skip: what it says is said.
func TestF2SkipFromTheRecord(t *testing.T) {
	usual := "arn:aws:iam::123456789012:role/ostoy-s3/" + render.RoleName("https://issuer.example.com", "demo")
	for role, want := range map[string]string{usual: "", "arn:aws:iam::123456789012:role/ostoy-s3/ghost": " --role-name ROLE --role-path PATH"} {
		for _, from := range []Found{{}, tagged(usual)} {
			found := recordedApp(Request{}, apply.Record{RoleARN: role, RoleOrigin: apply.OriginExisting}).advise(from)
			if want := installDemo + want + "\n" + advice.ManagedByOthers; found.Again != want {
				t.Errorf("%s\nwant %s", found.Again, want)
			}
		}
	}
}

// TestF2RegionOfTheBucketLine: a region that is not S3's is not shown as if it were.
func TestF2RegionOfTheBucketLine(t *testing.T) {
	b := Bucket{Name: "demo-bucket", Region: "us-east-2", S3: bucket.Ours, Part: report.Part{Text: "synced"}}
	if got := bucketLines(b)[0].Text; got != "synced, us-east-2" {
		t.Error(got)
	}
	b.S3 = ""
	if got := bucketLines(b)[0].Text; got != "synced, us-east-2 (as the Bucket resource says)" {
		t.Error(got)
	}
}

// TestF4HintAsksForRoute: the command that creates a deleted Route again asks if the bucket
// has objects, and the hint says so.
func TestF4HintAsksForRoute(t *testing.T) {
	app := &unstructured.Unstructured{Object: map[string]any{"kind": "Deployment"}}
	some, none := bucket.Contents{Objects: 2}, bucket.Contents{}
	for name, c := range map[string]struct {
		action apply.Action
		live   *unstructured.Unstructured
		from   S3
		asks   bool
	}{
		"objects":          {apply.Create, app, S3{Contents: some}, true},
		"not counted":      {apply.Create, app, S3{ContentsErr: errors.New("no")}, true},
		"empty":            {apply.Create, app, S3{Contents: none}, false},
		"the Route exists": {apply.Update, app, S3{Contents: some}, false},
		"no app":           {apply.Create, nil, S3{Contents: some}, false},
	} {
		found := Found{S3: c.from, Plan: &apply.Plan{Items: []*apply.Item{
			{Ref: apply.Ref{Kind: "Route"}, Action: c.action}, {Ref: apply.Ref{Kind: "Deployment"}, Live: c.live, Action: apply.Unchanged},
		}}}
		found = recordedApp(Request{}, apply.Record{}).advise(found)
		if want := installDemo; c.asks && found.Again != want+"\n"+asksForRoute || !c.asks && found.Again != want {
			t.Errorf("%s: %s", name, found.Again)
		}
	}
}

// TestAgainInAnotherAccount: credentials of another account than the inventory names are
// either the wrong ones, or the app is to be in their account: both ways are printed. The
// inventory, which can be edited in the project, gives no word of a command.
func TestAgainInAnotherAccount(t *testing.T) {
	got := recordedApp(Request{}, apply.Record{Account: "210987654321"}).advise(Found{}).Again
	want := "to look with credentials of account 210987654321, which the inventory names: oc ostoy-s3 status -n demo --profile PROFILE\n" +
		"or, to install the app in account 123456789012, of which your credentials are: " + installDemo
	if got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
	if got := recordedApp(Request{}, apply.Record{Account: "123456789012"}).advise(Found{}).Again; got != installDemo {
		t.Errorf("of the same account: %s", got)
	}
	if complaint := advicetest.Advice(recordedApp(Request{}, apply.Record{Account: poison}).advise(Found{}).Again); complaint != "" {
		t.Error(complaint)
	}
}
