package render

import (
	"bytes"
	"fmt"
	"regexp"
	"strings"
	"sync"

	"github.com/santhosh-tekuri/jsonschema/v6"
)

// compileSchema prepares a values.schema.json with the library that Helm uses.
// Without regexps the library's own are taken, which find fault with a bad
// pattern at once.
func compileSchema(text []byte, regexps jsonschema.RegexpEngine) (*jsonschema.Schema, error) {
	const name = "file:///values.schema.json"
	document, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return nil, err
	}
	compiler := jsonschema.NewCompiler()
	compiler.UseLoader(nothingElse{})
	if regexps != nil {
		compiler.UseRegexpEngine(regexps)
	}
	if err := compiler.AddResource(name, document); err != nil {
		return nil, err
	}
	return compiler.Compile(name)
}

// nothingElse keeps a schema to itself: what it refers to elsewhere would be
// read from this machine's disk or from the network.
type nothingElse struct{}

func (nothingElse) Load(url string) (any, error) {
	// Helm takes a name that it cannot resolve for a schema that allows everything.
	if strings.HasPrefix(url, "urn:") {
		return true, nil
	}
	return nil, fmt.Errorf("it refers to %s, and nothing outside of the chart is read", quote(url))
}

// lazyRegexps is for the schema of our own chart.
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
	return &InputError{What: what, Why: schemaFault(detail), Next: next, Err: err}
}
