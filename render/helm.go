// This is the only file that knows Helm. Moving to another major version of
// it is a change of this file alone.

package render

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"path"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"helm.sh/helm/v3/pkg/chart"
	"helm.sh/helm/v3/pkg/chart/loader"
	"helm.sh/helm/v3/pkg/chartutil"
	"helm.sh/helm/v3/pkg/engine"
	"helm.sh/helm/v3/pkg/strvals"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
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
	var files []*loader.BufferedFile
	err := fs.WalkDir(fsys, dir, func(name string, entry fs.DirEntry, err error) error {
		// The notes are what Helm says after an install; we have words of our own.
		if err != nil || entry.IsDir() || path.Base(name) == "NOTES.txt" {
			return err
		}
		data, err := fs.ReadFile(fsys, name)
		if err != nil {
			return err
		}
		files = append(files, &loader.BufferedFile{Name: strings.TrimPrefix(name, dir+"/"), Data: data})
		return nil
	})
	if err != nil {
		return helmChart{}, fmt.Errorf("read the embedded chart: %w", err)
	}
	loaded, err := loader.LoadFiles(files)
	if err != nil {
		return helmChart{}, fmt.Errorf("load the embedded chart: %w", err)
	}
	schema, err := compileSchema(loaded.Schema)
	if err != nil {
		return helmChart{}, fmt.Errorf("compile the chart's schema: %w", err)
	}
	return helmChart{loaded, schema}, nil
}

// capabilitiesFor are what a chart may ask about the cluster. The engine alone
// does not hold a chart to its own kubeVersion.
func capabilitiesFor(c *chart.Chart, f Facts) (*chartutil.Capabilities, error) {
	version, err := chartutil.ParseKubeVersion(f.KubeVersion.Value)
	if err != nil {
		return nil, fmt.Errorf("kubernetes version %q: %w", f.KubeVersion.Value, err)
	}
	if want := c.Metadata.KubeVersion; want != "" && !chartutil.IsCompatibleRange(want, version.Version) {
		return nil, problem.Input("kubernetes "+version.Version, "the chart needs "+want,
			"use a cluster of that version, or give --kube-version if the detected one is wrong")
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
func layOver(base, over map[string]any) map[string]any { return chartutil.CoalesceTables(over, base) }

// parseSet adds one --set expression to dst; asString is --set-string.
func parseSet(dst map[string]any, expression string, asString bool) error {
	if asString {
		return strvals.ParseIntoString(expression, dst)
	}
	return strvals.ParseInto(expression, dst)
}

// compileSchema prepares the chart's values.schema.json with the library that Helm uses.
func compileSchema(text []byte) (*jsonschema.Schema, error) {
	const name = "file:///values.schema.json"
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseRegexpEngine(lazyRegexps)
	if err := compiler.AddResource(name, document); err != nil {
		return nil, err
	}
	return compiler.Compile(name)
}

// lazyRegexps makes the regular expressions of the schema.
func lazyRegexps(pattern string) (jsonschema.Regexp, error) {
	return &lazyRegexp{pattern, sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(pattern) })}, nil
}

// lazyRegexp is compiled when a value is first held against it. Compiling all of
// the schema's patterns, each twice as the library does, takes longer than
// rendering a project, and most values are never given. The patterns are part
// of the program: one that does not compile is a bug that the tests see.
type lazyRegexp struct {
	pattern  string
	compiled func() *regexp.Regexp
}

func (l *lazyRegexp) MatchString(s string) bool { return l.compiled().MatchString(s) }

func (l *lazyRegexp) String() string { return l.pattern }

// valuesError words a schema violation for the person who gave the value. The
// library's first line names its own copy of the schema, which helps nobody.
func valuesError(err error, what, next string) error {
	_, detail, found := strings.Cut(err.Error(), "\n")
	if !found {
		detail = err.Error()
	}
	return &problem.Error{Kind: problem.Usage, What: what, Why: schemaFault(detail), Next: next, Err: err}
}
