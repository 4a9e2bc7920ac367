package controller_test

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// chartDeployment is what ACK's chart calls its Deployment, and what is the whole
// cluster's of it (FACTS 1.8).
const chartDeployment = "ack-s3-controller-s3-chart"

// theChart is the folder of the chart that stands for ACK's own.
func theChart(t *testing.T) string {
	t.Helper()
	dir, err := filepath.Abs(filepath.Join("..", "..", "render", "testdata", "s3-chart"))
	must(t, err)
	return dir
}

// chartWith is a copy of the chart with other files: by name, what they hold, or
// "" for one that is not to be there.
func chartWith(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "s3-chart")
	must(t, os.CopyFS(dir, os.DirFS(theChart(t))))
	for name, text := range files {
		path := filepath.Join(dir, name)
		if text == "" {
			must(t, os.RemoveAll(path))
			continue
		}
		must(t, os.WriteFile(path, []byte(text), 0o644))
	}
	return dir
}

// chartFile is a file of the chart with some of its text replaced, old by new.
func chartFile(t *testing.T, name string, oldNew ...string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(theChart(t), name))
	must(t, err)
	text := string(data)
	for n := 0; n < len(oldNew); n += 2 {
		if !strings.Contains(text, oldNew[n]) {
			t.Fatalf("%s has no %q", name, oldNew[n])
		}
		text = strings.ReplaceAll(text, oldNew[n], oldNew[n+1])
	}
	return text
}

// ofVersion are the files that make the chart another version.
func ofVersion(t *testing.T, version string) map[string]string {
	t.Helper()
	return map[string]string{
		"Chart.yaml":  chartFile(t, "Chart.yaml", "1.10.0", version),
		"values.yaml": chartFile(t, "values.yaml", "1.10.0", version),
	}
}

// packed is a chart as `helm package` packs it.
func packed(t *testing.T, dir string) []byte {
	t.Helper()
	var data bytes.Buffer
	zipped := gzip.NewWriter(&data)
	archive := tar.NewWriter(zipped)
	must(t, filepath.WalkDir(dir, func(path string, entry os.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(filepath.Dir(dir), path)
		if err != nil {
			return err
		}
		if err := archive.WriteHeader(&tar.Header{Name: filepath.ToSlash(name), Typeflag: tar.TypeReg, Mode: 0o644, Size: int64(len(content))}); err != nil {
			return err
		}
		_, err = archive.Write(content)
		return err
	}))
	must(t, archive.Close())
	must(t, zipped.Close())
	return data.Bytes()
}

// registryOf serves charts by their tags as an OCI registry does, on loopback,
// and gives the reference of their repository.
func registryOf(t *testing.T, charts map[string][]byte) string {
	t.Helper()
	const repository = "aws-controllers-k8s/s3-chart"
	type layer struct {
		MediaType string `json:"mediaType"`
		Digest    string `json:"digest"`
		Size      int    `json:"size"`
	}
	content, tags := map[string][]byte{}, []string{}
	for tag, chart := range charts {
		manifest, err := json.Marshal(map[string]any{
			"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
			"config": layer{"application/vnd.cncf.helm.config.v1+json", digestOf(nil), 0},
			"layers": []layer{{"application/vnd.cncf.helm.chart.content.v1.tar+gzip", digestOf(chart), len(chart)}},
		})
		must(t, err)
		content["manifests/"+tag], content["blobs/"+digestOf(chart)] = manifest, chart
		tags = append(tags, tag)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		what := strings.TrimPrefix(r.URL.Path, "/v2/"+repository+"/")
		data, known := content[what]
		switch {
		case what == "tags/list":
			_ = json.NewEncoder(w).Encode(map[string]any{"name": repository, "tags": tags})
		case !known:
			http.Error(w, `{"errors":[{"code":"MANIFEST_UNKNOWN","message":"manifest unknown"}]}`, http.StatusNotFound)
		default:
			if strings.HasPrefix(what, "manifests/") {
				w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
				w.Header().Set("Docker-Content-Digest", digestOf(data))
			}
			_, _ = w.Write(data)
		}
	}))
	t.Cleanup(server.Close)
	return "oci://" + strings.TrimPrefix(server.URL, "http://") + "/" + repository
}

func digestOf(data []byte) string {
	sum := sha256.Sum256(data)
	return "sha256:" + hex.EncodeToString(sum[:])
}
