package iam

import (
	"errors"
	"maps"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	managedARN = "arn:aws:iam::123456789012:policy/reports"
	everyRight = "arn:aws:iam::aws:policy/AdministratorAccess"
)

// asMade is the role that an install leaves behind; older: by a version without the tags.
func asMade(t *testing.T, older bool, options RoleOptions) *Actual {
	t.Helper()
	role := desired(t, facts(), options)
	a := &Actual{Exists: true, ARN: role.ARN, Path: role.Path, Trust: role.Trust.JSON(), Tags: maps.Clone(role.Tags)}
	if role.Policy != nil {
		a.Inline, a.Inlines = role.Policy.JSON(), []string{PolicyName}
	} else {
		a.Attached = []string{role.PolicyARN}
	}
	if older {
		delete(a.Tags, render.TagBucket)
		delete(a.Tags, render.TagPolicy)
	}
	return a
}

// TestF7Proof: only a role of this issuer and project that names the bucket proves
// anything; a tag for another bucket is no reason to look at the policy.
func TestF7Proof(t *testing.T) {
	f := facts()
	bucket, name := render.BucketName(f.Namespace.Value), desired(t, f, RoleOptions{}).Name
	tag := func(key, value string) func(*Actual) { return func(a *Actual) { a.Tags[key] = value } }
	policy := func(old, new string) func(*Actual) {
		return func(a *Actual) { a.Inline = strings.ReplaceAll(a.Inline, old, new) }
	}
	for what, c := range map[string]struct {
		older  bool
		change func(*Actual)
		want   bool
		why    string
	}{
		"by its tag":                {false, func(*Actual) {}, true, ""},
		"by its tag, any policy":    {false, policy("s3:GetObject", "s3:*"), true, ""},
		"by its policy":             {true, func(*Actual) {}, true, ""},
		"no role":                   {false, func(a *Actual) { *a = Actual{} }, false, "does not exist"},
		"another bucket":            {false, tag(render.TagBucket, "finance-bucket"), false, "has the tag ostoy-s3/bucket=finance-bucket"},
		"no name of a bucket":       {false, tag(render.TagBucket, "x; rm -rf ~"), false, "(a value that is not the name of an S3 bucket)"},
		"another project's":         {false, tag(render.TagNamespace, "other"), false, "is not of this project"},
		"another cluster's":         {false, tag(render.TagIssuer, "https://oidc.example.com/9"), false, "is not of this project"},
		"of the same issuer":        {false, tag(render.TagClusterID, "another"), false, "is not of this project"},
		"not managed":               {false, tag(render.TagManagedBy, "helm"), false, "is not of this project"},
		"older, a further bucket":   {true, policy(`"arn:aws:s3:::`+bucket+`/*"`, `["arn:aws:s3:::`+bucket+`/*","arn:aws:s3:::finance-bucket/*"]`), false, "neither"},
		"older, every bucket":       {true, policy("arn:aws:s3:::"+bucket, "arn:aws:s3:::*"), false, "neither"},
		"older, a longer name":      {true, policy(bucket, bucket+"-2"), false, "neither"},
		"older, without the policy": {true, func(a *Actual) { a.Inline = "" }, false, "neither"},
		"older, not readable":       {true, func(a *Actual) { a.Inline, a.InlineErr = "", errors.New("denied") }, false, "iam:GetRolePolicy"},
		"older, no policy at all":   {true, func(a *Actual) { a.Inline = "{" }, false, "neither"},
	} {
		a := asMade(t, c.older, RoleOptions{})
		c.change(a)
		got := a.Proves(name, bucket, f)
		if got.Proven != c.want || !strings.Contains(got.Why, c.why) || (got.Why == "") != c.want {
			t.Errorf("%s: %+v", what, got)
		}
	}
	f.Issuer = render.Fact{}
	if got := asMade(t, false, RoleOptions{}).Proves(name, bucket, f); got.Proven {
		t.Error("without an issuer, the role of any cluster proves it")
	}
	if got := asMade(t, false, RoleOptions{}).Proves(render.ControllerRoleName(facts().Issuer.Value), bucket, facts()); got.Proven {
		t.Error("the controller's role proves it")
	}
}

// TestF3PolicyTag: the value is legal for a tag, whatever the ARN is.
func TestF3PolicyTag(t *testing.T) {
	for arn, plain := range map[string]bool{
		managedARN: true, everyRight: true,
		"arn:aws:iam::123456789012:policy/a,b":                                                  false,
		"arn:aws:iam::123456789012:policy/wow!/x":                                               false,
		"arn:aws:iam::123456789012:policy/" + strings.Repeat("p/", 200) + "x":                   false,
		"arn:aws-us-gov:iam::123456789012:policy/team@a/" + strings.Repeat("x", 100) + "+=-_.x": true,
	} {
		value := policyTag(arn)
		if (value == arn) != plain || badTag(render.TagPolicy, value) != "" || !plain && len(value) != len(hashPrefix)+64 {
			t.Errorf("%s: %s", arn, value)
		}
	}
}

// TestF3AskedPolicy: the tag names the policy, and it is attached; the one without the
// other says nothing.
func TestF3AskedPolicy(t *testing.T) {
	odd := "arn:aws:iam::123456789012:policy/a,b"
	for what, c := range map[string]struct {
		tag      string
		attached []string
		want     string
	}{
		"asked for":       {managedARN, []string{everyRight, managedARN}, managedARN},
		"by its hash":     {policyTag(odd), []string{odd}, odd},
		"not attached":    {everyRight, []string{managedARN}, ""},
		"no tag":          {"", []string{everyRight}, ""},
		"no longer asked": {noPolicy, []string{everyRight}, ""},
	} {
		a := &Actual{Exists: true, Tags: map[string]string{render.TagPolicy: c.tag}, Attached: c.attached}
		if got := a.AskedPolicy(); got != c.want {
			t.Errorf("%s: %q", what, got)
		}
	}
}

// TestF3PlanKeepsWhatTheTagNames: an install without --policy-arn keeps the policy that
// an earlier one was asked for, and says so; one that only the attachment shows is left
// alone, and that is said, too. The tag that names a policy which is gone is replaced.
func TestF3PlanKeepsWhatTheTagNames(t *testing.T) {
	f, asked := facts(), RoleOptions{PolicyARN: managedARN}
	for what, c := range map[string]struct {
		options RoleOptions
		older   bool
		change  func(*Actual)
		kinds   string
		note    string
	}{
		"tagged":                   {RoleOptions{}, false, func(*Actual) {}, "", "keeps the managed policy " + managedARN},
		"tagged, and asked again":  {asked, false, func(*Actual) {}, "", ""},
		"older":                    {RoleOptions{}, true, func(*Actual) {}, "tag-role put-policy", "the policy " + managedARN + " on the role is not managed by ostoy-s3 and stays"},
		"older, and asked again":   {asked, true, func(*Actual) {}, "tag-role", ""},
		"detached since":           {RoleOptions{}, false, func(a *Actual) { a.Attached = nil }, "tag-role put-policy", ""},
		"detached, another there":  {RoleOptions{}, false, func(a *Actual) { a.Attached = []string{everyRight} }, "tag-role put-policy", everyRight},
		"detached, tag taken back": {RoleOptions{}, false, func(a *Actual) { a.Attached = nil; a.Tags[render.TagPolicy] = noPolicy }, "put-policy", ""},
		"tightened":                {RoleOptions{Tighten: true, Adopt: true}, false, func(*Actual) {}, "tag-role put-policy", ""},
	} {
		actual := asMade(t, c.older, asked)
		c.change(actual)
		plan, err := NewPlan(desired(t, f, c.options), actual, f)
		if err != nil {
			t.Fatal(what, err)
		}
		if notes := strings.Join(plan.Notes, "\n"); kinds(plan.Steps) != c.kinds || !strings.Contains(notes, c.note) {
			t.Errorf("%s: %s\n%s", what, kinds(plan.Steps), notes)
		}
	}
	actual := asMade(t, false, asked)
	actual.AttachedErr = &problem.Error{What: "denied"}
	if _, err := NewPlan(desired(t, f, RoleOptions{}), actual, f); err == nil {
		t.Error("whether the policy is attached cannot be seen, and a plan is made")
	}
}

// TestF7TagsOfOlderRoles: the next install writes the tags, and says why.
func TestF7TagsOfOlderRoles(t *testing.T) {
	plan, err := NewPlan(desired(t, facts(), RoleOptions{}), asMade(t, true, RoleOptions{}), facts())
	if err != nil {
		t.Fatal(err)
	}
	if kinds(plan.Steps) != "tag-role" || plan.Steps[0].After != "ostoy-s3/bucket=demo-bucket" || !strings.Contains(plan.Steps[0].Reason, "earlier versions") {
		t.Errorf("%+v", plan.Steps)
	}
	for _, key := range []string{render.TagBucket, render.TagPolicy, "OSTOY-S3/bucket"} {
		if _, err := Desired(facts(), RoleOptions{Tags: map[string]string{key: "x"}}); err == nil {
			t.Errorf("--tags sets %s", key)
		}
	}
}

// TestF7ClassTags: a learner's role names a bucket of the learner's, and no policy that
// check would accept; an installer's names what the installer's policy covers.
func TestF7ClassTags(t *testing.T) {
	issuer := facts().Issuer.Value
	own, mine := roleOf(issuer, "learner1"), on(issuer, "learner1", theBoundary)
	class := PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{"learner1"}}
	pattern := PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{"learner*"}}
	admin := PeopleOptions{For: ForInstall, Boundary: theBoundary}
	team := PeopleOptions{For: ForInstall, Boundary: theBoundary, BucketPattern: "team-*-bucket"}
	wide := Document{Statement: []Statement{{Effect: "Allow", Action: Strings{"iam:*"}, Resource: Strings{"*"}}}}
	for what, c := range map[string]struct {
		o          PeopleOptions
		key, value string
		want       bool
	}{
		"own bucket":                  {class, render.TagBucket, "learner1-bucket", true},
		"another's bucket":            {class, render.TagBucket, "finance-bucket", false},
		"a neighbour's":               {class, render.TagBucket, "learner2-bucket", false},
		"own bucket, longer":          {class, render.TagBucket, "learner1-bucket-2", false},
		"no bucket":                   {class, render.TagBucket, "*", false},
		"another spelling of the key": {class, "Ostoy-s3/bucket", "finance-bucket", false},
		"a policy":                    {class, render.TagPolicy, managedARN, false},
		"AWS's policy":                {class, render.TagPolicy, everyRight, false},
		"no policy, by its tag":       {class, render.TagPolicy, noPolicy, false},
		"pattern: a bucket of it":     {pattern, render.TagBucket, "learner1-bucket", true},
		"pattern: another":            {pattern, render.TagBucket, "finance-bucket", false},
		"install: a bucket":           {admin, render.TagBucket, "learner1-bucket", true},
		"install: of the pattern":     {team, render.TagBucket, "team-a-bucket", true},
		"install: beyond the pattern": {team, render.TagBucket, "finance-bucket", false},
		"install: a policy":           {admin, render.TagPolicy, managedARN, true},
		"install: AWS's policy":       {admin, render.TagPolicy, "arn:aws:iam::aws:policy/AmazonS3FullAccess", true},
		"install: by its hash":        {admin, render.TagPolicy, policyTag("arn:aws:iam::123456789012:policy/a,b"), true},
		"install: none any more":      {admin, render.TagPolicy, noPolicy, true},
		"install: of another account": {admin, render.TagPolicy, "arn:aws:iam::999999999999:policy/x", false},
		"install: no policy at all":   {admin, render.TagPolicy, "x", false},
	} {
		set := map[string]string{c.key: c.value}
		creates := creating(issuer, "learner1", theBoundary)
		creates["aws:TagKeys"] = append(append([]string{}, creates["aws:TagKeys"]...), c.key)
		creates["aws:RequestTag/"+c.key] = []string{c.value}
		for name, r := range map[string]asked{
			"TagRole":    {"iam:TagRole", own, with(mine, tagging(set))},
			"CreateRole": {"iam:CreateRole", own, creates},
		} {
			d := policyOf(t, c.o)
			if got := allowed(t, d, r); got != c.want {
				t.Errorf("%s: %s: allowed is %v", what, name, got)
			}
			d.Statement = append(d.Statement, wide.Statement...)
			if got := allowed(t, d, r); !c.want && got {
				t.Errorf("%s: %s is allowed beside another policy", what, name)
			}
		}
	}
}

// TestF7MigrationUnderTheClassPolicy: the tag that an older role lacks may be written by
// a learner, and a managed policy is not for them.
func TestF7MigrationUnderTheClassPolicy(t *testing.T) {
	f := facts()
	g := guarded{newFake(), t, policyOf(t, PeopleOptions{For: ForClass, Boundary: theBoundary, Projects: []string{f.Namespace.Value}})}
	within := RoleOptions{Boundary: theBoundary}
	if _, _, err := install(t, g, f, within, false); err != nil {
		t.Fatal(err)
	}
	delete(g.roles[desired(t, f, within).Name].tags, render.TagBucket)
	if _, result, err := install(t, g, f, within, false); err != nil || kinds(result.Done) != "tag-role" {
		t.Fatal(kinds(result.Done), err)
	}
	within.PolicyARN = managedARN
	if _, _, err := install(t, g, f, within, false); !awserr.Denied(err) {
		t.Error(err)
	}
}
