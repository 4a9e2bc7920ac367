package manual

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// facts are those of a made-up cluster.
func facts() render.Facts {
	return render.Facts{
		Namespace: render.Fact{Value: "demo"},
		Issuer:    render.Fact{Value: "https://oidc.op1.openshiftapps.com/2abc"},
		Audience:  render.Fact{Value: render.DefaultAudience},
		Account:   render.Fact{Value: "123456789012"},
		Partition: render.Fact{Value: "aws"},
		Region:    render.Fact{Value: "us-east-2"},
	}
}

// rolePlan is the plan for a role of ours that is as actual says.
func rolePlan(t *testing.T, options iam.RoleOptions, actual func(iam.Role) *iam.Actual) *iam.Plan {
	t.Helper()
	role, err := iam.Desired(facts(), options)
	if err != nil {
		t.Fatal(err)
	}
	plan, err := iam.NewPlan(role, actual(role), facts())
	if err != nil {
		t.Fatal(err)
	}
	return plan
}

func absent(iam.Role) *iam.Actual { return nil }

// asItShould is a role that is as it should be.
func asItShould(r iam.Role) *iam.Actual {
	return &iam.Actual{
		Exists: true, ARN: r.ARN, Path: r.Path, Trust: r.Trust.JSON(), Tags: r.Tags,
		Inline: r.Policy.JSON(), Inlines: []string{iam.PolicyName},
	}
}

// object is one in the project.
func object(apiVersion, kind, name string, content map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": apiVersion, "kind": kind, "metadata": map[string]any{"name": name, "namespace": "demo"},
	}}
	for key, value := range content {
		o.Object[key] = value
	}
	return o
}

func writeOf(wave int, o *unstructured.Unstructured) apply.Write {
	return apply.Write{Ref: apply.RefOf(o), Wave: wave, Object: o}
}

func record(objects string) apply.Write {
	w := writeOf(0, object("v1", "ConfigMap", "ostoy-s3", map[string]any{"data": map[string]any{"objects": objects}}))
	w.Record, w.Force = true, true
	return w
}

func forced(w apply.Write) apply.Write {
	w.Force = true
	return w
}

func dropping(w apply.Write, paths ...string) apply.Write {
	w.Drops = paths
	return w
}

func clearing(w apply.Write, patch map[string]any) apply.Write {
	w.Clears = patch
	return w
}

func deletion(group, kind, name string) apply.Write {
	return apply.Write{Ref: apply.Ref{Group: group, Version: "v1", Kind: kind, Name: name}, UID: "6f1c"}
}

// nasty is text that a shell would do something with, were it not quoted, and
// that ends a here-document.
const nasty = "EOF\n$(touch x) `touch x` ${HOME} \\ \"'\n"

func bucket() *unstructured.Unstructured {
	return object("s3.services.k8s.aws/v1alpha1", "Bucket", "demo-bucket", map[string]any{"spec": map[string]any{"name": "demo-bucket"}})
}

func deployment(name string) *unstructured.Unstructured {
	return object("apps/v1", "Deployment", name, map[string]any{"spec": map[string]any{"replicas": int64(1)}})
}

func route(spec map[string]any) *unstructured.Unstructured {
	return object("route.openshift.io/v1", "Route", "ostoy-route", map[string]any{"spec": spec})
}

// sources are installs to be printed, by the golden file that holds the script.
func sources(t *testing.T) map[string]Source {
	request := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "project.openshift.io/v1", "kind": "ProjectRequest", "metadata": map[string]any{"name": "demo"}, "description": "made by it's test",
	}}
	namespace := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo", "labels": map[string]any{"a.b/c": "test"}},
	}}
	secret := object("v1", "Secret", "ostoy-secret", map[string]any{"data": map[string]any{"secret.txt": "eA=="}})
	const minutes = 10
	whole := Source{
		Tool: Tool{Name: OC, Server: "https://api.example.com:6443"}, Facts: facts(), Wait: true, Timeout: minutes * time.Minute, Verify: true,
		Project: request, Mark: Mark{`metadata.annotations.openshift\.io/description`, "made by it's test"},
		Role: rolePlan(t, iam.RoleOptions{}, absent), Expose: route(map[string]any{}),
		Writes: []apply.Write{
			record("all of them"), writeOf(0, secret), writeOf(0, bucket()), writeOf(1, deployment("ostoy-microservice")), writeOf(2, deployment("ostoy-frontend")),
		},
	}
	plain := whole
	plain.Tool.Name, plain.Project, plain.Mark, plain.Wait = Kubectl, namespace, Mark{`metadata.labels.a\.b/c`, "test"}, false
	plain.Expose = object("networking.k8s.io/v1", "Ingress", "ostoy-ingress", nil)
	few := Source{
		Tool: Tool{Name: OC, Flags: []string{"--context=a b", "--as=$(me)\ntouch x"}}, Profile: "it's mine", Use: "a b", Facts: facts(), Wait: true, Timeout: time.Minute, Verify: true,
		Role: rolePlan(t, iam.RoleOptions{Tags: map[string]string{"team": "blue"}}, func(r iam.Role) *iam.Actual {
			is := asItShould(r)
			is.Tags = render.OwnershipTags(facts())
			return is
		}),
		Writes: []apply.Write{
			record("all of them"),
			writeOf(0, object("v1", "ConfigMap", "nasty", map[string]any{"data": map[string]any{"EOF": nasty, "a": "b\tc\r\n"}})),
			forced(dropping(writeOf(0, bucket()), "metadata.labels.team", "spec.tagging")),
			clearing(forced(writeOf(2, deployment("ostoy-frontend"))), map[string]any{"spec": map[string]any{"strategy": map[string]any{"rollingUpdate": nil, "type": "it's"}}}),
			deletion("rbac.authorization.k8s.io", "RoleBinding", "system:openshift:scc:restricted"), deletion("", "Service", "old"),
			record("some of them"),
		},
	}
	return map[string]Source{
		"openshift": whole,
		"plain":     plain,
		"few":       few,
		"record":    {Tool: Tool{Name: Kubectl}, Facts: facts(), Role: rolePlan(t, iam.RoleOptions{}, asItShould), Writes: []apply.Write{record("all")}, Expose: route(map[string]any{"tls": map[string]any{"termination": "edge"}})},
	}
}

// TestGolden: what is printed for whom. Package rolecode of the tests reads the
// files by a shell's parser.
func TestGolden(t *testing.T) {
	for name, source := range sources(t) {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join("testdata", name+".sh")
			text, err := Print(source)
			if err != nil {
				t.Fatal(err)
			}
			if again, err := Print(source); err != nil || again != text {
				t.Errorf("another script the second time, %v", err)
			}
			if *update {
				if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(strings.Split(string(want), "\n"), strings.Split(text, "\n")); diff != "" {
				t.Errorf("-want +got; if on purpose: go test ./plugin/manual -update\n%s", diff)
			}
		})
	}
}

// TestObjectsComeThrough: a here-document holds the very objects, in order.
func TestObjectsComeThrough(t *testing.T) {
	for name, source := range sources(t) {
		text, err := Print(source)
		if err != nil {
			t.Fatal(err)
		}
		var got []*unstructured.Unstructured
		for _, document := range hereDocuments(text) {
			objects, err := render.Decode([]byte(document))
			if err != nil {
				t.Fatalf("%s: %v\n%s", name, err, document)
			}
			got = append(got, objects...)
		}
		var want []*unstructured.Unstructured
		if source.Project != nil {
			want = append(want, source.Project)
		}
		for _, w := range source.Writes {
			if w.Object != nil {
				want = append(want, w.Object)
			}
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: -want +got\n%s", name, diff)
		}
	}
}

// hereDocuments are the texts between a quoted delimiter and the line that is it.
func hereDocuments(script string) []string {
	var all []string
	for rest := script; ; {
		_, after, found := strings.Cut(rest, " <<'")
		if !found {
			return all
		}
		delimiter, after, _ := strings.Cut(after, "'\n")
		document, after, _ := strings.Cut(after, "\n"+delimiter+"\n")
		all, rest = append(all, document+"\n"), after
	}
}
