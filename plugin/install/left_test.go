package install

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// isObject reports whether a request applies an object of the app for good.
func isObject(r *http.Request) bool {
	return r.Method == http.MethodPatch && r.URL.Query().Get("dryRun") == "" && !strings.HasSuffix(r.URL.Path, "/configmaps/ostoy-s3")
}

// firstWave is how many objects are in the first wave of the played cluster: more than one,
// and all of them are sent at the same time.
const firstWave = 7

// TestRoleRefusedBesideTheFirstWave: whichever of the two is answered first, everything
// that the server has applied is counted, and nobody is told that nothing was changed.
func TestRoleRefusedBesideTheFirstWave(t *testing.T) {
	for name, roleFirst := range map[string]bool{"the role is answered first": true, "the objects are answered first": false} {
		t.Run(name, func(t *testing.T) {
			p := play(t)
			p.cluster.Keep()
			roles := p.aws.KeepRoles()
			p.aws.Answer("GetOpenIDConnectProvider", "<Url>oidc.example.com/one</Url><ClientIDList><member>sts.amazonaws.com</member><member>another</member></ClientIDList>")
			if err := Run(t.Context(), p.session, p.request(func(*Request) {})); err != nil {
				t.Fatalf("%v\n%s", err, p.err)
			}
			// Now the objects are gone, and the role is to change.
			store := p.cluster.Keep()
			p.err.Reset()
			var mu sync.Mutex
			sent, arrived, refused := 0, make(chan struct{}), make(chan struct{})
			p.cluster.Hold = func(r *http.Request) {
				if !isObject(r) {
					return
				}
				mu.Lock()
				sent++
				if roleFirst && sent == 1 || !roleFirst && sent == firstWave {
					close(arrived)
				}
				mu.Unlock()
				if roleFirst {
					<-refused
				}
			}
			roles.Refuse(func(action string) bool {
				if action != "UpdateAssumeRolePolicy" {
					return false
				}
				<-arrived
				close(refused)
				return true
			})
			err := Run(t.Context(), p.session, p.request(func(r *Request) { r.Facts.Given.Audience = render.Fact{Value: "another", Source: "test"} }))
			if err == nil || !strings.Contains(err.Error(), "UpdateAssumeRolePolicy") {
				t.Fatalf("%v\n%s", err, p.err)
			}
			applied := len(store.Specs()) - 1 // and the inventory
			want := fmt.Sprintf("done so far, and staying: inventory (ConfigMap ostoy-s3) written; objects: %d created\n", applied)
			if applied < 1 || !strings.Contains(p.err.String(), want) || strings.Contains(p.err.String()+err.Error(), announce.NothingChanged) {
				t.Errorf("want %s%s", want, p.err)
			}
		})
	}
}

// TestRoleRefusedAtFirst: a role that cannot be created leaves the inventory, which is said.
func TestRoleRefusedAtFirst(t *testing.T) {
	p := play(t)
	p.cluster.Keep()
	p.aws.KeepRoles().Refuse(func(action string) bool { return action == "CreateRole" })
	err := Run(t.Context(), p.session, p.request(func(*Request) {}))
	if err == nil || !strings.Contains(p.err.String(), "done so far, and staying: inventory (ConfigMap ostoy-s3) written\n") || strings.Contains(p.err.String()+err.Error(), announce.NothingChanged) {
		t.Errorf("%v\n%s", err, p.err)
	}
}

// TestUnanswered: what was sent and not answered before the end is not known, and is said
// so by name: the inventory, a step of the role, an object, the project.
func TestUnanswered(t *testing.T) {
	for name, c := range map[string]struct {
		hangs func(*http.Request) bool // of the cluster
		role  string                   // or an action of IAM
		says  []string
	}{
		"the inventory": {func(r *http.Request) bool {
			return r.Method == http.MethodPatch && strings.HasSuffix(r.URL.Path, "/configmaps/ostoy-s3") && r.URL.Query().Get("dryRun") == ""
		}, "", []string{announce.NotKnown + "ConfigMap ostoy-s3"}},
		"an object":         {func(r *http.Request) bool { return isObject(r) && strings.HasSuffix(r.URL.Path, "/ostoy-sa") }, "", []string{"inventory (ConfigMap ostoy-s3) written", "; " + announce.NotKnown, "ServiceAccount ostoy-sa"}},
		"a role to create":  {nil, "CreateRole", []string{"inventory (ConfigMap ostoy-s3) written", announce.NotKnown + "the role of role demo-"}},
		"a policy of it":    {nil, "PutRolePolicy", []string{"1 of 2 steps", announce.NotKnown + "the inline policy"}},
		"the end of it all": {func(r *http.Request) bool { return isObject(r) && strings.HasSuffix(r.URL.Path, "/ostoy-frontend") }, "", []string{announce.NotKnown, "Deployment ostoy-frontend"}},
	} {
		t.Run(name, func(t *testing.T) {
			p := play(t)
			p.cluster.Keep()
			roles := p.aws.KeepRoles()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			hung := make(chan struct{})
			p.cluster.Hold = func(r *http.Request) {
				if c.hangs != nil && c.hangs(r) {
					cancel()
					<-hung
				}
			}
			roles.Refuse(func(action string) bool {
				if action == c.role {
					cancel()
					<-hung
				}
				return false
			})
			err := Run(ctx, p.session, p.request(func(*Request) {}))
			close(hung)
			var told *problem.Error
			if !errors.As(err, &told) || told.Kind != problem.Interrupted {
				t.Fatalf("%v", err)
			}
			for _, want := range c.says {
				if !strings.Contains(told.Why, want) || strings.Contains(told.Why, announce.NothingChanged) {
					t.Errorf("does not say %q: %s", want, told.Why)
				}
			}
		})
	}
}

// TestUnansweredProject: a project that was asked for may exist.
func TestUnansweredProject(t *testing.T) {
	i, p, s := inNewProject(t, namespace, true)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	hung := make(chan struct{})
	s.Handle("POST /api/v1/namespaces", func(http.ResponseWriter, *http.Request) {
		cancel()
		<-hung
	})
	err := makeProject(ctx, i, p)
	close(hung)
	if err == nil || i.done.SoFar() != announce.NotKnown+"project "+namespace {
		t.Errorf("%v, %s", err, i.done.SoFar())
	}
}

// TestProjectThatStays: a refusal does not say that nothing was changed if the project that
// was made for it could not be removed again.
func TestProjectThatStays(t *testing.T) {
	d := &Done{LeftBehind: []string{"demo"}}
	var several *problem.Several
	if err := d.correct(&problem.Several{Note: announce.NothingChanged}); !errors.As(err, &several) || several.Note != announce.Stays+"project demo created, and not removed again" {
		t.Errorf("%+v", err)
	}
	if err := d.correct(problem.Input("not confirmed: "+announce.NothingChanged, "", "")); strings.Contains(err.Error(), announce.NothingChanged) {
		t.Error(err)
	}
	other := errors.New("x")
	if d.correct(other) != other || (&Done{}).correct(several) != error(several) {
		t.Error("another error was changed")
	}
}
