package render

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

// canary stands where users put passwords: at the place of a value.
const canary = "kAnArY7w0rd"

// checkRefusal wants an error for the user's input to have its parts, to fit a
// screen, and to repeat no value: what a user gives may be a file of secrets.
func checkRefusal(t *testing.T, err error) {
	t.Helper()
	var input *problem.Error
	if !problem.IsInput(err) || !errors.As(err, &input) || input.What == "" || input.Why == "" || input.Next == "" {
		t.Fatalf("not in three parts: %#v", err)
	}
	const screen = 8 << 10
	if text := err.Error(); len(text) > screen {
		t.Errorf("%d bytes of complaint: %.200s...", len(text), text)
	}
	// Keys are named. So are the facts that a value contradicts, and what was
	// given in their place.
	asKey := strings.Contains(input.Why, "additional properties") || strings.Contains(input.Why, "unknown field") || strings.Contains(input.Why, "comes twice")
	if strings.Contains(err.Error(), canary) && !asKey && !strings.HasPrefix(input.What, "value ") {
		t.Errorf("a value is told: %v", err)
	}
}

// checkAccepted wants accepted values to stay what they are when they are
// printed and read again, and to make objects of ours only.
func checkAccepted(t *testing.T, r *Renderer, o Options) {
	t.Helper()
	objects, err := r.Objects(goodFacts(), o)
	if err != nil {
		checkRefusal(t, err)
		return
	}
	values, err := r.Values(goodFacts(), o)
	if err != nil {
		t.Fatalf("the values of what can be rendered cannot be computed: %v", err)
	}
	text, err := yaml.Marshal(values)
	if err != nil {
		t.Fatal(err)
	}
	printed := Options{RoleARN: o.RoleARN, Files: []ValueFile{{Name: "printed", Data: text}}}
	again, err := r.Objects(goodFacts(), printed)
	if err != nil {
		t.Fatalf("what `values` prints is refused: %v\n%s", err, text)
	}
	first, err := YAML(objects)
	if err != nil {
		t.Fatal(err)
	}
	second, err := YAML(again)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(first, second) {
		t.Errorf("what `values` prints renders otherwise\n%s", cmp.Diff(string(first), string(second)))
	}
	for _, object := range objects {
		if object.GetNamespace() != goodFacts().Namespace.Value || object.GetName() == "" {
			t.Errorf("%s %s in %q", object.GetKind(), object.GetName(), object.GetNamespace())
		}
	}
}

// FuzzValueFile: a file that somebody wrote as values.
func FuzzValueFile(f *testing.F) {
	for _, seed := range []string{
		"", "{}", "[]", "a: b: c", "podIdentity: webhook", "frontend:\n  replicas: 0\n  image: {tag: \"1\"}", "expose: ingress\ningress: {host: a.example.com}",
		"route: {tls: edge}", "expose: ingress\ningress: {tls: [{secretName: a, hosts: [b.example.com]}, {}]}",
		"secrets:\n  existing: true\n", "a: &a [*a]", "password: *" + canary, "{{ .Values.x }}: 1", "x: !!int " + canary, "{\"storage\": {\"size\": \"2Gi\"}}",
		"aws: {region: eu-west-1}", "bucket: {tags: {\"a\": \"b\", c: 1}}", "imagePullSecrets: [a, b]", "podSecurityContext: {fsGroup: 1, runAsUser: null}",
		"microservice: {replicas: null, resources: {limits: {cpu: 0x10, memory: 1e3}}}", "a: |\n  " + canary + "\n b", "a: '" + canary, "\xff",
	} {
		f.Add([]byte(seed))
	}
	r, err := New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		// Behind whatever it is, a value that nobody is to read.
		for _, text := range [][]byte{data, append(bytes.Clone(data), "\nsecrets: {existing: "+canary+"}\n"...)} {
			checkAccepted(t, r, Options{RoleARN: "arn:aws:iam::012345678901:role/x", Files: []ValueFile{{Name: "f.yaml", Data: text}}})
		}
	})
}

// FuzzSet: what somebody wrote behind --set and --set-string.
func FuzzSet(f *testing.F) {
	for _, seed := range [][2]string{
		{"a", ""},
		{"frontend.replicas", ""},
		{"a[0]", ",b"},
		{"a[", ""},
		{"a[-1]", ""},
		{"a[9999999999]", ""},
		{"", ","},
		{"a={", "}"},
		{"a={x,", ""},
		{"frontend.image.tag", "!!"},
		{"aws.region", ""},
		{"secrets", ""},
		{"secrets.existing=true,podIdentity", ""},
		{"a.b=1,a", ".c=2"},
		{"a=1,a.b", ""},
		{"expose=none,storage.size=2Gi,bucket.tags.x", ",b"},
		{strings.Repeat("a.", 40) + "b", ""},
		{"podSecurityContext.fsGroup=1,imagePullSecrets={a", "}"},
	} {
		f.Add(seed[0], seed[1], false)
		f.Add(seed[0], seed[1], true)
	}
	r, err := New()
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, key, rest string, asString bool) {
		if strings.Contains(key, `\`) {
			return // an escaped = makes the value part of the key
		}
		o := Options{RoleARN: "arn:aws:iam::012345678901:role/x"}
		into := &o.Set
		if asString {
			into = &o.SetString
		}
		*into = []string{key + "=" + canary + rest}
		checkAccepted(t, r, o)
		*into = []string{key + "=" + rest}
		checkAccepted(t, r, o)
	})
}

// TestOverlayErrorsTellNoSecret: the generators and patches of an overlay are
// where its secrets are.
func TestOverlayErrorsTellNoSecret(t *testing.T) {
	r, err := New()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := r.Objects(goodFacts(), Options{RoleARN: "arn:aws:iam::012345678901:role/x"})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range []string{
		"secretGenerator: [{name: a, literals: [" + canary + "]}]",
		"secretGenerator: [{name: a, literals: [\"=" + canary + "\"]}]",
		"secretGenerator: [{name: a, literals: " + canary + "}]",
		"secretGenerator: [{name: a, key: " + canary + "}]",
		"patches: [{patch: \"password: [" + canary + "\", target: {kind: Secret}}]",
		"patches: [{patch: \"" + canary + "\", target: {kind: Secret}}]",
		"secretGenerator: [{name: a, literals: [*" + canary + "]}]",
	} {
		_, err := Kustomize(objects, overlayIn(t, map[string]string{"/overlay/kustomization.yaml": text}), "/overlay", goodFacts())
		checkRefusal(t, err)
	}
}
