package verify

import (
	"context"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

// TestForeseen: what is known to fail is not waited for, and the advice is what
// helps; all else is waited for as before, and install is advised.
func TestForeseen(t *testing.T) {
	const command = "aws iam detach-role-policy --role-name r --policy-arn a"
	for name, foreseen := range map[string]bool{"foreseen": true, "not foreseen": false} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				denied := make([]error, 100)
				for n := range denied {
					denied[n] = errDenied()
				}
				r, _ := started(t, newFake(map[string][]error{"put": denied}))
				r.options.Settling = true
				r.options.Foreseen = func(probe string) bool { return foreseen && (probe == "list-buckets" || probe == "put-object") }
				r.options.Cure = func(_ context.Context, _, probe string) string {
					if !foreseen {
						return ""
					}
					return command
				}
				began := time.Now()
				allowed := trespassed(t.Context(), r, byApp(r)[2])
				lacking, _ := proveAccess(t.Context(), r)
				waited := time.Since(began) > 0
				last := lacking[len(lacking)-1]
				for _, got := range []Probe{allowed, last} {
					if got.Outcome != Failed || (got.Next == command) != foreseen || strings.Contains(got.Next, "oc ostoy-s3 install") == foreseen {
						t.Errorf("%+v", got)
					}
				}
				if waited == foreseen {
					t.Errorf("waited %s", time.Since(began))
				}
			})
		})
	}
}

// TestRoleOfOthers: install does not fix a role that somebody else makes.
func TestRoleOfOthers(t *testing.T) {
	r, _ := started(t, newFake(nil))
	r.options.Given = func(Flags) string { return "have the role made" }
	for _, one := range trespasses(r) {
		if got := trespassed(t.Context(), r, one); got.Outcome == Failed && got.Next != "have the role made" && strings.Contains(got.What, "NOT REFUSED") {
			t.Errorf("%+v", got)
		}
	}
	if told := r.notTrusted(); told.Next != "have the role made" {
		t.Errorf("%+v", told)
	}
}
