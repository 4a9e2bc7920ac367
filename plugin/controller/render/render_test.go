package render

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestF1RenderAccess: the permission to create Buckets is rendered only for a cluster
// that is known to check them.
func TestF1RenderAccess(t *testing.T) {
	for version, want := range map[string]struct{ policy, edit bool }{"": {true, false}, "v1.29.0": {}, "v1.30.0": {true, true}} {
		f := render.Facts{KubeVersion: render.Fact{Value: version}, Namespace: render.Fact{Value: "ack-system"}}
		var names []string
		for _, object := range access(f) {
			names = append(names, object.GetKind()+" "+object.GetName())
		}
		all := strings.Join(names, "\n")
		if strings.Contains(all, "ValidatingAdmissionPolicy "+operator.PolicyName) != want.policy || strings.Contains(all, operator.EditRole) != want.edit {
			t.Errorf("%q:\n%s", version, all)
		}
		if head := noPolicy(f); strings.Contains(head, "--kube-version") != (version == "") {
			t.Errorf("%q: %s", version, head)
		}
	}
}

func fact(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }

func given() render.Facts {
	return render.Facts{
		Region: fact("us-east-2"), Account: fact("123456789012"), Partition: fact("aws"), Issuer: fact("https://oidc.example.com/1"), Audience: fact("sts.amazonaws.com"),
		Platform: fact(render.PlatformOpenShift), KubeVersion: fact("v1.33.0"),
	}
}

func play() (s *session.Session, out, talk *bytes.Buffer) {
	streams, _, out, talk := genericiooptions.NewTestIOStreams()
	return &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: genericclioptions.NewConfigFlags(false), Now: time.Now}, out, talk
}

// TestRun: with all facts given no server is asked; the values name role and region, the
// objects name the version that was asked for.
func TestRun(t *testing.T) {
	for want, change := range map[string]func(*Request){
		"role/ostoy-s3-controller/ack-s3-controller-": func(r *Request) { r.Values = true },
		"startingCSV: ack-s3-controller.v1.13.0":      func(r *Request) { r.Version = "1.13.0" },
	} {
		s, out, talk := play()
		r := Request{Facts: session.Facts{Given: given()}}
		change(&r)
		if err := Run(t.Context(), s, r); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s%s", want, err, out, talk)
		}
		r.Facts.Given.Namespace = fact("not/a/name")
		if err := Run(t.Context(), s, r); !problem.IsInput(err) {
			t.Errorf("%v", err)
		}
	}
}

// TestAllObjects: the namespace is first, and nothing is missing that OLM or a project
// needs; without OLM's config the pod gets its role by the annotation.
func TestAllObjects(t *testing.T) {
	for identity, inConfig := range map[string]bool{"": true, "annotation": false} {
		s, out, _ := play()
		if err := Run(t.Context(), s, Request{Facts: session.Facts{Given: given()}, Version: "1.13.0", Identity: identity}); err != nil {
			t.Fatal(err)
		}
		text := out.String()
		for _, want := range []string{"kind: OperatorGroup", "kind: Subscription", "name: " + operator.EditRole, "name: " + operator.PolicyName, "not apply the ClusterRoles"} {
			if !strings.Contains(text, want) {
				t.Errorf("no %q in\n%s", want, text)
			}
		}
		if first := strings.Index(text, "kind: Namespace"); first < 0 || first > strings.Index(text, "kind: ClusterRole") {
			t.Errorf("the namespace is not first\n%s", text)
		}
		if strings.Contains(text, "AWS_ROLE_ARN") != inConfig {
			t.Errorf("%q:\n%s", identity, text)
		}
	}
}

// TestWrongIdentity is refused, also for the values.
func TestWrongIdentity(t *testing.T) {
	for _, values := range []bool{false, true} {
		s, out, _ := play()
		if err := Run(t.Context(), s, Request{Facts: session.Facts{Given: given()}, Version: "1.13.0", Identity: "guess", Values: values}); !problem.IsInput(err) || out.Len() > 0 {
			t.Errorf("%v\n%s", err, out)
		}
	}
}

// TestVersionsUnknown: the cause stays, for the exit code and the log.
func TestVersionsUnknown(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	server.Forbid("GET /apis/packages.operators.coreos.com/v1/packagemanifests", "list", "packagemanifests", "packages.operators.coreos.com", "at the cluster scope")
	s, _, _ := play()
	s.Getter = server.Getter("demo")
	var told *problem.Error
	if _, err := newest(t.Context(), s); !errors.As(err, &told) || told.Kind != problem.Failed || !apierrors.IsForbidden(told.Err) {
		t.Errorf("%v", err)
	}
}

// TestBesideValues: the policy is named only where the cluster may have it.
func TestBesideValues(t *testing.T) {
	for version, want := range map[string]bool{"": true, "v1.29.0": false, "v1.30.0": true} {
		if got := besideValues(render.Facts{KubeVersion: fact(version)}); strings.Contains(got, operator.PolicyName) != want {
			t.Errorf("%q: %s", version, got)
		}
	}
}

// TestRoleNotLookedUp: that an earlier version may have named the role otherwise is said
// where AWS does not tell.
func TestRoleNotLookedUp(t *testing.T) {
	account := awstest.New(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": account.URL, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEKEY123456", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": awstest.Region,
		"AWS_CONFIG_FILE": t.TempDir() + "/none", "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/none", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	for _, action := range []string{"GetRole", "ListRoles"} {
		account.Refuse(action, 403, "AccessDenied", "not authorized to perform: iam:"+action)
	}
	s, out, talk := play()
	r := Request{Facts: session.Facts{Given: given()}, Version: "1.13.0"}
	r.Facts.Given.Account, r.Facts.Given.Partition = render.Fact{}, render.Fact{}
	if err := Run(t.Context(), s, r); err != nil || !strings.Contains(talk.String(), "is not known") {
		t.Errorf("%v: %q\n%s", err, talk, out)
	}
}
