package uninstall

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// oneRole is an IAM with one role, or with none.
type oneRole struct {
	roleClient
	name     string
	tags     map[string]string
	inline   string
	attached []string
}

func (r *oneRole) missing(name *string) error {
	if aws.ToString(name) == r.name {
		return nil
	}
	return &types.NoSuchEntityException{Message: aws.String("no such role")}
}

func (r *oneRole) GetRole(_ context.Context, in *awsiam.GetRoleInput, _ ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	role := &types.Role{RoleName: in.RoleName, Arn: aws.String("arn:aws:iam::123456789012:role/ostoy-s3/" + r.name), Path: aws.String("/ostoy-s3/")}
	for key, value := range r.tags {
		role.Tags = append(role.Tags, types.Tag{Key: aws.String(key), Value: aws.String(value)})
	}
	return &awsiam.GetRoleOutput{Role: role}, r.missing(in.RoleName)
}

func (r *oneRole) GetRolePolicy(_ context.Context, in *awsiam.GetRolePolicyInput, _ ...func(*awsiam.Options)) (*awsiam.GetRolePolicyOutput, error) {
	if r.inline == "" {
		return nil, &types.NoSuchEntityException{}
	}
	return &awsiam.GetRolePolicyOutput{PolicyDocument: &r.inline}, r.missing(in.RoleName)
}

func (r *oneRole) ListRolePolicies(_ context.Context, in *awsiam.ListRolePoliciesInput, _ ...func(*awsiam.Options)) (*awsiam.ListRolePoliciesOutput, error) {
	out := &awsiam.ListRolePoliciesOutput{}
	if r.inline != "" {
		out.PolicyNames = []string{iam.PolicyName}
	}
	return out, r.missing(in.RoleName)
}

func (r *oneRole) ListAttachedRolePolicies(_ context.Context, in *awsiam.ListAttachedRolePoliciesInput, _ ...func(*awsiam.Options)) (*awsiam.ListAttachedRolePoliciesOutput, error) {
	out := &awsiam.ListAttachedRolePoliciesOutput{}
	for _, arn := range r.attached {
		out.AttachedPolicies = append(out.AttachedPolicies, types.AttachedPolicy{PolicyArn: aws.String(arn)})
	}
	return out, r.missing(in.RoleName)
}

func (r *oneRole) ListRoles(context.Context, *awsiam.ListRolesInput, ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error) {
	return &awsiam.ListRolesOutput{}, nil
}

// secretive is an IAM that refuses to list roles, too.
type secretive struct{ hiddenRoles }

func (s secretive) ListRoles(context.Context, *awsiam.ListRolesInput, ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error) {
	return nil, s.refuse("iam:ListRoles", aws.String("x"))
}

// TestF7Witness: the bucket looks like the project's in every case; what decides is the
// role.
func TestF7Witness(t *testing.T) {
	base := removing().app.facts
	usual := render.RoleName(base.Issuer.Value, "demo")
	ours := render.OwnershipTags(base)
	tagged := maps.Clone(ours)
	tagged[render.TagBucket] = "demo-bucket"
	another := maps.Clone(tagged)
	another[render.TagBucket] = "other-bucket"
	known := base
	known.Audience = render.Fact{Value: render.DefaultAudience}
	role, err := iam.Desired(known, iam.RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	own := role.Policy.JSON()
	for name, c := range map[string]struct {
		roles roleClient
		with  func(*evidence)
		want  removal.Fate
		why   string
	}{
		"a role with the tag":                    {&oneRole{name: usual, tags: tagged, inline: own}, nil, removal.Removed, ""},
		"an older role":                          {&oneRole{name: usual, tags: ours, inline: own}, nil, removal.Removed, ""},
		"an older role with a managed policy":    {&oneRole{name: usual, tags: ours, attached: []string{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}}, nil, removal.Kept, "has neither the tag"},
		"no role":                                {&oneRole{}, nil, removal.Kept, "none exists"},
		"a role for another bucket":              {&oneRole{name: usual, tags: another, inline: own}, nil, removal.Kept, "ostoy-s3/bucket=other-bucket"},
		"a role that may not be read":            {secretive{}, nil, removal.Kept, "AWS refuses to show the role " + usual},
		"a role that may not be read, and stays": {secretive{}, func(e *evidence) { e.app.request.KeepRole = true }, removal.Kept, "you are not allowed to read the role " + usual},
		"a role that stays":                      {&oneRole{name: usual, tags: tagged, inline: own}, func(e *evidence) { e.app.request.KeepRole = true }, removal.Removed, ""},
		"an issuer that only the inventory says": {&oneRole{name: usual, tags: tagged, inline: own}, func(e *evidence) { e.app.facts.Issuer.Source = project.OnRecord }, removal.Kept, "may be of another cluster"},
		"a forged inventory": {&oneRole{}, func(e *evidence) {
			e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{
				Bucket: "demo-bucket", BucketOrigin: apply.OriginCreated, RoleARN: "arn:aws:iam::123456789012:role/ostoy-s3/" + usual,
			}}
			e.app.removal.Bucket = bucketObject(nil)
		}, removal.Kept, "none exists"},
	} {
		e := removing()
		e.app.request.DeleteData = true
		e.bucket.state, e.bucket.contents = bucket.State{Kind: bucket.Ours, Name: "demo-bucket", Tags: ours}, &bucket.Contents{Objects: 2}
		if c.with != nil {
			c.with(e)
		}
		look := findRole
		if e.app.keepsRole() {
			look = lookForProof
		}
		var err error
		if e.role, err = look(t.Context(), e.app, c.roles); err != nil {
			t.Fatal(name, err)
		}
		l := bucketLine(t, e, &shelf{})
		if l == nil || l.Fate != c.want || !strings.Contains(l.Why, c.why) {
			t.Errorf("%s: %+v", name, l)
		}
		if l != nil && l.Fate == removal.Kept && l.Next != "" {
			t.Errorf("%s: a command that deletes is suggested by what the project says: %s", name, l.Next)
		}
	}
}

// TestF7RoleWaits: a bucket that could not be removed keeps the role that names it.
func TestF7RoleWaits(t *testing.T) {
	role := &removal.Line{Object: "role r", Subject: removal.Role, Fate: removal.Removed}
	lines := removal.Lines{role, {Object: "bucket demo-bucket", Subject: removal.Bucket, Fate: removal.Left, Why: "denied"}}
	if err := removeRole(t.Context(), place{}, prepared{evidence: *removing(), decision: decision{lines: lines}}); err != nil || role.Fate != removal.Kept || !strings.Contains(role.Why, "after the bucket") {
		t.Errorf("%+v, %v", role, err)
	}
}

// TestF7Later: the printed command works after this run: with the role, or without it.
func TestF7Later(t *testing.T) {
	role := &iam.Removal{Name: "r", Steps: []iam.Step{{Kind: iam.DeleteRole}}}
	for name, c := range map[string]struct {
		proven, keeps bool
		adopt         adopt.Set
		role          *iam.Removal
		want          string
	}{
		"the role goes":   {true, false, 0, role, "--delete-data --adopt=bucket"},
		"the role stays":  {true, true, 0, nil, "--delete-data --keep-role"},
		"nobody knows":    {false, false, 0, role, ""},
		"the user's word": {false, false, adopt.Bucket, nil, "--delete-data --adopt=bucket"},
	} {
		e := removing()
		e.role.proof.Proven, e.app.request.KeepRole, e.app.request.Adopt, e.role.plan = c.proven, c.keeps, c.adopt, c.role
		if got := e.later(); c.want == "" && got != "" || c.want != "" && got != "oc ostoy-s3 uninstall -n demo "+c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestF7Question: what a person should know before they type the name of the bucket.
func TestF7Question(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*evidence)
		says   []string
	}{
		"data": {func(e *evidence) { e.app.request.DeleteData = true }, []string{"2 objects, 1 older version, 3.4 MiB", "created 2026-01-02 03:04 UTC", "for good"}},
		"by the user's word": {
			func(e *evidence) {
				e.app.request.DeleteData, e.app.request.Adopt, e.role.proof = true, adopt.Bucket, iam.Proof{}
			},
			[]string{"created 2026-01-02", "no IAM role shows"},
		},
		"empty, by the user's word": {func(e *evidence) { e.app.request.Adopt, e.role.proof = adopt.Bucket, iam.Proof{} }, []string{"this removes bucket demo-bucket", "no IAM role shows"}},
	} {
		e, talk := removing(), &bytes.Buffer{}
		e.bucket.state, e.role.proof = bucket.State{Kind: bucket.Ours}, iam.Proof{Proven: true}
		e.bucket.contents = &bucket.Contents{Objects: 2, Versions: 1, Bytes: 3565158}
		d := decision{lines: removal.Lines{{Object: "bucket demo-bucket", Subject: removal.Bucket, Fate: removal.Removed}}}
		e.app.request.Ask = func(context.Context, string) (string, error) { return "demo-bucket\n", nil }
		c.change(e)
		ask := func() error {
			return confirm(t.Context(), ui.New(talk, ui.Style{}, time.Now), prepared{*e, d, clients{s3: &shelf{}}})
		}
		if err := ask(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, text := range c.says {
			if !strings.Contains(talk.String(), text) {
				t.Errorf("%s: %q does not say %q", name, talk, text)
			}
		}
		e.app.request.Ask = nil
		var told *problem.Error
		if err := ask(); !errors.As(err, &told) || told.Kind != problem.Usage {
			t.Errorf("%s: a script that says nothing: %v", name, err)
		}
	}
}

// TestF3DetachedByUninstall: of managed policies only the one goes that the role's tag
// names, whatever the inventory says.
func TestF3DetachedByUninstall(t *testing.T) {
	e := removing()
	e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{PolicyARN: "arn:x"}}
	for name, c := range map[string]struct {
		actual iam.Actual
		want   string
	}{
		"by the record":          {iam.Actual{Attached: []string{"arn:x", "arn:y"}}, ""},
		"by the record, and own": {iam.Actual{Attached: []string{"arn:x"}, Inlines: []string{"ostoy-s3"}}, ""},
		"by its tag":             {iam.Actual{Attached: []string{"arn:x", "arn:y"}, Tags: map[string]string{render.TagPolicy: "arn:y"}}, "arn:y"},
		"older":                  {iam.Actual{Attached: []string{"arn:y"}}, "arn:y"},
		"put there since":        {iam.Actual{Attached: []string{"arn:y"}, Tags: map[string]string{render.TagBucket: "demo-bucket"}}, ""},
	} {
		if got := removalOptions(e.app, "r", &c.actual).PolicyARN; got != c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestF3RecordHasNoPolicy: what the inventory of a project says about a policy is not
// even read.
func TestF3RecordHasNoPolicy(t *testing.T) {
	data := map[string]string{"policyARN": "arn:aws:iam::aws:policy/AdministratorAccess", "bucket": "demo-bucket"}
	if got := apply.App().ParseInventory(data); got.PolicyARN != "" || got.Bucket != "demo-bucket" {
		t.Errorf("%+v", got.Record)
	}
	if got := apply.Controller().ParseInventory(data); got.PolicyARN == "" {
		t.Error("the controller's inventory, which only cluster admins write, has lost it")
	}
}
