package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const reachAccount = "123456789012"

func allowing(action, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + action + `,"Resource":` + resource + `}]}`
}

// TestF1ReachOfPolicies: what reaches every bucket is found, however it is written.
func TestF1ReachOfPolicies(t *testing.T) {
	for _, text := range []string{
		allowing(`"*"`, `"*"`),
		allowing(`"s3:*"`, `"*"`),
		allowing(`["s3:*","s3-object-lambda:*"]`, `["*"]`),
		allowing(`"S3:putbucketpolicy"`, `"arn:aws:s3:::*"`),
		allowing(`"s3:Put*"`, `["arn:aws:s3:::*","arn:aws:s3:::*/*"]`),
		allowing(`"s3:*"`, `"arn:aws:s3:::?*"`),
		allowing(`"s3:*"`, `"arn:aws:s3:*"`),
		allowing(`"s3:*"`, `"arn:*:s3:::*"`),
		allowing(`"s3:*"`, `"arn:aws-cn:s3:::*"`),
		allowing(`"s3:*"`, `"arn:aws:s3:*:*:*"`),
		allowing(`"s3:*"`, `"arn:aws:*:*:*:*"`),
		allowing(`"s3:*"`, `"arn:*:*:*:*:*"`),
		allowing(`"s3:*"`, `"arn:aws:s3:?*"`),
		allowing(`"s3:*"`, `"arn:aws:s?:::*"`),
		allowing(`"s3:PutInventoryConfiguration"`, `"*"`),
		allowing(`"s3:PutBucketNotification"`, `"*"`),
		allowing(`["s3:*","sts:AssumeRole"]`, `"*"`),
		allowing(`"s3:*"`, `[`+everyLetter("arn:aws:s3:::%s*")+`]`),
		allowing(`"s3:*"`, `[`+everyLetter("arn:aws:s3:::*%s")+`]`),
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalAccount}"}}}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringLike":{"s3:ResourceAccount":["999999999999","${AWS:principalaccount}"]}}}]}`,
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"${aws:PrincipalTag/account}"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"123456789012"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::x"}]}`,
	} {
		if r := reachOfText("p", text, reachAccount); !r.Any || r.By != "p" || !r.Covers("finance-reports") {
			t.Errorf("%s: %+v", text, r)
		}
	}
	for text, want := range map[string][]string{
		allowing(`"s3:*"`, `["arn:aws:s3:::demo-bucket","arn:aws:s3:::demo-bucket/*"]`): {"demo-bucket"},
		allowing(`"s3:*"`, `"arn:aws:s3:*-bucket"`):                                     {"*-bucket"},
		allowing(`"s3:*"`, `"arn:aws:s3:*:*:demo-?"`):                                   {"demo-?"},
		allowing(`"s3:*"`, `"arn:aws:s3:*:*:accesspoint/*"`):                            nil,
		allowing(`"s3:*"`, `"arn:aws:sqs:*:*:*"`):                                       nil,
		allowing(`"s3:*"`, `"arn:aws:sqs:*:*:${aws:PrincipalTag/x}"`):                   nil,
		allowing(`["s3:Get*","s3:List*"]`, `"*"`):                                       nil,
		allowing(`"s3:PutObject"`, `"*"`):                                               nil,
		allowing(`"s3:*"`, `"arn:aws:s3:::*/*"`):                                        nil,
		allowing(`"sqs:*"`, `"*"`):                                                      nil,
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*","Condition":{"StringEquals":{"aws:ResourceAccount":"999999999999"}}}]}`: nil,
	} {
		r := reachOfText("p", text, reachAccount)
		if r.Any || r.Unknown != "" || !slices.Equal(r.Patterns, want) || r.Covers("finance-reports") {
			t.Errorf("%s: %+v, want %v", text, r, want)
		}
	}
	for _, text := range []string{
		`{"Statement":[{"Effect":"Allow","NotAction":"iam:*","Resource":"*"}]}`,
		`{"Statement":[{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::x"}]}`,
		allowing(`"s3:*"`, `"arn:aws:s3:::${aws:PrincipalTag/ostoy-s3/namespace}-bucket"`),
		allowing(`"s3:*"`, `"${aws:PrincipalTag/what}"`),
		allowing(`"sts:AssumeRole"`, `"*"`),
		allowing(`"sts:*"`, `"arn:aws:iam::123456789012:role/admin"`),
		`nonsense`,
	} {
		if r := reachOfText("p", text, reachAccount); r.Unknown == "" {
			t.Errorf("%s is taken for known: %+v", text, r)
		}
	}
}

// everyLetter is a list of texts, one for each character that a bucket's name begins
// and ends with.
func everyLetter(format string) string {
	var all []string
	for _, letter := range "abcdefghijklmnopqrstuvwxyz0123456789" {
		all = append(all, `"`+fmt.Sprintf(format, string(letter))+`"`)
	}
	return strings.Join(all, ",")
}

// TestF1ReachWithinBoundary: a boundary takes away what it does not name, and where it
// cannot be read nobody says that the role reaches a bucket.
func TestF1ReachWithinBoundary(t *testing.T) {
	wide, own := Reach{Patterns: []string{"*-bucket"}}, Reach{Patterns: []string{"ostoy-*"}}
	if r := wide.within(own); !r.Covers("ostoy-1-bucket") || r.Covers("demo-bucket") || !strings.Contains(r.Text("1"), "permissions boundary allows it: ostoy-*") {
		t.Errorf("%+v: %s", r, r.Text("1"))
	}
	if r := wide.within(Reach{}); r.Covers("ostoy-1-bucket") || !strings.HasPrefix(r.Text("1"), "no bucket") {
		t.Errorf("%+v: %s", r, r.Text("1"))
	}
	if r := wide.within(Reach{Any: true}); !r.Covers("demo-bucket") || r.Unbounded != "" {
		t.Errorf("%+v", r)
	}
	if r := (Reach{Any: true, By: "x"}).within(own); r.Any || r.Covers("demo-bucket") || !r.Covers("ostoy-1") {
		t.Errorf("%+v", r)
	}
	if r := wide.within(Reach{Unknown: "no"}); !r.Covers("demo-bucket") || r.Unbounded != "permissions boundary: no" {
		t.Errorf("%+v", r)
	}
	if r := wide.within(own).Both(Reach{Patterns: []string{"demo-bucket"}}); !r.Covers("demo-bucket") {
		t.Errorf("what one of two reaches is lost: %+v", r)
	}
}

// TestF1ReadReachOfABoundary: our own policy is not enough of an answer where the role
// has a boundary.
func TestF1ReadReachOfABoundary(t *testing.T) {
	f := controllerFacts()
	name, api := render.ControllerRoleName(f.Issuer.Value), newFake()
	if _, err := installController(t, api, f, ControllerOptions{BucketPattern: "*-bucket"}); err != nil {
		t.Fatal(err)
	}
	api.roles[name].boundary = "arn:aws:iam::123456789012:policy/boundary"
	r, err := ReadReach(t.Context(), noManaged{api}, name, reachAccount, func(r Reach) bool { return r.Covers("demo-bucket") })
	if err != nil || r.Unbounded == "" {
		t.Errorf("%+v, %v", r, err)
	}
}

func TestPolicyPattern(t *testing.T) {
	for _, pattern := range []string{AnyProjectPattern, OwnBucketPattern, "*", "demo-bucket"} {
		r := desiredController(t, controllerFacts(), ControllerOptions{BucketPattern: pattern})
		if got := PolicyPattern(r.Policy.JSON(), reachAccount); got != pattern {
			t.Errorf("%q, want %q", got, pattern)
		}
	}
	for _, text := range []string{"", "nonsense", allowing(`"s3:*"`, `["arn:aws:s3:::a-b","arn:aws:s3:::c-d"]`), allowing(`"s3:Get*"`, `"arn:aws:s3:::a-b"`)} {
		if got := PolicyPattern(text, reachAccount); got != "" {
			t.Errorf("%s: %q", text, got)
		}
	}
}

func TestReachText(t *testing.T) {
	for want, r := range map[string]Reach{
		"every bucket of account 1, by its policy AmazonS3FullAccess": {Any: true, By: "AmazonS3FullAccess", Unknown: "x"},
		"every bucket named a or b in account 1":                      {Patterns: []string{"a", "b"}},
		"not known: no":                                               {Patterns: []string{"a"}, Unknown: "no"},
		"no bucket":                                                   {},
	} {
		if got := r.Text("1"); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}

// TestF1ReadReach: a role is looked at as a whole, and what may not be read is not
// taken for harmless.
func TestF1ReadReach(t *testing.T) {
	f := controllerFacts()
	const full = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	name := render.ControllerRoleName(f.Issuer.Value)
	read := func(api *fake, enough func(Reach) bool) Reach {
		t.Helper()
		r, err := ReadReach(t.Context(), noManaged{api}, name, reachAccount, enough)
		if err != nil {
			t.Fatal(err)
		}
		return r
	}
	api := newFake()
	if r := read(api, nil); !strings.Contains(r.Unknown, "no role named "+name) {
		t.Errorf("no role: %+v", r)
	}
	if _, err := installController(t, api, f, ControllerOptions{}); err != nil {
		t.Fatal(err)
	}
	if r := read(api, nil); r.Any || r.Unknown != "" || !slices.Equal(r.Patterns, []string{AnyProjectPattern}) {
		t.Errorf("ours: %+v", r)
	}
	api.taken()
	if r := read(api, func(r Reach) bool { return r.Covers("demo-bucket") }); !r.Covers("demo-bucket") || strings.Join(api.taken(), " ") != "GetRolePolicy GetRole" {
		t.Errorf("more is read than is needed: %+v", r)
	}
	api.roles[name].attached = append(api.roles[name].attached, full)
	if r := read(api, nil); !r.Any || r.By != "AmazonS3FullAccess" {
		t.Errorf("with the tutorial's policy: %+v", r)
	}
	for _, call := range []string{"GetRolePolicy", "GetRole", "ListRolePolicies", "ListAttachedRolePolicies"} {
		api.before = func(is string) error {
			if is == call {
				return denied("iam:"+call, "*")
			}
			return nil
		}
		if r := read(api, nil); !r.Any && r.Unknown == "" {
			t.Errorf("without %s: %+v", call, r)
		}
	}
}

// noManaged is an IAM whose managed policies nobody may read.
type noManaged struct{ *fake }

func (noManaged) GetPolicy(context.Context, *awsiam.GetPolicyInput, ...func(*awsiam.Options)) (*awsiam.GetPolicyOutput, error) {
	return nil, denied("iam:GetPolicy", "*")
}

func (noManaged) GetPolicyVersion(context.Context, *awsiam.GetPolicyVersionInput, ...func(*awsiam.Options)) (*awsiam.GetPolicyVersionOutput, error) {
	return nil, denied("iam:GetPolicyVersion", "*")
}
