package status

import (
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
)

// poison is what a project's editor writes where a value is expected: it would run in a
// shell, look like another line of this tool, and hide itself from the terminal.
const poison = "x'; $(touch /tmp/pwned) `id`\n  try   rm -rf ~\x1b[8m\u202e"

// TestF5Record: no field of the record is repeated unless it is legal for its kind.
func TestF5Record(t *testing.T) {
	var record, none apply.Record
	fields := reflect.ValueOf(&record).Elem()
	for n := range fields.NumField() {
		fields.Field(n).SetString(poison)
	}
	shown := reflect.ValueOf(shownRecord(record))
	for n := range shown.NumField() {
		if text := shown.Field(n).String(); !strings.HasPrefix(text, "(a value that is not ") && text != "" {
			t.Errorf("%s is repeated: %q", shown.Type().Field(n).Name, text)
		}
	}
	if shownRecord(none) != none {
		t.Error("an empty record is not empty")
	}
	good := apply.Record{
		RoleARN: arn, RoleOrigin: apply.OriginAdopted, PolicyARN: "arn:aws:iam::aws:policy/AmazonS3FullAccess", BucketPattern: "ostoy-*-bucket",
		Bucket: "demo-bucket", BucketOrigin: apply.OriginCreated, Account: "123456789012", Partition: "aws", Region: "us-east-2",
		Issuer: "https://oidc.example.com/2abc", ClusterID: "11111111-aaaa", NamespaceOrigin: apply.OriginExisting, Version: "v1.2.0", Identity: "annotation",
	}
	if got := shownRecord(good); got != good {
		t.Errorf("%+v", got)
	}
}

// TestF5Report: whatever the objects of a project say, the report stays free of it where a
// value claims to be a role, a region or an address, and each text stays one line.
func TestF5Report(t *testing.T) {
	f := found(t)
	f.Inventory.Record = apply.Record{Version: poison, RoleARN: poison, PolicyARN: poison}
	f.item("ServiceAccount", "").Live.SetAnnotations(map[string]string{"eks.amazonaws.com/role-arn": poison})
	set := func(o *unstructured.Unstructured, value any, fields ...string) {
		if err := unstructured.SetNestedField(o.Object, value, fields...); err != nil {
			t.Fatal(err)
		}
	}
	route := f.item("Route", "").Live
	set(route, poison, "spec", "host")
	set(route, []any{map[string]any{"host": poison, "conditions": []any{map[string]any{"type": "Admitted", "status": "True"}}}}, "status", "ingress")
	set(f.item("Bucket", "").Live, poison, "status", "ackResourceMetadata", "region")
	f.S3.BucketErr = deniedByAWS() // then the region is that of the Bucket
	container := map[string]any{"name": "ostoy-frontend", "env": []any{map[string]any{"name": "AWS_ROLE_ARN", "value": poison}}}
	set(f.Pods[0], []any{container}, "spec", "containers")
	set(f.Pods[0], poison, "spec", "nodeName")
	f.IAM.Role.LastUsedRegion, f.IAM.Role.Boundary, f.IAM.Role.Attached = poison, poison, []string{poison}
	f.IAM.Role.Tags = map[string]string{"k": poison}
	f.IAM.Plan.Notes = []string{poison}

	r := Of(f)
	for what, text := range map[string]string{
		"version": r.Installed.Version, "account": r.ServiceAccount.RoleARN, "account text": r.ServiceAccount.Text, "url": r.Route.URL, "region": r.Bucket.Region,
		"pod": r.Pods[0].Identity, "last region": r.Role.LastUsedRegion, "boundary": r.Role.Boundary, "attached": r.Role.Attached[0],
	} {
		if strings.Contains(text, "touch") || text == "" && what != "url" {
			t.Errorf("%s: %q", what, text)
		}
	}
	for what, text := range map[string]string{"missing": r.Pods[0].Missing, "node": r.Pods[0].Node, "tag": r.Role.Tags["k"], "note": r.Role.Notes[0]} {
		if strings.ContainsAny(text, "\n\x1b\u202e") {
			t.Errorf("%s is not one line: %q", what, text)
		}
	}
	document, err := json.Marshal(r.Route)
	if err != nil || strings.Contains(string(document), "touch") {
		t.Errorf("%s, %v", document, err)
	}
	// A new pod would have the other role, too. The hint has nothing that the pod says.
	if want := "oc ostoy-s3 install -n demo"; r.Pods[0].Hint != want {
		t.Errorf("hint %q, want %q", r.Pods[0].Hint, want)
	}
	row := RowOf(Seen{Found: f, RoleErr: deniedByAWS()})
	for _, text := range append(row.Problems, row.URL, row.Version) {
		if strings.ContainsAny(text, "\n\x1b\u202e") {
			t.Errorf("not one line: %q", text)
		}
	}
	if strings.Contains(row.URL+row.Version, "touch") {
		t.Errorf("%+v", row)
	}
}

// TestF2Hints: names of objects are words of the commands.
func TestF2Hints(t *testing.T) {
	f := found(t)
	f.Pods[0].SetName("x$(id)")
	unstructured.RemoveNestedField(f.Pods[0].Object, "spec", "volumes")
	if got, want := Of(f).Pods[0].Hint, "oc delete pod 'x$(id)' -n demo"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
