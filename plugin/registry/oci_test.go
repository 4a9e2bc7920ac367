package registry

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

func TestPull(t *testing.T) {
	o := newOCI(t)
	o.tokens = true
	digests := map[string]string{}
	for _, tag := range []string{"1.2.0", "v1.9.0", "1.10.0", "1.11.0-rc.1", "sha256-abc.sig", "latest", "1.3.0_build.7"} {
		digests[tag] = o.push(tag, archive(tag))
	}
	for _, tc := range []struct{ name, suffix, version, want string }{
		{"a tag", ":1.2.0", "", "1.2.0"},
		{"a version", "", "1.2.0", "1.2.0"},
		{"both, the same", ":1.2.0", "1.2.0", "1.2.0"},
		{"a version with build data", "", "1.3.0+build.7", "1.3.0_build.7"},
		{"a version before a release", "", "1.11.0-rc.1", "1.11.0-rc.1"},
		{"neither: the newest release, by number", "", "", "1.10.0"},
		{"a digest", "@" + digests["v1.9.0"], "", "v1.9.0"},
		{"a digest, which says more than a version", "@" + digests["v1.9.0"], "1.2.0", "v1.9.0"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			chart, err := Fetch(t.Context(), o.ref()+tc.suffix, tc.version)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(chart.Archive, archive(tc.want)) || chart.Dir != nil {
				t.Errorf("got another archive than that of %s", tc.want)
			}
			from := o.ref() + ":" + tc.want + "@" + digests[tc.want]
			if strings.HasPrefix(tc.suffix, "@") {
				from = o.ref() + tc.suffix
			}
			if chart.From != from {
				t.Errorf("From is %s, want %s", chart.From, from)
			}
		})
	}
	if len(o.outside) > 0 {
		t.Errorf("credentials were sent: %q", o.outside)
	}
}

// The token is asked for once, and only where the registry wants one.
func TestPullAsksForOneToken(t *testing.T) {
	for _, tokens := range []bool{true, false} {
		o := newOCI(t)
		o.tokens = tokens
		o.push("1.0.0", archive("chart"))
		if _, err := Fetch(t.Context(), o.ref(), ""); err != nil {
			t.Fatal(err)
		}
		want := 0
		if tokens {
			want = 1
		}
		asked := o.asked()
		if got := len(slices.DeleteFunc(asked, func(r string) bool { return r != "GET /token" })); got != want {
			t.Errorf("tokens wanted %t: %d requests for a token, want %d", tokens, got, want)
		}
	}
}

func TestPullBadReferences(t *testing.T) {
	for _, ref := range []string{"oci://", "oci://host", "oci://host/", "oci://host/UPPER", "oci://host/a:b:c", "oci://host/a@sha256:12", "oci://user@host/a b"} {
		_, err := Fetch(t.Context(), ref, "")
		told{problem.Usage, "--chart " + ref, "oci://HOST/REPOSITORY", "--chart oci://"}.hold(t, err)
	}
}

func TestPullUnreachable(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	address := silent.Addr().String()
	_ = silent.Close()
	_, err = Fetch(t.Context(), "oci://"+address+"/a/chart", "1.0.0")
	told{problem.Failed, "oci://" + address + "/a/chart:1.0.0", address + " cannot be reached", "helm pull oci://" + address + "/a/chart --version 1.0.0"}.hold(t, err)
}

// deadlineTransport fails as net/http does when a server is silent.
type deadlineTransport struct{}

type silence struct{}

func (silence) Error() string     { return "net/http: timeout awaiting response headers" }
func (silence) Timeout() bool     { return true }
func (silence) Temporary() bool   { return true }
func (silence) Is(err error) bool { return err == context.DeadlineExceeded }

func (deadlineTransport) RoundTrip(*http.Request) (*http.Response, error) { return nil, silence{} }

// A registry's silence is the registry's fault, and no end of --timeout.
func TestPullSilence(t *testing.T) {
	_, err := pull(t.Context(), "oci://registry.example.com/a/chart", "1.0.0", deadlineTransport{})
	told{problem.Failed, "a/chart:1.0.0", "registry.example.com cannot be reached: net/http: timeout", "helm pull"}.hold(t, err)
}

func TestPullInterrupted(t *testing.T) {
	o := newOCI(t)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	o.instead["/manifests/1.0.0"] = func(_ http.ResponseWriter, r *http.Request) {
		cancel()
		<-r.Context().Done()
	}
	_, err := Fetch(ctx, o.ref(), "1.0.0")
	if told := (*problem.Error)(nil); !errors.Is(err, context.Canceled) || errors.As(err, &told) {
		t.Errorf("got %v, want the end of the context", err)
	}
	if _, err := Fetch(ctx, t.TempDir(), ""); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v for a folder, want the end of the context", err)
	}
}

func TestPullOutOfTime(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), 0)
	defer cancel()
	_, err := Fetch(ctx, "oci://127.0.0.1:1/a/chart", "1.0.0")
	var awaited *problem.Awaited
	if !errors.As(err, &awaited) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("got %v, want what was waited for", err)
	}
}

// A busy registry is asked again; here it is busy once.
func TestPullIsPatient(t *testing.T) {
	o := newOCI(t)
	o.push("1.0.0", archive("chart"))
	busy := true
	o.instead["/tags/list"] = func(w http.ResponseWriter, r *http.Request) {
		if busy {
			busy = false
			refuse(w, http.StatusTooManyRequests, "TOOMANYREQUESTS", "Rate exceeded")
			return
		}
		o.list(w, r)
	}
	if _, err := Fetch(t.Context(), o.ref(), ""); err != nil {
		t.Error(err)
	}
}

// Off loopback a registry is asked over HTTPS, or not at all.
func TestPullOverHTTPS(t *testing.T) {
	o := newOCI(t)
	o.push("1.0.0", archive("chart"))
	secure := httptest.NewTLSServer(http.HandlerFunc(o.serve))
	defer secure.Close()
	transport := &http.Transport{
		TLSClientConfig: &tls.Config{RootCAs: secure.Client().Transport.(*http.Transport).TLSClientConfig.RootCAs},
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, strings.TrimPrefix(secure.URL, "https://"))
		},
	}
	ref := "oci://example.com/" + repository // the name in httptest's certificate
	if _, err := pull(t.Context(), ref, "", transport); err != nil {
		t.Error(err)
	}

	_, err := pull(t.Context(), "oci://registry.example.org/"+repository, "", transport)
	told{problem.Failed, "registry.example.org", "the certificate of registry.example.org", "CA"}.hold(t, err)

	o.instead["/tags/list"] = func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, o.URL+"/elsewhere?X-Amz-Signature=secret", http.StatusTemporaryRedirect)
	}
	_, err = pull(t.Context(), ref, "", transport)
	told{problem.Failed, repository, "redirects from https to http", "helm pull"}.hold(t, err)

	o.instead["/tags/list"] = func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", `Bearer realm="https://169.254.169.254/token?key=secret"`)
		w.WriteHeader(http.StatusUnauthorized)
	}
	_, err = pull(t.Context(), ref, "", transport)
	told{problem.Failed, repository, "169.254.169.254", "helm pull"}.hold(t, err)
	if strings.Contains(err.Error(), "secret") {
		t.Errorf("shows what an address asks: %v", err)
	}
}

func TestLoopback(t *testing.T) {
	for host, want := range map[string]bool{
		"localhost": true, "localhost:5000": true, "127.0.0.1:5000": true, "127.8.8.8": true, "[::1]:5000": true, "::1": true,
		"public.ecr.aws": false, "10.0.0.1:5000": false, "localhost.example.com": false, "[fe80::1]:5000": false, "": false,
	} {
		if got := loopback(host); got != want {
			t.Errorf("loopback(%q) is %t", host, got)
		}
	}
}
