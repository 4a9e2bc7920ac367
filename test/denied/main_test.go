// Package denied holds tests on a bed whose AWS evaluates every policy: what the
// roles and the policies for people of ostoy-s3 allow, and that AWS refuses the
// rest. The executable is run as people run it.
package denied

import (
	"errors"
	"os"
	"strings"
	"sync"
	"testing"

	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/smithy-go"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

func TestMain(m *testing.M) {
	os.Exit(run.MainSharing(m, testbed.Options{Platform: testbed.ROSAHCP, Enforce: true}, 4))
}

// Exit codes.
const (
	done    = 0
	refused = 4
)

// installed are the projects that several tests look at; each is installed once, by
// an admin with all permissions.
var installed sync.Map

// project is an installed app.
type project struct {
	*testbed.Bed
	name string
}

func (p project) bucket() string { return p.name + "-bucket" }

func (p project) roleARN() string {
	return "arn:aws:iam::" + testbed.Account + ":role/ostoy-s3/" + world.RoleName(p.Issuer, p.name)
}

// outcome is that of an install.
type outcome struct {
	once sync.Once
	done bool
}

// install installs the app, or waits for the test that does. All tests that need the
// app end with the first one if that fails.
func install(t *testing.T, name string) project {
	t.Helper()
	p := project{run.TheBed(t), name}
	have, _ := installed.LoadOrStore(name, &outcome{})
	app := have.(*outcome)
	app.once.Do(func() {
		result := run.Admin(p.Bed).Run(t, "install", "--new-project="+name).WantCode(t, done).WantTalk(t, "✔ verified")
		app.done = result.Code == done
	})
	if !app.done {
		t.Fatalf("%s is not installed", name)
	}
	return p
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantDenied wants AWS to refuse with AccessDenied, status 403 and these words.
func wantDenied(t *testing.T, what string, err error, words ...string) {
	t.Helper()
	wantCode(t, what, err, "AccessDenied", 403, words...)
}

func wantCode(t *testing.T, what string, err error, code string, status int, words ...string) {
	t.Helper()
	var api smithy.APIError
	var answer *awshttp.ResponseError
	if !errors.As(err, &api) || !errors.As(err, &answer) || api.ErrorCode() != code || answer.HTTPStatusCode() != status {
		t.Errorf("%s: %v, want %s, status %d", what, err, code, status)
		return
	}
	for _, word := range words {
		if !strings.Contains(api.ErrorMessage(), word) {
			t.Errorf("%s: message %q lacks %q", what, api.ErrorMessage(), word)
		}
	}
}
