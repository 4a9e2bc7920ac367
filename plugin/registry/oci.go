package registry

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
	"oras.land/oras-go/v2/content"
	"oras.land/oras-go/v2/errdef"
	"oras.land/oras-go/v2/registry/remote"
	"oras.land/oras-go/v2/registry/remote/auth"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const (
	// chartLayer is the media type of a chart's archive in a registry
	// (helm.sh/docs/topics/registries, "Helm chart manifest").
	chartLayer = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"

	// maxManifest is the limit that the OCI distribution specification asks
	// registries to accept; a chart's manifest has some hundred bytes.
	maxManifest = 4 << 20
)

// wanted is one chart of one registry.
type wanted struct {
	repo *remote.Repository
	name string // oci://HOST/REPOSITORY
	what string // the tag or digest
}

// pull fetches a chart as a registry keeps it: a manifest, one layer of which
// is the archive.
func pull(ctx context.Context, ref, version string, transport http.RoundTripper) (Chart, error) {
	w, err := want(ref, version, transport)
	if err != nil {
		return Chart{}, err
	}
	if w.what == "" {
		if w.what, err = w.newest(ctx); err != nil {
			return Chart{}, w.explain(ctx, err)
		}
	}
	if w.what == "" {
		return Chart{}, &problem.Error{
			Kind: problem.Failed,
			What: "chart " + w.String(),
			Why:  "none of its tags is a version",
			Next: "name one: --version TAG",
		}
	}
	manifest, digest, err := w.manifest(ctx)
	if err != nil {
		return Chart{}, err
	}
	archive, err := w.archive(ctx, manifest)
	if err != nil {
		return Chart{}, err
	}
	from := w.String()
	if !strings.HasSuffix(from, digest) {
		from += "@" + digest
	}
	return Chart{Archive: archive, From: from}, nil
}

// want reads the reference; nothing is asked yet.
func want(ref, version string, transport http.RoundTripper) (*wanted, error) {
	repo, err := remote.NewRepository(strings.TrimPrefix(ref, scheme))
	if err != nil {
		return nil, &problem.Error{
			Kind: problem.Usage, Err: err,
			What: "--chart " + shown(ref),
			Why:  "it is not oci://HOST/REPOSITORY, with :TAG or @sha256:DIGEST at most",
			Next: "--chart oci://public.ecr.aws/aws-controllers-k8s/s3-chart",
		}
	}
	w := &wanted{repo: repo, name: scheme + repo.Reference.Registry + "/" + repo.Reference.Repository, what: repo.Reference.Reference}
	_, noDigest := repo.Reference.Digest()
	switch tag := tagOf(version); {
	case tag == "" || w.what != "" && noDigest == nil:
	case w.what != "" && w.what != tag:
		return nil, &problem.Error{
			Kind: problem.Usage,
			What: "--version " + shown(version),
			Why:  "the chart's reference names the tag " + w.what,
			Next: "leave out one of the two",
		}
	default:
		w.what, repo.Reference.Reference = tag, tag
		if err := repo.Reference.ValidateReferenceAsTag(); err != nil {
			return nil, &problem.Error{
				Kind: problem.Usage, Err: err,
				What: "--version " + shown(version),
				Why:  "it cannot be the tag of a chart",
				Next: "--version 1.10.0, for example",
			}
		}
	}
	w.connect(transport)
	return w, nil
}

// connect says how the registry is asked: without credentials. The client
// fetches the token that public registries give to anybody, and refuses to
// fetch it from a place that only this machine can reach.
func (w *wanted) connect(transport http.RoundTripper) {
	client := &auth.Client{
		Client: &http.Client{Transport: transport, CheckRedirect: staySafe},
		Header: http.Header{"User-Agent": {"oc-ostoy-s3"}},
		Cache:  auth.NewCache(),
	}
	w.repo.PlainHTTP = loopback(w.repo.Reference.Host())
	if w.repo.PlainHTTP {
		client.BlockedRealmPrefixes = []netip.Prefix{}
	}
	w.repo.Client = client
	w.repo.TagListMaxPages = 100
}

// staySafe follows redirects, as registries send them for blobs, but not from
// HTTPS to HTTP.
func staySafe(req *http.Request, via []*http.Request) error {
	if via[len(via)-1].URL.Scheme == "https" && req.URL.Scheme != "https" {
		return errors.New("it redirects from https to " + req.URL.Scheme)
	}
	if len(via) >= 10 {
		return errors.New("it redirects in circles")
	}
	return nil
}

// loopback reports whether a host, with or without a port, is this machine.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	address, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return host == "localhost" || err == nil && address.IsLoopback()
}

// manifest fetches what the tag or digest names, and its digest.
func (w *wanted) manifest(ctx context.Context) (ocispec.Manifest, string, error) {
	var manifest ocispec.Manifest
	descriptor, body, err := w.repo.FetchReference(ctx, w.what)
	if errors.Is(err, errdef.ErrNotFound) {
		return manifest, "", w.absent(ctx, err)
	}
	if err != nil {
		return manifest, "", w.explain(ctx, err)
	}
	defer func() { _ = body.Close() }()
	if descriptor.Size > maxManifest {
		return manifest, "", w.noChart("its manifest has more than 4 MB")
	}
	text, err := content.ReadAll(body, descriptor)
	if err != nil {
		return manifest, "", w.explain(ctx, err)
	}
	if err := json.Unmarshal(text, &manifest); err != nil {
		return manifest, "", w.noChart("its manifest is not JSON")
	}
	return manifest, descriptor.Digest.String(), nil
}

// archive fetches the layer that holds the chart. Its digest is held against
// the manifest's.
func (w *wanted) archive(ctx context.Context, manifest ocispec.Manifest) ([]byte, error) {
	for _, layer := range manifest.Layers {
		if layer.MediaType != chartLayer {
			continue
		}
		if layer.Size > maxArchive {
			return nil, w.noChart("its archive has more than 20 MB, and no chart of a controller has")
		}
		body, err := w.repo.Blobs().Fetch(ctx, layer)
		if err != nil {
			return nil, w.explain(ctx, err)
		}
		defer func() { _ = body.Close() }()
		data, err := content.ReadAll(body, layer)
		if err != nil {
			return nil, w.explain(ctx, err)
		}
		if !gzipped(data) {
			return nil, w.noChart("its archive is not gzipped")
		}
		return data, nil
	}
	found := "an artifact without layers"
	switch {
	case len(manifest.Layers) > 0:
		found = manifest.Layers[0].MediaType
	case manifest.MediaType != "":
		found = manifest.MediaType
	}
	return nil, w.noChart("the registry has " + shown(found) + " under that name")
}

// String is the reference as far as it is known.
func (w *wanted) String() string {
	switch {
	case w.what == "":
		return w.name
	case strings.Contains(w.what, ":"):
		return w.name + "@" + w.what
	}
	return w.name + ":" + w.what
}
