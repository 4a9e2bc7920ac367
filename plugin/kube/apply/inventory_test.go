package apply

import (
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
)

func TestInventoryRoundTrip(t *testing.T) {
	in := Inventory{
		Found: true,
		Record: Record{
			RoleARN: "arn:aws:iam::123456789012:role/ostoy-s3/x", Bucket: "demo-bucket", BucketOrigin: OriginAdopted,
			Account: "123456789012", Partition: "aws", Region: "us-east-2", Issuer: "https://example.com/x",
			ClusterID: "c", NamespaceOrigin: OriginCreated, Version: "1.2.3",
		},
		Objects: []Ref{
			{Version: "v1", Kind: "Secret", Name: "s"},
			{Group: "apps", Version: "v1", Kind: "Deployment", Name: "d"},
			{Group: "rbac.authorization.k8s.io", Version: "v1", Kind: "RoleBinding", Name: "system:openshift:scc:restricted"},
		},
	}
	data := in.Data()
	if len(data) != 11 || data["clusterID"] != "c" || !strings.Contains(data["objects"], "apps/v1 Deployment d\n") {
		t.Errorf("%v", data)
	}
	if d := cmp.Diff(in, App().ParseInventory(data), cmpopts.IgnoreUnexported(Inventory{})); d != "" {
		t.Error(d)
	}
}

func TestRecordKeepsWhatItKnew(t *testing.T) {
	was := Record{Bucket: "b", BucketOrigin: OriginCreated, ClusterID: "c", NamespaceOrigin: OriginCreated, Version: "1"}
	got := was.with(Record{Bucket: "b", BucketOrigin: OriginAdopted, NamespaceOrigin: OriginExisting, Version: "2"})
	want := was
	want.Version = "2"
	if got != want {
		t.Error(cmp.Diff(want, got))
	}
	if got := was.with(Record{Bucket: "other", BucketOrigin: OriginAdopted}); got.BucketOrigin != OriginAdopted {
		t.Errorf("another bucket inherits the origin: %+v", got)
	}
}

// TestWritten: the time of our own writing, not of others'.
func TestWritten(t *testing.T) {
	if at := (Inventory{}).Written(); !at.IsZero() {
		t.Errorf("an inventory that is not there was written at %s", at)
	}
	ours, theirs := metav1.NewTime(time.Unix(1000, 0)), metav1.NewTime(time.Unix(2000, 0))
	live := &unstructured.Unstructured{Object: map[string]any{}}
	live.SetManagedFields([]metav1.ManagedFieldsEntry{{Manager: Manager, Time: &ours}, {Manager: Manager}, {Manager: "kubectl-edit", Time: &theirs}})
	if at := (Inventory{live: live}).Written(); !at.Equal(ours.Time) {
		t.Errorf("written at %s", at)
	}
}

// Whatever is in the inventory, only references to kinds of the set with
// names that are one path segment come out, and reading what was written
// gives the same.
func FuzzParseInventory(f *testing.F) {
	f.Add("v1 Secret a\napps/v1 Deployment b", "demo-bucket")
	f.Add("v1 Secret ../../x\nv1 Secret a/b\n v1  Secret  %2e%2e ", "")
	f.Add("v1 Node n\nv1 Secret \x00\n/ Secret x\n v1/v1/v1 a b", "\n")
	f.Add("rbac.authorization.k8s.io/v1 ClusterRole a\noperators.coreos.com/v1alpha1 Subscription b\noperators.coreos.com/v1alpha1 ClusterServiceVersion c", "")
	f.Add("rbac.authorization.k8s.io/v1 RoleBinding system:x:y\nv1 Secret .\nv1 Secret ..", "x y")
	f.Fuzz(func(t *testing.T, objects, bucket string) {
		for _, set := range []Set{App(), Controller()} {
			parseAnything(t, set, objects, bucket)
		}
	})
}

func parseAnything(t *testing.T, set Set, objects, bucket string) {
	inv := set.ParseInventory(map[string]string{"objects": objects, "bucket": bucket, "unknown": objects})
	for _, ref := range inv.Objects {
		if set.kind(ref.GVK().GroupKind()).Version != ref.Version || strings.ContainsAny(ref.Name, "/% \t\n") ||
			ref.Name == "." || ref.Name == ".." || ref.Name == "" {
			t.Errorf("%#v", ref)
		}
	}
	data := inv.Data()
	if again := set.ParseInventory(data).Data(); !maps.Equal(data, again) {
		t.Errorf("%q\n%q", data, again)
	}
}

// TestRoleOriginIsTheLastWord: who makes the role is what the last install was told.
func TestRoleOriginIsTheLastWord(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:role/x"
	skipped := Record{RoleARN: arn, RoleOrigin: OriginExisting}
	if got := (Record{RoleARN: arn}).with(skipped); got.RoleOrigin != OriginExisting {
		t.Errorf("not on record: %+v", got)
	}
	if got := skipped.with(Record{RoleARN: arn}); got.RoleOrigin != "" {
		t.Errorf("still somebody else's: %+v", got)
	}
	if got := skipped.with(Record{}); got.RoleOrigin != OriginExisting {
		t.Errorf("forgotten by a run that knows of no role: %+v", got)
	}
}
