package reach

import (
	"context"
	"fmt"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// finance is the S3 bucket of another team that mallory is after.
const finance = "finance-reports-bucket"

// TestF1 is mallory's session: edit or admin in one project, and no AWS
// credentials. First without the policy, on S3 buckets of their own, to show that
// the tries work; then with it, when they change nothing.
func TestF1(t *testing.T) {
	t.Parallel()
	bed := run.BedOfItsOwn(t, testbed.Options{Platform: testbed.Kubernetes})
	for _, project := range []string{"mallory", "mal", "mallory--x", "before"} {
		if err := bed.NewNamespace(t.Context(), project); err != nil {
			t.Fatal(err)
		}
	}
	victim(t, bed, finance)
	was := look(t, bed, finance)
	old := sessionOf(t, bed, "mallory", "before", "admin")
	t.Run("without the policy", func(t *testing.T) { testWithout(t, old) })
	makeOld(t, old)

	admin := sessionOf(t, bed, "mallory-admin", "mallory", "admin")
	editor := sessionOf(t, bed, "mallory-editor", "mallory", "edit")
	enforce(t, admin)
	if err := bed.AWS.ResetLog(t.Context()); err != nil {
		t.Fatal(err)
	}
	admin.create(t, bucket("allowed", fields{"name": "mallory-bucket"}))
	admin.condition(t, "allowed", "Ready", "True")
	for _, s := range []session{admin, editor} {
		t.Run(s.user.Name, func(t *testing.T) { testTries(t, s) })
	}
	t.Run("names", func(t *testing.T) { testNames(t, admin) })
	t.Run("kubectl", func(t *testing.T) { testKubectl(t, editor) })
	t.Run("status", func(t *testing.T) { testStatus(t, admin) })
	t.Run("not by another service account", func(t *testing.T) { testPretender(t, editor) })
	t.Run("from before the policy", func(t *testing.T) { testOld(t, old) })
	t.Run("the controller", func(t *testing.T) { testController(t, admin) })
	t.Run("exempt", func(t *testing.T) { testExempt(t, admin) })

	wantSame(t, bed, finance, was)
	requests, err := bed.AWS.Log(t.Context(), "controller")
	if err != nil {
		t.Fatal(err)
	}
	for _, request := range requests {
		if strings.Contains(request.Resource, finance) {
			t.Errorf("the controller asked for %s of %s", request.Operation, finance)
		}
	}
}

// testWithout shows on three S3 buckets what a Bucket can do without the policy.
func testWithout(t *testing.T, s session) {
	for name, try := range map[string]func(t *testing.T, name string){
		"foreign name": func(t *testing.T, name string) {
			s.create(t, bucket("foreign", fields{"name": name, "lifecycle": fields{"rules": []any{fields{
				"id": "gone", "status": "Enabled", "filter": fields{"prefix": ""}, "expiration": fields{"days": 1},
			}}}}, "adoption-policy", "adopt-or-create"))
			s.condition(t, "foreign", "Ready", "True")
		},
		"adoption-fields": func(t *testing.T, name string) {
			s.create(t, bucket("fields", nil, "adoption-policy", "adopt", "adoption-fields", `{"name":"`+name+`"}`))
			s.condition(t, "fields", "Ready", "True")
			s.patch(t, "fields", `{"spec":{"policy":null,"publicAccessBlock":null}}`)
			s.gone(t, name, "policy")
		},
		"finalizer": func(t *testing.T, name string) {
			s.create(t, bucket("terminal", fields{"name": name}))
			s.condition(t, "terminal", "ACK.Terminal", "True")
			s.patch(t, "terminal", `{"metadata":{"finalizers":["`+finalizer+`"]}}`)
			s.ACK.Pause()
			s.ACK.Resume()
			s.gone(t, name, "policy")
		},
	} {
		t.Run(name, func(t *testing.T) {
			target := strings.ReplaceAll(name, " ", "-") + "-control-bucket"
			victim(t, s.Bed, target)
			before := look(t, s.Bed, target)
			try(t, target)
			lost := changed(before, look(t, s.Bed, target))
			t.Log("changed:", lost)
			if len(lost) < 2 {
				t.Errorf("only %v changed: the same try with the policy proves nothing", lost)
			}
		})
	}
}

// gone waits until an S3 bucket lacks something.
func (s session) gone(t *testing.T, name, what string) {
	t.Helper()
	run.Eventually(t, what+" of "+name+" is gone", func(context.Context) error {
		if has := look(t, s.Bed, name)[what]; !strings.HasPrefix(has, "api error") {
			return fmt.Errorf("it is %s", has)
		}
		return nil
	})
}

func (s session) patch(t *testing.T, name, patch string) {
	t.Helper()
	if _, err := s.buckets.Patch(t.Context(), name, types.MergePatchType, []byte(patch), metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
}

// testNames: which S3 buckets a project has.
func testNames(t *testing.T, s session) {
	of := map[string]session{"mallory": s}
	for _, project := range []string{"mal", "mallory--x"} {
		of[project] = sessionOf(t, s.Bed, "names-in-"+project, project, "admin")
	}
	for _, try := range []struct {
		project, name string
		admitted      bool
	}{
		{"mallory", "mallory-bucket", true},
		{"mallory", "mallory--web-bucket", true},
		{"mallory", "mallory--a--b-bucket", true},
		{"mallory", "mallory--bucket", false},
		{"mallory", "mallory---bucket", false},
		{"mallory", "mallory---x-bucket", false},
		{"mallory", "mallory--x", false},
		{"mallory", "mallory--x-bucket2", false},
		{"mallory", "mallory-bucket-an", false},
		{"mallory", "mallory-x-bucket", false},
		{"mallory", "mallory2-bucket", false},
		{"mallory", "mallory", false},
		{"mallory", "mal-bucket", false},
		{"mallory", "mal--lory-bucket", false},
		{"mallory", "finance--web-bucket", false},
		{"mallory", "MALLORY-bucket", false},
		{"mallory", "mallory-bucket\n", false},
		{"mallory", " mallory-bucket", false},
		{"mallory", "mallory--a.b-bucket", false},
		{"mallory", "", false},
		{"mal", "mal-bucket", true},
		{"mal", "mal--lory-bucket", true},
		{"mal", "mallory-bucket", false},
		{"mal", "mallory--web-bucket", false},
		{"mallory--x", "mallory--x-bucket", false},
		{"mallory--x", "mallory--x--y-bucket", false},
		{"mallory--x", "mallory-bucket", false},
	} {
		_, err := of[try.project].buckets.Create(t.Context(), bucket("named", fields{"name": try.name}), metav1.CreateOptions{DryRun: []string{"All"}})
		if try.admitted {
			if err != nil {
				t.Errorf("%q in %s: %v", try.name, try.project, err)
			}
		} else if err := wantDenied(err); err != nil {
			t.Errorf("%q in %s: %v", try.name, try.project, err)
		}
	}
}

// testKubectl: the same by the command that people use, which shows them why.
func testKubectl(t *testing.T, s session) {
	text := "apiVersion: s3.services.k8s.aws/v1alpha1\nkind: Bucket\nmetadata: {name: typed, annotations: {services.k8s.aws/adoption-policy: adopt-or-create}}\nspec: {name: " + finance + "}\n"
	own := "apiVersion: s3.services.k8s.aws/v1alpha1\nkind: Bucket\nmetadata: {name: allowed}\nspec: {name: mallory-bucket, acl: public-read}\n"
	for _, try := range []struct {
		stdin string
		args  []string
		says  string
	}{
		{text, []string{"create", "-f", "-"}, "spec.name must be mallory-bucket or mallory--NAME-bucket"},
		{text, []string{"apply", "-f", "-"}, "spec.name must be"},
		{text, []string{"apply", "--server-side", "-f", "-"}, "spec.name must be"},
		{own, []string{"replace", "-f", "-"}, "spec may have only these fields"},
		{"", []string{"patch", "buckets.s3.services.k8s.aws", "allowed", "--type=merge", "-p", `{"spec":{"acl":"public-read"}}`}, "spec may have only these fields"},
		{"", []string{"annotate", "buckets.s3.services.k8s.aws", "allowed", `services.k8s.aws/adoption-fields={"name":"` + finance + `"}`}, "adoption-fields must be"},
	} {
		out := s.user.Typing(try.stdin).Kubectl(t, append([]string{"-n", s.project}, try.args...)...)
		if out.Code == 0 || !strings.Contains(out.Stderr, run.PolicyName) || !strings.Contains(out.Stderr, try.says) {
			t.Errorf("wants %q: %s", try.says, out)
		}
	}
}

// testStatus: the status is the controller's own to write.
func testStatus(t *testing.T, s session) {
	patch := []byte(`{"status":{"ackResourceMetadata":{"arn":"arn:aws:s3:::` + finance + `","ownerAccountID":"123456789012","region":"us-east-2"}}}`)
	_, err := s.buckets.Patch(t.Context(), "allowed", types.MergePatchType, patch, metav1.PatchOptions{}, "status")
	if !apierrors.IsForbidden(err) {
		t.Errorf("the status itself: %v", err)
	}
	before, err := s.buckets.Get(t.Context(), "allowed", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	after, err := s.buckets.Patch(t.Context(), "allowed", types.MergePatchType, patch, metav1.PatchOptions{})
	if err != nil || after.GetResourceVersion() != before.GetResourceVersion() {
		t.Errorf("the status with the rest: %v, %v", err, after)
	}
}
