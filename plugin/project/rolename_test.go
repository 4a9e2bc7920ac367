package project

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF15NameIsNotKnown: if IAM does not say which of the two names a role has, the user
// is told, and rendering goes on; IAM that is silent is not waited for without end.
func TestF15NameIsNotKnown(t *testing.T) {
	const issuer = "https://oidc.example.com/1"
	flag := "--role-name " + render.EarlierRoleName(issuer, "demo")
	asked := detect.Result{
		Facts:  render.Facts{Namespace: render.Fact{Value: "demo"}, Issuer: render.Fact{Value: issuer}},
		AWS:    &detect.AWS{},
		Caller: "role/Admin",
	}
	offline := asked
	offline.AWS, offline.Caller = nil, ""
	silent := func(ctx context.Context) (string, error) {
		<-ctx.Done()
		return "new", ctx.Err()
	}
	for name, c := range map[string]struct {
		found     detect.Result
		given     string
		interrupt bool
		ask       func(context.Context) (string, error)
		want      string
		says      []string // nothing, if there are none
	}{
		"answered":    {asked, "", false, func(context.Context) (string, error) { return "new", nil }, "new", nil},
		"refused":     {asked, "", false, func(context.Context) (string, error) { return "new", errors.New("AccessDenied") }, "new", []string{"not known: AccessDenied", flag}},
		"silent":      {asked, "", false, silent, "new", []string{"not known", flag}},
		"interrupted": {asked, "", true, silent, "new", nil},
		"not asked":   {offline, "", false, nil, "", nil},
		"given":       {offline, "mine", false, nil, "mine", nil},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				talk := &strings.Builder{}
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if c.interrupt {
					cancel()
				}
				got, unknown := named(ctx, c.found, iam.RoleOptions{Name: c.given}, render.EarlierRoleName(issuer, "demo"),
					func(ctx context.Context, _ iam.Finder) (string, error) { return c.ask(ctx) })
				unknown.Print(ui.New(talk, ui.Style{}, time.Now))
				if got.Name != c.want {
					t.Errorf("name %q, want %q", got.Name, c.want)
				}
				for _, text := range c.says {
					if !strings.Contains(talk.String(), text) {
						t.Errorf("%q is not said:\n%s", text, talk)
					}
				}
				if len(c.says) == 0 && talk.Len() > 0 {
					t.Errorf("says %s", talk)
				}
			})
		})
	}
}

// TestRecalledRole: the role of the last install is looked at, unless a flag names another or
// the record names one that cannot be this account's.
func TestRecalledRole(t *testing.T) {
	const arn = "arn:aws:iam::123456789012:role/p/mine"
	mine := iam.RoleOptions{Name: "mine", Path: "/p/"}
	for name, c := range map[string]struct {
		record string
		flags  iam.RoleOptions
		want   iam.RoleOptions
	}{
		"on record":            {arn, iam.RoleOptions{}, mine},
		"none on record":       {"", iam.RoleOptions{}, iam.RoleOptions{}},
		"no ARN":               {"$(id)", iam.RoleOptions{}, iam.RoleOptions{}},
		"of another account":   {"arn:aws:iam::210987654321:role/mine", iam.RoleOptions{}, iam.RoleOptions{}},
		"another name":         {arn, iam.RoleOptions{Name: "flag"}, iam.RoleOptions{Name: "flag"}},
		"another path":         {arn, iam.RoleOptions{Path: "/flag/"}, iam.RoleOptions{Path: "/flag/"}},
		"flags that cannot be": {arn, iam.RoleOptions{PolicyARN: "x"}, iam.RoleOptions{}}, // which is theirs to say, not the record's
		"a name too long":      {"arn:aws:iam::123456789012:role/" + strings.Repeat("a", 65), iam.RoleOptions{}, iam.RoleOptions{}},
		"a path too long":      {"arn:aws:iam::123456789012:role/" + strings.Repeat("a", 511) + "/r", iam.RoleOptions{}, iam.RoleOptions{}},
	} {
		facts := sessiontest.Given().Given
		facts.Account.Value, facts.Partition.Value, facts.Audience.Value = awstest.Account, "aws", render.DefaultAudience
		if got := RecalledRole(facts, c.flags, c.record); got.Name != c.want.Name || got.Path != c.want.Path {
			t.Errorf("%s: %+v, want %+v", name, got, c.want)
		}
	}
}
