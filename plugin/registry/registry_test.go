package registry

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"
)

const (
	repository = "aws-controllers-k8s/s3-chart"
	token      = "anybody's-token"
)

// answer replaces what the registry would say.
type answer func(w http.ResponseWriter, r *http.Request)

// oci plays a registry that has one repository, on loopback.
type oci struct {
	*httptest.Server
	tags      []string          // of the tag list, two a page
	manifests map[string][]byte // by tag and by digest
	blobs     map[string][]byte // by digest
	tokens    bool              // hand out tokens, and want one
	instead   map[string]answer // by the end of the path

	mu       sync.Mutex
	requests []string
	outside  []string // headers Authorization that are not the token's
}

func newOCI(t *testing.T) *oci {
	t.Helper()
	o := &oci{manifests: map[string][]byte{}, blobs: map[string][]byte{}, instead: map[string]answer{}}
	o.Server = httptest.NewServer(http.HandlerFunc(o.serve))
	t.Cleanup(o.Close)
	return o
}

func (o *oci) ref() string { return "oci://" + strings.TrimPrefix(o.URL, "http://") + "/" + repository }

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}

// archive is bytes that pass for a chart's; what is in them is not this
// package's business.
func archive(text string) []byte {
	var data bytes.Buffer
	w := gzip.NewWriter(&data)
	_, _ = w.Write([]byte(text))
	_ = w.Close()
	return data.Bytes()
}

// layer is a descriptor as manifests have it.
type layer struct {
	MediaType string `json:"mediaType"`
	Digest    string `json:"digest"`
	Size      int    `json:"size"`
}

func (o *oci) push(tag string, data []byte) (digest string) {
	o.blobs[digestOf(data)] = data
	return o.tag(tag, layer{chartLayer, digestOf(data), len(data)})
}

func (o *oci) tag(tag string, layers ...layer) (digest string) {
	manifest, err := json.Marshal(map[string]any{
		"schemaVersion": 2,
		"mediaType":     "application/vnd.oci.image.manifest.v1+json",
		"config":        layer{"application/vnd.cncf.helm.config.v1+json", digestOf(nil), 0},
		"layers":        layers,
	})
	if err != nil {
		panic(err)
	}
	o.manifests[tag], o.manifests[digestOf(manifest)] = manifest, manifest
	o.tags = append(o.tags, tag)
	return digestOf(manifest)
}

func (o *oci) asked() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.requests)
}

func (o *oci) serve(w http.ResponseWriter, r *http.Request) {
	o.mu.Lock()
	o.requests = append(o.requests, r.Method+" "+r.URL.Path)
	if given := r.Header.Get("Authorization"); given != "" && given != "Bearer "+token {
		o.outside = append(o.outside, given)
	}
	o.mu.Unlock()
	for end, instead := range o.instead {
		if strings.HasSuffix(r.URL.Path, end) {
			instead(w, r)
			return
		}
	}
	if r.URL.Path == "/token" {
		if scope := "repository:" + repository + ":pull"; r.URL.Query().Get("scope") != scope {
			refuse(w, http.StatusBadRequest, "UNSUPPORTED", "scope is not "+scope)
			return
		}
		_, _ = fmt.Fprintf(w, `{"token": %q}`, token)
		return
	}
	if o.tokens && r.Header.Get("Authorization") != "Bearer "+token {
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+o.URL+`/token",service="test"`)
		refuse(w, http.StatusUnauthorized, "UNAUTHORIZED", "Not Authorized")
		return
	}
	o.content(w, r)
}

func (o *oci) content(w http.ResponseWriter, r *http.Request) {
	rest, ours := strings.CutPrefix(r.URL.Path, "/v2/"+repository+"/")
	kind, name, _ := strings.Cut(rest, "/")
	switch {
	case !ours:
		refuse(w, http.StatusNotFound, "NAME_UNKNOWN", "repository name not known to registry")
	case kind == "tags":
		o.list(w, r)
	case kind == "manifests" && o.manifests[name] != nil:
		w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
		w.Header().Set("Docker-Content-Digest", digestOf(o.manifests[name]))
		_, _ = w.Write(o.manifests[name])
	case kind == "manifests":
		refuse(w, http.StatusNotFound, "MANIFEST_UNKNOWN", "manifest unknown")
	case kind == "blobs" && o.blobs[name] != nil:
		_, _ = w.Write(o.blobs[name])
	default:
		refuse(w, http.StatusNotFound, "BLOB_UNKNOWN", "blob unknown")
	}
}

// list answers with two tags and where the next are.
func (o *oci) list(w http.ResponseWriter, r *http.Request) {
	from := 0
	if last := r.URL.Query().Get("last"); last != "" {
		from = slices.Index(o.tags, last) + 1
	}
	page := o.tags[from:]
	if len(page) > 2 {
		page = page[:2]
		w.Header().Set("Link", fmt.Sprintf(`</v2/%s/tags/list?n=2&last=%s>; rel="next"`, repository, page[1]))
	}
	_ = json.NewEncoder(w).Encode(map[string]any{"name": repository, "tags": page})
}

func refuse(w http.ResponseWriter, status int, code, message string) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(map[string]any{"errors": []map[string]string{{"code": code, "message": message}}})
}

// saying is an answer that is always the same.
func saying(status int, code, message string) answer {
	return func(w http.ResponseWriter, _ *http.Request) { refuse(w, status, code, message) }
}
