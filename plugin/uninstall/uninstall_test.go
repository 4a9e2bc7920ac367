package uninstall

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// removing is an uninstall of project demo that has learned and looked.
func removing() *evidence {
	return &evidence{app: app{
		removal: &apply.Removal{}, now: time.Now,
		facts: render.Facts{
			Namespace: render.Fact{Value: "demo"}, Issuer: render.Fact{Value: "https://oidc.example.com/1"},
			Account: render.Fact{Value: "123456789012"}, Partition: render.Fact{Value: "aws"}, Region: render.Fact{Value: "us-east-2"},
		},
	}}
}

// bucketLine is what is decided about the bucket once S3 was asked for its age.
func bucketLine(t *testing.T, e *evidence, s3 bucketClient) *removal.Line {
	t.Helper()
	var err error
	if e.bucket.predates, err = mayPredate(t.Context(), *e, s3); err != nil {
		t.Fatal(err)
	}
	return decideBucket(*e)
}

// silent is where what is printed does not matter.
func silent() *ui.UI { return ui.New(io.Discard, ui.Style{}, time.Now) }

func bucketObject(notes map[string]string) *apply.Item {
	object := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket",
		"status": map[string]any{"ackResourceMetadata": map[string]any{"ownerAccountID": "123456789012"}},
	}}
	object.SetName("demo-bucket")
	object.SetFinalizers([]string{ack.Finalizer})
	object.SetAnnotations(notes)
	return &apply.Item{Ref: apply.RefOf(object), Live: object, Action: apply.Delete}
}

func TestFateOfTheBucket(t *testing.T) {
	ours := render.OwnershipTags(removing().app.facts)
	empty, full := &bucket.Contents{Ours: 2}, &bucket.Contents{Objects: 12, Bytes: 3565158}
	made := func(e *evidence) {
		e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{BucketOrigin: apply.OriginCreated}}
	}
	mine := bucket.State{Kind: bucket.Ours, Tags: ours, Sure: true}
	for name, c := range map[string]struct {
		state    bucket.State
		contents *bucket.Contents
		with     func(*evidence)
		want     removal.Fate
		why      string
	}{
		"made and empty":         {mine, empty, made, removal.Removed, ""},
		"made, no role names it": {mine, empty, func(e *evidence) { made(e); e.role.proof = iam.Proof{} }, removal.Kept, "no IAM role"},
		"full, given up, no role": {mine, full, func(e *evidence) {
			made(e)
			e.app.request.DeleteData, e.role.proof = true, iam.Proof{}
		}, removal.Kept, "12 objects, 3.4 MiB; no IAM role"},
		"full, by the user's word": {mine, full, func(e *evidence) {
			e.app.request.DeleteData, e.app.request.Adopt, e.role.proof = true, adopt.Bucket, iam.Proof{}
		}, removal.Removed, ""},
		"empty, by the user's word":   {mine, empty, func(e *evidence) { e.app.request.Adopt, e.role.proof = adopt.Bucket, iam.Proof{} }, removal.Removed, ""},
		"full, the user's word alone": {mine, full, func(e *evidence) { e.app.request.Adopt, e.role.proof = adopt.Bucket, iam.Proof{} }, removal.Kept, "12 objects"},
		"foreign, whatever the user says": {bucket.State{Kind: bucket.Foreign, Tags: map[string]string{"a": "b"}}, full, func(e *evidence) {
			made(e)
			e.app.request.DeleteData, e.app.request.Adopt = true, adopt.Bucket
		}, removal.Kept, "not ours"},
		"made, not countable": {mine, nil, made, removal.Removed, ""},
		"made and full":       {mine, full, made, removal.Kept, "12 objects, 3.4 MiB"},
		"only a marker":       {mine, &bucket.Contents{DeleteMarkers: 1}, made, removal.Kept, "1 delete marker"},
		"full, data given up": {mine, full, func(e *evidence) { made(e); e.app.request.DeleteData = true }, removal.Removed, ""},
		"--keep-bucket":       {mine, nil, func(e *evidence) { made(e); e.app.request.KeepBucket, e.app.removal.Bucket = true, bucketObject(nil) }, removal.Kept, "--keep-bucket"},
		"adopted, by record":  {mine, empty, func(e *evidence) { made(e); e.app.removal.Inventory.BucketOrigin = apply.OriginAdopted }, removal.Kept, "before install"},
		"made, and its Bucket a second time": {mine, empty, func(e *evidence) {
			made(e)
			e.app.removal.Bucket = bucketObject(map[string]string{"services.k8s.aws/adopted": "true"})
		}, removal.Removed, ""},
		"adopted, says ACK": {mine, empty, func(e *evidence) {
			e.app.removal.Bucket = bucketObject(map[string]string{"services.k8s.aws/adopted": "true"})
		}, removal.Kept, "before install"},
		"made, says ACK":     {mine, empty, func(e *evidence) { e.app.removal.Bucket = bucketObject(nil) }, removal.Removed, ""},
		"nobody knows":       {mine, empty, func(*evidence) {}, removal.Kept, "nothing says"},
		"gone":               {bucket.State{Kind: bucket.Free}, nil, made, "", ""},
		"another account's":  {bucket.State{Kind: bucket.OtherAccount, Sure: true}, nil, made, removal.Kept, "another AWS account"},
		"foreign":            {bucket.State{Kind: bucket.Foreign, Tags: map[string]string{"a": "b"}}, full, func(e *evidence) { made(e); e.app.request.DeleteData = true }, removal.Kept, "not ours"},
		"foreign, by chance": {bucket.State{Kind: bucket.Foreign, Tags: map[string]string{"a": "b"}}, nil, func(*evidence) {}, "", ""},
		"no tags yet, ACK's": {bucket.State{Kind: bucket.Foreign}, empty, func(e *evidence) { e.app.removal.Bucket = bucketObject(nil) }, removal.Removed, ""},
		"hidden, ACK's":      {bucket.State{Kind: bucket.OtherAccount, Missing: "s3:ListBucket"}, nil, func(e *evidence) { e.app.removal.Bucket = bucketObject(nil) }, removal.Removed, ""},
		"hidden":             {bucket.State{Kind: bucket.OtherAccount, Missing: "s3:ListBucket"}, nil, made, removal.Kept, "s3:ListBucket"},
	} {
		e := removing()
		e.bucket.state, e.bucket.contents, e.role.proof = c.state, c.contents, iam.Proof{Proven: true, Created: time.Unix(1, 0)}
		c.with(e)
		l := bucketLine(t, e, &shelf{})
		if l != nil && e.app.request.KeepBucket && l.Next != "oc ostoy-s3 uninstall -n demo --delete-data" { // the role stays
			t.Errorf("%s: %q does not remove it later", name, l.Next)
		}
		switch {
		case l == nil && c.want != "":
			t.Errorf("%s: nothing is said of it", name)
		case l != nil && (l.Fate != c.want || !strings.Contains(l.Why, c.why)):
			t.Errorf("%s: %s, %q", name, l.Fate, l.Why)
		}
	}
}

// TestRoleNames: what the record says is a hint, and of another account or of no
// role at all it is none.
func TestRoleNames(t *testing.T) {
	names := render.RoleNames("https://oidc.example.com/1", "demo")
	usual := strings.Join(names, " ")
	for arn, want := range map[string]string{
		"":                                     usual,
		"arn:aws:iam::123456789012:role/a/b/c": "c " + usual,
		"arn:aws:iam::123456789012:role/ostoy-s3/" + names[0]: usual,
		"arn:aws:iam::123456789012:role/ostoy-s3/" + names[1]: names[1] + " " + names[0],
		"arn:aws:iam::222222222222:role/x":                    usual,
		"arn:aws-cn:iam::123456789012:role/x":                 usual,
		"arn:aws:iam::123456789012:user/x":                    usual,
		"nonsense":                                            usual,
	} {
		e := removing()
		e.app.removal.Inventory.RoleARN = arn
		if got := strings.Join(e.app.roleNames(), " "); got != want {
			t.Errorf("%s: %s", arn, got)
		}
	}
}

// TestAttachedByUs: the one attached policy of an older role is install's.
func TestAttachedByUs(t *testing.T) {
	for _, c := range []struct {
		actual iam.Actual
		want   string
	}{
		{iam.Actual{Attached: []string{"a"}}, "a"},
		{iam.Actual{Attached: []string{"a", "b"}}, ""},
		{iam.Actual{Attached: []string{"a"}, Inlines: []string{"ostoy-s3"}}, ""},
	} {
		if got := attachedByUs(&c.actual); got != c.want {
			t.Errorf("%+v: %q", c.actual, got)
		}
	}
}

func TestRecordIsBelievedOnlyIfItCanBe(t *testing.T) {
	e := removing()
	e.app.request.KeepBucket, e.app.request.KeepRole = true, true
	e.app.detected.Facts = render.Facts{Namespace: e.app.facts.Namespace, Region: render.Fact{Value: "us-east-2"}}.Complete()
	e.app.removal.Inventory.Record = apply.Record{
		Issuer: "http://not-https", ClusterID: "a b", Region: "cn-north-1;", Account: "123", Partition: "moon",
	}
	settled, err := e.app.settle(t.Context(), render.Facts{})
	if err != nil {
		t.Fatal(err)
	}
	if f := settled.facts; f.Issuer.Known() || f.ClusterID.Known() || f.Region.Value != "us-east-2" || f.Account.Known() || f.Partition.Value != "aws" {
		t.Errorf("%+v", f)
	}
	e.app.removal.Inventory.Record = apply.Record{Issuer: "https://oidc.example.com/1", Region: "eu-west-1", Account: "123456789012"}
	settled, err = e.app.settle(t.Context(), render.Facts{})
	if err != nil || settled.facts.Region.Value != "eu-west-1" || settled.facts.Issuer.Value == "" {
		t.Errorf("%+v, %v", settled.facts, err)
	}
	given := render.Facts{Region: render.Fact{Value: "us-east-2", Source: "--region"}}
	if settled, err := e.app.settle(t.Context(), given); err != nil || settled.facts.Region.Value != "us-east-2" {
		t.Errorf("a region that you give: %+v, %v", settled.facts.Region, err)
	}
	err = credentialsOf("222222222222", settled.facts.Account)
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.Next, "--profile") {
		t.Errorf("%v", err)
	}
}

// TestIssuerOfTheInventory: an issuer that only the inventory tells may be another
// cluster's, put there to have its role removed. Somebody has to say yes to it.
func TestIssuerOfTheInventory(t *testing.T) {
	for source, doubts := range map[string]int{project.OnRecord: 1, "authentications/cluster": 0} {
		e := removing()
		e.app.facts.Issuer.Source = source
		e.app.state.Exists = true
		e.bucket.state, e.bucket.contents = bucket.State{Kind: bucket.Ours, Name: "demo-bucket"}, &bucket.Contents{}
		e.role.proof = iam.Proof{Proven: true, Created: time.Unix(1, 0)}
		e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{BucketOrigin: apply.OriginCreated}}
		bucketLine(t, e, &shelf{})
		d := decide(*e)
		if !d.lines.Removes(removal.Bucket, removal.Role) {
			t.Fatal("nothing is to be removed in AWS")
		}
		if len(d.doubts) != doubts {
			t.Errorf("issuer from %s: doubts %q", source, d.doubts)
		}
	}
}

func TestConfirmation(t *testing.T) {
	for name, c := range map[string]struct {
		yes    bool
		typed  string
		fails  bool
		doubt  bool
		script bool
	}{
		"typed":             {typed: "demo-bucket\r\n"},
		"typed wrong":       {typed: "yes\n", fails: true},
		"nothing typed":     {fails: true},
		"script":            {script: true, fails: true},
		"script with --yes": {script: true, yes: true},
		"doubt":             {doubt: true, typed: "demo-bucket\n", fails: true},
	} {
		e := removing()
		e.app.request.DeleteData, e.app.request.Yes = true, c.yes
		d := decision{lines: removal.Lines{{Object: "volume ostoy-pvc", Subject: removal.Volume, Fate: removal.Removed}}}
		if c.doubt {
			d.doubts = []string{"whose?"}
		}
		if !c.script {
			e.app.request.Ask = func(context.Context, string) (string, error) { return c.typed, nil }
		}
		err := mayDeleteData(e.app.request)
		if err == nil {
			err = confirm(t.Context(), silent(), prepared{evidence: *e, decision: d})
		}
		var told *problem.Error
		if (err != nil) != c.fails || c.fails && (!errors.As(err, &told) || told.Kind != problem.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestProjectOnItsWayOut: a run that was cut off had it deleted. The next one
// waits for its end, if that was asked for, and claims nobody else's.
func TestProjectOnItsWayOut(t *testing.T) {
	for name, c := range map[string]struct{ ours, asked, want bool }{
		"ours": {true, true, true}, "not asked for": {true, false, false}, "somebody's": {false, true, false},
	} {
		e := removing()
		e.app.state = project.State{Exists: true, Terminating: true, Ours: c.ours}
		e.app.request.DeleteNamespace = c.asked
		if l := decideProject(e.app, nil); (l != nil) != c.want || c.want && l.Fate != removal.Removed {
			t.Errorf("%s: %+v", name, l)
		}
	}
}
