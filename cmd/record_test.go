package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/check"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/checkup"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/diff"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/install"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const inventoryPath = "/api/v1/namespaces/demo/configmaps/ostoy-s3"

// kept is a project whose cluster and IAM keep what they are told.
type kept struct {
	t       *testing.T
	store   *clustertest.Store
	roles   *awstest.Roles
	facts   session.Facts // that every command is given
	cluster *clustertest.Server
	account *awstest.Server
	session *session.Session
	out     *bytes.Buffer
	err     *bytes.Buffer
}

func keep(t *testing.T) *kept {
	t.Helper()
	server, account := sessiontest.Empty(t)
	account.Answer("GetOpenIDConnectProvider", "<Url>oidc.example.com/one</Url><ClientIDList><member>sts.amazonaws.com</member><member>other</member></ClientIDList>")
	k := &kept{t: t, cluster: server, store: server.Keep(), roles: account.KeepRoles(), account: account, facts: sessiontest.Given()}
	k.roles.Policies = []string{"arn:aws:iam::aws:policy/Known"}
	k.session, k.out, k.err = sessiontest.New(t, server, account)
	return k
}

func (k *kept) install(change func(*install.Request)) error {
	k.out.Reset()
	k.err.Reset()
	r := install.Request{Facts: k.facts, DryRun: session.DryRunNone, Timeout: time.Minute, Output: session.FormatJSON}
	if change != nil {
		change(&r)
	}
	return install.Run(k.t.Context(), k.session, r)
}

// heals wants a plain install to end well, and all commands to say then that there is
// nothing to change.
func (k *kept) heals(what string) {
	k.t.Helper()
	if err := k.install(nil); err != nil {
		k.t.Errorf("%s: the next install fails: %v\n%s", what, err, k.err)
	}
	if changed := k.agree(what); changed {
		k.t.Errorf("%s: there is still something to change\n%s", what, k.err)
	}
}

// agree wants diff, a dry run of install, status and check to say the same, and gives it.
func (k *kept) agree(what string) bool {
	k.t.Helper()
	changed, err := diff.Run(k.t.Context(), k.session, diff.Request{Facts: k.facts, Timeout: time.Minute})
	if err != nil {
		k.t.Errorf("%s: diff: %v", what, err)
	}
	var plan struct{ Changes []any }
	if err := k.install(func(r *install.Request) { r.DryRun = session.DryRunServer }); err != nil {
		k.t.Errorf("%s: install --dry-run: %v", what, err)
	} else if err := json.Unmarshal(k.out.Bytes(), &plan); err != nil {
		k.t.Fatal(err)
	}
	k.out.Reset()
	var seen struct {
		Drift struct{ Cluster, IAM []any }
	}
	err = status.Run(k.t.Context(), k.session, status.Request{Facts: k.facts, Output: session.FormatJSON, Timeout: time.Minute})
	var told *problem.Error
	if nothing := errors.As(err, &told) && told.Kind == problem.Refused; nothing {
		seen.Drift.Cluster = []any{"nothing is installed"}
	} else if err != nil {
		k.t.Errorf("%s: status: %v", what, err)
	} else if err := json.Unmarshal(k.out.Bytes(), &seen); err != nil {
		k.t.Fatal(err)
	}
	k.out.Reset()
	checked := checkup.Run(k.t.Context(), k.session, checkup.Request{
		Facts: k.facts, Timeout: time.Minute, FailOn: check.Warning, Only: []string{"drift", "role", "trust-policy", "role-policy", "service-account"},
	})
	if checked != nil && !changed {
		k.t.Errorf("%s: diff says that nothing changes, check says %v\n%s", what, checked, k.out)
	}
	for name, says := range map[string]bool{"install": len(plan.Changes) > 0, "status": len(seen.Drift.Cluster)+len(seen.Drift.IAM) > 0} {
		if says != changed {
			k.t.Errorf("%s: diff says %t, %s says %t\n%s", what, changed, name, says, k.err)
		}
	}
	k.out.Reset()
	return changed
}

// role is the role that the manifests name, by the inventory's spec of the account.
func (k *kept) role() awstest.Role {
	return k.roles.Role(render.RoleName("https://oidc.example.com/one", "demo"))
}

// failing has the n-th write of a run refused, in the cluster or by IAM, and reports
// whether there was one.
func (k *kept) failing(n int64) (happened func() string) {
	var count atomic.Int64
	var what atomic.Value
	what.Store("")
	refuses := func(name string) bool {
		if count.Add(1) != n {
			return false
		}
		what.Store(name)
		return true
	}
	k.store.Refuse(func(r *http.Request) bool {
		return r.Method != http.MethodGet && r.URL.Query().Get("dryRun") == "" && refuses(r.Method+" "+r.URL.Path)
	})
	k.roles.Refuse(func(action string) bool {
		return !strings.HasPrefix(action, "Get") && !strings.HasPrefix(action, "List") && refuses(action)
	})
	return func() string {
		k.store.Refuse(nil)
		k.roles.Refuse(nil)
		return what.Load().(string)
	}
}

// TestEveryStepThatFails: whatever write of an install with other flags is refused, the
// commands agree afterwards, and an install without flags returns to what there was.
func TestEveryStepThatFails(t *testing.T) {
	for name, c := range map[string]struct {
		before func(*install.Request) // of the install that there is; nil: none
		change func(*install.Request)
	}{
		"first, by another name": {nil, func(r *install.Request) {
			r.Role.Name, r.Role.Path, r.Chart.Set = "mine", "/team/", []string{"microservice.replicas=3"}
		}},
		"first, with a policy": {nil, func(r *install.Request) { r.Role.PolicyARN = "arn:aws:iam::aws:policy/Known" }},
		"other values":         {func(*install.Request) {}, func(r *install.Request) { r.Chart.Set = []string{"microservice.replicas=3,expose=ingress"} }},
		"a policy":             {func(*install.Request) {}, func(r *install.Request) { r.Role.PolicyARN = "arn:aws:iam::aws:policy/Known" }},
		"another role": {
			func(r *install.Request) { r.Chart.Set = []string{"frontend.replicas=0"} },
			func(r *install.Request) { r.Role.Name, r.Role.Path = "mine", "/team/" },
		},
		"everything": {
			func(r *install.Request) { r.Chart.Set = []string{"frontend.replicas=0"} },
			func(r *install.Request) {
				r.Chart = session.Chart{Set: []string{"microservice.replicas=2"}, Reset: true}
				r.Role.PolicyARN, r.Role.Tags = "arn:aws:iam::aws:policy/Known", map[string]string{"team": "blue"}
				r.Facts.Given.Audience = render.Fact{Value: "other", Source: "test"}
			},
		},
	} {
		t.Run(name, func(t *testing.T) {
			for n := int64(1); ; n++ {
				k := keep(t)
				if c.before != nil {
					if err := k.install(c.before); err != nil {
						t.Fatalf("%v\n%s", err, k.err)
					}
				}
				specs, record := k.store.Specs(), k.store.Object(inventoryPath)
				refused := k.failing(n)
				err := k.install(c.change)
				what := refused()
				if what == "" { // there are no more
					if err != nil || n < 3 {
						t.Errorf("%d writes, %v\n%s", n-1, err, k.err)
					}
					return
				}
				if err == nil && what != "TagRole" {
					t.Errorf("%s was refused, and install does not say so", what)
				}
				k.agree(what)
				k.heals(what)
				delete(specs, inventoryPath)
				now := k.store.Specs()
				delete(now, inventoryPath)
				// A role of a new name that was created whole is the role on record.
				if c.before != nil && name != "another role" {
					if d := cmp.Diff(specs, now); d != "" {
						t.Errorf("%s: -before +healed\n%s", what, d)
					}
					was, is := record.Object["data"], k.store.Object(inventoryPath).Object["data"]
					if d := cmp.Diff(was, is); d != "" {
						t.Errorf("%s: record: -before +healed\n%s", what, d)
					}
				}
			}
		})
	}
}

// TestPolicyThatIsNot: a managed policy that does not exist is refused before anything is
// changed; where IAM does not show that, the role's tags do not name it afterwards.
func TestPolicyThatIsNot(t *testing.T) {
	const nope = "arn:aws:iam::aws:policy/Nope"
	for name, hidden := range map[string]bool{"shown": false, "hidden": true} {
		k := keep(t)
		if err := k.install(nil); err != nil {
			t.Fatal(err)
		}
		before, specs := k.role(), k.store.Specs()
		k.roles.Refuse(func(action string) bool { return hidden && action == "GetPolicy" })
		err := k.install(func(r *install.Request) { r.Role.PolicyARN = nope })
		if err == nil || !strings.Contains(err.Error(), nope+" does not exist") {
			t.Errorf("%s: %v", name, err)
		}
		after := k.role()
		if tag := after.Tags[render.TagPolicy]; tag != "" && tag != "none" {
			t.Errorf("%s: the role's tag names %s", name, tag)
		}
		delete(after.Tags, render.TagPolicy)
		if d := cmp.Diff(before, after); d != "" {
			t.Errorf("%s: the role: %s", name, d)
		}
		if d := cmp.Diff(specs, k.store.Specs()); d != "" {
			t.Errorf("%s: the objects: %s", name, d)
		}
		if k.agree(name) {
			t.Errorf("%s: there is something to change", name)
		}
	}
}

// TestValuesOfTheLastInstall: they are used again by every command, shown, replaced one by
// one, and forgotten on demand; printed commands do not have them.
func TestValuesOfTheLastInstall(t *testing.T) {
	const deployment = "/apis/apps/v1/namespaces/demo/deployments/ostoy-microservice"
	k := keep(t)
	set := func(values ...string) func(*install.Request) {
		return func(r *install.Request) { r.Chart.Set = values }
	}
	replicas := func() string {
		spec, _ := k.store.Object(deployment).Object["spec"].(map[string]any)
		return fmt.Sprint(spec["replicas"])
	}
	if err := k.install(set("microservice.replicas=3,microservice.image.tag=v9")); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name   string
		change func(*install.Request)
		want   string
		says   []string
	}{
		{"plain", nil, "3", []string{"microservice.image.tag=v9", "microservice.replicas=3", "from the record", "nothing to change"}},
		{"another value", set("frontend.replicas=0"), "3", []string{"microservice.replicas=3"}},
		{"one replaced", set("microservice.replicas=2"), "2", []string{"microservice.image.tag=v9", "frontend.replicas=0"}},
		{"plain again", nil, "2", []string{"microservice.replicas=2"}},
		{"forgotten", func(r *install.Request) { r.Chart.Reset = true }, "1", nil},
		{"plain at last", nil, "1", []string{"nothing to change"}},
	} {
		if c.name == "forgotten" {
			changed, err := diff.Run(t.Context(), k.session, diff.Request{Facts: sessiontest.Given(), Chart: session.Chart{Reset: true}, Timeout: time.Minute})
			if err != nil || !changed {
				t.Errorf("diff --reset-values: %t, %v", changed, err)
			}
		}
		err := k.install(c.change)
		if got := replicas(); err != nil || got != c.want {
			t.Errorf("%s: %s replicas, want %s, %v", c.name, got, c.want, err)
		}
		for _, want := range c.says {
			if !strings.Contains(k.err.String(), want) {
				t.Errorf("%s: does not say %q\n%s", c.name, want, k.err)
			}
		}
		if c.name == "forgotten" && strings.Contains(k.err.String(), "from the record") {
			t.Errorf("%s\n%s", c.name, k.err)
		}
		k.agree(c.name)
	}
}

// TestForgedValues: an editor of the project writes values that no install records, and
// values that the chart does not allow. They are left out, with a warning, by every command.
func TestForgedValues(t *testing.T) {
	k := keep(t)
	if err := k.install(nil); err != nil {
		t.Fatal(err)
	}
	specs, role := k.store.Specs(), k.role()
	k.store.Edit(inventoryPath, func(object map[string]any) {
		data, _ := object["data"].(map[string]any)
		data["values"] = `{"aws":{"roleARN":"arn:aws:iam::123456789012:role/Admin"},"podIdentity":"webhook","secrets":{"existing":true},` +
			`"bucket":{"tags":{"a":"b"}},"microservice":{"replicas":-1},"frontend":{"x\u001b[2J":1}}`
	})
	if changed, err := diff.Run(t.Context(), k.session, diff.Request{Facts: sessiontest.Given(), Timeout: time.Minute}); changed || err != nil {
		t.Errorf("%t, %v\n%s", changed, err, k.out)
	}
	if err := k.install(nil); err != nil || !strings.Contains(k.err.String(), "microservice.replicas is not used") || strings.ContainsAny(k.err.String(), "\x1b") {
		t.Errorf("%v\n%s", err, k.err)
	}
	delete(specs, inventoryPath)
	now := k.store.Specs()
	delete(now, inventoryPath)
	if d := cmp.Diff(specs, now); d != "" {
		t.Errorf("the objects: %s", d)
	}
	if d := cmp.Diff(role, k.role()); d != "" {
		t.Errorf("the role: %s", d)
	}
}

// TestRecordWithoutValues: the inventory of an earlier version has none. The plan names
// what would return to its default and asks; a script has to give a flag.
func TestRecordWithoutValues(t *testing.T) {
	older := func(t *testing.T) *kept {
		t.Helper()
		k := keep(t)
		if err := k.install(func(r *install.Request) { r.Chart.Set = []string{"microservice.replicas=3,frontend.image.tag=v9"} }); err != nil {
			t.Fatal(err)
		}
		k.store.Edit(inventoryPath, func(object map[string]any) {
			data, _ := object["data"].(map[string]any)
			delete(data, "values")
		})
		return k
	}
	k := older(t)
	before := k.store.Specs()
	err := k.install(nil)
	for _, want := range []string{"microservice.replicas: 3 → 1", "frontend.image: ", "not confirmed: nothing was changed"} {
		if !problem.IsInput(err) || !strings.Contains(err.Error(), want) {
			t.Errorf("does not say %q: %v", want, err)
		}
	}
	if d := cmp.Diff(before, k.store.Specs()); d != "" {
		t.Errorf("changed before the answer: %s", d)
	}
	if err := k.install(func(r *install.Request) { r.DryRun = session.DryRunServer }); err != nil || !strings.Contains(k.err.String(), "microservice.replicas: 3 → 1") {
		t.Errorf("%v\n%s", err, k.err)
	}
	for name, change := range map[string]func(*install.Request){
		"--reset-values":   func(r *install.Request) { r.Chart.Reset = true },
		"--yes":            func(r *install.Request) { r.Yes = true },
		"with the values":  func(r *install.Request) { r.Chart.Set = []string{"microservice.replicas=3,frontend.image.tag=v9"} },
		"with other ones":  func(r *install.Request) { r.Chart.Set = []string{"microservice.replicas=2,frontend.image.tag=v8"} },
		"after an edit":    nil,
		"nothing recorded": nil,
	} {
		k := older(t)
		if change == nil {
			if err := k.install(func(r *install.Request) { r.Chart.Reset = true }); err != nil {
				t.Fatal(err)
			}
		}
		if err := k.install(change); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if err := k.install(nil); err != nil || !strings.Contains(k.err.String(), "nothing to change") {
			t.Errorf("%s, then plain: %v\n%s", name, err, k.err)
		}
	}
}

// TestRecordNamesOnlyAProvenRole: a role that the inventory names is used again only if
// IAM shows that it is this project's.
func TestRecordNamesOnlyAProvenRole(t *testing.T) {
	k := keep(t)
	if err := k.install(func(r *install.Request) { r.Role.Name, r.Role.Path = "mine", "/team/" }); err != nil {
		t.Fatal(err)
	}
	arn := func() string {
		annotations := k.store.Object("/api/v1/namespaces/demo/serviceaccounts/ostoy-sa").GetAnnotations()
		return annotations["eks.amazonaws.com/role-arn"]
	}
	k.heals("a role of the user's name")
	if want := "arn:aws:iam::" + awstest.Account + ":role/team/mine"; arn() != want {
		t.Errorf("%s, want %s", arn(), want)
	}
	k.store.Edit(inventoryPath, func(object map[string]any) {
		data, _ := object["data"].(map[string]any)
		data["roleARN"] = "arn:aws:iam::" + awstest.Account + ":role/finance/break-glass"
	})
	if err := k.install(nil); err != nil || strings.Contains(arn(), "break-glass") {
		t.Errorf("%s, %v", arn(), err)
	}
}

// TestResetValuesWhereValuesAreUsedAgain: the flag is where it means something.
func TestResetValuesWhereValuesAreUsedAgain(t *testing.T) {
	var have []string
	for _, c := range newTestRoot().Commands() {
		if c.Flags().Lookup("reset-values") != nil {
			have = append(have, c.Name())
		}
	}
	slices.Sort(have)
	if want := []string{"check", "diff", "install", "status"}; !slices.Equal(have, want) {
		t.Errorf("%q, want %q", have, want)
	}
}
