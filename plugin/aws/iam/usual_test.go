package iam

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF15Usual: a new role has 12 digits. One that an earlier version created is asked for
// second, and used if it is this project's.
func TestF15Usual(t *testing.T) {
	names := render.RoleNames(facts().Issuer.Value, "demo")
	tagged := render.OwnershipTags(facts())
	another := facts()
	another.Namespace.Value = "another"
	reads := func(n int) []string { return strings.Fields(strings.Repeat("GetRole ", n)) }
	policies := []string{"GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"}
	for _, c := range []struct {
		name  string
		roles map[string]map[string]string // tags by name
		want  string
		found bool
		calls []string
	}{
		{"none", nil, names[0], false, reads(2)},
		{"a new one", map[string]map[string]string{names[0]: tagged}, names[0], true, append(reads(1), policies...)},
		{"an earlier one", map[string]map[string]string{names[1]: tagged}, names[1], true, append(reads(2), policies...)},
		{"both", map[string]map[string]string{names[0]: tagged, names[1]: tagged}, names[0], true, append(reads(1), policies...)},
		{"the new one is not managed by ostoy-s3", map[string]map[string]string{names[0]: nil, names[1]: tagged}, names[1], true, append(append(reads(2), policies...), policies...)},
		{"the earlier one is another project's", map[string]map[string]string{names[1]: render.OwnershipTags(another)}, names[0], false, append(reads(2), policies...)},
	} {
		api := newFake()
		for name, tags := range c.roles {
			api.put(name, "/ostoy-s3/", tags)
		}
		name, actual, err := App.Usual(t.Context(), api, facts(), Counts{})
		if err != nil || name != c.want || actual.Exists != c.found {
			t.Errorf("%s: %s, %+v, %v; want %s", c.name, name, actual, err, c.want)
		}
		if got, want := strings.Join(sorted(api.taken()), " "), strings.Join(sorted(c.calls), " "); got != want {
			t.Errorf("%s: requests %s, want %s", c.name, got, want)
		}
		if name, err := App.UsualName(t.Context(), api, facts()); err != nil || name != c.want {
			t.Errorf("%s: the name alone: %s, %v; want %s", c.name, name, err, c.want)
		}
		if calls := strings.Join(api.taken(), " "); strings.Contains(calls, "Polic") {
			t.Errorf("%s: requests for the name alone: %s", c.name, calls)
		}
	}
}

// TestF15UsualCounts: a role that another tool manages has no tags of this tool.
func TestF15UsualCounts(t *testing.T) {
	names := render.RoleNames(facts().Issuer.Value, "demo")
	api := newFake()
	api.put(names[1], "/ostoy-s3/", nil)
	for _, c := range []struct {
		trust string
		also  Counts
		want  string
	}{
		{"{}", Counts{}, names[0]},
		{"{}", Counts{Trusting: true}, names[0]},
		{"{}", Counts{Any: true}, names[1]},
		{trustJSON, Counts{}, names[0]},
		{trustJSON, Counts{Trusting: true}, names[1]},
	} {
		api.roles[names[1]].trust = c.trust
		if name, _, err := App.Usual(t.Context(), api, facts(), c.also); err != nil || name != c.want {
			t.Errorf("%+v, trust policy %s: %s, %v; want %s", c.also, c.trust, name, err, c.want)
		}
	}
	// The one with the name of a new role is first.
	api.put(names[0], "/ostoy-s3/", nil)
	if name, _, err := App.Usual(t.Context(), api, facts(), Counts{Any: true}); err != nil || name != names[0] {
		t.Errorf("both: %s, %v", name, err)
	}
}

// TestF15UsualUnread: a failure of IAM is no answer, and ends the run. A refusal is an
// answer: what the user is not allowed to see, install creates, unless it exists.
func TestF15UsualUnread(t *testing.T) {
	names := render.RoleNames(facts().Issuer.Value, "demo")
	denied := apiError("AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:GetRole on resource: role x because no identity-based policy allows the iam:GetRole action")
	broken := apiError("MalformedQueryString", "x")
	for _, c := range []struct {
		name    string
		answers []error // nil: there is no such role
		earlier bool    // exists
		want    string
		fails   bool
	}{
		{"the new one is refused", []error{denied, nil}, false, names[0], true},
		{"the new one is refused, the earlier one is there", []error{denied, nil}, true, names[1], false},
		{"both are refused", []error{denied, denied}, true, names[0], true},
		{"the earlier one is refused", []error{nil, denied}, true, names[0], false},
		{"IAM fails at once", []error{broken, nil}, true, names[0], true},
		{"IAM fails for the earlier one", []error{nil, broken}, true, names[0], true},
	} {
		api := newFake()
		if c.earlier {
			api.put(names[1], "/ostoy-s3/", render.OwnershipTags(facts()))
		}
		asked := 0
		api.before = func(call string) error {
			if call != "GetRole" {
				return nil
			}
			asked++
			return c.answers[asked-1]
		}
		name, _, err := App.Usual(t.Context(), api, facts(), Counts{})
		if name != c.want || (err != nil) != c.fails {
			t.Errorf("%s: %s, %v; want %s", c.name, name, err, c.want)
		}
	}
}

// TestF15UsualController is TestF15Usual for the controller's role, at whatever path.
func TestF15UsualController(t *testing.T) {
	f := controllerFacts()
	names := render.ControllerRoleNames(f.Issuer.Value)
	for path, name := range map[string]string{"/ostoy-s3-controller/": names[0], "/ostoy-s3/": names[1]} {
		api := newFake()
		api.put(name, path, render.OwnershipTags(f))
		if got, actual, err := Controller.Usual(t.Context(), api, f, Counts{}); err != nil || got != name || actual.Path != path {
			t.Errorf("%s: %s, %+v, %v", name, got, actual, err)
		}
		if got, err := Controller.UsualName(t.Context(), api, f); err != nil || got != name {
			t.Errorf("the name alone: %s, %v; want %s", got, err, name)
		}
	}
	// The app's role is not the controller's, whatever it is called.
	api := newFake()
	api.put(names[1], "/ostoy-s3/", render.OwnershipTags(f))
	if name, _, err := App.Usual(t.Context(), api, f, Counts{}); err != nil || name != render.RoleName(f.Issuer.Value, f.Namespace.Value) {
		t.Errorf("the app's: %s, %v", name, err)
	}
}

// TestF15FindEarlier: uninstall finds an earlier role, and if it is not allowed to list
// roles, too.
func TestF15FindEarlier(t *testing.T) {
	names := render.RoleNames(facts().Issuer.Value, "demo")
	denied := apiError("AccessDenied", "not authorized to perform: iam:ListRoles")
	for _, name := range names {
		api := newFake()
		api.put(name, "/ostoy-s3/", render.OwnershipTags(facts()))
		for _, mayList := range []bool{true, false} {
			api.before = func(call string) error {
				if call == "ListRoles" && !mayList {
					return denied
				}
				return nil
			}
			found, err := App.Find(t.Context(), api, facts())
			if err != nil || len(found) != 1 || found[0].Name != name {
				t.Errorf("%s, may list is %v: %v, %v", name, mayList, found, err)
			}
		}
	}
}
