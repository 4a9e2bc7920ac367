package verify

import (
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
)

func unescaped(t *testing.T, text string) string {
	t.Helper()
	plain, err := url.QueryUnescape(text)
	orders(t, err)
	return plain
}

// all are the outcomes where everything is well and can be tested.
func all() map[string]string {
	names := map[string][]string{
		"identity":  {"audience", "region", "token", "role", "assume-role", "caller-identity"},
		"access":    {"head-bucket", "list-objects", "put-object", "get-object"},
		"isolation": {"default-service-account", "other-project", "other-audience", "other-bucket", "delete-object", "list-buckets", "get-role"},
		"app":       {"reached", "menu-entry", "upload", "read", "found-in-s3"},
	}
	want := map[string]string{}
	for level, probes := range names {
		want[level] = "passed"
		for _, probe := range probes {
			want[level+"/"+probe] = "passed"
		}
	}
	return want
}

// TestGood: everything passes, as cluster admin and as project admin, and nothing
// is left behind.
func TestGood(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	for _, user := range []run.User{run.Admin(bed), run.ProjectAdmin(t, bed, "prover")} {
		t.Run(user.Name, func(t *testing.T) {
			t.Parallel()
			installedBy(t, user, "good-other-"+user.Name)
			a := installedBy(t, user, "good-"+user.Name)
			got, result := a.verify(t, done)
			if diff := cmp.Diff(all(), got.outcomes()); diff != "" {
				t.Errorf("%s\n%s", diff, result)
			}
			if !got.Verified || got.Via != "port-forward" || !strings.Contains(got.Detour, "DNS") || len(got.Left) > 0 ||
				!strings.HasSuffix(got.Role, "/"+a.role()) || got.Audience != "sts.amazonaws.com" {
				t.Errorf("%+v", got)
			}
			a.wantEmpty(t)
			talk := user.Run(t, "verify", "-n", a.namespace).WantCode(t, done).WantStdout(t, "")
			talk.WantTalk(t, "- not part of this verification: other IAM principals of the account with permissions on the bucket; who reaches the app's Route",
				"✔ identity   ostoy-sa is role "+a.role(), "✔ access     list, put, get in "+a.bucket(),
				"✔ isolation  7 of 7 forbidden things were refused", "✔ app        upload and read through a port-forward; S3 has it")
			a.wantEmpty(t)
		})
	}
}

// TestLevels: a level brings those it needs, and no others.
func TestLevels(t *testing.T) {
	t.Parallel()
	a := installed(t, "levels")
	for asked, want := range map[string][]string{
		"identity":         {"identity"},
		"access":           {"identity", "access"},
		"isolation":        {"identity", "access", "isolation"},
		"app":              {"identity", "access", "app"},
		"app,isolation":    {"identity", "access", "isolation", "app"},
		"identity,access ": nil,
		"everything":       nil,
	} {
		if want == nil {
			a.user.Run(t, "verify", "-n", a.namespace, "--level", asked).WantCode(t, 2).WantTalk(t, "--level", "identity, access, isolation, app")
			continue
		}
		got, _ := a.verify(t, done, "--level", asked)
		var have []string
		for _, level := range got.Levels {
			have = append(have, level.Level)
		}
		if !slices.Equal(have, want) {
			t.Errorf("--level %s: %v, want %v", asked, have, want)
		}
	}
	a.wantEmpty(t)
}

// TestWebhookIdentity: the pods get their identity from the webhook, whose own
// audience here is another one; the pods' is what counts.
func TestWebhookIdentity(t *testing.T) {
	t.Parallel()
	a := installed(t, "by-webhook", "--set", "podIdentity=webhook")
	if got, _ := a.verify(t, done); got.Audience != "sts.amazonaws.com" {
		t.Errorf("%+v", got)
	}
	b := installed(t, "by-audience", "--set", "podIdentity=webhook", "--audience=openshift")
	got, _ := b.verify(t, done)
	if got.Audience != "openshift" || got.outcomes()["isolation/other-audience"] != "passed" {
		t.Errorf("%+v", got)
	}
}
