package session

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// files gives files with these contents, in order.
func files(t *testing.T, contents ...string) []string {
	t.Helper()
	var names []string
	for n, content := range contents {
		name := filepath.Join(t.TempDir(), string(rune('a'+n))+".yaml")
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		names = append(names, name)
	}
	return names
}

func reading(stdin string) *Session {
	return &Session{Streams: genericiooptions.IOStreams{In: strings.NewReader(stdin)}}
}

// TestGiven: a flag wins over the file, and what only the file has comes from it.
func TestGiven(t *testing.T) {
	byFlag := render.Facts{Region: render.Fact{Value: "us-east-2", Source: "flag"}}
	file := files(t, "region: eu-west-1\naccountID: \"123456789012\"\n")[0]
	for name, c := range map[string]struct{ file, stdin, account string }{
		"no file": {"", "", ""},
		"a file":  {file, "", "123456789012"},
		"stdin":   {"-", "accountID: \"210987654321\"\n", "210987654321"},
	} {
		got, err := reading(c.stdin).Given(t.Context(), Facts{Given: byFlag, File: c.file})
		if err != nil || got.Region.Value != "us-east-2" || got.Account.Value != c.account {
			t.Errorf("%s: %+v, %v", name, got, err)
		}
	}
}

// TestGivenRefuses: a file that is not one of facts is wrong input, and the end of the
// context is not.
func TestGivenRefuses(t *testing.T) {
	for name, file := range map[string]string{"missing": "/nope.yaml", "no facts": files(t, "nonsense: true\n")[0]} {
		if _, err := reading("").Given(t.Context(), Facts{File: file}); !problem.IsInput(err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := reading("").Given(ended, Facts{File: "-"}); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
}

// TestReadValues: files keep their order, which decides, and settings come along.
func TestReadValues(t *testing.T) {
	names := append(files(t, "a: 1\n", "b: 2\n"), "-")
	got, err := reading("c: 3\n").ReadValues(t.Context(), Chart{Files: names, Set: []string{"x=1"}, SetString: []string{"y=2"}})
	if err != nil || !slices.Equal(got.Set, []string{"x=1"}) || !slices.Equal(got.SetString, []string{"y=2"}) || len(got.Files) != len(names) {
		t.Fatalf("%+v, %v", got, err)
	}
	for n, want := range []string{"a: 1\n", "b: 2\n", "c: 3\n"} {
		if f := got.Files[n]; f.Name != names[n] || string(f.Data) != want {
			t.Errorf("%d: %s has %q, want %q", n, f.Name, f.Data, want)
		}
	}
	if _, err := reading("").ReadValues(t.Context(), Chart{Files: []string{names[0], "/nope.yaml"}}); !problem.IsInput(err) || !strings.Contains(err.Error(), "/nope.yaml") {
		t.Errorf("%v", err)
	}
	ended, end := context.WithCancel(t.Context())
	end()
	if _, err := reading("").ReadValues(ended, Chart{Files: names}); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
}

// TestWriteDocument: YAML is not JSON, and a document that is none is an error.
func TestWriteDocument(t *testing.T) {
	document := map[string]any{"a": []string{"b"}}
	for format, want := range map[Format]string{FormatJSON: "{\n  \"a\": [\n    \"b\"\n  ]\n}\n", FormatYAML: "a:\n- b\n"} {
		if got := written(t, func(s *Session) error { return s.WriteDocument(format, document) }); got != want {
			t.Errorf("%s: %q, want %q", format, got, want)
		}
	}
	if err := reading("").WriteDocument(FormatJSON, func() {}); err == nil {
		t.Error("a function is a document")
	}
	if got := Columns([][]string{{"A", "B"}, {"long", ""}}); !slices.Equal(got, []string{"A     B", "long"}) {
		t.Errorf("%q", got)
	}
}
