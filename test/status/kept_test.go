package status_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/s3"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// sayNotInstalled: every command that looks says that the app is not installed, and the same
// of what is kept, in its words and in its document.
func (s *scene) sayNotInstalled(t *testing.T, things int, kept string) {
	t.Helper()
	want := "OSToy is not installed in project " + s.Namespace
	if kept != "" {
		want += "; kept: " + kept
	}
	for _, line := range []string{"status", "check", "verify", "open --print", "diff", "iam plan", "status -o json", "status -o yaml", "check -o json", "verify -o json"} {
		args := append(strings.Fields(line), "-n", s.Namespace)
		code := 4
		if line == "diff" {
			code = 1
		}
		result := s.User.Run(t, args...).WantCode(t, code)
		if text := result.Stdout + result.Stderr; !strings.Contains(text, want+"\n") && !strings.Contains(text, want+`"`) {
			t.Errorf("%s does not say %q\n%s", line, want, result)
		}
		if strings.Contains(result.Stdout+result.Stderr, "public access NOT blocked") {
			t.Errorf("%s speaks of a Bucket resource that does not exist\n%s", line, result)
		}
	}
	var document struct {
		State string
		Kept  []struct{ What, Name string }
	}
	s.User.Run(t, "status", "-n", s.Namespace, "-o", "json").WantCode(t, 4).JSON(t, &document)
	if document.State != "not installed" || len(document.Kept) != things {
		t.Errorf("the document has %+v", document)
	}
	everywhere := s.User.Run(t, "status", "-A", "-o", "json").WantCode(t, 0)
	var all struct {
		Installs     []struct{ Namespace string }
		NotInstalled []json.RawMessage
	}
	everywhere.JSON(t, &all)
	for _, one := range all.Installs {
		if one.Namespace == s.Namespace {
			t.Errorf("status -A has a row for %s", s.Namespace)
		}
	}
	if kept != "" {
		s.User.Run(t, "status", "-A").WantCode(t, 0).WantTalk(t, s.Namespace+"  not installed; kept: "+kept)
	}
	s.User.Run(t, "uninstall", "-n", s.Namespace, "--dry-run").WantCode(t, 0)
}

// keptAfterUninstall: the data that uninstall keeps is no install.
func keptAfterUninstall(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "left", run.Admin(bed))
	_, err := bed.S3().PutObject(t.Context(), &s3.PutObjectInput{
		Bucket: aws.String("left-bucket"), Key: aws.String("a"), Body: strings.NewReader("6 more"),
	})
	must(t, err)
	s.User.Run(t, "uninstall", "-n", s.Namespace, "--yes").WantCode(t, 0)
	s.sayNotInstalled(t, 2, "volume ostoy-pvc, bucket left-bucket (1 object, 6 B)")
	s.User.Run(t, "uninstall", "-n", s.Namespace, "--yes").WantCode(t, 0).WantTalk(t, "nothing to remove")

	// What is printed to remove it removes it.
	s.User.Run(t, "uninstall", "-n", s.Namespace, "--delete-data", "--adopt=bucket", "--yes").WantCode(t, 0)
	s.sayNotInstalled(t, 0, "")
}

// halfMade: an inventory and a Bucket resource, of a run that was cut off, are no install;
// a Service that install applied is one in part.
func halfMade(t *testing.T, bed *testbed.Bed) {
	s := installed(t, bed, "half-made", run.Admin(bed))
	for _, kind := range []string{"deployment", "service", "serviceaccount", "route", "configmap", "secret"} {
		names := map[string][]string{
			"deployment": {"ostoy-frontend", "ostoy-microservice"}, "service": {"ostoy-microservice-svc"}, "serviceaccount": {"ostoy-sa"},
			"route": {"ostoy-route"}, "configmap": {"ostoy-configmap-files"}, "secret": {"ostoy-secret", "ostoy-secret-env"},
		}[kind]
		s.kubectl(t, append([]string{"delete", kind}, names...)...)
	}
	if r := s.look(t); r.State != "wrong" {
		t.Errorf("an install of which little exists is %s", r.State)
	}
	s.User.Run(t, "check", "-n", s.Namespace).WantCode(t, 4).WantTalk(t, "app-available")
	s.kubectl(t, "delete", "service", "ostoy-frontend-svc")
	result := s.User.Run(t, "status", "-n", s.Namespace).WantCode(t, 4)
	for _, kept := range []string{"OSToy is not installed", "inventory ostoy-s3", "volume ostoy-pvc", "Bucket resource half-made-bucket", "bucket half-made-bucket (0 objects, 0 B)", "role half-made-ostoy-sa-"} {
		result.WantTalk(t, kept)
	}
	s.User.Run(t, "install", "-n", s.Namespace).WantCode(t, 0)
}
