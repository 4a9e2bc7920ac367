package iam

import (
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// put puts a role into the fake.
func (f *fake) put(name, path string, tags map[string]string) {
	f.roles[name] = &role{arn: render.RoleARN("aws", "123456789012", path, name), path: path, tags: tags, inline: map[string]string{}}
}

func TestFindOurs(t *testing.T) {
	tagsOf := func(issuer, namespace, cluster string) map[string]string {
		f := facts()
		f.Issuer.Value, f.Namespace.Value, f.ClusterID.Value = issuer, namespace, cluster
		return render.OwnershipTags(f)
	}
	const other, id = "https://oidc.example.com/2xyz", "11111111-aaaa-4bbb-8ccc-222222222222"
	mine := render.RoleName(facts().Issuer.Value, "demo")
	theirs := render.RoleName(other, "demo")
	api := newFake()
	api.page = 2
	api.put(mine, "/ostoy-s3/", render.OwnershipTags(facts()))
	api.put("by-name", "/ostoy-s3/team/", tagsOf(facts().Issuer.Value, "demo", ""))
	api.put(theirs, "/ostoy-s3/", tagsOf(other, "demo", ""))
	api.put("twin", "/ostoy-s3/", tagsOf(facts().Issuer.Value, "demo", "99999999"))
	api.put(render.RoleName(facts().Issuer.Value, "demo2"), "/ostoy-s3/", tagsOf(facts().Issuer.Value, "demo2", id))
	api.put("stranger", "/ostoy-s3/", map[string]string{render.TagManagedBy: "terraform"})
	api.put("untagged", "/ostoy-s3/", nil)
	api.put("elsewhere", "/", render.OwnershipTags(facts()))

	noIssuer, noCluster := facts(), facts()
	noIssuer.Issuer = render.Fact{}
	noCluster.ClusterID = render.Fact{}
	none := facts()
	none.Namespace.Value = "nothing"
	for _, c := range []struct {
		name string
		f    render.Facts
		want []string
	}{
		{"all known", facts(), []string{"by-name", mine}},
		{"issuer unknown", noIssuer, []string{"by-name", mine, theirs}},
		{"cluster unknown", noCluster, []string{"by-name", mine, "twin"}},
		{"none", none, nil},
	} {
		t.Run(c.name, func(t *testing.T) {
			api.taken()
			found, err := App.Find(t.Context(), api, c.f)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, r := range found {
				got = append(got, r.Name)
				if r.ARN != api.roles[r.Name].arn || r.Path != api.roles[r.Name].path || r.Issuer() == "" {
					t.Errorf("%+v", r)
				}
			}
			slices.Sort(c.want)
			if !slices.Equal(got, c.want) {
				t.Errorf("found %v, want %v", got, c.want)
			}
			calls := strings.Join(api.taken(), " ")
			if lists, gets := strings.Count(calls, "ListRoles"), strings.Count(calls, "GetRole"); lists != 4 || gets != 7 {
				t.Errorf("%d lists and %d looks: %s", lists, gets, calls)
			}
		})
	}
}

func TestFindOursWithFewRights(t *testing.T) {
	mine := render.RoleName(facts().Issuer.Value, "demo")
	arn := ARN(facts(), RoleOptions{})
	api := newFake()
	api.put(mine, "/ostoy-s3/", render.OwnershipTags(facts()))
	noIssuer := facts()
	noIssuer.Issuer = render.Fact{}

	api.before = func(call string) error {
		if call == "ListRoles" {
			return denied("iam:ListRoles", "arn:aws:iam::123456789012:role/ostoy-s3/")
		}
		return nil
	}
	if found, err := App.Find(t.Context(), api, facts()); err != nil || len(found) != 1 || found[0].Name != mine {
		t.Errorf("by the usual name: %v, %v", found, err)
	}
	_, err := App.Find(t.Context(), api, noIssuer)
	wantProblem(t, err, problem.Failed, "iam:ListRoles")

	api.before = func(call string) error {
		if call == "GetRole" {
			return denied("iam:GetRole", arn)
		}
		return nil
	}
	for _, f := range []render.Facts{facts(), noIssuer} {
		_, err = App.Find(t.Context(), api, f)
		wantProblem(t, err, problem.Failed, "iam:GetRole on "+arn)
	}
	// Another's role, closed to us, is nothing to fail on.
	clear(api.roles)
	api.put(render.RoleName(facts().Issuer.Value, "demo2"), "/ostoy-s3/", nil)
	api.put(render.RoleName(facts().Issuer.Value, "demo-ostoy-sa-2"), "/ostoy-s3/", nil)
	for _, f := range []render.Facts{facts(), noIssuer} {
		if found, err := App.Find(t.Context(), api, f); err != nil || len(found) != 0 {
			t.Errorf("%v, %v", found, err)
		}
	}
	if _, err := App.Find(t.Context(), api, render.Facts{}); err == nil {
		t.Error("looked for the role of no namespace")
	}
}

// However many roles there are, so many looks at once and no more.
func TestFindOursIsBounded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFake()
		for i := range 3 * maxLooks {
			api.put(strings.Repeat("x", i+1), "/ostoy-s3/", nil)
		}
		now, most := make(chan struct{}, 3*maxLooks), 0
		api.before = func(call string) error {
			if call != "GetRole" {
				return nil
			}
			now <- struct{}{}
			time.Sleep(time.Second)
			api.mu.Lock()
			most = max(most, len(now))
			api.mu.Unlock()
			<-now
			return nil
		}
		began := time.Now()
		if _, err := App.Find(t.Context(), api, facts()); err != nil || most != maxLooks || time.Since(began) != 3*time.Second {
			t.Errorf("%d at once, %s, %v", most, time.Since(began), err)
		}
	})
}
