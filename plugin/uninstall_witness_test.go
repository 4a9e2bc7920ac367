package plugin

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// oneRole is an IAM with one role, or with none.
type oneRole struct {
	roleRemover
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
	base := removing().facts
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
		roles roleRemover
		with  func(*uninstall)
		want  fate
		why   string
	}{
		"a role with the tag":                    {&oneRole{name: usual, tags: tagged, inline: own}, nil, fateRemoved, ""},
		"an older role":                          {&oneRole{name: usual, tags: ours, inline: own}, nil, fateRemoved, ""},
		"an older role with a managed policy":    {&oneRole{name: usual, tags: ours, attached: []string{"arn:aws:iam::aws:policy/AmazonS3FullAccess"}}, nil, fateKept, "has neither the tag"},
		"no role":                                {&oneRole{}, nil, fateKept, "none exists"},
		"a role for another bucket":              {&oneRole{name: usual, tags: another, inline: own}, nil, fateKept, "ostoy-s3/bucket=other-bucket"},
		"a role that may not be read":            {secretive{}, nil, fateKept, "AWS refuses to show the role " + usual},
		"a role that may not be read, and stays": {secretive{}, func(u *uninstall) { u.request.KeepRole = true }, fateKept, "you are not allowed to read the role " + usual},
		"a role that stays":                      {&oneRole{name: usual, tags: tagged, inline: own}, func(u *uninstall) { u.request.KeepRole = true }, fateRemoved, ""},
		"an issuer that only the inventory says": {&oneRole{name: usual, tags: tagged, inline: own}, func(u *uninstall) { u.facts.Issuer.Source = onRecord }, fateKept, "may be of another cluster"},
		"a forged inventory": {&oneRole{}, func(u *uninstall) {
			u.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{
				Bucket: "demo-bucket", BucketOrigin: apply.OriginCreated, RoleARN: "arn:aws:iam::123456789012:role/ostoy-s3/" + usual,
			}}
			u.removal.Bucket = bucketObject(nil)
		}, fateKept, "none exists"},
	} {
		u := removing()
		u.request.DeleteData = true
		u.roles, u.bucket, u.contents = c.roles, bucket.State{Kind: bucket.Ours, Name: "demo-bucket", Tags: ours}, &bucket.Contents{Objects: 2}
		if c.with != nil {
			c.with(u)
		}
		look := u.lookAtRole
		if u.keepsRole() {
			look = u.lookForProof
		}
		if err := look(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		if err := u.decideBucket(t.Context()); err != nil {
			t.Fatal(err)
		}
		l := u.one(theBucket)
		if l == nil || l.fate != c.want || !strings.Contains(l.Why, c.why) {
			t.Errorf("%s: %+v", name, l)
		}
		if l != nil && l.fate == fateKept && l.Next != "" {
			t.Errorf("%s: a command that deletes is suggested by what the project says: %s", name, l.Next)
		}
	}
}

// TestF7RoleWaits: a bucket that could not be removed keeps the role that names it.
func TestF7RoleWaits(t *testing.T) {
	u := removing()
	role := u.add(&line{Object: "role r", about: theRole, fate: fateRemoved})
	u.add(&line{Object: "bucket demo-bucket", about: theBucket, fate: fateRemoved}).leave("denied", "")
	if err := u.executeRole(t.Context()); err != nil || role.fate != fateKept || !strings.Contains(role.Why, "after the bucket") {
		t.Errorf("%+v, %v", role, err)
	}
}

// TestF7Later: the printed command works after this run: with the role, or without it.
func TestF7Later(t *testing.T) {
	role := &iam.Removal{Name: "r", Steps: []iam.Step{{Kind: iam.DeleteRole}}}
	for name, c := range map[string]struct {
		proven, keeps bool
		adopt         Adopt
		role          *iam.Removal
		want          string
	}{
		"the role goes":   {true, false, 0, role, "--delete-data --adopt=bucket"},
		"the role stays":  {true, true, 0, nil, "--delete-data --keep-role"},
		"nobody knows":    {false, false, 0, role, ""},
		"the user's word": {false, false, AdoptBucket, nil, "--delete-data --adopt=bucket"},
	} {
		u := removing()
		u.proof.Proven, u.request.KeepRole, u.request.Adopt, u.role = c.proven, c.keeps, c.adopt, c.role
		if got := u.later(); c.want == "" && got != "" || c.want != "" && got != "oc ostoy-s3 uninstall -n demo "+c.want {
			t.Errorf("%s: %q", name, got)
		}
	}
}

// TestF7Question: what a person should know before they type the name of the bucket.
func TestF7Question(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*uninstall)
		says   []string
	}{
		"data": {func(u *uninstall) { u.request.DeleteData = true }, []string{"2 objects, 1 older version, 3.4 MiB", "created 2026-01-02 03:04 UTC", "for good"}},
		"by the user's word": {
			func(u *uninstall) { u.request.DeleteData, u.request.Adopt, u.proof = true, AdoptBucket, iam.Proof{} },
			[]string{"created 2026-01-02", "no IAM role shows"},
		},
		"empty, by the user's word": {func(u *uninstall) { u.request.Adopt, u.proof = AdoptBucket, iam.Proof{} }, []string{"this removes bucket demo-bucket", "no IAM role shows"}},
	} {
		u, talk := removing(), &bytes.Buffer{}
		u.UI = ui.New(talk, ui.Style{}, time.Now)
		u.buckets, u.bucket, u.proof = &shelf{}, bucket.State{Kind: bucket.Ours}, iam.Proof{Proven: true}
		u.contents = &bucket.Contents{Objects: 2, Versions: 1, Bytes: 3565158}
		u.add(&line{Object: "bucket demo-bucket", about: theBucket, fate: fateRemoved})
		u.request.Ask = func(context.Context, string) (string, error) { return "demo-bucket\n", nil }
		c.change(u)
		if err := u.confirm(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		for _, text := range c.says {
			if !strings.Contains(talk.String(), text) {
				t.Errorf("%s: %q does not say %q", name, talk, text)
			}
		}
		u.request.Ask = nil
		var told *problem.Error
		if err := u.confirm(t.Context()); !errors.As(err, &told) || told.Kind != problem.Usage {
			t.Errorf("%s: a script that says nothing: %v", name, err)
		}
	}
}

// TestF3DetachedByUninstall: of managed policies only the one goes that the role's tag
// names, whatever the inventory says.
func TestF3DetachedByUninstall(t *testing.T) {
	u := removing()
	u.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{PolicyARN: "arn:x"}}
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
		if got := u.attachedByUs(&c.actual); got != c.want {
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

// TestExistingBucket: a bucket that exists is not announced as a new one.
func TestExistingBucket(t *testing.T) {
	for want, b := range map[string]adoptedBucket{
		"what is in it could not be counted": {},
		"more than 1000 objects, 0 B":        {Contents: &bucket.Contents{Objects: 1000}, More: true},
		"12 objects, 3.4 MiB":                {Contents: &bucket.Contents{Objects: 12, Bytes: 3565158}},
	} {
		if got := b.inWords(); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
}
