package iam

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// TestReadNew: a role that IAM does not know everywhere yet is there, and one
// that it never knows is called absent in the end.
func TestReadNew(t *testing.T) {
	for name, c := range map[string]struct {
		made    bool
		unknown int // answers of GetRole that do not know it
	}{
		"known at once": {true, 0},
		"known later":   {true, 3},
		"never made":    {false, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				api, unknown := newFake(), c.unknown
				if c.made {
					api.roles["r"] = &role{arn: "arn:aws:iam::123456789012:role/r"}
				}
				api.before = func(call string) error {
					if call == "GetRole" && unknown > 0 {
						unknown--
						return apiError("NoSuchEntity", "The role with name r cannot be found.")
					}
					return nil
				}
				began := time.Now()
				actual, err := ReadNew(t.Context(), api, "r")
				if err != nil || actual.Exists != c.made {
					t.Errorf("%+v, %v", actual, err)
				}
				if took := time.Since(began); c.made && c.unknown == 0 && took > 0 || took > 10*time.Second || !c.made && took < time.Second {
					t.Errorf("took %s", took)
				}
			})
		})
	}
}

// TestReadNewFails with what is no answer about the role.
func TestReadNewFails(t *testing.T) {
	api := newFake()
	api.before = func(string) error { return denied("iam:GetRole", "role r") }
	if _, err := ReadNew(t.Context(), api, "r"); err == nil {
		t.Error("a refusal became an absent role")
	}
	if listed, err := Glance(t.Context(), api, "r"); err == nil {
		t.Errorf("a refusal became an absent role: %+v", listed)
	}
	api.before = func(string) error { return errors.New("no network") }
	if _, err := ReadNew(t.Context(), api, "r"); err == nil {
		t.Error("no answer became an absent role")
	}
}
