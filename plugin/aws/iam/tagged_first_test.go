package iam

import (
	"errors"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF3TaggedBeforeAttached: a run that is interrupted never leaves a managed policy on
// the role that the role's tags do not name. Uninstall treats such a policy as somebody
// else's and refuses to remove the role.
func TestF3TaggedBeforeAttached(t *testing.T) {
	const managed = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	name := RoleOptions{}.name(facts())
	for what, first := range map[string]RoleOptions{
		"a role with the inline policy": {},
		"a role with another policy":    {PolicyARN: "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
		"an older role":                 {},
		"no role":                       {},
	} {
		api := newFake()
		if what != "no role" {
			if _, _, err := install(t, api, facts(), first, false); err != nil {
				t.Fatal(err)
			}
		}
		if what == "an older role" {
			delete(api.roles[name].tags, render.TagBucket)
		}
		attached, killed := false, errors.New("killed")
		api.before = func(call string) error {
			if call != "AttachRolePolicy" {
				return nil
			}
			attached = true
			if got := api.roles[name].tags[render.TagPolicy]; got != managed {
				t.Errorf("%s: the policy is attached while the tag says %q", what, got)
			}
			return killed
		}
		if _, _, err := install(t, api, facts(), RoleOptions{PolicyARN: managed}, false); !errors.Is(err, killed) || !attached {
			t.Errorf("%s: %v", what, err)
		}
	}
}
