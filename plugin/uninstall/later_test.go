package uninstall

import (
	"bytes"
	"context"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// withVolume is an uninstall of a project that has a volume, and a bucket with these
// contents.
func withVolume(contents *bucket.Contents) *evidence {
	e := removing()
	e.bucket.state, e.bucket.contents = bucket.State{Kind: bucket.Ours, Name: "demo-bucket"}, contents
	live := &unstructured.Unstructured{}
	live.SetName("ostoy-pvc")
	e.app.removal.Volumes = []*apply.Item{{Ref: apply.Ref{Version: "v1", Kind: "PersistentVolumeClaim", Name: "ostoy-pvc"}, Live: live}}
	return e
}

// TestF7OnlyTheBucket: the flags for a bucket that no role names delete the volume only
// if the bucket cannot be removed without, and then this is said.
func TestF7OnlyTheBucket(t *testing.T) {
	const volume = "(--delete-data also deletes the volume ostoy-pvc)"
	for name, c := range map[string]struct {
		contents *bucket.Contents
		data     bool
		want     string
	}{
		"empty":                 {&bucket.Contents{Ours: 2}, false, "if you know that it is: --adopt=bucket"},
		"with data":             {&bucket.Contents{Objects: 1}, false, "if you know that it is: --delete-data --adopt=bucket " + volume},
		"with data, given up":   {&bucket.Contents{Objects: 1}, true, "if you know that it is: --delete-data --adopt=bucket"},
		"not to be looked into": {nil, false, "--adopt=bucket removes it while it is empty, otherwise --delete-data --adopt=bucket " + volume},
	} {
		e := withVolume(c.contents)
		e.app.request.DeleteData = c.data
		if got := e.unproven(); !strings.HasSuffix(got, c.want) {
			t.Errorf("%s: %s", name, got)
		}
		e.app.removal.Volumes = nil
		if got := e.unproven(); strings.Contains(got, "volume") {
			t.Errorf("%s: there is no volume: %s", name, got)
		}
	}
	e := withVolume(&bucket.Contents{})
	e.role.proof.Proven = true
	e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{BucketOrigin: apply.OriginAdopted}}
	if l := bucketLine(t, e, &shelf{}); l.Fate != removal.Kept || l.Next != "oc ostoy-s3 uninstall -n demo --adopt=bucket" {
		t.Errorf("an empty bucket that existed before: %+v", l)
	}
}

// TestF7RoleAfterBucket: of two commands for what --keep-role keeps, the one for the role
// comes second, and the one for the bucket keeps the role.
func TestF7RoleAfterBucket(t *testing.T) {
	const first, second = "oc ostoy-s3 uninstall -n demo --delete-data --keep-role", "once the bucket is removed: oc ostoy-s3 uninstall -n demo --role-only"
	full, found := &bucket.Contents{Objects: 1}, apply.Inventory{Found: true, Record: apply.Record{
		BucketOrigin: apply.OriginCreated, RoleARN: "arn:aws:iam::123456789012:role/ostoy-s3/r",
	}}
	for name, c := range map[string]struct {
		contents     *bucket.Contents
		during       func(*evidence, *removal.Line)
		bucket, role string
	}{
		"data":                   {full, nil, first, second},
		"data that came later":   {&bucket.Contents{}, func(e *evidence, l *removal.Line) { l.Keep("it has data", e.later()) }, first, second},
		"could not be removed":   {&bucket.Contents{}, func(_ *evidence, l *removal.Line) { l.Leave("denied", "") }, "", second},
		"a bucket that is empty": {&bucket.Contents{}, nil, "", "oc ostoy-s3 uninstall -n demo --role-only"},
	} {
		e := withVolume(c.contents)
		e.app.request.KeepRole, e.app.removal.Inventory = true, found
		e.role.proof = iam.Proof{Proven: true, Role: "r", Created: time.Unix(1, 0)}
		bucketLine(t, e, &shelf{})
		d := decide(*e)
		if c.during != nil {
			e.bucket.contents = full
			c.during(e, d.lines.One(removal.Bucket))
		}
		if err := removeRole(t.Context(), place{}, prepared{evidence: *e, decision: d}); err != nil {
			t.Fatal(err)
		}
		if b, r := d.lines.One(removal.Bucket).Next, d.lines.One(removal.Role).Next; b != c.bucket || r != c.role {
			t.Errorf("%s: bucket %q, role %q", name, b, r)
		}
	}
}

// elsewhere is an S3 whose bucket is in another region than the facts say.
type elsewhere struct {
	shelf
	looked chan struct{} // closed when it is asked in the right region
}

func (e *elsewhere) Look(_ context.Context, f render.Facts) (bucket.State, error) {
	if f.Region.Value != "eu-west-1" {
		return bucket.State{Kind: bucket.OtherRegion, Region: "eu-west-1"}, nil
	}
	close(e.looked)
	return bucket.State{Kind: bucket.Ours}, nil
}

// lateRoles is an IAM that answers when S3 has been asked, and sees the facts then.
type lateRoles struct {
	oneRole
	after <-chan struct{}
	seen  func()
}

func (w *lateRoles) GetRole(ctx context.Context, in *awsiam.GetRoleInput, o ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	select {
	case <-w.after:
	case <-time.After(time.Minute):
	}
	w.seen()
	return w.oneRole.GetRole(ctx, in, o...)
}

// TestLooksDoNotMeet: bucket and role are looked at at the same time; what the bucket
// shows of its region is known when both are done.
func TestLooksDoNotMeet(t *testing.T) {
	e := removing()
	e.app.request.Adopt = adopt.Bucket
	looked, region := make(chan struct{}), ""
	usual := render.RoleName(e.app.facts.Issuer.Value, "demo")
	tags := withTag(render.OwnershipTags(e.app.facts), render.TagBucket, "demo-bucket")
	roles := &lateRoles{oneRole{name: usual, tags: tags}, looked, func() { region = e.app.facts.Region.Value }}
	found, err := look(t.Context(), e.app, clients{&elsewhere{looked: looked}, roles})
	if err != nil || !found.role.proof.Proven || found.role.plan == nil {
		t.Fatalf("%+v, %v", found.role, err)
	}
	if region != "us-east-2" || found.app.facts.Region.Value != "eu-west-1" {
		t.Errorf("region %s, then %s", region, found.app.facts.Region.Value)
	}
}

// TestF7AdoptedAndKept: --keep-role --adopt=bucket looks at the role as well, so that the
// question says what is true.
func TestF7AdoptedAndKept(t *testing.T) {
	facts := removing().app.facts
	usual, tags := render.RoleName(facts.Issuer.Value, "demo"), withTag(render.OwnershipTags(facts), render.TagBucket, "demo-bucket")
	for name, c := range map[string]struct {
		roles roleClient
		says  string
	}{
		"a role that names it":        {&oneRole{name: usual, tags: tags}, ""},
		"a role that may not be read": {secretive{}, "(you are not allowed to read the role " + usual},
		"no role":                     {&oneRole{}, "(none exists)"},
	} {
		e, talk := removing(), &bytes.Buffer{}
		e.app.request.KeepRole, e.app.request.Adopt = true, adopt.Bucket
		e.app.request.Ask = func(context.Context, string) (string, error) { return "demo-bucket\n", nil }
		by := clients{&shelf{}, c.roles}
		found, err := look(t.Context(), e.app, by)
		if err != nil {
			t.Fatal(name, err)
		}
		found.bucket.state, found.bucket.contents = bucket.State{Kind: bucket.Ours}, &bucket.Contents{}
		if err := confirm(t.Context(), ui.New(talk, ui.Style{}, time.Now), prepared{found, decide(found), by}); err != nil {
			t.Fatal(name, err)
		}
		if c.says == "" && strings.Contains(talk.String(), "no IAM role") || !strings.Contains(talk.String(), c.says) {
			t.Errorf("%s: %s", name, talk)
		}
		if (c.says == "") != found.role.proof.Proven {
			t.Errorf("%s: %+v", name, found.role.proof)
		}
	}
}
