package verify

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// deniedBy is a refusal in the words of AWS.
func deniedBy(action, words string) error {
	return says("AccessDenied", "User: arn:aws:sts::123456789012:assumed-role/the-role/x is not authorized to perform: "+action+" on resource: \"arn:aws:s3:::demo-bucket\" "+words)
}

// TestExplicitDeny: a policy that denies a call is not waited out, and the reader sees who
// decides instead of an install that changes nothing.
func TestExplicitDeny(t *testing.T) {
	const scp, boundary = "with an explicit deny in a service control policy", "with an explicit deny in a permissions boundary"
	access := func(ctx context.Context, r *run) error {
		probes, _ := proveAccess(ctx, r)
		return failureOf(probes)
	}
	for name, c := range map[string]struct {
		answers   map[string][]error
		prove     func(context.Context, *run) error
		what, why string
		next      string
	}{
		"put":           {map[string][]error{"put": {deniedBy("s3:PutObject", scp)}}, access, "may not s3:PutObject", "a policy of the AWS organization forbids it", "encryption header"},
		"get, boundary": {map[string][]error{"get": {deniedBy("s3:GetObject", boundary)}}, access, "may not s3:GetObject", "the role's permissions boundary forbids it", "owns the permissions boundary of the role"},
		"head has no words": {
			map[string][]error{"head-bucket": {says("Forbidden", "")}, "list demo-bucket": {deniedBy("s3:ListBucket", scp)}},
			access, "may not s3:ListBucket", "a policy of the AWS organization forbids it", "who administers the AWS organization",
		},
		"role": {
			map[string][]error{"assume demo/ostoy-sa/sts.amazonaws.com": {deniedBy("sts:AssumeRoleWithWebIdentity", "with an explicit deny in a resource control policy")}},
			func(ctx context.Context, r *run) error {
				token, err := tokenFor(ctx, r, r.Namespace, "ostoy-sa", r.Audience)
				if err != nil {
					return err
				}
				return assumeRole(ctx, r, token)
			},
			"STS does not let ostoy-sa assume role the-role", "a policy of the AWS organization forbids it", "who administers the AWS organization",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r, events := started(t, newFake(c.answers))
				var told *problem.Error
				if err := c.prove(t.Context(), r); !errors.As(err, &told) || !strings.Contains(told.What, c.what) || !strings.Contains(told.Why, c.why) || !strings.Contains(told.Next, c.next) {
					t.Fatalf("%+v", told)
				}
				if strings.Contains(told.Next, "restores the") || told.Kind != problem.Refused {
					t.Errorf("%+v", told)
				}
				if took := time.Since(r.pace.began); took > 0 || len(*events) > 0 {
					t.Errorf("waited %s, told %v", took, *events)
				}
			})
		})
	}
}

// failureOf is the error of the probe that failed.
func failureOf(probes []Probe) error {
	for _, p := range probes {
		if p.Outcome == Failed {
			return p.failure
		}
	}
	return nil
}

// TestExplicitDenyOnPage: OSToy's page repeats the words of AWS.
func TestExplicitDenyOnPage(t *testing.T) {
	denied := &pageError{deniedBy("s3:PutObject", "with an explicit deny in a service control policy").Error()}
	if passes(denied) || !passes(&pageError{"AccessDenied: Access Denied"}) {
		t.Error("the wrong one is waited out")
	}
	body := `Error Encountered!<pre>{"message":"User: arn:aws:sts::123456789012:assumed-role/` + strings.Repeat("r", 64) + `/` + strings.Repeat("s", 64) +
		` is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::` + strings.Repeat("b", 63) + `/` + strings.Repeat("k", 200) + `\" with an explicit deny in a service control policy","code":"AccessDenied"}</pre>`
	long := page{200, body}.flaw()
	if passes(long) || len(long.Error()) > 410 {
		t.Errorf("%v", long)
	}
	r, _ := started(t, newFake(nil))
	for _, err := range []error{denied, long} {
		var told *problem.Error
		if !errors.As(pageFailed(r, "upload does not work", "x", err), &told) || !strings.Contains(told.Next, "who administers the AWS organization") || !strings.Contains(told.Why, "a policy of the AWS organization forbids it") {
			t.Errorf("%+v", told)
		}
	}
}
