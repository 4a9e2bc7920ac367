package verify

import (
	"bytes"
	"context"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
)

// provided is the fake with an IAM that keeps OIDC providers, which STS goes by.
type provided struct {
	*fake
	t         *testing.T
	providers map[string][]string // the client ids, by the issuer
}

func (p *provided) assume(ctx context.Context, role string, token secret) (asRole, error) {
	issuer := token.read().Issuer
	ids, known := p.providers[issuer]
	switch {
	case !known:
		return nil, says("InvalidIdentityToken", "No OpenIDConnect provider found in your account for "+issuer)
	case !slices.Contains(ids, "sts.amazonaws.com"):
		return nil, says("InvalidIdentityToken", "Incorrect token audience")
	}
	return p.fake.assume(ctx, role, token)
}

// types plays a command of the AWS command line that a message prints.
func (p *provided) types(line string) {
	p.t.Helper()
	words := strings.Fields(line)
	switch {
	case len(words) > 6 && slices.Equal(words[:4], []string{"aws", "iam", "create-open-id-connect-provider", "--url"}) && words[5] == "--client-id-list":
		p.providers[words[4]] = words[6:]
	case len(words) == 7 && slices.Equal(words[:4], []string{"aws", "iam", "add-client-id-to-open-id-connect-provider", "--open-id-connect-provider-arn"}) && words[5] == "--client-id":
		_, host, _ := strings.Cut(words[4], ":oidc-provider/")
		p.providers["https://"+host] = append(p.providers["https://"+host], words[6])
	case len(words) == 4 && slices.Equal(words[:3], []string{"aws", "s3", "rm"}):
		key, _ := strings.CutPrefix(words[3], "s3://demo-bucket/")
		if _, there := p.objects[key]; !there {
			p.t.Fatalf("%q: there is no such object", line)
		}
		delete(p.objects, key)
	default:
		p.t.Fatalf("not played: %q", line)
	}
}

// TestAdviceIsFollowed: what is advised for a provider that IAM does not have, or that has
// another audience, lets the app in.
func TestAdviceIsFollowed(t *testing.T) {
	const issuer = "https://issuer.example.com"
	for name, providers := range map[string]map[string][]string{
		"no provider": {}, "no audience": {issuer: {"openshift"}},
	} {
		synctest.Test(t, func(t *testing.T) {
			p := &provided{newFake(nil), t, providers}
			identity := func() error {
				r, _ := started(t, p.fake)
				r.ask.cloud, r.options.Levels = p, []Level{Identity}
				report, err := r.prove(t.Context())
				if err != nil {
					t.Fatal(err)
				}
				return report.Err()
			}
			told := problem.InParts(identity())
			if len(told) != 1 {
				t.Fatalf("%s: %+v", name, told)
			}
			lines := strings.Split(told[0].Next, "\n")
			p.types(lines[len(lines)-1])
			if err := identity(); err != nil {
				t.Errorf("%s: after %q: %v", name, told[0].Next, err)
			}
		})
	}
}

// TestObjectsThatStayAreRemoved: the advice for each object that stays removes that one.
func TestObjectsThatStayAreRemoved(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := &provided{newFake(nil), t, map[string][]string{"https://issuer.example.com": {"sts.amazonaws.com"}}}
		r, _ := started(t, p.fake)
		r.ask.cloud, r.options.Levels, r.options.Keep = p, []Level{Access}, true
		report, err := r.prove(t.Context())
		if err != nil || len(report.Left) == 0 || len(p.objects) == 0 {
			t.Fatalf("%v, %+v, %v", err, report, p.objects)
		}
		var talk bytes.Buffer
		TellSurroundings(ui.New(&talk, ui.Style{}, time.Now), report)
		for line := range strings.Lines(talk.String()) {
			if at := strings.Index(line, "aws s3 rm "); at >= 0 {
				p.types(strings.TrimSpace(line[at:]))
			}
		}
		if len(p.objects) != 0 {
			t.Errorf("%v are left after\n%s", p.objects, &talk)
		}
	})
}
