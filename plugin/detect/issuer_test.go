package detect

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// withoutIssuer gives all facts but the issuer.
func withoutIssuer() render.Facts {
	given := everything()
	given.Issuer = render.Fact{}
	return given
}

func TestConfiguredIssuerWins(t *testing.T) {
	noAWS(t)
	s := openshift(t, "External", true)
	s.Answer(docPath, map[string]string{"issuer": "https://oidc.example.com/another"})
	result, err := Detect(t.Context(), Request{Given: withoutIssuer(), Connect: connector(s)})
	if err != nil || result.Facts.Issuer.Value != rosaIssuer {
		t.Errorf("%+v, %v", result.Facts.Issuer, err)
	}
}

func TestNotSTS(t *testing.T) {
	noAWS(t)
	for name, s := range map[string]*clustertest.Server{
		"empty in the configuration": func() *clustertest.Server {
			s := openshift(t, "HighlyAvailable", false)
			s.Answer(authPath, authentication(""))
			return s
		}(),
		"in-cluster in the configuration": func() *clustertest.Server {
			s := openshift(t, "HighlyAvailable", false)
			s.Answer(authPath, authentication("https://kubernetes.default.svc"))
			return s
		}(),
		"in the document": plainCluster(t, "v1.34.0", "https://kubernetes.default.svc.cluster.local"),
		"in a token": func() *clustertest.Server {
			s := projectAdmin(openshift(t, "HighlyAvailable", false))
			s.Answer(tokenPath, token("https://kubernetes.default.svc"))
			return s
		}(),
	} {
		for _, policy := range []Policy{AskMissing, AskNeeded} {
			result, err := Detect(t.Context(), Request{Given: withoutIssuer(), Connect: connector(s), Policy: policy})
			p := (*problem.Error)(nil)
			if !errors.As(err, &p) || !errors.Is(err, ErrNotSTS) || p.Kind != problem.Refused || !strings.Contains(p.Next, "rosa create cluster") {
				t.Errorf("%s: %v", name, err)
			}
			if result.Facts.Issuer.Known() || result.Facts.Issuer.Why == "" {
				t.Errorf("%s: %+v", name, result.Facts.Issuer)
			}
		}
	}
}

func TestUnusableIssuer(t *testing.T) {
	noAWS(t)
	s := plainCluster(t, "v1.34.0", "https://10.0.0.1:6443")
	_, err := Detect(t.Context(), Request{Given: withoutIssuer(), Connect: connector(s)})
	p := (*problem.Error)(nil)
	if !errors.As(err, &p) || errors.Is(err, ErrNotSTS) || !strings.Contains(p.Why, "port") || !strings.Contains(p.Next, "--oidc-issuer") {
		t.Errorf("%v", err)
	}
}

// inNamespace is the path of a token request in a namespace.
func inNamespace(namespace string) string {
	return fmt.Sprintf("POST /api/v1/namespaces/%s/serviceaccounts/default/token", namespace)
}

func TestTokenNamespaces(t *testing.T) {
	noAWS(t)
	given := withoutIssuer()
	given.Namespace.Value = "new"
	forbidden := func() *clustertest.Server {
		s := projectAdmin(openshift(t, "External", true))
		s.Forbid(inNamespace("new"), "create", "serviceaccounts/token", "", `in the namespace "new"`)
		s.Forbid(inNamespace("demo"), "create", "serviceaccounts/token", "", `in the namespace "demo"`)
		return s
	}

	t.Run("the context's namespace helps", func(t *testing.T) {
		s := forbidden()
		s.Answer(inNamespace("demo"), token(rosaIssuer))
		result, err := Detect(t.Context(), Request{Given: given, Connect: connector(s)})
		if err != nil || result.IssuerNeedsProject {
			t.Fatalf("needs a project although the issuer is known: %+v, %v", result, err)
		}
		wantFacts(t, result.Facts, map[string]string{"issuer": rosaIssuer + " (token of serviceaccounts/default in demo)"})
	})
	t.Run("another project of the user's helps", func(t *testing.T) {
		s := forbidden()
		items := []any{}
		for _, name := range []string{"demo", "refuses", "helps"} {
			items = append(items, map[string]any{"apiVersion": "project.openshift.io/v1", "kind": "Project", "metadata": map[string]any{"name": name}})
		}
		s.Answer("GET /apis/project.openshift.io/v1/projects", map[string]any{"apiVersion": "project.openshift.io/v1", "kind": "ProjectList", "items": items})
		s.Forbid(inNamespace("refuses"), "create", "serviceaccounts/token", "", `in the namespace "refuses"`)
		s.Answer(inNamespace("helps"), token(rosaIssuer))
		result, err := Detect(t.Context(), Request{Given: given, Connect: connector(s)})
		if err != nil || result.IssuerNeedsProject {
			t.Fatalf("%+v, %v", result, err)
		}
		wantFacts(t, result.Facts, map[string]string{"issuer": rosaIssuer + " (token of serviceaccounts/default in helps)"})
		if n := s.Requests()[inNamespace("demo")]; n != 1 {
			t.Errorf("asked %d times in demo", n)
		}
	})
	t.Run("only the new project will help", func(t *testing.T) {
		s := forbidden()
		result, err := Detect(t.Context(), Request{Given: given, Connect: connector(s)})
		if err != nil || !result.IssuerNeedsProject || result.Facts.Issuer.Known() {
			t.Fatalf("%+v, %v", result, err)
		}
		if err := result.Require(); err == nil || !strings.Contains(err.Error(), "a token in namespace new is refused") {
			t.Errorf("%v", err)
		}
		s.Answer(inNamespace("new"), token(rosaIssuer)) // the project was made
		if fact, err := IssuerFromToken(t.Context(), result.Conn, "new"); err != nil || fact.Value != rosaIssuer {
			t.Errorf("%+v, %v", fact, err)
		}
	})
	t.Run("as the caller says", func(t *testing.T) {
		s := forbidden()
		s.Answer(inNamespace("other"), token(rosaIssuer))
		result, err := Detect(t.Context(), Request{Given: given, Connect: connector(s), TokenNamespaces: []string{"other"}})
		if err != nil || result.Facts.Issuer.Value != rosaIssuer {
			t.Fatalf("%+v, %v", result, err)
		}
		if n := s.Requests()[inNamespace("new")]; n != 0 {
			t.Errorf("asked in new: %d", n)
		}
	})
	t.Run("a found issuer needs no project", func(t *testing.T) {
		result, err := Detect(t.Context(), Request{Given: given, Connect: connector(openshift(t, "External", true))})
		if err != nil || result.IssuerNeedsProject {
			t.Errorf("%+v, %v", result, err)
		}
	})
}

// TestIssuerOfNewProject: the service account that the token is asked for is
// made by a controller, after the project.
func TestIssuerOfNewProject(t *testing.T) {
	s := clustertest.New(t, "v1.34.0")
	conn, err := connector(s)()
	if err != nil {
		t.Fatal(err)
	}
	s.Refuse(inNamespace("new"), http.StatusNotFound, metav1.StatusReasonNotFound, `serviceaccounts "default" not found`)
	s.Hold = func(*http.Request) {
		if s.Requests()[inNamespace("new")] == 2 {
			s.Answer(inNamespace("new"), token(rosaIssuer))
		}
	}
	if fact, err := IssuerOfNewProject(t.Context(), conn, "new"); err != nil || fact.Value != rosaIssuer {
		t.Errorf("%+v, %v", fact, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := IssuerOfNewProject(ctx, conn, "new"); !errors.Is(err, context.Canceled) {
		t.Errorf("interrupted: %v", err)
	}
}

func TestTokenRequestPersistsNothing(t *testing.T) {
	noAWS(t)
	s := projectAdmin(openshift(t, "External", true))
	answer := token(rosaIssuer)
	s.Handle(tokenPath, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Query().Get("dryRun") != "All" {
			t.Errorf("query %q", r.URL.RawQuery)
		}
		writeJSON(w, answer)
	})
	result, err := Detect(t.Context(), Request{Given: withoutIssuer(), Connect: connector(s)})
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%+v %q", result.Facts, result.Notes); strings.Contains(all, signature) {
		t.Errorf("the token is kept: %s", all)
	}
}

func TestStrangeTokens(t *testing.T) {
	noAWS(t)
	s := projectAdmin(openshift(t, "External", true))
	conn, err := connector(s)()
	if err != nil {
		t.Fatal(err)
	}
	for _, secret := range []string{"", "s3cr3t", "a.s3cr3t.c", "a.bnVsbA.s3cr3t", "a.e30.s3cr3t", "a.eyJpc3MiOjF9.s3cr3t"} {
		s.Answer(tokenPath, map[string]any{"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "status": map[string]any{"token": secret}})
		fact, err := IssuerFromToken(t.Context(), conn, "demo")
		if err == nil || strings.Contains(fmt.Sprintf("%v %+v", err, err), "s3cr3t") {
			t.Errorf("%q: %+v, %v", secret, fact, err)
		}
	}
}

func TestRecordedClusterID(t *testing.T) {
	noAWS(t)
	given := everything()
	given.ClusterID = render.Fact{}
	s := projectAdmin(openshift(t, "External", true))
	record := func(id string) {
		s.Answer(recordPath, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "ostoy-s3"}, "data": map[string]any{"clusterID": id}})
	}
	for id, want := range map[string]string{
		"6c1f-cluster":  "6c1f-cluster (configmaps/ostoy-s3)",
		"a b/../${evil": "you may not read clusterversions/version",
		"":              "you may not read clusterversions/version",
	} {
		record(id)
		result, err := Detect(t.Context(), Request{Given: given, Connect: connector(s)})
		if err != nil {
			t.Fatal(err)
		}
		wantFacts(t, result.Facts, map[string]string{"clusterID": want})
	}
	before := s.Requests()[recordPath]
	result, err := Detect(t.Context(), Request{
		Given: given, Connect: connector(s), RecordedClusterID: func(context.Context) (string, error) { return "by-the-caller", nil },
	})
	if err != nil || result.Facts.ClusterID.Value != "by-the-caller" || s.Requests()[recordPath] != before {
		t.Errorf("%+v, %v", result.Facts.ClusterID, err)
	}
}
