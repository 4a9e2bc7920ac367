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
)

// withRole is an IAM with our role in it, as install made it.
func withRole(t *testing.T, o RoleOptions) (*fake, *role) {
	t.Helper()
	api := newFake()
	if _, _, err := install(t, api, facts(), o, false); err != nil {
		t.Fatal(err)
	}
	api.taken()
	return api, api.roles[o.name(facts())]
}

// removal is what a run does to be rid of the role.
func removal(ctx context.Context, api Remover, o RemovalOptions) (Result, error) {
	if o.Name == "" {
		o.Name = RoleOptions{}.name(facts())
	}
	actual, err := Read(ctx, api, o.Name, true)
	if err != nil {
		return Result{}, err
	}
	plan, err := RemovalPlan(actual, facts(), o)
	if err != nil {
		return Result{}, err
	}
	return Remove(ctx, api, plan)
}

func TestRemoveTakesSixRequests(t *testing.T) {
	api, _ := withRole(t, RoleOptions{})
	result, err := removal(t.Context(), api, RemovalOptions{})
	if err != nil || kinds(result.Done) != "delete-policy delete-role" || result.ARN != ARN(facts(), RoleOptions{}) || result.Created {
		t.Errorf("%+v, %v", result, err)
	}
	calls := api.taken()
	slices.Sort(calls[:4]) // they run at once
	want := []string{"GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListRolePolicies", "DeleteRolePolicy", "DeleteRole"}
	if !slices.Equal(calls, want) || len(api.roles) != 0 {
		t.Errorf("requests %v, want %v; left %v", calls, want, api.roles)
	}
	if result, err := removal(t.Context(), api, RemovalOptions{}); err != nil || len(result.Done) != 0 || len(api.taken()) != 4 {
		t.Errorf("second run: %+v, %v", result, err)
	}
}

func TestRemoveWithLeave(t *testing.T) {
	api, r := withRole(t, RoleOptions{PolicyARN: s3Full})
	r.inline["theirs"], r.attached = "{}", append(r.attached, readOnly)
	if _, err := removal(t.Context(), api, RemovalOptions{PolicyARN: s3Full}); err == nil || len(r.inline) != 1 || len(r.attached) != 2 {
		t.Fatalf("without leave: %v, %+v", err, r)
	}
	result, err := removal(t.Context(), api, RemovalOptions{PolicyARN: s3Full, Adopt: true})
	if err != nil || kinds(result.Done) != "delete-policy detach-policy detach-policy delete-role" || len(api.roles) != 0 {
		t.Errorf("%s, %v", kinds(result.Done), err)
	}
}

// Killed after any request and run again: gone, and no error on the way.
func TestRemoveKilledAnywhere(t *testing.T) {
	killed := errors.New("killed")
	for k := 0; k <= 3; k++ {
		api, _ := withRole(t, RoleOptions{PolicyARN: s3Full})
		n := 0
		api.before = func(call string) error {
			if !strings.HasPrefix(call, "De") {
				return nil
			}
			if n++; n > k {
				return killed
			}
			return nil
		}
		if _, err := removal(t.Context(), api, RemovalOptions{PolicyARN: s3Full}); k < 2 && !errors.Is(err, killed) {
			t.Fatalf("k=%d: %v", k, err)
		}
		api.before = nil
		if _, err := removal(t.Context(), api, RemovalOptions{PolicyARN: s3Full}); err != nil || len(api.roles) != 0 {
			t.Errorf("k=%d: %v, left %v", k, err, api.roles)
		}
	}
}

// Another run is faster, at any step.
func TestRemoveRaced(t *testing.T) {
	for _, at := range []string{"DeleteRolePolicy", "DeleteRole"} {
		api, _ := withRole(t, RoleOptions{})
		api.before = func(call string) error {
			if call == at {
				api.mu.Lock()
				clear(api.roles)
				api.mu.Unlock()
			}
			return nil
		}
		result, err := removal(t.Context(), api, RemovalOptions{})
		if err != nil || strings.Contains(kinds(result.Done), "delete-role") {
			t.Errorf("at %s: %+v, %v", at, result, err)
		}
		if calls := api.taken(); calls[len(calls)-1] != "GetRole" {
			t.Errorf("at %s it is not asked whether the role is really gone: %v", at, calls)
		}
	}
}

// The role was made a moment ago, and IAM does not find it everywhere yet.
func TestRemoveOfANewRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, _ := withRole(t, RoleOptions{})
		since := time.Now()
		api.before = func(call string) error {
			if strings.HasPrefix(call, "Delete") && time.Since(since) < 30*time.Second {
				return apiError("NoSuchEntity", "The role with name x cannot be found.")
			}
			return nil
		}
		result, err := removal(t.Context(), api, RemovalOptions{})
		if err != nil || kinds(result.Done) != "delete-policy delete-role" || len(api.roles) != 0 || time.Since(since) > 40*time.Second {
			t.Errorf("%+v, %v after %s", result, err, time.Since(since))
		}
	})
}

// What install puts on the role beside us goes too, what others put there stops us.
func TestRemoveConflict(t *testing.T) {
	put := func(api *fake, change func(*role)) {
		api.before = func(call string) error {
			if call == "DeleteRole" {
				api.before = nil
				api.mu.Lock()
				change(api.roles[RoleOptions{}.name(facts())])
				api.mu.Unlock()
			}
			return nil
		}
	}
	synctest.Test(t, func(t *testing.T) {
		api, _ := withRole(t, RoleOptions{})
		put(api, func(r *role) { r.inline[PolicyName] = policyJSON })
		result, err := removal(t.Context(), api, RemovalOptions{})
		if err != nil || kinds(result.Done) != "delete-policy delete-policy delete-role" || len(api.roles) != 0 {
			t.Errorf("%+v, %v", result, err)
		}
	})
	synctest.Test(t, func(t *testing.T) {
		api, r := withRole(t, RoleOptions{})
		put(api, func(r *role) { r.attached = []string{readOnly} })
		result, err := removal(t.Context(), api, RemovalOptions{})
		wantProblem(t, err, problem.Refused, "policies that others put on it", readOnly)
		if kinds(result.Done) != "delete-policy" || len(r.attached) != 1 || len(api.roles) != 1 {
			t.Errorf("%+v, %+v", result, r)
		}
	})
}

// TestRemoveOfAHalfKnownRole: the policy on it is not shown, and when that turns
// out, the role itself is not for a while. It is no less there.
func TestRemoveOfAHalfKnownRole(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, _ := withRole(t, RoleOptions{})
		unknown := map[string]int{"GetRolePolicy": 1, "ListRolePolicies": 1}
		var mu sync.Mutex // the reads run at once
		api.before = func(call string) error {
			mu.Lock()
			defer mu.Unlock()
			if call == "DeleteRole" && unknown["GetRole"] == 0 {
				unknown["GetRole"] = 3
			}
			if call != "DeleteRole" && unknown[call] > 0 {
				unknown[call]--
				return apiError("NoSuchEntity", "The role with name x cannot be found.")
			}
			return nil
		}
		if _, err := removal(t.Context(), api, RemovalOptions{}); err != nil || len(api.roles) != 0 {
			t.Errorf("%v, left %v", err, api.roles)
		}
	})
}

func TestRemoveGivesUp(t *testing.T) {
	arn := ARN(facts(), RoleOptions{})
	for _, c := range []struct {
		name   string
		call   string
		err    error
		kind   problem.Kind
		within time.Duration
		words  []string
	}{
		{"instance profile", "DeleteRole", apiError("DeleteConflict", "Cannot delete entity, must remove roles from instance profile first."), problem.Refused, 0, []string{"still in use", "instance profile", "aws iam remove-role-from-instance-profile --role-name demo-ostoy-sa-"}},
		{"unseen policy", "DeleteRole", apiError("DeleteConflict", "Cannot delete entity, must detach all policies first."), problem.Refused, 15 * time.Second, []string{"must detach all policies first", "aws iam list-attached-role-policies"}},
		{"no right to delete", "DeleteRole", denied("iam:DeleteRole", arn), problem.Failed, 0, []string{"iam:DeleteRole on " + arn}},
		{"no right to delete the policy", "DeleteRolePolicy", denied("iam:DeleteRolePolicy", arn), problem.Failed, 0, []string{"iam:DeleteRolePolicy on " + arn}},
		{"a service's own", "DeleteRole", apiError("UnmodifiableEntity", "x"), problem.Failed, 0, []string{"only the AWS service"}},
		{"for ever unknown", "DeleteRole", apiError("NoSuchEntity", "The role with name x cannot be found."), problem.Failed, patience, []string{"iam:DeleteRole on " + arn, "both that the role is there"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, _ := withRole(t, RoleOptions{})
				began := time.Now()
				api.before = func(call string) error {
					if call == c.call {
						return c.err
					}
					return nil
				}
				_, err := removal(t.Context(), api, RemovalOptions{})
				wantProblem(t, err, c.kind, c.words...)
				if took := time.Since(began); took > c.within {
					t.Errorf("waited %s", took)
				}
			})
		})
	}
}

func TestRemoveObeysTheContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		api, _ := withRole(t, RoleOptions{})
		api.before = func(call string) error {
			if call == "DeleteRole" {
				return apiError("DeleteConflict", "Cannot delete entity, must delete policies first.")
			}
			return nil
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Second)
		defer cancel()
		began := time.Now()
		if _, err := removal(ctx, api, RemovalOptions{}); !errors.Is(err, context.DeadlineExceeded) || time.Since(began) != time.Second {
			t.Errorf("%v after %s", err, time.Since(began))
		}
		ctx, cancel = context.WithCancel(t.Context())
		time.AfterFunc(time.Second, cancel)
		if _, err := removal(ctx, api, RemovalOptions{}); !errors.Is(err, context.Canceled) {
			t.Error(err)
		}
	})
}

func TestRemoveRefusesStepsOfInstall(t *testing.T) {
	api, _ := withRole(t, RoleOptions{})
	plan := &Removal{Name: RoleOptions{}.name(facts()), Steps: []Step{{Kind: TagRole, Action: "iam:TagRole", Resource: "x"}}}
	if _, err := Remove(t.Context(), api, plan); err == nil {
		t.Error("a step that removes nothing was done")
	}
}
