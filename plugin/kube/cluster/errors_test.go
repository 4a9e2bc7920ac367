package cluster_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// wantProblem wants a *problem.Error with all three parts and some texts.
func wantProblem(t *testing.T, err error, texts ...string) *problem.Error {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Fatalf("want a *problem.Error, got %T: %v", err, err)
	}
	if p.What == "" || p.Why == "" || p.Next == "" || p.Kind == 0 {
		t.Errorf("a part is missing: %+v", p)
	}
	all := p.What + "\n" + p.Why + "\n" + p.Next
	for _, text := range texts {
		if !strings.Contains(all, text) {
			t.Errorf("%q is missing in:\n%s", text, all)
		}
	}
	if strings.Contains(all, "not-a-secret") {
		t.Errorf("the token is told:\n%s", all)
	}
	return p
}

func TestKubeconfigFaults(t *testing.T) {
	t.Setenv("KUBERNETES_SERVICE_HOST", "")
	write := func(text string) string {
		file := filepath.Join(t.TempDir(), "config")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	const good = "contexts: [{name: b, context: {cluster: c}}, {name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'http://localhost:1'}}]\n"
	for name, c := range map[string]struct {
		file, env, context string
		want               string
		none               bool
	}{
		"file of --kubeconfig":    {file: "/nonexistent/a", want: "--kubeconfig names it"},
		"file of $KUBECONFIG":     {env: "/nonexistent/a", want: "$KUBECONFIG names it"},
		"no file anywhere":        {want: "no cluster is configured", none: true},
		"empty file":              {file: write(""), want: "no cluster is configured", none: true},
		"malformed":               {file: write("a: b: c"), want: "cannot be read"},
		"another kind":            {file: write("- a\n"), want: "cannot be read"},
		"no current context":      {file: write(good), want: "it knows a, b"},
		"unknown current context": {file: write(good + "current-context: x"), want: `context "x"`},
		"unknown --context":       {file: write(good + "current-context: a"), context: "y", want: `context "y"`},
		"--context without any":   {context: "y", want: "the kubeconfig has no contexts"},
		"no such cluster":         {file: write("current-context: a\ncontexts: [{name: a, context: {cluster: zzz}}]"), want: `cluster "zzz", named by context "a"`},
		"bad CA": {
			file: write("current-context: a\ncontexts: [{name: a, context: {cluster: c}}]\nclusters: [{name: c, cluster: {server: 'https://localhost:1', certificate-authority-data: eA==}}]"),
			want: `context "a" of the kubeconfig`,
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("HOME", t.TempDir())
			t.Setenv("KUBECONFIG", c.env)
			if c.env == "" && c.file == "" {
				// client-go fixed the usual place when it was loaded
				t.Setenv("KUBECONFIG", write(""))
			}
			flags := genericclioptions.NewConfigFlags(true)
			*flags.KubeConfig, *flags.Context = c.file, c.context
			_, err := cluster.Connect(flags, cluster.Options{})
			p := wantProblem(t, err, c.want)
			if p.Kind != problem.Usage || errors.Is(err, cluster.ErrNotConfigured) != c.none {
				t.Errorf("kind %d, %v", p.Kind, err)
			}
		})
	}
}

func TestServerFlagNeedsNoKubeconfig(t *testing.T) {
	s := clustertest.New(t, "v1.33.4")
	t.Setenv("KUBECONFIG", filepath.Join(t.TempDir(), "empty"))
	if err := os.WriteFile(os.Getenv("KUBECONFIG"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(true)
	*flags.APIServer = s.URL
	conn, err := cluster.Connect(flags, cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	if version, err := conn.Version(t.Context()); version != "v1.33.4" || err != nil {
		t.Errorf("%q, %v", version, err)
	}
}

// version asks a server whose kubeconfig may be changed, and translates.
func version(t *testing.T, getter *genericclioptions.ConfigFlags) error {
	t.Helper()
	conn, err := cluster.Connect(getter, cluster.Options{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = conn.Version(t.Context())
	return conn.Translate(err)
}

func TestUnreachable(t *testing.T) {
	closed, release, err := clustertest.Refusing()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	secure := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(secure.Close)
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	rude := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		if hijacked, _, err := w.(http.Hijacker).Hijack(); err == nil {
			hijacked.Close()
		}
	}))
	t.Cleanup(rude.Close)
	for name, c := range map[string]struct{ url, want string }{
		"refused":    {"http://" + closed, "connection refused"},
		"authority":  {secure.URL, "unknown authority"},
		"not TLS":    {strings.Replace(plain.URL, "http:", "https:", 1), "does not speak TLS"},
		"hangs up":   {rude.URL, "closed the connection"},
		"not a name": {"http://ostoy.invalid:1", "DNS"},
	} {
		began := time.Now()
		p := wantProblem(t, version(t, clustertest.Getter(t, c.url, "demo")), "cannot reach the API server "+c.url, c.want)
		if p.Kind != problem.Failed {
			t.Errorf("%s: kind %d", name, p.Kind)
		}
		if took := time.Since(began); took > 10*time.Second {
			t.Errorf("%s: %s is too long", name, took)
		}
	}
}

// TestSilentServer plays dropped packets: the connection is never accepted by
// a program, nothing ever comes back.
func TestSilentServer(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	for _, scheme := range []string{"http", "https"} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			conn, err := cluster.Connect(clustertest.Getter(t, scheme+"://"+silent.Addr().String(), "demo"), cluster.Options{})
			if err != nil {
				t.Fatal(err)
			}
			_, err = conn.Discovery(ctx)
			if ctx.Err() != nil {
				t.Fatal("it took more than ten seconds")
			}
			wantProblem(t, err, "cannot reach the API server "+scheme+"://127.0.0.1", "no answer within 8s")
		})
	}
}

func TestCredentialPlugin(t *testing.T) {
	s := httptest.NewTLSServer(http.NotFoundHandler()) // client-go uses no credentials without TLS
	t.Cleanup(s.Close)
	getter := clustertest.Getter(t, s.URL, "demo")
	*getter.Insecure = true
	data, err := os.ReadFile(*getter.KubeConfig)
	if err != nil {
		t.Fatal(err)
	}
	plugin := "user: {exec: {apiVersion: client.authentication.k8s.io/v1, command: no-such-program-at-all, interactiveMode: Never}}"
	text := strings.Replace(string(data), "user: {token: not-a-secret}", plugin, 1)
	if err := os.WriteFile(*getter.KubeConfig, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	wantProblem(t, version(t, getter), "no credentials for the API server "+s.URL, "no-such-program-at-all not found", "oc login")
}

func TestRefusals(t *testing.T) {
	s := clustertest.New(t, "v1.33.4")
	s.Refuse("GET /version", 401, metav1.StatusReasonUnauthorized, "Unauthorized")
	wantProblem(t, version(t, s.Getter("demo")), "does not know you", "oc login "+s.URL)

	conn := connect(t, s, cluster.Options{})
	status := func(code int32, reason metav1.StatusReason, message string, details metav1.StatusDetails) error {
		return fmt.Errorf("applying: %w", &apierrors.StatusError{ErrStatus: metav1.Status{Code: code, Reason: reason, Message: message, Details: &details}})
	}
	bucket := metav1.StatusDetails{Group: "s3.services.k8s.aws", Kind: "buckets", Name: "demo-bucket"}
	for name, c := range map[string]struct {
		err   error
		texts []string
	}{
		"RBAC in a namespace": {
			status(403, metav1.StatusReasonForbidden, `buckets.s3.services.k8s.aws "demo-bucket" is forbidden: User "bob" cannot patch resource "buckets" in API group "s3.services.k8s.aws" in the namespace "demo"`, bucket),
			[]string{`bob may not patch buckets.s3.services.k8s.aws "demo-bucket"`, "oc auth can-i patch buckets.s3.services.k8s.aws -n demo", `in the namespace "demo" is missing`},
		},
		"RBAC on a sub-resource": {
			status(403, metav1.StatusReasonForbidden, `serviceaccounts "default" is forbidden: User "bob" cannot create resource "serviceaccounts/token" in API group "" in the namespace "demo"`, metav1.StatusDetails{Kind: "serviceaccounts", Name: "default"}),
			[]string{`bob may not create serviceaccounts/token of "default"`, "oc auth can-i create serviceaccounts/token -n demo"},
		},
		"RBAC on the cluster": {
			status(403, metav1.StatusReasonForbidden, `nodes is forbidden: User "system:serviceaccount:a:b" cannot list resource "nodes" in API group "" at the cluster scope: because`, metav1.StatusDetails{Kind: "nodes"}),
			[]string{"system:serviceaccount:a:b may not list nodes", "at the cluster scope is missing"},
		},
		"quota": {
			status(403, metav1.StatusReasonForbidden, `pods "x" is forbidden: exceeded quota: small, requested: pods=1, used: pods=1, limited: pods=1`, metav1.StatusDetails{Kind: "pods", Name: "x"}),
			[]string{`pods "x"`, "exceeded quota: small"},
		},
		"invalid":  {status(422, metav1.StatusReasonInvalid, "spec.name: Required value", bucket), []string{`buckets.s3.services.k8s.aws "demo-bucket"`, "Required value", "--set"}},
		"conflict": {status(409, metav1.StatusReasonConflict, "object was modified", bucket), []string{"run the command again"}},
		"busy":     {status(503, metav1.StatusReasonServiceUnavailable, "etcd has no leader", metav1.StatusDetails{}), []string{"etcd has no leader", "readyz"}},
		"missing":  {status(404, metav1.StatusReasonNotFound, "not found", bucket), []string{"oc get buckets.s3.services.k8s.aws"}},
		"unknown":  {status(418, "Teapot", "short and stout", metav1.StatusDetails{}), []string{"short and stout"}},
	} {
		t.Run(name, func(t *testing.T) {
			err := conn.Translate(c.err)
			wantProblem(t, err, c.texts...)
			if !errors.Is(err, c.err) {
				t.Error("the original is lost")
			}
		})
	}
}

func TestTranslateLeavesAlone(t *testing.T) {
	conn := connect(t, clustertest.New(t, "v1.33.4"), cluster.Options{})
	for _, err := range []error{
		nil, &problem.Error{What: "a"}, fmt.Errorf("b: %w", &problem.Error{Kind: problem.Usage, What: "c"}), context.Canceled,
		&url.Error{Op: "Get", URL: "https://x", Err: context.Canceled}, context.DeadlineExceeded,
	} {
		if got := conn.Translate(err); got != err {
			t.Errorf("%v became %v", err, got)
		}
	}
}

func TestInterrupted(t *testing.T) {
	s := clustertest.New(t, "v1.33.4")
	ctx, cancel := context.WithCancel(t.Context())
	s.Hold = func(r *http.Request) { cancel(); <-r.Context().Done() } // answers nothing
	conn := connect(t, s, cluster.Options{})
	if _, err := conn.Version(ctx); !errors.Is(conn.Translate(err), context.Canceled) {
		t.Errorf("%v", err)
	}
}
