package plugin

import (
	"bytes"
	"context"
	"errors"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// roleList is an IAM with several roles, some of which may not be read.
type roleList struct {
	roleRemover
	tags   map[string]map[string]string // by the name of the role
	denied string
}

func (l *roleList) one(name *string) *oneRole {
	return &oneRole{name: aws.ToString(name), tags: l.tags[aws.ToString(name)]}
}

func (l *roleList) GetRole(ctx context.Context, in *awsiam.GetRoleInput, _ ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	if *in.RoleName == l.denied {
		return nil, &smithy.GenericAPIError{Code: "AccessDenied", Message: "not authorized to perform: iam:GetRole with an explicit deny in an identity-based policy"}
	}
	if _, ok := l.tags[*in.RoleName]; !ok {
		return nil, &types.NoSuchEntityException{}
	}
	return l.one(in.RoleName).GetRole(ctx, in)
}

func (l *roleList) GetRolePolicy(context.Context, *awsiam.GetRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.GetRolePolicyOutput, error) {
	return nil, &types.NoSuchEntityException{}
}

func (l *roleList) ListRolePolicies(context.Context, *awsiam.ListRolePoliciesInput, ...func(*awsiam.Options)) (*awsiam.ListRolePoliciesOutput, error) {
	return &awsiam.ListRolePoliciesOutput{}, nil
}

func (l *roleList) ListAttachedRolePolicies(context.Context, *awsiam.ListAttachedRolePoliciesInput, ...func(*awsiam.Options)) (*awsiam.ListAttachedRolePoliciesOutput, error) {
	return &awsiam.ListAttachedRolePoliciesOutput{}, nil
}

func (l *roleList) ListRoles(context.Context, *awsiam.ListRolesInput, ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error) {
	out := &awsiam.ListRolesOutput{}
	for name := range l.tags {
		out.Roles = append(out.Roles, types.Role{RoleName: &name, Path: aws.String("/ostoy-s3/"), Arn: aws.String("arn:aws:iam::123456789012:role/ostoy-s3/" + name)})
	}
	return out, nil
}

const roleBase = "arn:aws:iam::123456789012:role/ostoy-s3/"

// TestF3NamedRoleHidesNoRole: whatever role the inventory names, the project's own is
// removed, also if it has a name that install was given.
func TestF3NamedRoleHidesNoRole(t *testing.T) {
	own := withTag(render.OwnershipTags(removing().facts), render.TagBucket, "demo-bucket")
	usual := render.RoleName(removing().facts.Issuer.Value, "demo")
	for name, c := range map[string]struct {
		named, own, denied string
		kept               string // what is said of the named role
	}{
		"one that does not exist":         {named: "ghost", own: "own-name"},
		"one of others":                   {named: "boss", own: "own-name", kept: "not managed by ostoy-s3"},
		"one of others, and a usual name": {named: "boss", own: usual, kept: "not managed by ostoy-s3"},
		"one that you may not read":       {named: "boss", own: "own-name", denied: "boss"},
		"no legal name":                   {named: strings.Repeat("x", 65), own: "own-name"},
	} {
		u := removing()
		u.roles = &roleList{tags: map[string]map[string]string{c.own: own, "boss": {"team": "billing"}}, denied: c.denied}
		u.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{RoleARN: roleBase + c.named}}
		if err := u.lookAtRole(t.Context()); err != nil || u.role == nil || u.role.Name != c.own || !u.proof.Proven {
			t.Errorf("%s: %+v, %v", name, u.role, err)
			continue
		}
		u.decideRole()
		if l := u.one(theRole); l == nil || l.fate != fateRemoved || l.Object != "role "+c.own {
			t.Errorf("%s: %+v", name, l)
		}
		if l := u.one(aNamedRole); (l != nil) != (c.kept != "") || l != nil && (l.fate != fateKept || !strings.Contains(l.Why, c.kept)) {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// TestF3KeptRoleIsNamed: an inventory that says that the role stays does not choose which
// role is named: the one that shows that the bucket is the project's.
func TestF3KeptRoleIsNamed(t *testing.T) {
	own := withTag(render.OwnershipTags(removing().facts), render.TagBucket, "demo-bucket")
	usual := render.RoleName(removing().facts.Issuer.Value, "demo")
	for name, c := range map[string]struct {
		origin, named, own, says string
	}{
		"existing":             {apply.OriginExisting, "ghost", usual, "names the role ghost"},
		"existing, own name":   {apply.OriginExisting, "ghost", "own-name", "names the role ghost"},
		"adopted":              {apply.OriginAdopted, "ghost", usual, "names the role ghost"},
		"existing and correct": {apply.OriginExisting, usual, usual, "--iam=skip"},
	} {
		u := removing()
		u.roles, u.buckets = &roleList{tags: map[string]map[string]string{c.own: own}}, &shelf{}
		u.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{RoleARN: roleBase + c.named, RoleOrigin: c.origin}}
		if err := u.look(t.Context()); err != nil || u.role != nil {
			t.Fatalf("%s: %+v, %v", name, u.role, err)
		}
		u.decideRole()
		l := u.one(theRole)
		if l == nil || l.fate != fateKept || l.Object != "role "+c.own || !strings.Contains(l.Why, c.says) || !strings.Contains(l.Next, "--role-only") {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// TestF3NoRoleIsSaid: if no role is found, this is said, and a role that does not exist is
// not called kept.
func TestF3NoRoleIsSaid(t *testing.T) {
	for _, origin := range []string{"", apply.OriginExisting} {
		u, talk := removing(), &bytes.Buffer{}
		u.UI = ui.New(talk, ui.Style{}, time.Now)
		u.roles, u.buckets = &roleList{}, &shelf{}
		u.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{RoleARN: roleBase + "ghost", RoleOrigin: origin}}
		if err := u.look(t.Context()); err != nil {
			t.Fatal(err)
		}
		u.decideRole()
		if l := u.one(theRole); l != nil || !strings.Contains(talk.String(), "no IAM role of this project was found") {
			t.Errorf("origin %q: %+v, %s", origin, l, talk)
		}
	}
}

// dated is an S3 that says when the bucket was created.
type dated struct {
	shelf
	at  time.Time
	err error
}

func (d *dated) Created(context.Context, bucket.Target) (time.Time, error) { return d.at, d.err }

// TestF7BucketOlderThanRole: an inventory that says that install created the bucket has an
// empty bucket removed only if the bucket is not older than the role.
func TestF7BucketOlderThanRole(t *testing.T) {
	role := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	denied := &smithy.GenericAPIError{Code: "AccessDenied"}
	for name, c := range map[string]struct {
		role, bucket time.Time
		err          error
		want         fate
		says         string
	}{
		"created later":            {role, role.Add(time.Minute), nil, fateRemoved, ""},
		"in the same second":       {role.Add(900 * time.Millisecond), role, nil, fateRemoved, ""},
		"a second before":          {role, role.Add(-time.Second), nil, fateKept, "older than the role r"},
		"long before":              {role, role.Add(-time.Hour), nil, fateKept, "older than the role r"},
		"you may not see it":       {role, time.Time{}, denied, fateKept, "s3:ListAllMyBuckets"},
		"not in the list":          {role, time.Time{}, bucket.ErrGone, fateKept, "not known"},
		"no date of the role":      {time.Time{}, role, nil, fateKept, "not known"},
		"S3 answers with an error": {role, time.Time{}, errors.New("slow down"), fateKept, "slow down"},
	} {
		u := removing()
		u.buckets, u.bucket, u.contents = &dated{at: c.bucket, err: c.err}, bucket.State{Kind: bucket.Ours}, &bucket.Contents{}
		u.proof = iam.Proof{Proven: true, Role: "r", Created: c.role}
		u.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{BucketOrigin: apply.OriginCreated}}
		if err := u.decideBucket(t.Context()); err != nil {
			t.Fatal(name, err)
		}
		l := u.one(theBucket)
		if l.fate != c.want || !strings.Contains(l.Why, c.says) || c.want == fateKept && l.Next != "oc ostoy-s3 uninstall -n demo --adopt=bucket" {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// noRegion is an S3 that has no host in a region.
type noRegion struct {
	shelf
	bad string
}

func (n *noRegion) Look(_ context.Context, f render.Facts) (bucket.State, error) {
	if f.Region.Value == n.bad {
		return bucket.State{}, &net.DNSError{Err: "no such host", Name: "s3." + n.bad + ".amazonaws.com", IsNotFound: true}
	}
	return bucket.State{Kind: bucket.Ours, Name: "demo-bucket"}, nil
}

// TestF3RegionOfTheRecord: a region that only the project names, and that does not exist,
// does not end the run; one that you give does.
func TestF3RegionOfTheRecord(t *testing.T) {
	for source, ends := range map[string]bool{onRecord: false, "--region": true} {
		u, talk := removing(), &bytes.Buffer{}
		u.UI = ui.New(talk, ui.Style{}, time.Now)
		u.found.Facts = u.facts
		u.facts.Region = render.Fact{Value: "us-west-9", Source: source}
		u.buckets, u.roles = &noRegion{bad: "us-west-9"}, &roleList{}
		err := u.look(t.Context())
		if (err != nil) != ends || !ends && (u.facts.Region.Value != "us-east-2" || !strings.Contains(talk.String(), "us-west-9")) {
			t.Errorf("from %s: %v, %+v, %s", source, err, u.facts.Region, talk)
		}
	}
}

// TestF3AccountOfTheRecord: the account that the inventory names is its claim.
func TestF3AccountOfTheRecord(t *testing.T) {
	var told *problem.Error
	if err := removing().sameAccount("999999999999"); !errors.As(err, &told) || told.Kind != problem.Refused ||
		told.Why != "the inventory (configmaps/ostoy-s3) names account 999999999999" || !strings.Contains(told.Next, "--account-id 123456789012") {
		t.Errorf("%+v", told)
	}
}
