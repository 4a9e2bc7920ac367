package render

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestParseFacts(t *testing.T) {
	const file = `
namespace: demo
clusterID: {value: "", why: you may not read clusterversions}
issuer: {value: https://oidc.example.com/2abc, source: authentications/cluster}
accountID: 012345670123   # not quoted, and octal to a careless reader
region: {value: us-east-2, source: facts file old.yaml (flag)}
kubeVersion: 1.30
platform: null
apiVersions: [v1, route.openshift.io/v1]
`
	got, err := ParseFacts([]byte(file), "f.yaml")
	if err != nil {
		t.Fatal(err)
	}
	want := Facts{
		Namespace:   Fact{Value: "demo", Source: "facts file f.yaml"},
		ClusterID:   Fact{Why: "you may not read clusterversions"},
		Issuer:      Fact{Value: "https://oidc.example.com/2abc", Source: "facts file f.yaml (authentications/cluster)"},
		Account:     Fact{Value: "012345670123", Source: "facts file f.yaml"},
		Region:      Fact{Value: "us-east-2", Source: "facts file f.yaml (flag)"},
		KubeVersion: Fact{Value: "1.30", Source: "facts file f.yaml"},
		APIVersions: ListFact{Values: []string{"v1", "route.openshift.io/v1"}, Source: "facts file f.yaml"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestParseFactsRefuses(t *testing.T) {
	for file, want := range map[string]string{
		"":                              "empty",
		"# nothing\n":                   "empty",
		"- namespace: demo":             "not a mapping",
		"demo":                          "not a mapping",
		"namespace: demo\nregoin: x":    `line 2: unknown field "regoin"`,
		"namespace: {value: a, val: b}": `unknown field "namespace.val"`,
		"apiVersions: {value: [v1]}":    `unknown field "apiVersions.value"`,
		"namespace: [a]":                "namespace: line 1: a plain value",
		"namespace: {value: {a: b}}":    "a plain value",
		"apiVersions: v1":               "a list",
		"apiVersions: [[v1]]":           "line 1: a list of plain values",
		"namespace: a\nnamespace: b":    "comes twice",
		"namespace: a\n---\nregion: b":  "more than one document",
		"namespace: a\n---\n{":          "more than one document",
		"{":                             "neither YAML nor JSON",
		"a: &x {value: *x}":             "unknown field",
		"namespace: &x {value: *x}":     "a plain value",
		"? [a]\n: b":                    "field name",
		`{"namespace": "a", "x": 1}`:    `unknown field "x"`,
	} {
		_, err := ParseFacts([]byte(file), "f.yaml")
		checkInput(t, file, err, want)
		if !strings.Contains(err.Error(), "facts file f.yaml") {
			t.Errorf("%q: the file is not named: %v", file, err)
		}
	}
}

func TestFactsRoundTrip(t *testing.T) {
	facts := goodFacts()
	facts.KubeVersion.Value = "1.30"
	facts.ClusterID = Fact{Why: "forbidden: \"you\" may not"}
	for _, format := range []string{"yaml", "json"} {
		data, err := MarshalFacts(facts, format)
		if err != nil {
			t.Fatal(err)
		}
		got, err := ParseFacts(data, "f")
		if err != nil {
			t.Fatalf("%s: %v\n%s", format, err, data)
		}
		for i, row := range got.Rows() {
			want := facts.Rows()[i]
			if want.Value != "" {
				want.Source = "facts file f (" + want.Source + ")"
			}
			if row != want {
				t.Errorf("%s: %+v, want %+v", format, row, want)
			}
		}
		if i, j := strings.Index(string(data), "namespace"), strings.Index(string(data), "apiVersions"); i < 0 || i > j {
			t.Errorf("%s: not in the usual order:\n%s", format, data)
		}
	}
	if data, _ := MarshalFacts(facts, "yaml"); !strings.Contains(string(data), `"012345678901"`) {
		t.Errorf("the account must be quoted for other readers:\n%s", data)
	}
	_, err := MarshalFacts(facts, "toml")
	checkInput(t, "toml", err, "yaml or json")
}

func TestMerge(t *testing.T) {
	over := Facts{Namespace: Fact{Value: "a", Source: "flag"}, Region: Fact{Why: "over"}, Platform: Fact{Why: "over"}}
	base := Facts{
		Namespace: Fact{Value: "b"}, Region: Fact{Value: "us-east-2"}, Platform: Fact{Why: "base"}, Issuer: Fact{Why: "base"},
		APIVersions: ListFact{Values: []string{"v1"}},
	}
	want := Facts{
		Namespace: Fact{Value: "a", Source: "flag"}, Region: Fact{Value: "us-east-2"}, Platform: Fact{Why: "over"}, Issuer: Fact{Why: "base"},
		APIVersions: ListFact{Values: []string{"v1"}},
	}
	if diff := cmp.Diff(want, Merge(over, base)); diff != "" {
		t.Error(diff)
	}
	if over.Issuer.Why != "" {
		t.Error("the argument was changed")
	}
}

// FuzzFacts: a facts file that somebody wrote. What is refused is refused in
// three parts that fit a screen and repeat no value; what is taken is the same
// once it is written and read again, and what the validation lets through is
// what names, ARNs and tags can be made of.
func FuzzFacts(f *testing.F) {
	good, _ := MarshalFacts(goodFacts(), "yaml")
	f.Add(good)
	for _, seed := range []string{
		`{"namespace": {"value": "a", "source": "b"}, "apiVersions": ["v1"]}`, "a: &a [*a]", "namespace: *" + canary, "namespace: !!int " + canary,
		"password: " + canary, "namespace: [" + canary + "]", "namespace: {value: {a: " + canary + "}}", "{{a}}: b", "region: 'x" + canary, "issuer: {why: |\n x}",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		facts, err := ParseFacts(data, "f")
		if err != nil {
			checkRefusal(t, err)
			return
		}
		checkFactsRoundTrip(t, facts)
		if facts.Validate() != nil {
			return
		}
		facts = facts.Complete()
		for _, fact := range []Fact{facts.Namespace, facts.ClusterID, facts.Issuer, facts.Audience, facts.Account, facts.Region, facts.KubeVersion} {
			if strings.ContainsAny(fact.Value, " \t\r\n\x00\"'*?$\\") || len(fact.Value) > 255 {
				t.Errorf("%q is let through", fact.Value)
			}
		}
		if facts.Namespace.Known() && ValidateNamespace(facts.Namespace.Value) != nil {
			t.Errorf("namespace %q is let through", facts.Namespace.Value)
		}
	})
}

func checkFactsRoundTrip(t *testing.T, facts Facts) {
	t.Helper()
	for _, format := range []string{"yaml", "json"} {
		out, err := MarshalFacts(facts, format)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseFacts(out, "f")
		if err != nil {
			t.Fatalf("%+v written as %q: %v", facts, out, err)
		}
		for i, row := range again.Rows() {
			if want := facts.Rows()[i]; row.Value != want.Value {
				t.Fatalf("%+v written as %q: %+v, want %+v", facts, out, row, want)
			}
		}
	}
}
