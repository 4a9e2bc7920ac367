package facts

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// playing is a session on a server that plays the cluster, without AWS credentials, and
// what it writes.
func playing(t *testing.T, server string) (s *session.Session, data, talk *bytes.Buffer) {
	t.Helper()
	t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
	t.Setenv("AWS_CONFIG_FILE", filepath.Join(t.TempDir(), "none"))
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", filepath.Join(t.TempDir(), "none"))
	streams, _, data, talk := genericiooptions.NewTestIOStreams()
	return &session.Session{
		Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: clustertest.Getter(t, server, "demo"), Now: time.Now,
	}, data, talk
}

// given are all facts that manifests need.
func given() render.Facts {
	fact := func(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }
	return render.Facts{
		Namespace: fact("demo"), Account: fact("123456789012"), Region: fact("us-east-2"), Issuer: fact("https://issuer.example.com"),
		Platform: fact(render.PlatformOpenShift), KubeVersion: fact("v1.33.0"), APIVersions: render.ListFact{Values: []string{"v1", "apps/v1", "apps/v1/Deployment"}, Source: "flag"},
	}
}

// TestRun: facts that are given cost no request, and each format has them all.
func TestRun(t *testing.T) {
	server := clustertest.New(t, "v1.33.0")
	for format, want := range map[session.Format][]string{
		session.FormatTable: {"FACT", "accountID ", "123456789012 ", "2 group versions (all with -o yaml)", "clusterID ", "unknown"},
		session.FormatYAML:  {"accountID:", "123456789012", "- apps/v1/Deployment"},
		session.FormatJSON:  {`"accountID"`, "123456789012"},
	} {
		s, data, _ := playing(t, server.URL)
		if err := Run(t.Context(), s, Request{Facts: session.Facts{Given: given()}, Output: format}); err != nil {
			t.Errorf("%s: %v", format, err)
		}
		for _, text := range want {
			if !strings.Contains(data.String(), text) {
				t.Errorf("%s has no %q:\n%s", format, text, data)
			}
		}
	}
	if n := len(server.Requests()); n > 0 {
		t.Errorf("%d requests", n)
	}
}

// TestRunIncomplete: what is found is printed, whatever is missing; manifests cannot be
// rendered from it, so that is an error that names the flags, unless it is allowed.
func TestRunIncomplete(t *testing.T) {
	missing := []string{"accountID", "--account-id", "issuer", "--oidc-issuer"}
	for name, c := range map[string]struct {
		context string // namespace of the kubeconfig context
		with    func(*clustertest.Server)
		given   render.Facts
		kind    problem.Kind
		prints  string
		says    []string
	}{
		"no credentials":    {"demo", nil, render.Facts{}, problem.Usage, "v1.33.4", missing},
		"namespace default": {"default", nil, given(), 0, "", nil}, // by flag
		"namespace default of the context": {
			"default", nil, without(given(), func(f *render.Facts) { f.Namespace = render.Fact{} }), problem.Usage, "123456789012",
			[]string{"a fact is missing: namespace", `namespace "default"`, "kubeconfig context here", "--namespace NAMESPACE"},
		},
		"AWS cannot verify the tokens": {"demo", func(s *clustertest.Server) {
			s.Answer("GET /.well-known/openid-configuration", map[string]string{"issuer": "https://kubernetes.default.svc"})
		}, without(given(), func(f *render.Facts) { f.Issuer = render.Fact{} }), problem.Refused, "123456789012", []string{"issuer"}},
		"AWS cannot verify the tokens, and more": {"demo", func(s *clustertest.Server) {
			s.Answer("GET /.well-known/openid-configuration", map[string]string{"issuer": "https://kubernetes.default.svc"})
		}, render.Facts{}, problem.Usage, "v1.33.4", []string{"--account-id"}},
		"a version that is none": {"demo", func(s *clustertest.Server) {
			s.Answer("GET /version", map[string]string{"gitVersion": "one\x1b"})
		}, render.Facts{}, problem.Usage, "demo", missing},
	} {
		for _, allowed := range []bool{false, true} {
			server := clustertest.New(t, "v1.33.4", "v1/Pod")
			if c.with != nil {
				c.with(server)
			}
			s, data, talk := playing(t, server.URL)
			s.Getter = server.Getter(c.context)
			err := Run(t.Context(), s, Request{Facts: session.Facts{Given: c.given}, Output: session.FormatYAML, AllowIncomplete: allowed})
			if want := map[bool]problem.Kind{false: c.kind}[allowed]; kindOf(err) != want {
				t.Errorf("%s: allowed %t: %v", name, allowed, err)
			}
			if err != nil {
				talk.WriteString(told(err))
			}
			for _, text := range c.says {
				if !strings.Contains(talk.String(), text) {
					t.Errorf("%s: allowed %t: %q is not said:\n%s", name, allowed, text, talk)
				}
			}
			if _, err := render.ParseFacts(data.Bytes(), "f"); err != nil || !strings.Contains(data.String(), c.prints) || strings.Contains(data.String(), "value: default") {
				t.Errorf("%s: allowed %t: %v\n%s", name, allowed, err, data)
			}
		}
	}
}

// without are the facts without one.
func without(f render.Facts, one func(*render.Facts)) render.Facts {
	one(&f)
	return f
}

func kindOf(err error) problem.Kind {
	var several *problem.Several
	var one *problem.Error
	switch {
	case errors.As(err, &several):
		return several.Kind()
	case errors.As(err, &one):
		return one.Kind
	}
	return 0
}

// told is what the user reads of an error.
func told(err error) (text string) {
	var several *problem.Several
	var one *problem.Error
	switch {
	case errors.As(err, &several):
		for _, p := range several.Problems {
			text += told(p)
		}
	case errors.As(err, &one):
		text = one.What + "\n" + one.Why + "\n" + one.Next + "\n"
	}
	return text
}

// TestRunNotes: how a fact was found is said, on one line.
func TestRunNotes(t *testing.T) {
	server := clustertest.New(t, "v1.33.4", "v1/Pod", "config.openshift.io/v1/Infrastructure", "route.openshift.io/v1/Route")
	server.Forbid("GET /apis/config.openshift.io/v1/infrastructures/cluster", "get", "infrastructures", "config.openshift.io", "at the cluster scope")
	s, _, talk := playing(t, server.URL)
	t.Setenv("AWS_REGION", "us-east-2")
	if err := Run(t.Context(), s, Request{AllowIncomplete: true, Output: session.FormatTable}); err != nil || !strings.Contains(talk.String(), "note  the region is your AWS configuration's, because ") {
		t.Errorf("%v\n%s", err, talk)
	}
}

// TestRunFails: a source that fails makes the command fail, after it has printed the rest;
// what is given and cannot be used is wrong input, and nothing is printed.
func TestRunFails(t *testing.T) {
	away, release, err := clustertest.Refusing()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(release)
	s, data, _ := playing(t, away)
	failure := (*problem.Error)(nil)
	err = Run(t.Context(), s, Request{Facts: session.Facts{Given: render.Facts{Region: render.Fact{Value: "us-east-2", Source: "flag"}}}, Output: session.FormatTable})
	if !errors.As(err, &failure) || failure.Kind != problem.Failed || !strings.Contains(data.String(), "us-east-2") {
		t.Errorf("%v\n%s", err, data)
	}
	for name, facts := range map[string]session.Facts{
		"a bad fact":   {Given: render.Facts{Account: render.Fact{Value: "12"}}},
		"a bad region": {Given: render.Facts{Region: render.Fact{Value: "nowhere!"}}},
		"no such file": {File: filepath.Join(t.TempDir(), "facts.yaml")},
	} {
		s, data, _ := playing(t, away)
		if err := Run(t.Context(), s, Request{Facts: facts, Output: session.FormatYAML}); !problem.IsInput(err) || data.Len() > 0 {
			t.Errorf("%s: %v\n%s", name, err, data)
		}
	}
}

func TestRunInterrupted(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	s, data, _ := playing(t, clustertest.New(t, "v1.33.0").URL)
	if err := Run(ctx, s, Request{Output: session.FormatTable}); !errors.Is(err, context.Canceled) || data.Len() > 0 {
		t.Errorf("%v\n%s", err, data)
	}
}

// TestF5Stdout: no printer lets through what controls a terminal, not even as an escape
// that jq -r or yq decodes.
func TestF5Stdout(t *testing.T) {
	const evil = "a\x1b[31m\u009b2J\r\u202e\u2028\xffb"
	f := render.Facts{Region: render.Fact{Value: "us-east-2", Source: evil}, Account: render.Fact{Why: evil}}
	for _, format := range []session.Format{session.FormatYAML, session.FormatJSON, session.FormatTable} {
		var out bytes.Buffer
		if err := write(&session.Session{Streams: genericiooptions.IOStreams{Out: &out}}, f, format); err != nil {
			t.Fatal(err)
		}
		got := out.String()
		if strings.ContainsAny(got, "\x1b\u009b\r\u202e\u2028\ufffd") || strings.Contains(got, "\xff") || !strings.Contains(got, "b") {
			t.Errorf("%s: %q", format, got)
		}
		decoded := map[string]any{}
		if err := yaml.Unmarshal([]byte(got), &decoded); err != nil {
			continue
		}
		text, err := json.Marshal(decoded)
		if err != nil {
			t.Fatal(err)
		}
		if bytes.Contains(text, []byte(`\u00`)) || bytes.Contains(text, []byte(`\u20`)) || bytes.Contains(text, []byte("\u009b")) {
			t.Errorf("%s decodes to %s", format, text)
		}
	}
}
