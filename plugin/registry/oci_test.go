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

// told is how an error must be worded.
type told struct {
	kind            problem.Kind
	what, why, next string // parts of them
}

func (w told) hold(t *testing.T, err error) {
	t.Helper()
	var got *problem.Error
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want a problem", err)
	}
	if got.Kind != w.kind {
		t.Errorf("kind is %d, want %d: %v", got.Kind, w.kind, err)
	}
	for _, part := range []struct{ name, got, want string }{
		{"What", got.What, w.what}, {"Why", got.Why, w.why}, {"Next", got.Next, w.next},
	} {
		if !strings.Contains(part.got, part.want) || part.got == "" {
			t.Errorf("%s is %q, want %q in it", part.name, part.got, part.want)
		}
	}
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		t.Errorf("%v passes for the end of a context", err)
	}
}

func TestPullRefused(t *testing.T) {
	good := archive("chart")
	for _, tc := range []struct {
		name    string
		set     func(o *oci)
		suffix  string
		version string
		want    told
	}{
		{
			"no such tag", func(o *oci) { o.push("1.0.0", good); o.push("1.2.0", good) }, ":1.1.0", "",
			told{problem.Usage, ":1.1.0", "the newest is 1.2.0", "--version 1.2.0"},
		},
		{
			"no such digest", func(o *oci) { o.push("1.0.0", good) }, "@" + digestOf([]byte("other")), "",
			told{problem.Usage, "@sha256:", "the newest is 1.0.0", "--version 1.0.0"},
		},
		{
			"no such tag, and the list is nobody's", func(o *oci) {
				o.push("1.0.0", good)
				o.instead["/tags/list"] = saying(http.StatusForbidden, "DENIED", "no lists")
			}, ":9", "", told{problem.Usage, ":9", "no such version", "leave out --version"},
		},
		{
			"no such repository", func(o *oci) {
				o.instead["/tags/list"] = saying(http.StatusNotFound, "NAME_UNKNOWN", "unknown")
			}, "", "", told{problem.Failed, repository, "no such repository", "public.ecr.aws"},
		},
		{
			"no such repository, asked for a tag", func(o *oci) {
				o.instead["/tags/list"] = saying(http.StatusNotFound, "NAME_UNKNOWN", "unknown")
			}, ":1.0.0", "", told{problem.Failed, ":1.0.0", "no such repository", "public.ecr.aws"},
		},
		{
			"no version among the tags", func(o *oci) { o.push("latest", good) }, "", "",
			told{problem.Failed, repository, "none of its tags is a version", "--version TAG"},
		},
		{
			"no tags", func(*oci) {}, "", "",
			told{problem.Failed, repository, "none of its tags is a version", "--version TAG"},
		},
		{
			"two versions", func(*oci) {}, ":1.0.0", "1.1.0",
			told{problem.Usage, "--version 1.1.0", "the tag 1.0.0", "leave out"},
		},
		{
			"a version that is no tag", func(*oci) {}, "", "1.0.0 or so",
			told{problem.Usage, "--version 1.0.0 or so", "cannot be the tag", "--version"},
		},
		{
			"an image", func(o *oci) {
				o.tag("1.0.0", layer{"application/vnd.oci.image.layer.v1.tar+gzip", digestOf(good), len(good)})
			}, "", "",
			told{problem.Usage, ":1.0.0", "not a Helm chart: the registry has application/vnd.oci.image.layer.v1.tar+gzip", "s3-chart"},
		},
		{
			"an artifact of nothing", func(o *oci) { o.tag("1.0.0") }, "", "",
			told{problem.Usage, ":1.0.0", "not a Helm chart", "s3-chart"},
		},
		{
			"a manifest that is none", func(o *oci) { o.manifests["1.0.0"] = []byte("<html>") }, ":1.0.0", "",
			told{problem.Usage, ":1.0.0", "not JSON", "s3-chart"},
		},
		{
			"a chart that is not gzipped", func(o *oci) { o.push("1.0.0", []byte("plain")) }, "", "",
			told{problem.Usage, ":1.0.0", "not gzipped", "s3-chart"},
		},
		{
			"too big by its manifest", func(o *oci) { o.tag("1.0.0", layer{chartLayer, digestOf(good), maxArchive + 1}) }, "", "",
			told{problem.Usage, ":1.0.0", "more than 20 MB", "s3-chart"},
		},
		{
			"bigger than its manifest says", func(o *oci) {
				o.push("1.0.0", good)
				o.blobs[digestOf(good)] = bytes.Repeat([]byte("x"), 1<<20)
			}, "", "", told{problem.Failed, ":1.0.0", "", "helm pull"},
		},
		{
			"another blob of that size", func(o *oci) {
				o.push("1.0.0", good)
				o.blobs[digestOf(good)] = bytes.Repeat([]byte{0x1f}, len(good))
			}, "", "", told{problem.Failed, ":1.0.0", "not what its digest or size says", "a proxy"},
		},
		{
			"another manifest than the digest's", func(o *oci) {
				o.push("1.0.0", good)
				digest := o.push("1.1.0", archive("new"))
				o.manifests[digest] = o.manifests["1.0.0"]
			}, "@", "", told{problem.Failed, "@sha256:", "digest mismatch", "helm pull"},
		},
		{
			"a blob that is not there", func(o *oci) { o.tag("1.0.0", layer{chartLayer, digestOf(good), len(good)}) }, "", "",
			told{problem.Failed, ":1.0.0", "", "helm pull"},
		},
		{
			"denied, with a token", func(o *oci) {
				o.tokens = true
				o.instead["/manifests/1.0.0"] = saying(http.StatusForbidden, "DENIED", "requested access is denied")
			}, ":1.0.0", "", told{problem.Failed, ":1.0.0", "without credentials (DENIED requested access is denied)", "helm registry login"},
		},
		{
			"no token for nobody", func(o *oci) {
				o.tokens = true
				o.instead["/token"] = saying(http.StatusUnauthorized, "UNAUTHORIZED", "who are you?")
			}, ":1.0.0", "", told{problem.Failed, ":1.0.0", "without credentials", "helm registry login"},
		},
		{
			"a token that opens nothing", func(o *oci) {
				o.instead["/manifests/1.0.0"] = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("WWW-Authenticate", `Bearer realm="`+o.URL+`/token",scope="repository:`+repository+`:pull"`)
					refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "no")
				}
			}, ":1.0.0", "", told{problem.Failed, ":1.0.0", "without credentials", "helm registry login"},
		},
		{
			"a password wanted", func(o *oci) {
				o.instead["/tags/list"] = func(w http.ResponseWriter, _ *http.Request) {
					w.Header().Set("WWW-Authenticate", `Basic realm="private"`)
					w.WriteHeader(http.StatusUnauthorized)
				}
			}, "", "", told{problem.Failed, repository, "wants a password", "helm pull"},
		},
		{
			"too many requests", func(o *oci) {
				o.instead["/tags/list"] = saying(http.StatusTooManyRequests, "TOOMANYREQUESTS", "Rate exceeded")
			}, "", "", told{problem.Failed, repository, "too many requests from here (TOOMANYREQUESTS Rate exceeded)", "in a minute"},
		},
		{
			"broken", func(o *oci) { o.instead["/tags/list"] = saying(http.StatusBadGateway, "", "") }, "", "",
			told{problem.Failed, repository, "answered with HTTP status 502", "again later"},
		},
		{
			"a page of a portal", func(o *oci) {
				o.instead["/tags/list"] = func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("<html>log in</html>")) }
			}, "", "", told{problem.Failed, repository, "does not answer as a registry does", "helm pull"},
		},
		{
			"text that would move the cursor", func(o *oci) {
				o.instead["/tags/list"] = saying(http.StatusForbidden, "DENIED", "\x1b[2Jgone\nfake line")
			}, "", "", told{problem.Failed, repository, "(DENIED [2Jgone fake line)", "helm"},
		},
	} {
		t.Run(tc.name, func(t *testing.T) {
			o := newOCI(t)
			tc.set(o)
			if tc.suffix == "@" {
				tc.suffix += o.tagDigest("1.1.0")
			}
			// Without patience: how often it asks is another test's.
			chart, err := pull(t.Context(), o.ref()+tc.suffix, tc.version, http.DefaultTransport)
			tc.want.hold(t, err)
			if chart.Archive != nil {
				t.Error("gave an archive all the same")
			}
		})
	}
}

func (o *oci) tagDigest(tag string) string { return digestOf(o.manifests[tag]) }

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
