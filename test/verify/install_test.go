package verify

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// installProof is the document of install -o json.
type installProof struct {
	Ready        bool
	URL          string
	Verification *proof
}

// TestInstallVerifies: the last line of an install is the proof, also of one that
// found nothing to do.
func TestInstallVerifies(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, user := range []run.User{run.Admin(bed), run.ProjectAdmin(t, bed, "settler")} {
		t.Run(user.Name, func(t *testing.T) {
			t.Parallel()
			a := app{bed, "settle-" + user.Name, user}
			first := user.Run(t, "install", "--new-project="+a.namespace).WantCode(t, done)
			first.WantTalk(t, "✔ verified", "put, list, get as ostoy-sa; ", "forbidden things were refused")
			if line := first.Stderr[strings.Index(first.Stderr, "✔ verified"):]; !strings.HasPrefix(line, "✔ verified             put") && user.Name == "admin" {
				t.Errorf("not aligned: %s", first)
			}
			a.wantEmpty(t)
			var document installProof
			second := user.Run(t, "install", "-n", a.namespace, "-o", "json").WantCode(t, done)
			second.JSON(t, &document)
			second.WantTalk(t, "nothing to change", "✔ verified")
			if !document.Ready || document.Verification == nil || !document.Verification.Verified || document.Verification.outcomes()["app"] != "passed" {
				t.Errorf("%+v", document)
			}
			for _, flag := range []string{"--verify=false", "--wait=false", "--dry-run=client"} {
				user.Run(t, "install", "-n", a.namespace, flag).WantCode(t, done).WantNoTalk(t, "verified")
			}
			a.wantEmpty(t)
		})
	}
}

// TestInstallNotVerified: everything is applied and ready, and yet it does not
// work. That is no success, and the next run says so again.
func TestInstallNotVerified(t *testing.T) {
	t.Parallel()
	a := app{bed: run.TheBed(t), namespace: "unproven", user: run.Admin(run.TheBed(t))}
	a.fault(t, testbed.Fault{Action: "s3:PutObject", Resource: "bucket/*", Agent: "*ostoy-s3-verify *", Code: "AccessDenied", Status: http.StatusForbidden, Message: "explicit deny in a resource-based policy"})
	result := a.user.Run(t, "install", "--new-project="+a.namespace, "--timeout=40s").WantCode(t, refused)
	result.WantStdout(t, "").WantTalk(t, "✗ verified", "access: put-object does not work", "may not s3:PutObject on arn:aws:s3:::unproven-bucket/*", "applied, not verified")
	var document installProof
	again := a.user.Run(t, "install", "-n", a.namespace, "--timeout=40s", "-o", "json").WantCode(t, refused)
	again.JSON(t, &document)
	if !document.Ready || document.URL == "" || document.Verification == nil || document.Verification.Verified {
		t.Errorf("%+v", document)
	}
	document.Verification.wantOnly(t, "access/put-object")
	a.user.Run(t, "install", "-n", a.namespace, "--verify=false").WantCode(t, done)
}

// TestInstallClosesDoor: what install puts back is what verify then looks at, also
// where AWS takes a while to know.
func TestInstallClosesDoor(t *testing.T) {
	t.Parallel()
	a := installed(t, "closing")
	a.trust(t, func(text string) string {
		return strings.ReplaceAll(strings.ReplaceAll(text, "StringEquals", "StringLike"), "closing:ostoy-sa", "closing:*")
	})
	got, _ := a.verify(t, refused)
	got.wantOnly(t, "isolation/default-service-account")
	a.user.Run(t, "install", "-n", a.namespace).WantCode(t, done).WantTalk(t, "✔ verified")
}

// TestChosenPolicy: who asks for a wide policy gets it; install does not hold
// against it what the policy may allow, and verify does.
func TestChosenPolicy(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	a := app{bed, "chosen", run.Admin(bed)}
	const full = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	result := a.user.Run(t, "install", "--new-project="+a.namespace, "--policy-arn="+full, "-o", "json").WantCode(t, done)
	var document installProof
	result.JSON(t, &document)
	outcomes := document.Verification.outcomes()
	if outcomes["isolation/list-buckets"] != "not tested" || outcomes["isolation/default-service-account"] != "passed" {
		t.Errorf("%v\n%s", outcomes, result)
	}
	got, _ := a.verify(t, refused)
	if got.Verified || !slices.Contains([]string{got.outcomes()["isolation/list-buckets"]}, "failed") {
		t.Errorf("%+v", got)
	}
}
