package registry

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"oras.land/oras-go/v2/registry/remote/retry"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/interrupt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// scheme leads a reference to a registry, as in Helm's commands.
const scheme = "oci://"

// maxArchive is the most bytes an archive may have. ACK's charts have some
// forty thousand.
const maxArchive = 20 << 20

// Chart is a chart as it was found, not yet read: exactly one of Archive and
// Dir is set.
type Chart struct {
	Archive []byte // a gzipped tar archive, as `helm package` makes it
	Dir     fs.FS  // the files of an unpacked chart; no link leads out of it
	From    string // where it came from: a path, or oci://HOST/REPOSITORY:TAG@DIGEST
}

// Fetch gives the archive (.tgz) of a chart, or the files of an unpacked one.
//
// ref is a folder with a Chart.yaml, an archive, or
// oci://HOST/REPOSITORY[:TAG|@sha256:DIGEST]. version is the tag where the
// reference names none; with neither, the newest version that the registry
// lists is taken, and one before a release (1.0.0-rc.1) only where there is no
// other. Nobody but the chart itself knows the version of a path or a digest:
// there version is not looked at.
//
// Registries are asked without credentials, over HTTPS except on loopback, by
// the proxy that the environment names. Errors are *problem.Error, but for the
// end of the context, which is wrapped.
func Fetch(ctx context.Context, ref, version string) (Chart, error) {
	if strings.HasPrefix(ref, scheme) {
		transport := newTransport()
		defer transport.CloseIdleConnections()
		return pull(ctx, ref, version, patient(transport))
	}
	return interrupt.Run(ctx, 0, func() (Chart, error) { return open(ref) })
}

// newTransport is how registries are reached. Only how long an answer may take
// to begin is limited: a slow line may take its time.
func newTransport() *http.Transport {
	return &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: 10 * time.Second}).DialContext,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 30 * time.Second,
		ForceAttemptHTTP2:     true,
	}
}

// patient asks again, a few times and ever more slowly, where a registry says
// that it is busy: public.ecr.aws soon does to those without credentials. A
// registry that does not answer at all is not asked again.
func patient(transport http.RoundTripper) http.RoundTripper {
	return &retry.Transport{Base: transport, Policy: func() retry.Policy {
		return &retry.GenericPolicy{
			Retryable: func(answer *http.Response, err error) (bool, error) {
				return err == nil && (answer.StatusCode == http.StatusTooManyRequests || answer.StatusCode >= 500), nil
			},
			Backoff: retry.DefaultBackoff,
			MinWait: 200 * time.Millisecond, MaxWait: 5 * time.Second,
			MaxRetry: 4,
		}
	}}
}

// open looks at a path.
func open(path string) (Chart, error) {
	if path == "" || strings.Contains(path, "://") {
		return Chart{}, &problem.Error{
			Kind: problem.Usage,
			What: "--chart " + shown(path),
			Why:  "a chart is a folder, a .tgz file, or oci://HOST/REPOSITORY",
			Next: "--chart oci://public.ecr.aws/aws-controllers-k8s/s3-chart",
		}
	}
	path = filepath.Clean(path)
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Chart{}, &problem.Error{
			Kind: problem.Usage, Err: err,
			What: "--chart " + shown(path),
			Why:  "there is no such file or folder",
			Next: "check the path; a reference to a registry begins with " + scheme,
		}
	case err != nil:
		return Chart{}, unreadable(path, err)
	case info.IsDir():
		return openDir(path)
	case !info.Mode().IsRegular():
		return Chart{}, notAnArchive(path, "it is neither a file nor a folder")
	}
	return openArchive(path)
}

// openDir gives the files below path. Root sees to it that no link in a chart
// from somewhere else gives us a file of ours; it is closed when the last user
// of the files is gone.
func openDir(path string) (Chart, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return Chart{}, unreadable(path, err)
	}
	if _, err := root.Stat("Chart.yaml"); err != nil {
		_ = root.Close()
		if !errors.Is(err, fs.ErrNotExist) {
			return Chart{}, unreadable(path, err)
		}
		return Chart{}, &problem.Error{
			Kind: problem.Usage, Err: err,
			What: "--chart " + shown(path),
			Why:  "the folder has no Chart.yaml, so it is no Helm chart",
			Next: "give the folder that Chart.yaml is in",
		}
	}
	return Chart{Dir: root.FS(), From: path}, nil
}

func openArchive(path string) (Chart, error) {
	file, err := os.Open(path)
	if err != nil {
		return Chart{}, unreadable(path, err)
	}
	defer func() { _ = file.Close() }()
	data, err := io.ReadAll(io.LimitReader(file, maxArchive+1))
	switch {
	case err != nil:
		return Chart{}, unreadable(path, err)
	case len(data) > maxArchive:
		return Chart{}, notAnArchive(path, "it has more than 20 MB, and no chart of a controller has")
	case !gzipped(data):
		return Chart{}, notAnArchive(path, "it is not a gzipped archive")
	}
	return Chart{Archive: data, From: path}, nil
}

// gzipped looks for the two bytes that RFC 1952 has every file begin with, and
// the only method of compression it knows.
func gzipped(data []byte) bool { return bytes.HasPrefix(data, []byte{0x1f, 0x8b, 8}) }

func notAnArchive(path, why string) error {
	return &problem.Error{
		Kind: problem.Usage,
		What: "--chart " + shown(path),
		Why:  why,
		Next: "give the .tgz that helm pull or helm package wrote, or the folder of the chart",
	}
}

func unreadable(path string, err error) error {
	why := err
	if at := (*fs.PathError)(nil); errors.As(err, &at) {
		why = at.Err
	}
	return &problem.Error{
		Kind: problem.Usage, Err: err,
		What: "--chart " + shown(path),
		Why:  "it cannot be read: " + shown(why.Error()),
		Next: "check the rights of the file",
	}
}
