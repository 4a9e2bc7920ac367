package iam

import (
	"cmp"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

var updatePolicies = flag.Bool("update", false, "rewrite testdata/policy-*.json")

// goldenOptions are those of the documents in testdata.
func goldenOptions(f render.Facts) []PeopleOptions {
	boundary := "arn:" + f.Partition.Value + ":iam::123456789012:policy/class"
	return []PeopleOptions{
		{For: ForInstall, Boundary: boundary},
		{For: ForClass, Boundary: boundary, Projects: []string{"learner1", "ostoy-*"}},
		{For: ForController, BucketPattern: ""},
		{For: ForBoundary, BucketPattern: "ostoy-*-bucket"},
	}
}

// TestPeoplePolicyDocuments holds the documents against those in testdata, which are
// of the partition aws: in another partition they differ in the ARNs alone.
func TestPeoplePolicyDocuments(t *testing.T) {
	for _, partition := range render.Partitions() {
		f := facts()
		f.Partition.Value = partition
		for _, o := range goldenOptions(f) {
			got, _, err := PeoplePolicy(f, o)
			if err != nil {
				t.Fatal(err)
			}
			golden := filepath.Join("testdata", "policy-"+string(o.For)+".json")
			if *updatePolicies && partition == render.PartitionAWS {
				if err := os.WriteFile(golden, []byte(got.Pretty()+"\n"), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			text, err := os.ReadFile(golden)
			if err != nil {
				t.Fatal(err)
			}
			want, err := ParseDocument(strings.ReplaceAll(string(text), "arn:aws:", "arn:"+partition+":"))
			if err != nil || !got.Equal(want) {
				t.Errorf("%s in %s (%v); if on purpose: go test ./plugin/aws/iam -update\n%s", o.For, partition, err, got.Pretty())
			}
		}
	}
}

// TestPeoplePolicyFits: a managed policy has a limit, for names as long as can be.
func TestPeoplePolicyFits(t *testing.T) {
	f := facts()
	f.Partition.Value = render.PartitionGov
	f.Issuer.Value = "https://oidc-" + strings.Repeat("x", 63) + ".example.com/" + strings.Repeat("y", 32)
	long := strings.Repeat("learner", 8)[:56]
	boundary := "arn:aws-us-gov:iam::123456789012:policy/" + strings.Repeat("b", 100)
	for _, o := range []PeopleOptions{
		{For: ForInstall, Boundary: boundary, RoleName: strings.Repeat("r", 64), RolePath: "/other/"},
		{For: ForClass, Boundary: boundary, Projects: []string{long}},
		{For: ForClass, Boundary: boundary, Projects: []string{"a", "b"}},
		{For: ForController, Boundary: boundary},
		{For: ForBoundary, BucketPattern: strings.Repeat("b", 60) + "*"},
	} {
		d, _, err := PeoplePolicy(f, o)
		if err != nil || sizeOf(d) > 6144 {
			t.Errorf("%s: %d characters, %v", o.For, sizeOf(d), err)
		}
	}
	many := PeopleOptions{For: ForClass, Boundary: boundary}
	for n := range 20 {
		many.Projects = append(many.Projects, "learner"+string(rune('a'+n)))
	}
	if _, _, err := PeoplePolicy(f, many); err == nil || !strings.Contains(err.Error(), "too long") {
		t.Errorf("20 projects: %v", err)
	}
}

func TestPeoplePolicyRefuses(t *testing.T) {
	class := PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{"demo"}}
	without := func(change func(*PeopleOptions)) PeopleOptions { o := class; change(&o); return o }
	noIssuer := facts()
	noIssuer.Issuer = render.Fact{}
	for name, c := range map[string]struct {
		facts render.Facts
		o     PeopleOptions
		want  string
	}{
		"class without boundary":      {facts(), without(func(o *PeopleOptions) { o.Boundary = "" }), "--for class requires --permissions-boundary"},
		"class without project":       {facts(), without(func(o *PeopleOptions) { o.Projects = nil }), "--for class requires --project"},
		"class without issuer":        {noIssuer, class, "issuer is unknown"},
		"boundary of another account": {facts(), without(func(o *PeopleOptions) { o.Boundary = "arn:aws:iam::999999999999:policy/x" }), "--permissions-boundary"},
		"variable in a project":       {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"${aws:username}*"} }), "invalid project pattern"},
		"bad project":                 {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"UPPER"} }), "UPPER"},
		"bad pattern of buckets":      {facts(), PeopleOptions{For: ForInstall, BucketPattern: "a/b"}, "bucket pattern"},
		"variable in a path":          {facts(), PeopleOptions{For: ForController, RolePath: "/${aws:username}/"}, "invalid role path"},
		"bad role name":               {facts(), PeopleOptions{For: ForController, RoleName: "a/b"}, "role name"},
		"boundary without buckets":    {facts(), PeopleOptions{For: ForBoundary}, "--for boundary requires --project NAME or --bucket-pattern"},
		"class with AWS's boundary":   {facts(), without(func(o *PeopleOptions) { o.Boundary = "arn:aws:iam::aws:policy/AdministratorAccess" }), "AWS managed policy"},
		"class of every project":      {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"*"} }), "the namespace of the ACK S3 controller"},
		"class of some":               {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"demo", "a?k-s*m"} }), "the namespace of the ACK S3 controller"},
		"class of the controller's":   {facts(), without(func(o *PeopleOptions) { o.Projects = []string{"ack-system"} }), "the namespace of the ACK S3 controller"},
		"a tag of the tool":           {facts(), PeopleOptions{For: ForInstall, TagKeys: []string{"Ostoy-s3/policy"}}, "invalid tag key"},
		"a pattern of tags":           {facts(), PeopleOptions{For: ForInstall, TagKeys: []string{"*"}}, "invalid tag key"},
		"no account":                  {render.Facts{}, PeopleOptions{For: ForInstall}, "AWS account"},
	} {
		_, _, err := PeoplePolicy(c.facts, c.o)
		var flaw *problem.Error
		if !problem.IsInput(err) || !errors.As(err, &flaw) || !strings.Contains(flaw.What, c.want) || flaw.Next == "" {
			t.Errorf("%s: %v", name, cmp.Or(err, errors.New("accepted")))
		}
	}
}
