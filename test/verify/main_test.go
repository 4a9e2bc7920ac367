package verify

import (
	"encoding/json"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/s3"
	s3types "github.com/aws/aws-sdk-go-v2/service/s3/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) {
	os.Exit(run.MainSharing(m, testbed.Options{Platform: testbed.ROSAHCP}, 8))
}

// Exit codes, as README.md lists them.
const (
	done        = 0
	failed      = 1
	refused     = 4
	interrupted = 130
)

// soon leaves IAM ten seconds to spread a change, half of it, and a slow machine the
// other half for all else.
const soon = "--timeout=20s"

// proof is the document of verify -o json, as far as tests look at it.
type proof struct {
	Role     string
	Audience string
	URL      string
	Via      string
	Detour   string
	Verified bool
	Left     []string
	WhyLeft  string
	Levels   []struct {
		Level   string
		Outcome string
		Text    string
		Probes  []probe
		Missing []string
	}
	OutOfScope []string
}

type probe struct {
	Name, Outcome, What, Why, Next string
	Tried                          bool
}

// outcomes are the probes' by "level/name".
func (p proof) outcomes() map[string]string {
	all := map[string]string{}
	for _, level := range p.Levels {
		all[level.Level] = level.Outcome
		for _, probe := range level.Probes {
			all[level.Level+"/"+probe.Name] = probe.Outcome
		}
	}
	return all
}

// wantOnly wants these to have failed, and no others. A level that failed counts
// by its probes.
func (p proof) wantOnly(t *testing.T, want ...string) {
	t.Helper()
	var have []string
	for name, outcome := range p.outcomes() {
		if outcome == "failed" && strings.Contains(name, "/") {
			have = append(have, name)
		}
	}
	slices.Sort(have)
	slices.Sort(want)
	if !slices.Equal(have, want) {
		t.Errorf("failed are %v, want %v", have, want)
	}
	if p.Verified != (len(want) == 0) {
		t.Errorf("verified is %v", p.Verified)
	}
}

// app is an installed app, and somebody who looks at it.
type app struct {
	bed       *testbed.Bed
	namespace string
	user      run.User
}

// installed is an app that an admin installed and did not verify: the proof is
// what the tests are about.
func installed(t *testing.T, namespace string, args ...string) app {
	t.Helper()
	bed := run.TheBed(t)
	return installedBy(t, run.Admin(bed), namespace, args...)
}

func installedBy(t *testing.T, user run.User, namespace string, args ...string) app {
	t.Helper()
	user.Run(t, append([]string{"install", "--new-project=" + namespace, "--verify=false"}, args...)...).WantCode(t, done)
	a := app{user.Bed, namespace, user}
	a.frontend(t) // it has looked for its bucket: what a test breaks comes after that
	return a
}

// verify runs it for the document.
func (a app) verify(t *testing.T, code int, args ...string) (proof, run.Result) {
	t.Helper()
	result := a.user.Run(t, append([]string{"verify", "-n", a.namespace, "-o", "json"}, args...)...).WantCode(t, code)
	var document proof
	result.JSON(t, &document)
	return document, result
}

func (a app) bucket() string { return a.namespace + "-bucket" }

func (a app) role() string { return world.RoleName(a.bed.Issuer, a.namespace) }

// fault orders a fault for this app alone. Those of others are never taken back:
// projects are not used twice.
func (a app) fault(t *testing.T, fault testbed.Fault) {
	t.Helper()
	fault.Resource = "*" + a.namespace + "-" + fault.Resource
	orders(t, a.bed.AWS.Fail(t.Context(), fault))
}

// trust changes the role's trust policy by its text.
func (a app) trust(t *testing.T, change func(string) string) {
	t.Helper()
	before := a.trustPolicy(t)
	after := change(before)
	if before == after {
		t.Fatalf("the change changes nothing in %s", before)
	}
	a.setTrust(t, after)
}

func (a app) setTrust(t *testing.T, policy string) {
	t.Helper()
	_, err := a.bed.IAM().UpdateAssumeRolePolicy(t.Context(), &iam.UpdateAssumeRolePolicyInput{RoleName: aws.String(a.role()), PolicyDocument: &policy})
	orders(t, err)
}

func (a app) trustPolicy(t *testing.T) string {
	t.Helper()
	got, err := a.bed.IAM().GetRole(t.Context(), &iam.GetRoleInput{RoleName: aws.String(a.role())})
	orders(t, err)
	return unescaped(t, *got.Role.AssumeRolePolicyDocument)
}

// permit puts another policy on the role, or ours anew.
func (a app) permit(t *testing.T, name, policy string) {
	t.Helper()
	_, err := a.bed.IAM().PutRolePolicy(t.Context(), &iam.PutRolePolicyInput{RoleName: aws.String(a.role()), PolicyName: &name, PolicyDocument: &policy})
	orders(t, err)
}

func (a app) policy(t *testing.T) string {
	t.Helper()
	got, err := a.bed.IAM().GetRolePolicy(t.Context(), &iam.GetRolePolicyInput{RoleName: aws.String(a.role()), PolicyName: aws.String("ostoy-s3")})
	orders(t, err)
	return unescaped(t, *got.PolicyDocument)
}

// keys are what is in the bucket.
func (a app) keys(t *testing.T) []string {
	t.Helper()
	list, err := a.bed.S3().ListObjectsV2(t.Context(), &s3.ListObjectsV2Input{Bucket: aws.String(a.bucket())})
	orders(t, err)
	keys := []string{}
	for _, object := range list.Contents {
		keys = append(keys, *object.Key)
	}
	return keys
}

func (a app) wantEmpty(t *testing.T) {
	t.Helper()
	if keys := a.keys(t); len(keys) > 0 {
		t.Errorf("bucket %s has %v", a.bucket(), keys)
	}
}

func orders(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func inJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	orders(t, err)
	return string(text)
}

// denyCaller refuses something to the users of the tool, on this app's bucket.
func (a app) denyCaller(t *testing.T, action string) {
	t.Helper()
	a.fault(t, testbed.Fault{Action: action, Resource: "bucket*", Principal: "admin", Code: "AccessDenied", Status: 403, Message: "Access Denied"})
}

func versioning(status s3types.BucketVersioningStatus) *s3types.VersioningConfiguration {
	return &s3types.VersioningConfiguration{Status: status}
}
