package project

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/detect"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// playing is a session on a server that plays the cluster, without AWS credentials.
func playing(t *testing.T, server *clustertest.Server) *session.Session {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	streams, _, _, talk := genericiooptions.NewTestIOStreams()
	return &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}
}

func fact(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }

// given are the facts that manifests and role need.
func given() session.Facts {
	return session.Facts{Given: render.Facts{
		Namespace: fact("mine"), Account: fact("123456789012"), Region: fact("us-east-2"),
		Issuer: fact("https://issuer.example.com"), Platform: fact(render.PlatformOpenShift),
	}}
}

func interrupted(t *testing.T) context.Context {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	return ctx
}

// TestGiven: the namespace that the user gives wins over that of the kubeconfig context,
// and nothing is sent.
func TestGiven(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	conn, f, err := Given(t.Context(), playing(t, server), session.Facts{})
	if err != nil || conn == nil || f.Namespace.Value != "demo" || f.Namespace.Source != conn.NamespaceSource() {
		t.Errorf("%+v, %v", f.Namespace, err)
	}
	if _, f, err = Given(t.Context(), playing(t, server), given()); err != nil || f.Namespace != fact("mine") {
		t.Errorf("%+v, %v", f.Namespace, err)
	}
	if _, _, err = Given(t.Context(), playing(t, server), session.Facts{File: filepath.Join(t.TempDir(), "none")}); !problem.IsInput(err) {
		t.Error(err)
	}
	if _, _, err = Given(interrupted(t), playing(t, server), session.Facts{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
	if len(server.Requests()) > 0 {
		t.Error(server.Requests())
	}
}

// TestDetect: given facts cost no request, others are looked up as the policy says.
func TestDetect(t *testing.T) {
	server := clustertest.New(t, "v1.33.4", "v1/Pod")
	found, err := Detect(t.Context(), playing(t, server), given(), detect.AskNeeded)
	if err != nil || found.Conn != nil || found.Facts.Namespace != fact("mine") || len(server.Requests()) > 0 {
		t.Errorf("%+v, %v, %v", found, err, server.Requests())
	}
	found, err = Detect(t.Context(), playing(t, server), session.Facts{}, detect.AskNeeded)
	if err != nil || found.Facts.KubeVersion.Value != "v1.33.4" || found.Facts.Namespace.Value != "demo" {
		t.Errorf("%+v, %v", found.Facts, err)
	}
	found, err = Detect(t.Context(), playing(t, server), session.Facts{Given: render.Facts{Region: fact("eu-west-1")}}, detect.AskNeeded)
	if err != nil || found.AWS == nil || found.AWS.ConfiguredRegion != "eu-west-1" {
		t.Errorf("%+v, %v", found.AWS, err)
	}
	if _, err = Detect(t.Context(), playing(t, server), session.Facts{File: filepath.Join(t.TempDir(), "none")}, detect.AskNothing); !problem.IsInput(err) {
		t.Error(err)
	}
	if _, err = Detect(interrupted(t), playing(t, server), session.Facts{}, detect.AskNeeded); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestComplete: what manifests need and nobody knows, and what is not valid, is an error.
func TestComplete(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	s := playing(t, server)
	if found, err := Complete(t.Context(), s, given(), detect.AskNothing); err != nil || found.Facts.Partition.Value != "aws" {
		t.Errorf("%+v, %v", found.Facts, err)
	}
	missing, bad := given(), given()
	missing.Given.Account, bad.Given.Region = render.Fact{}, fact("nowhere!")
	for name, facts := range map[string]session.Facts{"missing": missing, "not valid": bad} {
		if _, err := Complete(t.Context(), s, facts, detect.AskNothing); !problem.IsInput(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Complete(interrupted(t), s, session.Facts{}, detect.AskNeeded); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestCompleteController: the namespace is the controller's. That of a facts file or of the
// kubeconfig context is the app's, and one that is too long for a bucket is good enough.
func TestCompleteController(t *testing.T) {
	s := playing(t, clustertest.New(t, "v1.33.0"))
	facts := given()
	for name, want := range map[string]string{"": render.ControllerNamespace, "openshift-operators": "openshift-operators"} {
		facts.Given.Namespace = render.Fact{Value: name, Source: "flag"}
		found, err := CompleteController(t.Context(), s, facts)
		if err != nil || found.Facts.Namespace.Value != want {
			t.Errorf("%q: %s, %v", name, found.Facts.Namespace.Value, err)
		}
		if namespace, err := ControllerNamespace(facts); err != nil || namespace.Value != want {
			t.Errorf("%q: %s, %v", name, namespace.Value, err)
		}
	}
	facts.Given.Namespace = fact("No_Name")
	if _, err := ControllerNamespace(facts); !problem.IsInput(err) {
		t.Error(err)
	}
	if _, err := CompleteController(t.Context(), s, facts); !problem.IsInput(err) {
		t.Error(err)
	}
	if _, err := CompleteController(t.Context(), s, session.Facts{File: filepath.Join(t.TempDir(), "none")}); !problem.IsInput(err) {
		t.Error(err)
	}
	if _, err := CompleteController(interrupted(t), s, session.Facts{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// asked is what was detected by asking an IAM that answers so.
func asked(t *testing.T, answer http.HandlerFunc) detect.Result {
	t.Helper()
	playing(t, clustertest.New(t, "v1.33.0"))
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	t.Setenv("AWS_ACCESS_KEY_ID", "A")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "B")
	t.Setenv("AWS_ENDPOINT_URL", server.URL)
	loaded, err := detect.LoadAWS(t.Context(), detect.AWSOptions{Region: "us-east-2"})
	if err != nil {
		t.Fatal(err)
	}
	return detect.Result{Facts: given().Given, AWS: loaded, Caller: "role/Admin"}
}

func iamError(status int, code string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader(status)
		fmt.Fprintf(w, `<ErrorResponse><Error><Type>Sender</Type><Code>%s</Code><Message>m</Message></Error></ErrorResponse>`, code)
	}
}

// TestUsualRoles: without a role that an earlier version created it is the name of a new
// one; if IAM refuses to say, the warning names the other one.
func TestUsualRoles(t *testing.T) {
	f := given().Given
	for name, c := range map[string]struct {
		holder       iam.Holder
		new, earlier string
	}{
		"app":        {iam.App, render.RoleName(f.Issuer.Value, "mine"), render.EarlierRoleName(f.Issuer.Value, "mine")},
		"controller": {iam.Controller, render.ControllerRoleNames(f.Issuer.Value)[0], render.ControllerRoleNames(f.Issuer.Value)[1]},
	} {
		found := asked(t, iamError(404, "NoSuchEntity"))
		if got, unknown := UsualRole(t.Context(), found, iam.RoleOptions{Path: "/p/"}, c.holder); got.Name != c.new || got.Path != "/p/" || unknown != (Warning{}) {
			t.Errorf("%s: %+v, %+v", name, got, unknown)
		}
		got, unknown := UsualRole(t.Context(), asked(t, iamError(403, "AccessDenied")), iam.RoleOptions{}, c.holder)
		if got.Name != c.new || unknown.Next != "if it did: --role-name "+c.earlier {
			t.Errorf("%s: %+v, %+v", name, got, unknown)
		}
		if _, unknown := UsualRole(interrupted(t), found, iam.RoleOptions{}, c.holder); unknown != (Warning{}) {
			t.Errorf("%s: %+v", name, unknown)
		}
	}
}
