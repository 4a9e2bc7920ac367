package verify

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF9WhereInstalled: the account is the flag's or the caller's, and the partition is
// of the same source.
func TestF9WhereInstalled(t *testing.T) {
	fact := func(text string) render.Fact { return render.Fact{Value: text, Source: "flag"} }
	caller := detect.Identity{Account: "123456789012", Partition: "aws-cn"}
	for name, c := range map[string]struct {
		given              render.Facts
		caller             detect.Identity
		region             string
		account, partition string
	}{
		"the caller's":       {render.Facts{}, caller, "us-east-2", "123456789012", "aws-cn"},
		"the same by flag":   {render.Facts{Account: fact("123456789012")}, caller, "us-east-2", "123456789012", "aws-cn"},
		"another by flag":    {render.Facts{Account: fact("222222222222")}, caller, "us-east-2", "222222222222", "aws"},
		"flag, no caller":    {render.Facts{Account: fact("222222222222"), Region: fact("us-gov-west-1")}, detect.Identity{}, "us-east-2", "222222222222", "aws-us-gov"},
		"flag, no region":    {render.Facts{Account: fact("222222222222")}, detect.Identity{}, "", "222222222222", ""},
		"neither is known":   {render.Facts{}, detect.Identity{}, "us-east-2", "", ""},
		"a region, by flags": {render.Facts{Region: fact("us-east-2")}, detect.Identity{}, "", "", ""},
	} {
		if account, partition := whereInstalled(c.given, c.caller, c.region); account != c.account || partition != c.partition {
			t.Errorf("%s: %s in %s, want %s in %s", name, account, partition, c.account, c.partition)
		}
	}
}

// TestF9RoleOfInstall: the role is the computed one, or the one that flags name,
// whatever the project claims; of another account IAM is not asked.
func TestF9RoleOfInstall(t *testing.T) {
	const issuer = "https://issuer.example.com"
	computed := "arn:aws:iam::123456789012:role/ostoy-s3/" + render.RoleName(issuer, "demo")
	earlier := "arn:aws:iam::123456789012:role/ostoy-s3/" + render.EarlierRoleName(issuer, "demo")
	parse := func(text string) render.ARN {
		arn, err := render.ParseARNOf(text, "iam", "role")
		if err != nil {
			t.Fatal(err)
		}
		return arn
	}
	for name, c := range map[string]struct {
		flags   iam.RoleOptions
		caller  string
		claimed render.ARN
		want    string
	}{
		"nothing claimed":    {iam.RoleOptions{}, "123456789012", render.ARN{}, computed},
		"the same claimed":   {iam.RoleOptions{}, "123456789012", parse(computed), computed},
		"named by flags":     {iam.RoleOptions{Name: "r", Path: "/p/"}, "123456789012", parse(computed), "arn:aws:iam::123456789012:role/p/r"},
		"an earlier one":     {iam.RoleOptions{}, "", parse(earlier), earlier},
		"at another path":    {iam.RoleOptions{Path: "/p/"}, "", parse(earlier), strings.Replace(computed, "/ostoy-s3/", "/p/", 1)},
		"another is named":   {iam.RoleOptions{Name: "r"}, "", parse(earlier), "arn:aws:iam::123456789012:role/ostoy-s3/r"},
		"earlier elsewhere":  {iam.RoleOptions{}, "", parse(strings.Replace(earlier, "/ostoy-s3/", "/", 1)), computed},
		"cannot ask IAM":     {iam.RoleOptions{}, "", parse("arn:aws:iam::123456789012:role/other"), computed},
		"a caller of others": {iam.RoleOptions{}, "222222222222", parse("arn:aws:iam::123456789012:role/other"), computed},
	} {
		target := Target{Namespace: "demo", Account: "123456789012", Partition: "aws", CallerAccount: c.caller}
		got, err := roleOfInstall(target, c.flags, nil)(t.Context(), issuer, c.claimed)
		if err != nil || got.String() != c.want {
			t.Errorf("%s: %s, %v, want %s", name, got, err, c.want)
		}
	}
	// Without a region there is no partition, and an account alone is not a failure.
	if role, err := roleOfInstall(Target{Namespace: "demo", Account: "123456789012"}, iam.RoleOptions{}, nil)(t.Context(), issuer, render.ARN{}); role != (render.ARN{}) || err != nil {
		t.Errorf("no partition: %s, %v", role, err)
	}
	away := errors.New("no answer")
	for unknown, want := range map[error]error{away: away, fmt.Errorf("x: %w", detect.ErrNoCredentials): nil} {
		if role, err := roleOfInstall(Target{}, iam.RoleOptions{}, unknown)(t.Context(), issuer, render.ARN{}); role != (render.ARN{}) || !errors.Is(err, want) {
			t.Errorf("%v: %s, %v", unknown, role, err)
		}
	}
}

// TestVerifyFlags: what you gave is repeated in commands, and nothing else.
func TestVerifyFlags(t *testing.T) {
	if got := FlagsOf(session.Facts{}, iam.RoleOptions{PolicyARN: "x"}); got != nil {
		t.Error(got)
	}
	facts := session.Facts{Profile: "p", Given: render.Facts{
		Account: render.Fact{Value: "123456789012"}, Region: render.Fact{Value: "us-east-2"}, Audience: render.Fact{Value: "a"},
	}}
	got := strings.Join(FlagsOf(facts, iam.RoleOptions{Name: "r", Path: "/p/"}).Words(), " ")
	if want := "--profile p --account-id 123456789012 --region us-east-2 --audience a --role-name r --role-path /p/"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
}
