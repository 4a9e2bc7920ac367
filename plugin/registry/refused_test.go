package registry

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

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
