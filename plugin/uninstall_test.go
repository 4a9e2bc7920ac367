package plugin

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// removing is an uninstall of project demo that has learned and looked.
func removing() *uninstall {
	streams, _, _, talk := genericiooptions.NewTestIOStreams()
	u := &uninstall{
		App:     &App{&session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Now: time.Now}},
		removal: &apply.Removal{},
		facts: render.Facts{
			Namespace: render.Fact{Value: "demo"}, Issuer: render.Fact{Value: "https://oidc.example.com/1"},
			Account: render.Fact{Value: "123456789012"}, Partition: render.Fact{Value: "aws"}, Region: render.Fact{Value: "us-east-2"},
		},
	}
	u.board = u.UI.Board()
	return u
}

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
	ours := render.OwnershipTags(removing().facts)
	empty, full := &bucket.Contents{Ours: 2}, &bucket.Contents{Objects: 12, Bytes: 3565158}
	made := func(u *uninstall) {
		u.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{BucketOrigin: apply.OriginCreated}}
	}
	mine := bucket.State{Kind: bucket.Ours, Tags: ours, Sure: true}
	for name, c := range map[string]struct {
		state    bucket.State
		contents *bucket.Contents
		with     func(*uninstall)
		want     fate
		why      string
	}{
		"made and empty":         {mine, empty, made, fateRemoved, ""},
		"made, no role names it": {mine, empty, func(u *uninstall) { made(u); u.proof = iam.Proof{} }, fateKept, "no IAM role"},
		"full, given up, no role": {mine, full, func(u *uninstall) {
			made(u)
			u.request.DeleteData, u.proof = true, iam.Proof{}
		}, fateKept, "12 objects, 3.4 MiB; no IAM role"},
		"full, by the user's word": {mine, full, func(u *uninstall) {
			u.request.DeleteData, u.request.Adopt, u.proof = true, AdoptBucket, iam.Proof{}
		}, fateRemoved, ""},
		"empty, by the user's word":   {mine, empty, func(u *uninstall) { u.request.Adopt, u.proof = AdoptBucket, iam.Proof{} }, fateRemoved, ""},
		"full, the user's word alone": {mine, full, func(u *uninstall) { u.request.Adopt, u.proof = AdoptBucket, iam.Proof{} }, fateKept, "12 objects"},
		"foreign, whatever the user says": {bucket.State{Kind: bucket.Foreign, Tags: map[string]string{"a": "b"}}, full, func(u *uninstall) {
			made(u)
			u.request.DeleteData, u.request.Adopt = true, AdoptBucket
		}, fateKept, "not ours"},
		"made, not countable": {mine, nil, made, fateRemoved, ""},
		"made and full":       {mine, full, made, fateKept, "12 objects, 3.4 MiB"},
		"only a marker":       {mine, &bucket.Contents{DeleteMarkers: 1}, made, fateKept, "1 delete marker"},
		"full, data given up": {mine, full, func(u *uninstall) { made(u); u.request.DeleteData = true }, fateRemoved, ""},
		"--keep-bucket":       {mine, nil, func(u *uninstall) { made(u); u.request.KeepBucket, u.removal.Bucket = true, bucketObject(nil) }, fateKept, "--keep-bucket"},
		"adopted, by record":  {mine, empty, func(u *uninstall) { made(u); u.removal.Inventory.BucketOrigin = apply.OriginAdopted }, fateKept, "before install"},
		"made, and its Bucket a second time": {mine, empty, func(u *uninstall) {
			made(u)
			u.removal.Bucket = bucketObject(map[string]string{"services.k8s.aws/adopted": "true"})
		}, fateRemoved, ""},
		"adopted, says ACK": {mine, empty, func(u *uninstall) {
			u.removal.Bucket = bucketObject(map[string]string{"services.k8s.aws/adopted": "true"})
		}, fateKept, "before install"},
		"made, says ACK":     {mine, empty, func(u *uninstall) { u.removal.Bucket = bucketObject(nil) }, fateRemoved, ""},
		"nobody knows":       {mine, empty, func(*uninstall) {}, fateKept, "nothing says"},
		"gone":               {bucket.State{Kind: bucket.Free}, nil, made, "", ""},
		"another account's":  {bucket.State{Kind: bucket.OtherAccount, Sure: true}, nil, made, fateKept, "another AWS account"},
		"foreign":            {bucket.State{Kind: bucket.Foreign, Tags: map[string]string{"a": "b"}}, full, func(u *uninstall) { made(u); u.request.DeleteData = true }, fateKept, "not ours"},
		"foreign, by chance": {bucket.State{Kind: bucket.Foreign, Tags: map[string]string{"a": "b"}}, nil, func(*uninstall) {}, "", ""},
		"no tags yet, ACK's": {bucket.State{Kind: bucket.Foreign}, empty, func(u *uninstall) { u.removal.Bucket = bucketObject(nil) }, fateRemoved, ""},
		"hidden, ACK's":      {bucket.State{Kind: bucket.OtherAccount, Missing: "s3:ListBucket"}, nil, func(u *uninstall) { u.removal.Bucket = bucketObject(nil) }, fateRemoved, ""},
		"hidden":             {bucket.State{Kind: bucket.OtherAccount, Missing: "s3:ListBucket"}, nil, made, fateKept, "s3:ListBucket"},
	} {
		u := removing()
		u.bucket, u.contents, u.proof, u.buckets = c.state, c.contents, iam.Proof{Proven: true, Created: time.Unix(1, 0)}, &shelf{}
		c.with(u)
		if err := u.decideBucket(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		l := u.one(theBucket)
		if l != nil && u.request.KeepBucket && l.Next != "oc ostoy-s3 uninstall -n demo --delete-data" { // the role stays
			t.Errorf("%s: %q does not remove it later", name, l.Next)
		}
		switch {
		case l == nil && c.want != "":
			t.Errorf("%s: nothing is said of it", name)
		case l != nil && (l.fate != c.want || !strings.Contains(l.Why, c.why)):
			t.Errorf("%s: %s, %q", name, l.fate, l.Why)
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
		u := removing()
		u.removal.Inventory.RoleARN = arn
		if got := strings.Join(u.roleNames(), " "); got != want {
			t.Errorf("%s: %s", arn, got)
		}
	}
}

// TestAttachedByUs: the one attached policy of an older role is install's.
func TestAttachedByUs(t *testing.T) {
	u := removing()
	for _, c := range []struct {
		actual iam.Actual
		want   string
	}{
		{iam.Actual{Attached: []string{"a"}}, "a"},
		{iam.Actual{Attached: []string{"a", "b"}}, ""},
		{iam.Actual{Attached: []string{"a"}, Inlines: []string{"ostoy-s3"}}, ""},
	} {
		if got := u.attachedByUs(&c.actual); got != c.want {
			t.Errorf("%+v: %q", c.actual, got)
		}
	}
}

func TestRecordIsBelievedOnlyIfItCanBe(t *testing.T) {
	u := removing()
	u.request.KeepBucket, u.request.KeepRole = true, true
	u.found.Facts = render.Facts{Namespace: u.facts.Namespace, Region: render.Fact{Value: "us-east-2"}}.Complete()
	u.removal.Inventory.Record = apply.Record{
		Issuer: "http://not-https", ClusterID: "a b", Region: "cn-north-1;", Account: "123", Partition: "moon",
	}
	if err := u.settle(t.Context(), render.Facts{}); err != nil {
		t.Fatal(err)
	}
	if f := u.facts; f.Issuer.Known() || f.ClusterID.Known() || f.Region.Value != "us-east-2" || f.Account.Known() || f.Partition.Value != "aws" {
		t.Errorf("%+v", f)
	}
	u.removal.Inventory.Record = apply.Record{Issuer: "https://oidc.example.com/1", Region: "eu-west-1", Account: "123456789012"}
	u.found = detect.Result{Facts: u.found.Facts}
	if err := u.settle(t.Context(), render.Facts{}); err != nil || u.facts.Region.Value != "eu-west-1" || u.facts.Issuer.Value == "" {
		t.Errorf("%+v, %v", u.facts, err)
	}
	err := u.credentialsOf("222222222222", u.facts.Account)
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.Next, "--profile") {
		t.Errorf("%v", err)
	}
}

// TestIssuerOfTheInventory: an issuer that only the inventory tells may be another
// cluster's, put there to have its role removed. Somebody has to say yes to it.
func TestIssuerOfTheInventory(t *testing.T) {
	for source, doubts := range map[string]int{onRecord: 1, "authentications/cluster": 0} {
		u := removing()
		u.facts.Issuer.Source = source
		u.project.exists = true
		u.bucket, u.contents = bucket.State{Kind: bucket.Ours, Name: "demo-bucket"}, &bucket.Contents{}
		u.proof, u.buckets = iam.Proof{Proven: true, Created: time.Unix(1, 0)}, &shelf{}
		u.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{BucketOrigin: apply.OriginCreated}}
		if err := u.decide(t.Context()); err != nil {
			t.Fatal(err)
		}
		if !u.removesInAWS() {
			t.Fatal("nothing is to be removed in AWS")
		}
		if len(u.doubts) != doubts {
			t.Errorf("issuer from %s: doubts %q", source, u.doubts)
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
		u := removing()
		u.request.DeleteData, u.request.Yes = true, c.yes
		u.add(&line{Object: "volume ostoy-pvc", about: aVolume, fate: fateRemoved})
		if c.doubt {
			u.doubts = []string{"whose?"}
		}
		if !c.script {
			u.request.Ask = func(context.Context, string) (string, error) { return c.typed, nil }
		}
		err := u.mayDeleteData()
		if err == nil {
			err = u.confirm(t.Context())
		}
		var told *problem.Error
		if (err != nil) != c.fails || c.fails && (!errors.As(err, &told) || told.Kind != problem.Usage) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestAmounts(t *testing.T) {
	for n, want := range map[int64]string{0: "0 B", 1023: "1023 B", 1024: "1.0 KiB", 3565158: "3.4 MiB", 1 << 40: "1.0 TiB", 5 << 50: "5120.0 TiB"} {
		if got := inBytes(n); got != want {
			t.Errorf("%d: %s, want %s", n, got, want)
		}
	}
	if got := amount(&bucket.Contents{Objects: 1, Versions: 2, DeleteMarkers: 3, Partial: true}); !strings.HasPrefix(got, "1 object, 2 older versions, 3 delete markers, 0 B (older") {
		t.Errorf("%q", got)
	}
}

// TestLeftovers: what could not be removed is an error with all commands, and
// says once that the command is to be run again.
func TestLeftovers(t *testing.T) {
	u := removing()
	if u.leftovers() != nil {
		t.Error("an error out of nothing")
	}
	for n, next := range []string{"do this", "do that; then run the same command again"} {
		u.add(&line{Object: fmt.Sprint("thing ", n), about: theRole}).leave("no", next)
		var told *problem.Error
		if err := u.leftovers(); !errors.As(err, &told) || told.Kind != problem.Failed || strings.Count(told.Next, "run the same command again") != 1 {
			t.Errorf("%+v", told)
		}
	}
}

// TestProjectOnItsWayOut: a run that was cut off had it deleted. The next one
// waits for its end, if that was asked for, and claims nobody else's.
func TestProjectOnItsWayOut(t *testing.T) {
	for name, c := range map[string]struct{ ours, asked, want bool }{
		"ours": {true, true, true}, "not asked for": {true, false, false}, "somebody's": {false, true, false},
	} {
		u := removing()
		u.project = project{exists: true, terminating: true, ours: c.ours}
		u.request.DeleteNamespace = c.asked
		if err := u.decideProject(t.Context()); err != nil {
			t.Fatal(err)
		}
		if l := u.one(theProject); (l != nil) != c.want || c.want && l.fate != fateRemoved {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// TestRemovedInLines: the list of what was removed is wrapped below itself.
func TestRemovedInLines(t *testing.T) {
	var talk strings.Builder
	a := &App{&session.Session{UI: ui.New(&talk, ui.Style{}, time.Now)}}
	var lines []*line
	for _, name := range []string{"first", "second", "third"} {
		lines = append(lines, &line{Object: name + strings.Repeat("-", 30), about: theRole, fate: fateRemoved})
	}
	a.fates(lines, map[fate]string{fateRemoved: "would remove"})
	want := "would remove  first------------------------------,\n              second------------------------------,\n              third------------------------------\n"
	if talk.String() != want {
		t.Errorf("%q", talk.String())
	}
}
