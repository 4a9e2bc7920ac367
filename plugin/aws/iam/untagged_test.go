package iam

import (
	"context"
	"slices"
	"strings"
	"testing"

	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// earlierPolicy is the policy for install as versions printed it that did not know the
// tags for the bucket and the managed policy.
func earlierPolicy(t *testing.T) Document {
	t.Helper()
	policy := policyOf(t, PeopleOptions{For: ForInstall})
	for n, s := range policy.Statement {
		if s.Sid == "NeverOtherTags" {
			policy.Statement[n].Condition = Condition{"ForAnyValue:StringNotEquals": {
				"aws:TagKeys": {render.TagManagedBy, render.TagClusterID, render.TagIssuer, render.TagNamespace},
			}}
		}
	}
	return policy
}

// person is guarded, for requests that one of the person's policies denies.
type person struct{ guarded }

func (p person) TagRole(ctx context.Context, in *awsiam.TagRoleInput, o ...func(*awsiam.Options)) (*awsiam.TagRoleOutput, error) {
	out, err := p.guarded.TagRole(ctx, in, o...)
	return out, explicitly(err)
}

func (p person) CreateRole(ctx context.Context, in *awsiam.CreateRoleInput, o ...func(*awsiam.Options)) (*awsiam.CreateRoleOutput, error) {
	out, err := p.guarded.CreateRole(ctx, in, o...)
	return out, explicitly(err)
}

func explicitly(err error) error {
	if err == nil {
		return nil
	}
	text, _, _ := strings.Cut(err.Error(), " because ")
	_, text, _ = strings.Cut(text, "User: ")
	return apiError("AccessDenied", "User: "+text+" with an explicit deny in an identity-based policy")
}

// TestF7PolicyOfAnEarlierVersion: a person whose permissions policy denies the tags that
// earlier versions did not set keeps the roles that exist up to date, and is warned with
// the command that prints the policy again. What cannot be done without the tags says the
// same.
func TestF7PolicyOfAnEarlierVersion(t *testing.T) {
	const again = "oc ostoy-s3 iam policy --for install"
	p := person{guarded{newFake(), t, earlierPolicy(t)}}
	_, _, err := install(t, p, facts(), RoleOptions{}, false)
	wantProblem(t, err, problem.Failed, "iam:CreateRole", "an earlier version of ostoy-s3", again)

	if _, _, err := install(t, p.fake, facts(), RoleOptions{}, false); err != nil {
		t.Fatal(err)
	}
	role := p.roles[RoleOptions{}.name(facts())]
	delete(role.tags, render.TagBucket)
	role.inline[PolicyName] = `{"Version":"2012-10-17","Statement":[]}`
	plan, result, err := install(t, p, facts(), RoleOptions{}, false)
	if err != nil || kinds(plan.Steps) != "tag-role put-policy" || kinds(result.Done) != "put-policy" || role.inline[PolicyName] != policyJSON {
		t.Fatalf("%s, %v", kinds(result.Done), err)
	}
	what, next := result.Untagged.Warning()
	for _, word := range []string{"no tag ostoy-s3/bucket", "iam:TagRole", "forbids it"} {
		if !strings.Contains(what, word) {
			t.Errorf("%q is not in %s", word, what)
		}
	}
	if !strings.Contains(next, again) {
		t.Errorf("no command in %s", next)
	}

	// A policy that no tag of the role names is not attached.
	_, _, err = install(t, p, facts(), RoleOptions{PolicyARN: "arn:aws:iam::aws:policy/AmazonS3FullAccess"}, false)
	wantProblem(t, err, problem.Failed, "iam:TagRole", again)
	if len(role.attached) > 0 {
		t.Errorf("attached %v", role.attached)
	}

	// Tags that earlier versions set are not done without.
	p.taken()
	role.tags[render.TagClusterID] = ""
	_, _, err = install(t, p, facts(), RoleOptions{}, false)
	wantProblem(t, err, problem.Failed, "iam:TagRole", again)
	if calls := p.taken(); slices.Contains(calls, "PutRolePolicy") {
		t.Errorf("requests %v", calls)
	}

	p.policy = policyOf(t, PeopleOptions{For: ForInstall})
	if _, result, err := install(t, p, facts(), RoleOptions{}, false); err != nil || kinds(result.Done) != "tag-role" {
		t.Errorf("with the policy printed again: %s, %v", kinds(result.Done), err)
	}
	if what, next := (Untagged{}).Warning(); what+next != "" {
		t.Errorf("a warning about nothing: %s %s", what, next)
	}
}
