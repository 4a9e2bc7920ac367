package iam

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func TestFirstRunTakesThreeRequests(t *testing.T) {
	api := newFake()
	_, result, err := install(t, api, facts(), RoleOptions{}, false)
	if err != nil {
		t.Fatal(err)
	}
	if got, want := api.taken(), []string{"GetRole", "CreateRole", "PutRolePolicy"}; !slices.Equal(got, want) {
		t.Errorf("requests %v, want %v (the provider's makes four)", got, want)
	}
	if !result.Created || result.ARN != ARN(facts(), RoleOptions{}) || kinds(result.Done) != "create-role put-policy" {
		t.Errorf("%+v", result)
	}
	r := api.roles[RoleOptions{}.name(facts())]
	if r.trust != trustJSON || r.inline[PolicyName] != policyJSON || r.path != "/ostoy-s3/" || !render.Ours(r.tags, facts()) {
		t.Errorf("made %+v", r)
	}
}

func TestSecondRunReadsOnly(t *testing.T) {
	for _, o := range []RoleOptions{{}, {PolicyARN: "arn:aws:iam::aws:policy/AmazonS3FullAccess", Boundary: "arn:aws:iam::123456789012:policy/edge", Tags: map[string]string{"a": "b"}}} {
		api := newFake()
		if _, _, err := install(t, api, facts(), o, false); err != nil {
			t.Fatal(err)
		}
		api.taken()
		plan, result, err := install(t, api, facts(), o, true)
		if err != nil {
			t.Fatal(err)
		}
		got := api.taken()
		slices.Sort(got)
		if want := []string{"GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies"}; !slices.Equal(got, want) {
			t.Errorf("requests %v, want %v", got, want)
		}
		if !plan.Empty() || len(plan.Notes) > 0 || len(result.Done) > 0 || result.Created {
			t.Errorf("plan %+v, result %+v", plan, result)
		}
	}
}

// The reads of a known role meet in a barrier: each waits until all four are
// there. One after the other, the first would wait for ever, which synctest
// reports as a deadlock.
func TestReadsOfAKnownRoleRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFake()
		if _, _, err := install(t, api, facts(), RoleOptions{}, false); err != nil {
			t.Fatal(err)
		}
		var barrier sync.WaitGroup
		barrier.Add(4)
		api.before = func(string) error {
			barrier.Done()
			barrier.Wait()
			return nil
		}
		if a, err := Read(t.Context(), api, RoleOptions{}.name(facts()), true); err != nil || !a.Exists || a.Inline == "" {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

// Of a role not known, the three other reads meet after GetRole.
func TestReadsAfterGetRoleRunAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFake()
		if _, _, err := install(t, api, facts(), RoleOptions{}, false); err != nil {
			t.Fatal(err)
		}
		var barrier sync.WaitGroup
		barrier.Add(3)
		api.before = func(call string) error {
			if call != "GetRole" {
				barrier.Done()
				barrier.Wait()
			}
			return nil
		}
		if a, err := Read(t.Context(), api, RoleOptions{}.name(facts()), false); err != nil || !a.Exists {
			t.Errorf("%+v, %v", a, err)
		}
	})
}

func TestReadTurnsPages(t *testing.T) {
	api := newFake()
	api.page = 2
	r := &role{path: "/", inline: map[string]string{}, tags: map[string]string{}}
	for _, n := range []string{"a", "b", "c", "d", "e"} {
		r.inline[n] = "{}"
		r.attached = append(r.attached, "arn:aws:iam::aws:policy/"+n)
	}
	api.roles["x"] = r
	a, err := Read(t.Context(), api, "x", true)
	if err != nil || len(a.Inlines) != 5 || len(a.Attached) != 5 {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestReadOfAnAbsentRole(t *testing.T) {
	for _, known := range []bool{true, false} {
		a, err := Read(t.Context(), newFake(), "x", known)
		if err != nil || a.Exists || a.Inline != "" {
			t.Errorf("known %v: %+v, %v", known, a, err)
		}
	}
}

// denied is IAM's refusal; the resource is an ARN for a role that exists.
func denied(action, resource string) error {
	return apiError("AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: "+action+
		" on resource: "+resource+" because no identity-based policy allows the "+action+" action")
}

func TestReadWithFewRights(t *testing.T) {
	api := newFake()
	if _, _, err := install(t, api, facts(), RoleOptions{}, false); err != nil {
		t.Fatal(err)
	}
	arn, name := ARN(facts(), RoleOptions{}), RoleOptions{}.name(facts())
	for _, known := range []bool{true, false} {
		api.before = func(call string) error {
			if strings.HasPrefix(call, "List") {
				return denied("iam:"+call, arn)
			}
			return nil
		}
		a, err := Read(t.Context(), api, name, known)
		if err != nil || a.InlinesErr == nil || a.AttachedErr == nil || a.Inline == "" {
			t.Fatalf("%+v, %v", a, err)
		}
		wantProblem(t, a.AttachedErr, problem.Failed, "iam:ListAttachedRolePolicies", arn)
		for _, call := range []string{"GetRole", "GetRolePolicy"} {
			api.before = once(call, 1, denied("iam:"+call, arn))
			_, err := Read(t.Context(), api, name, known)
			wantProblem(t, err, problem.Failed, "iam:"+call+" on "+arn)
		}
	}
	// IAM refuses in the same words whether the role exists or not: nothing is created.
	api = newFake()
	api.before = func(call string) error {
		if call == "GetRole" {
			return denied("iam:GetRole", "role "+name)
		}
		return nil
	}
	for _, known := range []bool{false, true} {
		_, err := Read(t.Context(), api, name, known)
		wantProblem(t, err, problem.Failed, "iam:GetRole on role "+name, "whether the role exists is not known", "allow iam:GetRole on role "+name)
	}
}

// TestCreateUnseen is for a caller whose permissions end at the role's path: IAM refuses to
// show a role that does not exist, because it knows no path of it.
func TestCreateUnseen(t *testing.T) {
	name := RoleOptions{}.name(facts())
	api := newFake()
	api.before = func(call string) error {
		if call == "GetRole" {
			return denied("iam:GetRole", "role "+name)
		}
		return nil
	}
	plan, result, err := install(t, api, facts(), RoleOptions{}, false)
	if err != nil || !result.Created {
		t.Fatalf("%+v, %v", result, err)
	}
	if len(plan.Notes) != 1 || !strings.Contains(plan.Notes[0], "whether the role exists is not known") {
		t.Error(plan.Notes)
	}
	// It exists after all: it is not changed. An inventory that names it makes no difference:
	// it is written before the role is created.
	for _, known := range []bool{false, true} {
		was := len(api.calls)
		_, result, err = install(t, api, facts(), RoleOptions{}, known)
		wantProblem(t, err, problem.Refused, "role "+name+" exists, and AWS refuses to show it", "allow iam:GetRole on role "+name)
		if len(result.Done) != 0 {
			t.Error(result.Done)
		}
		for _, call := range api.calls[was:] {
			if call != "CreateRole" && !strings.HasPrefix(call, "Get") && !strings.HasPrefix(call, "List") {
				t.Error("after", call)
			}
		}
	}
	// A policy that denies it says nothing of the role.
	api.before = func(string) error {
		return apiError("AccessDenied", "User: arn:aws:iam::123456789012:user/bob is not authorized to perform: iam:GetRole on resource: role "+name+" with an explicit deny in a service control policy")
	}
	_, _, err = install(t, api, facts(), RoleOptions{}, false)
	wantProblem(t, err, problem.Failed, "organization")
}

// Whatever hand changed the role, one run brings it back and the next has
// nothing to do.
func TestRepairEndsInNothingToDo(t *testing.T) {
	api := newFake()
	if _, _, err := install(t, api, facts(), RoleOptions{}, false); err != nil {
		t.Fatal(err)
	}
	r := api.roles[RoleOptions{}.name(facts())]
	r.trust, r.inline[PolicyName] = "nonsense", `{"Statement":{"NotAction":"*"}}`
	delete(r.tags, render.TagClusterID)
	r.inline["theirs"], r.attached = "{}", []string{"arn:aws:iam::aws:policy/ReadOnlyAccess"}
	o := RoleOptions{Boundary: "arn:aws:iam::123456789012:policy/edge", Tags: map[string]string{"a": "b"}}
	_, result, err := install(t, api, facts(), o, true)
	if err != nil || kinds(result.Done) != "put-boundary update-trust tag-role put-policy" {
		t.Fatalf("%s, %v", kinds(result.Done), err)
	}
	if plan, _, err := install(t, api, facts(), o, true); err != nil || !plan.Empty() || len(plan.Notes) != 2 {
		t.Errorf("%+v, %v", plan, err)
	}
	if r.inline["theirs"] != "{}" || len(r.attached) != 1 {
		t.Error("policies of others were removed")
	}
	managed := RoleOptions{PolicyARN: "arn:aws:iam::aws:policy/AmazonS3FullAccess"}
	if _, result, err := install(t, api, facts(), managed, true); err != nil || kinds(result.Done) != "tag-role attach-policy delete-policy" {
		t.Fatalf("%s, %v", kinds(result.Done), err)
	}
	if _, still := r.inline[PolicyName]; still || len(r.attached) != 2 || r.inline["theirs"] != "{}" {
		t.Errorf("%+v", r)
	}
}

// Killed after any request and run again, known to the inventory or not: the
// same end, and nothing twice.
func TestKilledAnywhere(t *testing.T) {
	killed := errors.New("killed")
	for _, known := range []bool{false, true} {
		for k := 1; k <= 3; k++ {
			api, n := newFake(), 0
			api.before = func(string) error {
				if n++; n > k {
					return killed
				}
				return nil
			}
			_, _, err := install(t, api, facts(), RoleOptions{}, false)
			if k < 3 && !errors.Is(err, killed) {
				t.Fatalf("k=%d: %v", k, err)
			}
			api.before = nil
			if _, _, err := install(t, api, facts(), RoleOptions{}, known); err != nil {
				t.Fatalf("k=%d: %v", k, err)
			}
			r := api.roles[RoleOptions{}.name(facts())]
			if len(api.roles) != 1 || r.trust != trustJSON || r.inline[PolicyName] != policyJSON {
				t.Errorf("k=%d: %+v", k, r)
			}
		}
	}
}

func TestRacedByAnotherRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFake()
		api.before = func(call string) error {
			if call == "CreateRole" {
				api.before = nil
				if _, _, err := install(t, api, facts(), RoleOptions{}, false); err != nil {
					t.Error(err)
				}
			}
			return nil
		}
		_, result, err := install(t, api, facts(), RoleOptions{}, false)
		if err != nil || result.Created || len(result.Done) != 0 {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

func TestRacedByAStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFake()
		name := RoleOptions{}.name(facts())
		api.before = func(call string) error {
			if call == "CreateRole" {
				api.mu.Lock()
				api.roles[name] = &role{path: "/ostoy-s3/", arn: ARN(facts(), RoleOptions{}), tags: map[string]string{"Name": "theirs"}, trust: "{}"}
				api.mu.Unlock()
			}
			return nil
		}
		_, _, err := install(t, api, facts(), RoleOptions{}, false)
		wantProblem(t, err, problem.Refused, "not ours", "Name=theirs", "--adopt=role")
		if r := api.roles[name]; r.trust != "{}" || len(r.tags) != 1 {
			t.Errorf("changed: %+v", r)
		}
	})
}

// For some seconds a new role is unknown to some requests and known to others.
func TestEventualConsistency(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFake()
		var since time.Time
		api.before = func(call string) error {
			switch {
			case call == "CreateRole" && since.IsZero():
				since = time.Now()
			case call == "CreateRole", since.IsZero():
			case time.Since(since) < 30*time.Second:
				return apiError("NoSuchEntity", "The role with name x cannot be found.")
			}
			return nil
		}
		_, result, err := install(t, api, facts(), RoleOptions{}, false)
		if err != nil || kinds(result.Done) != "create-role put-policy" || !result.Created {
			t.Errorf("%+v, %v", result, err)
		}
		if waited := time.Since(since); waited > 40*time.Second {
			t.Errorf("took %s", waited)
		}
	})
}

func TestPatienceEnds(t *testing.T) {
	never := func(call string) error {
		if call == "PutRolePolicy" {
			return apiError("NoSuchEntity", "The role with name x cannot be found.")
		}
		return nil
	}
	synctest.Test(t, func(t *testing.T) {
		api, began := newFake(), time.Now()
		api.before = never
		_, result, err := install(t, api, facts(), RoleOptions{}, false)
		wantProblem(t, err, problem.Failed, "iam:PutRolePolicy", "cannot be found")
		if !result.Created || time.Since(began) > patience {
			t.Errorf("%+v after %s", result, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		api, began := newFake(), time.Now()
		api.before = never
		ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
		defer cancel()
		plan, err := NewPlan(desired(t, facts(), RoleOptions{}), nil, facts())
		if err != nil {
			t.Fatal(err)
		}
		_, err = Execute(ctx, api, plan)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != 3*time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
	})
	synctest.Test(t, func(t *testing.T) {
		api := newFake()
		api.before = never
		ctx, cancel := context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		plan, err := NewPlan(desired(t, facts(), RoleOptions{}), nil, facts())
		if err != nil {
			t.Fatal(err)
		}
		if _, err := Execute(ctx, api, plan); !errors.Is(err, context.Canceled) {
			t.Errorf("%v", err)
		}
	})
}

func TestErrorsThatDoNotHealAreNotWaitedFor(t *testing.T) {
	const policy, edge = "arn:aws:iam::aws:policy/Nope", "arn:aws:iam::123456789012:policy/nope"
	arn := ARN(facts(), RoleOptions{})
	for _, c := range []struct {
		name  string
		call  string
		err   error
		o     RoleOptions
		words []string
	}{
		{"no right to create", "CreateRole", denied("iam:CreateRole", arn), RoleOptions{}, []string{"iam:CreateRole on " + arn, "--permissions-boundary"}},
		{"no right to tag", "CreateRole", denied("iam:TagRole", arn), RoleOptions{}, []string{"AWS refused iam:TagRole on " + arn}},
		{"no right to put", "PutRolePolicy", denied("iam:PutRolePolicy", arn), RoleOptions{}, []string{"iam:PutRolePolicy on " + arn}},
		{"too many roles", "CreateRole", apiError("LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000"), RoleOptions{}, []string{"RolesPerAccount: 1000"}},
		{"no provider", "CreateRole", apiError("MalformedPolicyDocument", `Invalid principal in policy: "FEDERATED":"x"`), RoleOptions{}, []string{"identity provider"}},
		{"no such policy", "AttachRolePolicy", apiError("NoSuchEntity", "Policy "+policy+" does not exist or is not attachable."), RoleOptions{PolicyARN: policy}, []string{"policy " + policy + " does not exist", "--policy-arn"}},
		{"no such boundary", "CreateRole", apiError("NoSuchEntity", "Scope ARN: "+edge+" does not exist or is not attachable."), RoleOptions{Boundary: edge}, []string{"policy " + edge + " does not exist", "--permissions-boundary"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, began := newFake(), time.Now()
				api.before = once(c.call, 1, c.err)
				_, _, err := install(t, api, facts(), c.o, false)
				wantProblem(t, err, problem.Failed, c.words...)
				if !time.Now().Equal(began) {
					t.Errorf("waited %s", time.Since(began))
				}
			})
		})
	}
}

func TestRoleRemovedMeanwhile(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api := newFake()
		if _, _, err := install(t, api, facts(), RoleOptions{}, false); err != nil {
			t.Fatal(err)
		}
		name := RoleOptions{}.name(facts())
		api.roles[name].trust = "{}"
		api.before = func(call string) error {
			if call == "UpdateAssumeRolePolicy" {
				api.mu.Lock()
				delete(api.roles, name)
				api.mu.Unlock()
			}
			return nil
		}
		_, result, err := install(t, api, facts(), RoleOptions{}, true)
		if err != nil || kinds(result.Done) != "create-role put-policy" || api.roles[name].trust != trustJSON {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

func TestUnknownStepIsAnError(t *testing.T) {
	plan := &Plan{Role: desired(t, facts(), RoleOptions{}), Steps: []Step{{Kind: "dance", Action: "iam:Dance", Resource: "x"}}}
	if _, err := Execute(t.Context(), newFake(), plan); err == nil {
		t.Error("an unknown step was done")
	}
}
