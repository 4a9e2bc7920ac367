package render

// This is the only file that knows Helm. Moving to another major version of
// it is a change of this file alone.

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"slices"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/ignore"
	"helm.sh/helm/v3/pkg/strvals"
)

// releaseName is what a user would call the release; no object's name uses it.
const releaseName = "ostoy-s3"

// helmChart is the embedded chart, read once, with its schema, compiled once:
// Helm itself would compile it anew for every project, which takes longer than
// all the rest.
type helmChart struct {
	chart  *chart.Chart
	schema *jsonschema.Schema
}

// loadChart reads the chart whose files stand in dir of fsys. Paths inside an
// embedded file system use slashes on every operating system.
func loadChart(fsys fs.FS, dir string) (helmChart, error) {
	var files []chartFile
	err := fs.WalkDir(fsys, dir, func(name string, entry fs.DirEntry, err error) error {
		// The notes are what Helm says after an install; we have words of our own.
		if err != nil || entry.IsDir() || path.Base(name) == "NOTES.txt" {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		files = append(files, chartFile{strings.TrimPrefix(name, dir+"/"), data})
		return nil
	})
	if err != nil {
		return helmChart{}, fmt.Errorf("read the embedded chart: %w", err)
	}
	loaded, err := parseChart(files)
	if err != nil {
		return helmChart{}, fmt.Errorf("load the embedded chart: %w", err)
	}
	schema, err := compileSchema(loaded.Schema, lazyRegexps)
	if err != nil {
		return helmChart{}, fmt.Errorf("compile the chart's schema: %w", err)
	}
	return helmChart{loaded, schema}, nil
}

// parseChart reads a chart, and the charts in it, from its files.
func parseChart(files []chartFile) (*chart.Chart, error) {
	buffered := make([]*loader.BufferedFile, len(files))
	for n, file := range files {
		buffered[n] = &loader.BufferedFile{Name: file.name, Data: file.data}
	}
	return loader.LoadFiles(buffered)
}

// capabilitiesFor are what a chart may ask about the cluster. The engine alone
// does not hold a chart to its own kubeVersion.
func capabilitiesFor(c *chart.Chart, f Facts) (*chartutil.Capabilities, error) {
	version, err := chartutil.ParseKubeVersion(f.KubeVersion.Value)
	if err != nil {
		return nil, fmt.Errorf("kubernetes version %q: %w", f.KubeVersion.Value, err)
	}
	if want := c.Metadata.KubeVersion; want != "" && !chartutil.IsCompatibleRange(want, version.Version) {
		return nil, &InputError{
			What: "kubernetes " + version.Version,
			Why:  "the chart needs " + want,
			Next: "use a cluster of that version, or give --kube-version if the detected one is wrong",
		}
	}
	return &chartutil.Capabilities{KubeVersion: *version, APIVersions: chartutil.VersionSet(f.APIVersions.Values)}, nil
}

// templates renders every template of the chart and returns the text of those
// that make objects, by file name in order. Schema violations come back as
// Helm words them.
func (h helmChart) templates(values map[string]any, f Facts) ([]string, error) {
	capabilities, err := capabilitiesFor(h.chart, f)
	if err != nil {
		return nil, err
	}
	release := map[string]any{
		"Name": releaseName, "Namespace": f.Namespace.Value,
		"Revision": 1, "IsInstall": true, "IsUpgrade": false, "Service": "Helm",
	}
	if err := h.schema.Validate(values); err != nil {
		return nil, valuesError(err, "the values do not fit the chart", "oc ostoy-s3 values prints every value the chart knows")
	}
	// The values are the chart's merged ones already: ToRenderValues would copy
	// and check them once more.
	input := chartutil.Values{
		"Values":       values,
		"Chart":        h.chart.Metadata,
		"Capabilities": capabilities,
		"Release":      release,
	}
	rendered, err := engine.Render(h.chart, input)
	if err != nil {
		return nil, fmt.Errorf("render the chart: %w", err)
	}
	var texts []string
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if ext := path.Ext(name); ext == ".yaml" {
			texts = append(texts, rendered[name])
		}
	}
	return texts, nil
}

// defaults are the chart's own values with the given ones laid over them.
func (h helmChart) defaults(values map[string]any) (map[string]any, error) {
	merged, err := chartutil.CoalesceValues(h.chart, values)
	if err != nil {
		return nil, fmt.Errorf("merge values: %w", err)
	}
	return merged.AsMap(), nil
}

// layOver puts the tables of over on top of those of base, as Helm does with a
// later values file.
func layOver(base, over map[string]any) map[string]any {
	return chartutil.CoalesceTables(over, base)
}

// parseSet adds one --set expression to dst; asString is --set-string.
func parseSet(dst map[string]any, expression string, asString bool) error {
	if asString {
		return strvals.ParseIntoString(expression, dst)
	}
	return strvals.ParseInto(expression, dst)
}

// unpack reads an archive with Helm's own guard against paths that lead out of
// the chart. How much is in it must have been looked at before.
func unpack(archive []byte) ([]chartFile, error) {
	buffered, err := loader.LoadArchiveFiles(bytes.NewReader(archive))
	if err != nil {
		return nil, err
	}
	files := make([]chartFile, len(buffered))
	for n, file := range buffered {
		files[n] = chartFile{file.Name, file.Data}
	}
	return files, nil
}

// ignorer reads .helmignore and says what it leaves out.
func ignorer(text []byte) (func(name string, info fs.FileInfo) bool, error) {
	rules, err := ignore.Parse(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	rules.AddDefaults()
	return rules.Ignore, nil
}

// identify reads who somebody else's chart says it is, and refuses one that
// makes nothing by itself.
func identify(files []chartFile) (name, version, appVersion string, err error) {
	c, err := parseChart(files)
	if err != nil {
		return "", "", "", err
	}
	if c.Metadata.Type == "library" {
		return "", "", "", errors.New("it is a library, for other charts to use")
	}
	for _, required := range c.Metadata.Dependencies {
		if !slices.ContainsFunc(c.Dependencies(), func(d *chart.Chart) bool { return d.Name() == required.Name }) {
			return "", "", "", fmt.Errorf("the chart %s that it depends on is not in its folder charts: build its dependencies with Helm first", required.Name)
		}
	}
	return c.Metadata.Name, c.Metadata.Version, c.Metadata.AppVersion, nil
}

// renderForeign renders somebody else's chart for a release that is not yet
// there: what stands in its folder crds, then its templates by name in order.
func renderForeign(files []chartFile, f Facts, release string, values map[string]any) ([]chartFile, error) {
	// Read anew each time: settling which charts take part changes them.
	c, err := parseChart(files)
	if err != nil {
		return nil, err
	}
	capabilities, err := capabilitiesFor(c, f)
	if err != nil {
		return nil, err
	}
	if err := chartutil.ValidateReleaseName(release); err != nil {
		return nil, fmt.Errorf("the release's name %s: %w", quote(release), err)
	}
	if err := chartutil.ProcessDependenciesWithMerge(c, values); err != nil {
		return nil, err
	}
	options := chartutil.ReleaseOptions{Name: release, Namespace: f.Namespace.Value, Revision: 1, IsInstall: true}
	// Helm's own check of the values would fetch what a schema refers to from
	// the network or the disk.
	input, err := chartutil.ToRenderValuesWithSchemaValidation(c, values, options, capabilities, true)
	if err != nil {
		return nil, err
	}
	merged, _ := input["Values"].(chartutil.Values)
	if err := validateForeign(c, merged); err != nil {
		return nil, err
	}
	rendered, err := engine.Render(c, input)
	if err != nil {
		return nil, err
	}
	var manifests []chartFile
	for _, crd := range c.CRDObjects() {
		manifests = append(manifests, chartFile{crd.Filename, crd.File.Data})
	}
	for _, name := range slices.Sorted(maps.Keys(rendered)) {
		if base := path.Base(name); base != "NOTES.txt" && !strings.HasPrefix(base, "_") {
			manifests = append(manifests, chartFile{name, []byte(rendered[name])})
		}
	}
	return manifests, nil
}

// validateForeign holds the merged values of a chart, and of those in it,
// against their schemas.
func validateForeign(c *chart.Chart, values map[string]any) error {
	if len(c.Schema) > 0 {
		schema, err := compileSchema(c.Schema, nil)
		if err != nil {
			return fmt.Errorf("values.schema.json of %s: %w", c.Name(), err)
		}
		if err := schema.Validate(values); err != nil {
			return valuesError(err, "the values do not fit the chart of --chart, "+c.Name(),
				"take away the value that does not fit; helm show values prints those that the chart knows")
		}
	}
	for _, inner := range c.Dependencies() {
		table, ok := values[inner.Name()].(map[string]any)
		if !ok {
			continue
		}
		if err := validateForeign(inner, table); err != nil {
			return err
		}
	}
	return nil
}
