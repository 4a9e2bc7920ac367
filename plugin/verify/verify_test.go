package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestWithNeeded(t *testing.T) {
	for _, c := range []struct{ asked, want []Level }{
		{nil, Levels()},
		{[]Level{Identity}, []Level{Identity}},
		{[]Level{Access}, []Level{Identity, Access}},
		{[]Level{App}, []Level{Identity, Access, App}},
		{[]Level{Isolation, Identity}, []Level{Identity, Access, Isolation}},
		{[]Level{App, Isolation}, Levels()},
	} {
		if got := WithNeeded(c.asked...); !slices.Equal(got, c.want) {
			t.Errorf("%v needs %v, want %v", c.asked, got, c.want)
		}
	}
}

func TestReport(t *testing.T) {
	failure := fail("b", time.Now(), &problem.Error{Kind: problem.Refused, What: "open"})
	good := LevelReport{Level: Isolation, Probes: append(passed(Isolation), skip("other-project", time.Now(), &untestable{why: "no other"}))}
	bad := LevelReport{Level: Access, Probes: []Probe{pass("a", time.Now()), failure}}
	unseen := LevelReport{Level: App, Probes: whole(App, []Probe{skip("reached", time.Now(), &untestable{why: "no pod", next: "wait"})})}
	for level, want := range map[*LevelReport]Outcome{&good: Passed, &bad: Failed, &unseen: NotVerified} {
		if level.Outcome, level.Missing = judge(level.Level, level.Probes); level.Outcome != want {
			t.Errorf("%s is %s, want %s", level.Level, level.Outcome, want)
		}
	}
	if err := (Report{Levels: []LevelReport{good}}).Err(); err != nil {
		t.Errorf("what passed failed: %v", err)
	}
	report := Report{Levels: []LevelReport{good, bad, unseen}}
	var several *problem.Several
	if !errors.As(report.Err(), &several) || len(several.Problems) != 2 || several.Kind() != problem.Refused {
		t.Fatalf("%v", report.Err())
	}
	if last := several.Problems[1]; last.What != "app is not verified" || last.Why != "not tested: no pod" || last.Next != "wait" {
		t.Errorf("%+v", last)
	}
	// What a level needs is told by its error.
	if left := report.NotTested(); len(left) != 1 || left[0].What != "no other" {
		t.Errorf("%+v", left)
	}
}

// TestPatience: a refusal is waited out for as long as it may be IAM's, and not a
// moment longer; anything else ends the wait at once.
func TestPatience(t *testing.T) {
	for name, c := range map[string]struct {
		answers []error
		tries   int
		within  time.Duration
		fails   bool
	}{
		"at once":            {[]error{nil}, 1, 0, false},
		"after a while":      {[]error{errDenied(), errDenied(), errDenied(), nil}, 4, 4 * time.Second, false},
		"never":              {[]error{errDenied()}, 18, time.Minute, true},
		"no refusal":         {[]error{says("NoSuchBucket", "")}, 1, 0, true},
		"refusal, then gone": {[]error{errDenied(), says("NoSuchBucket", "")}, 2, time.Second, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				f := newFake(map[string][]error{"head-bucket": c.answers})
				r, events := started(t, f)
				err := r.pace.patiently(t.Context(), Access, "head-bucket is refused", awserr.Denied, f.headBucket)
				if (err != nil) != c.fails || f.asked["head-bucket"] > c.tries {
					t.Errorf("%v after %d tries, want at most %d", err, f.asked["head-bucket"], c.tries)
				}
				if took := time.Since(r.pace.began); took > c.within {
					t.Errorf("took %s, want at most %s", took, c.within)
				}
				if told := len(*events); told != f.asked["head-bucket"]-1 {
					t.Errorf("told %d times of %d tries", told, f.asked["head-bucket"])
				}
			})
		})
	}
}

func TestPatienceEndsWithItsContext(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		f := newFake(map[string][]error{"head-bucket": {errDenied()}})
		r, _ := started(t, f)
		err := r.pace.patiently(ctx, Access, "", awserr.Denied, f.headBucket)
		if !errors.Is(err, context.DeadlineExceeded) || time.Since(r.pace.began) != 10*time.Second {
			t.Errorf("%v after %s", err, time.Since(r.pace.began))
		}
	})
}

// TestExplainSTS: every answer of STS in the reader's terms, with what to do.
func TestExplainSTS(t *testing.T) {
	for _, c := range []struct {
		code, message, what, next string
		kind                      problem.Kind
	}{
		{"AccessDenied", "Not authorized to perform sts:AssumeRoleWithWebIdentity", "STS does not let ostoy-sa assume role the-role", "oc ostoy-s3 install -n demo", problem.Refused},
		{"InvalidIdentityToken", "No OpenIDConnect provider found in your account for https://issuer.example.com", "IAM of account 123456789012 does not know the issuer", "aws iam create-open-id-connect-provider --url https://issuer.example.com", problem.Refused},
		{"InvalidIdentityToken", "Incorrect token audience", "does not take audience sts.amazonaws.com", "oidc-provider/issuer.example.com --client-id sts.amazonaws.com", problem.Refused},
		{"InvalidIdentityToken", "Couldn't retrieve verification key from your identity provider", "AWS does not get the cluster's public keys", "curl", problem.Refused},
		{"IDPCommunicationError", "timeout", "AWS does not get the cluster's public keys", "curl", problem.Refused},
		{"InvalidIdentityToken", "Couldn't verify signature", "does not take the cluster's token for valid", "public keys", problem.Refused},
		{"ExpiredTokenException", "Token expired", "for expired", "cluster administrator", problem.Refused},
		{"IDPRejectedClaim", "bad", "rejects a claim", "run the same command again", problem.Refused},
		{"RegionDisabledException", "off", "STS of region us-east-2 is switched off", "aws account enable-region --region-name us-east-2", problem.Refused},
		{"ValidationError", "Request ARN is invalid", "for a role", "eks.amazonaws.com/role-arn", problem.Refused},
		{"ServiceUnavailable", "", "AWS refused sts:AssumeRoleWithWebIdentity", "", problem.Failed},
	} {
		r, _ := started(t, newFake(nil))
		var told *problem.Error
		if !errors.As(r.notAssumed(t.Context(), fmt.Errorf("operation: %w", says(c.code, c.message))), &told) {
			t.Fatalf("%s %s: not explained", c.code, c.message)
		}
		if told.Kind != c.kind || !strings.Contains(told.What, c.what) || !strings.Contains(told.Next, c.next) || told.Why == "" || told.Next == "" {
			t.Errorf("%s %s: %+v", c.code, c.message, told)
		}
	}
}

// TestPutTakesAFreeKey: a key that is somebody's is left alone, and is not tidied
// up either.
func TestPutTakesAFreeKey(t *testing.T) {
	taken := says("PreconditionFailed", "At least one of the pre-conditions you specified did not hold")
	f := newFake(map[string][]error{"put": {taken, taken, nil}})
	r, _ := started(t, f)
	key, err := putFree(t.Context(), r, "content")
	if err != nil || len(r.written.objects) != 1 || r.written.objects[0].key != key || !strings.HasPrefix(key, Prefix) || len(key) != len(Prefix)+len("01234567.txt") {
		t.Errorf("%s %v %v", key, r.written.objects, err)
	}
	f = newFake(map[string][]error{"put": {taken}})
	r, _ = started(t, f)
	if _, err := putFree(t.Context(), r, "content"); err == nil || f.asked["put"] > 3 {
		t.Errorf("%v after %d tries", err, f.asked["put"])
	}
	// The answer to the first try was lost: the object that is there is ours.
	f = newFake(map[string][]error{"put": {taken}})
	r, _ = started(t, f)
	f.found = "content"
	if _, err := putFree(t.Context(), r, "content"); err != nil || len(r.written.objects) != 1 || f.asked["put"] != 1 {
		t.Errorf("%v %v", r.written.objects, err)
	}
	// An answer that was lost may have been a yes.
	r, _ = started(t, newFake(map[string][]error{"put": {errNetwork}}))
	if _, err := putFree(t.Context(), r, "content"); err == nil || len(r.written.objects) != 1 {
		t.Errorf("%v %v", r.written.objects, err)
	}
}

// TestAccessReadsBytes: what comes back must be what was written.
func TestAccessReadsBytes(t *testing.T) {
	r, _ := started(t, newFake(nil))
	if err := getBack(t.Context(), r, Prefix+"x", "content"); err == nil || !strings.Contains(err.Error(), "is not what was written") {
		t.Errorf("%v", err)
	}
}

func TestTidy(t *testing.T) {
	written := []object{{Prefix + "a.txt", ""}, {Prefix + "b.txt", "7"}}
	for name, c := range map[string]struct {
		change func(*run)
		answer error
		left   int
		why    string
	}{
		"removed":            {func(*run) {}, nil, 0, ""},
		"kept":               {func(r *run) { r.options.Keep = true }, nil, 2, "--keep"},
		"nobody":             {func(r *run) { r.CallerAccount, r.NoCaller = "", "expired" }, nil, 2, "no AWS credentials: expired"},
		"another account":    {func(r *run) { r.CallerAccount = "999999999999" }, nil, 2, "account 999999999999"},
		"denied":             {func(*run) {}, errDenied(), 1, "s3:DeleteObject"},
		"the bucket is gone": {func(*run) {}, says("NoSuchBucket", ""), 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFake(map[string][]error{"remove": {c.answer}})
			r, _ := started(t, f)
			r.written.objects = written
			c.change(r)
			ctx, cancel := context.WithCancel(t.Context())
			cancel() // tidying up outlives the run
			left, why := r.tidy(ctx)
			if len(left) != c.left || !strings.Contains(why, c.why) || (why == "") != (c.left == 0) {
				t.Errorf("%v: %q", left, why)
			}
			if c.left == 0 && !slices.Equal(f.removed, written) {
				t.Errorf("removed %v", f.removed)
			}
		})
	}
}

// TestLevelsStandOnEachOther: what needs a level that failed is not tested.
func TestLevelsStandOnEachOther(t *testing.T) {
	f := newFake(map[string][]error{"head-bucket": {says("NoSuchBucket", "")}})
	r, events := started(t, f)
	report, err := r.prove(t.Context())
	if err != nil || report.Verified {
		t.Fatalf("%+v, %v", report, err)
	}
	want := []Outcome{Passed, Failed, NotTested, NotTested}
	for n, level := range report.Levels {
		if level.Outcome != want[n] {
			t.Errorf("%s is %s, want %s", level.Level, level.Outcome, want[n])
		}
	}
	last := (*events)[len(*events)-1]
	if last.Report == nil || last.Text != "not tested: needs access" {
		t.Errorf("%+v", last)
	}
}

// TestInterruptedStillTidies: the end of the context is an error and no finding.
func TestInterruptedStillTidies(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	f := newFake(map[string][]error{"get": {&smithy.CanceledError{Err: context.Canceled}}})
	r, _ := started(t, f)
	observe := r.pace.observer
	r.pace.observer = func(e Event) {
		if observe(e); e.Level == Access {
			cancel()
		}
	}
	if _, err := r.prove(ctx); !errors.Is(err, context.Canceled) || len(f.removed) != 1 {
		t.Errorf("%v, removed %v", err, f.removed)
	}
}
