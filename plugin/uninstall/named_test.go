package uninstall

import (
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

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/bucket"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// roleList is an IAM with several roles, some of which may not be read.
type roleList struct {
	roleClient
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
	own := withTag(render.OwnershipTags(removing().app.facts), render.TagBucket, "demo-bucket")
	usual := render.RoleName(removing().app.facts.Issuer.Value, "demo")
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
		e := removing()
		roles := &roleList{tags: map[string]map[string]string{c.own: own, "boss": {"team": "billing"}}, denied: c.denied}
		e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{RoleARN: roleBase + c.named}}
		var err error
		if e.role, err = findRole(t.Context(), e.app, roles); err != nil || e.role.plan == nil || e.role.plan.Name != c.own || !e.role.proof.Proven {
			t.Errorf("%s: %+v, %v", name, e.role.plan, err)
			continue
		}
		lines, _ := decideRole(*e)
		if l := lines.One(removal.Role); l == nil || l.Fate != removal.Removed || l.Object != "role "+c.own {
			t.Errorf("%s: %+v", name, l)
		}
		if l := lines.One(removal.OtherRole); (l != nil) != (c.kept != "") || l != nil && (l.Fate != removal.Kept || !strings.Contains(l.Why, c.kept)) {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// TestF3KeptRoleIsNamed: an inventory that says that the role stays does not choose which
// role is named: the one that shows that the bucket is the project's.
func TestF3KeptRoleIsNamed(t *testing.T) {
	own := withTag(render.OwnershipTags(removing().app.facts), render.TagBucket, "demo-bucket")
	usual := render.RoleName(removing().app.facts.Issuer.Value, "demo")
	for name, c := range map[string]struct {
		origin, named, own, says string
	}{
		"existing":             {apply.OriginExisting, "ghost", usual, "names the role ghost"},
		"existing, own name":   {apply.OriginExisting, "ghost", "own-name", "names the role ghost"},
		"adopted":              {apply.OriginAdopted, "ghost", usual, "names the role ghost"},
		"existing and correct": {apply.OriginExisting, usual, usual, "--iam=skip"},
	} {
		e := removing()
		e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{RoleARN: roleBase + c.named, RoleOrigin: c.origin}}
		found, err := look(t.Context(), e.app, clients{&shelf{}, &roleList{tags: map[string]map[string]string{c.own: own}}})
		if err != nil || found.role.plan != nil {
			t.Fatalf("%s: %+v, %v", name, found.role.plan, err)
		}
		lines, _ := decideRole(found)
		l := lines.One(removal.Role)
		if l == nil || l.Fate != removal.Kept || l.Object != "role "+c.own || !strings.Contains(l.Why, c.says) || !strings.Contains(l.Next, "--role-only") {
			t.Errorf("%s: %+v", name, l)
		}
	}
}

// TestF3NoRoleIsSaid: if no role is found, this is said, and a role that does not exist is
// not called kept.
func TestF3NoRoleIsSaid(t *testing.T) {
	for _, origin := range []string{"", apply.OriginExisting} {
		e := removing()
		e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{RoleARN: roleBase + "ghost", RoleOrigin: origin}}
		found, err := look(t.Context(), e.app, clients{&shelf{}, &roleList{}})
		if err != nil {
			t.Fatal(err)
		}
		if lines, notes := decideRole(found); len(lines) > 0 || len(notes) != 1 || !strings.Contains(notes[0], "no IAM role of this project was found") {
			t.Errorf("origin %q: %+v, %s", origin, lines, notes)
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
		want         removal.Fate
		says         string
	}{
		"created later":            {role, role.Add(time.Minute), nil, removal.Removed, ""},
		"in the same second":       {role.Add(900 * time.Millisecond), role, nil, removal.Removed, ""},
		"a second before":          {role, role.Add(-time.Second), nil, removal.Kept, "older than the role r"},
		"long before":              {role, role.Add(-time.Hour), nil, removal.Kept, "older than the role r"},
		"you may not see it":       {role, time.Time{}, denied, removal.Kept, "s3:ListAllMyBuckets"},
		"not in the list":          {role, time.Time{}, bucket.ErrGone, removal.Kept, "not known"},
		"no date of the role":      {time.Time{}, role, nil, removal.Kept, "not known"},
		"S3 answers with an error": {role, time.Time{}, errors.New("slow down"), removal.Kept, "slow down"},
	} {
		e := removing()
		e.bucket.state, e.bucket.contents = bucket.State{Kind: bucket.Ours}, &bucket.Contents{}
		e.role.proof = iam.Proof{Proven: true, Role: "r", Created: c.role}
		e.app.removal.Inventory = apply.Inventory{Found: true, Record: apply.Record{BucketOrigin: apply.OriginCreated}}
		l := bucketLine(t, e, &dated{at: c.bucket, err: c.err})
		if l.Fate != c.want || !strings.Contains(l.Why, c.says) || c.want == removal.Kept && l.Next != "oc ostoy-s3 uninstall -n demo --adopt=bucket" {
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
	for source, ends := range map[string]bool{project.OnRecord: false, "--region": true} {
		e := removing()
		e.app.detected.Facts = e.app.facts
		e.app.facts.Region = render.Fact{Value: "us-west-9", Source: source}
		found, err := look(t.Context(), e.app, clients{&noRegion{bad: "us-west-9"}, &roleList{}})
		notes := strings.Join(found.bucket.notes, "\n")
		if (err != nil) != ends || !ends && (found.app.facts.Region.Value != "us-east-2" || !strings.Contains(notes, "us-west-9")) {
			t.Errorf("from %s: %v, %+v, %s", source, err, found.app.facts.Region, notes)
		}
	}
}

// TestF3AccountOfTheRecord: the account that the inventory names is its claim.
func TestF3AccountOfTheRecord(t *testing.T) {
	var told *problem.Error
	if err := removing().app.sameAccount("999999999999"); !errors.As(err, &told) || told.Kind != problem.Refused ||
		told.Why != "the inventory (configmaps/ostoy-s3) names account 999999999999" || !strings.Contains(told.Next, "--account-id 123456789012") {
		t.Errorf("%+v", told)
	}
}
