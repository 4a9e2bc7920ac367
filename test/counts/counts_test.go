// Package counts holds how many requests install makes, of which kind, to the
// API server and to AWS. Counts, never times: a request more is a request more
// for every user of every cluster, and should be meant.
package counts_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/measure"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

var update = flag.Bool("update", false, "rewrite the expected counts")

func TestMain(m *testing.M) { os.Exit(run.Main(m)) }

func TestRequestsOfInstall(t *testing.T) {
	bed, err := testbed.Start(t.Context(), testbed.Options{Platform: testbed.ROSAClassic, Progress: os.Stderr})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := bed.Stop(); err != nil {
			t.Error(err)
		}
	})
	runs, err := measure.Installs(t.Context(), bed, run.Tool())
	if err != nil {
		t.Fatal(err)
	}
	for _, one := range runs {
		boundIAM(t, one)
	}
	got := measure.Table(runs)
	path := filepath.Join("testdata", "install.txt")
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("install asks otherwise than %s says (-expected +counted):\n%s\n%s", path, diff, howToUpdate)
	}
}

const howToUpdate = `If the change is meant (more requests need a reason, in the commit), run
  go -C test test ./counts -count=1 -update
twice, look at git diff test/counts, and commit the file with the change.`

// boundIAM holds what the numbers may never be, whatever the file says: at most
// four IAM requests for the role the first time, and four reads and no write
// when there is nothing to do. The look at the provider is apart: it is a check; so
// is what verify tries as the role. The first time the controller's role is looked
// at, too, where the user may see which one that is: two reads, of its policy and of the
// role, whose permissions boundary can take away what the policy allows.
func boundIAM(t *testing.T, one measure.Counted) {
	t.Helper()
	count := 0
	for name, times := range one.Tally {
		var operation string
		if _, err := fmt.Sscanf(name, "iam %s", &operation); err == nil && operation != "GetOpenIDConnectProvider" && !strings.HasSuffix(name, "(as the role)") {
			count += times
		}
	}
	most := 4
	if strings.Contains(one.Title, "first run") {
		most += 2
	}
	if count > most {
		t.Errorf("%s: %d IAM requests for the roles, at most %d were promised\n%s", one.Title, count, most, one.Tally)
	}
}
