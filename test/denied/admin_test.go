package denied

import (
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// TestF8AdminInstalls: the policy for install is enough for everything that is done
// with projects, and nothing is left untested for want of it.
func TestF8AdminInstalls(t *testing.T) {
	t.Parallel()
	const name, second = "eve-one", "eve-two"
	bed := run.TheBed(t)
	eve, err := bed.User(t.Context(), "eve", "", printed(t, bed, "--for", "install"))
	must(t, err)
	admin := run.Admin(bed).With(eve.Env...)
	admin.Run(t, "install", "--new-project="+second).WantCode(t, done).WantTalk(t, "✔ verified")
	admin.Run(t, "install", "--new-project="+name).WantCode(t, done).WantTalk(t, "7 of 7 forbidden things were refused")
	admin.Run(t, "install", "-n", name).WantCode(t, done).WantTalk(t, "nothing to change")
	for _, command := range [][]string{{"check", "-n", name}, {"verify", "-n", name}, {"status", "-n", name}, {"status", "-A"}, {"status", "-n", name, "--audit"}, {"diff", "-n", name}} {
		admin.Run(t, command...).WantCode(t, done)
	}
	breakRole(t, bed, world.RoleName(bed.Issuer, name))
	admin.Run(t, "install", "-n", name).WantCode(t, done).WantTalk(t, "✔ verified")
	const managed = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
	admin.Run(t, "install", "-n", second, "--policy-arn", managed, "--verify=false").WantCode(t, done)
	for _, project := range []string{name, second} {
		admin.Run(t, "uninstall", "-n", project, "--delete-data", "--yes").WantCode(t, done)
	}
	wantRefusals(t, bed, eve)
}
