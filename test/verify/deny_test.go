package verify

import (
	"net/http"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// denies has AWS refuse an action to the app's role in the words in which it names the
// policy that denies it: an organization that wants an encryption header in each upload, for
// example.
func (a app) denies(t *testing.T, action, policy, agent string) {
	t.Helper()
	a.fault(t, testbed.Fault{
		Action: action, Resource: "bucket*", Principal: "app", Agent: "*" + agent + " *", Code: "AccessDenied", Status: http.StatusForbidden,
		Message: "User: arn:aws:sts::123456789012:assumed-role/" + a.role() + "/x is not authorized to perform: " + action +
			` on resource: "arn:aws:s3:::` + a.bucket() + `/x" with an explicit deny in ` + policy,
	})
}

// asked is how often a program asked S3 for something in the app's bucket.
func (a app) asked(t *testing.T, action, agent string) (times int) {
	t.Helper()
	log, err := a.bed.AWS.Log(t.Context(), "app")
	orders(t, err)
	for _, request := range log {
		if request.Action == action && strings.Contains(request.Resource, a.bucket()) && strings.Contains(request.UserAgent+" ", agent+" ") && !request.Again() {
			times++
		}
	}
	return times
}

// TestExplicitDeny: what a policy denies explicitly is tried once, because no waiting and no
// install changes it. Verify and install name who decides.
func TestExplicitDeny(t *testing.T) {
	t.Parallel()
	const ours, osToy = "ostoy-s3-verify", "app/ostoy"
	const organization, lift = "a policy of the AWS organization forbids it: an explicit deny", "ask who administers the AWS organization to lift the deny of "
	for _, c := range []struct{ namespace, action, policy, agent, probe, what, why, next string }{
		{"deny-scp", "s3:PutObject", "a service control policy", ours, "access/put-object", "may not s3:PutObject", organization, lift + "s3:PutObject"},
		{"deny-boundary", "s3:GetObject", "a permissions boundary", ours, "access/get-object", "may not s3:GetObject", "the role's permissions boundary forbids it", "the AWS administrator who owns the permissions boundary of the role"},
		{"deny-resource", "s3:PutObject", "a resource-based policy", ours, "access/put-object", "may not s3:PutObject", "the policy on the resource itself forbids it", "ask the owner of the resource to lift the deny of s3:PutObject"},
		{"deny-app", "s3:PutObject", "a service control policy", osToy, "app/upload", "OSToy says: ", organization, lift + "s3:PutObject"},
	} {
		t.Run(c.namespace, func(t *testing.T) {
			t.Parallel()
			a := installed(t, c.namespace)
			a.denies(t, c.action, c.policy, c.agent)
			for _, command := range []func() run.Result{
				func() run.Result { _, result := a.verify(t, refused); return result },
				func() run.Result { return a.user.Run(t, "install", "-n", a.namespace).WantCode(t, refused) },
			} {
				before := a.asked(t, c.action, c.agent)
				result := command()
				result.WantTalk(t, c.what, c.why, c.next).WantNoTalk(t, "restores the", "spreading")
				if tries := a.asked(t, c.action, c.agent) - before; tries != 1 {
					t.Errorf("tried %d times\n%s", tries, result)
				}
			}
			got, _ := a.verify(t, refused)
			got.wantOnly(t, c.probe)
		})
	}
}
