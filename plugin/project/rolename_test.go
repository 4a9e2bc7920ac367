package project

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
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
