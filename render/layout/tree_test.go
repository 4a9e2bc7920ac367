package layout

import (
	"errors"
	"path"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// clusters are as different as can be: another region, account rules, no Route,
// another name of the project, another way to be reached.
func clusters(t *testing.T) []Cluster {
	t.Helper()
	east := rosa(t)
	west := objectsOf(t, factsOf("demo", render.PlatformROSAClassic, "us-west-2", "https://oidc.op1.openshiftapps.com/2def"), "scc.restricted=true")
	eks := objectsOf(t, factsOf("other", render.PlatformEKS, "eu-central-1", "https://oidc.eks.eu-central-1.amazonaws.com/id/ABC"),
		"expose=ingress,podIdentity=webhook,bucket.tags.a/b=y", "secrets.existing=true")
	return []Cluster{{"east", "# of east\n", east}, {"west", "# of west\n", west}, {"eks.1", "# of eks\n", eks}}
}

func TestTreeBuildsToPlainRender(t *testing.T) {
	all := clusters(t)
	for name, some := range map[string][]Cluster{
		"in order":  all,
		"backwards": {all[2], all[1], all[0]},
		"one":       all[1:2],
	} {
		t.Run(name, func(t *testing.T) {
			files, err := Tree(some)
			if err != nil {
				t.Fatal(err)
			}
			for _, cluster := range some {
				if got, want := build(t, files, ClusterPath("", cluster.Name)), plain(t, cluster.Objects); got != want {
					t.Errorf("%s built:\n%s\nplain:\n%s", cluster.Name, got, want)
				}
			}
			for _, file := range files {
				if !Made(file.Path, file.Data) || !among(file.Path) {
					t.Errorf("%s would not be found again", file.Path)
				}
				if strings.HasSuffix(file.Path, "west/kustomization.yaml") && !strings.Contains(string(file.Data), "\n# of west\n") {
					t.Errorf("no header in\n%s", file.Data)
				}
			}
		})
	}
}

// among reports whether a later run looks for files there.
func among(name string) bool {
	for _, pattern := range Places() {
		if match, err := path.Match(pattern, name); err == nil && match {
			return true
		}
	}
	return false
}

// What does not differ is not repeated.
func TestTreeShares(t *testing.T) {
	all := clusters(t)
	all[1].Objects = all[0].Objects
	files, err := Tree(all[:2])
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files[len(files)-2:] {
		if strings.Contains(string(file.Data), "patches") {
			t.Errorf("%s has patches:\n%s", file.Path, file.Data)
		}
	}
}

func TestTreeRefuses(t *testing.T) {
	for _, names := range [][2]string{{"east", "east"}, {"east", "../x"}, {"East", "west"}, {"", "west"}} {
		_, err := Tree([]Cluster{{Name: names[0]}, {Name: names[1]}})
		var input *problem.Error
		if !problem.IsInput(err) || !errors.As(err, &input) || input.Next == "" {
			t.Errorf("%q: got %v", names, err)
		}
	}
	a, b := object("v1", "Secret", "demo", "a"), object("v1", "Secret", "demo", "b")
	if _, err := Tree([]Cluster{{"x", "", []*unstructured.Unstructured{b, a}}}); err == nil {
		t.Error("an order that an overlay cannot have is accepted")
	}
	var input *problem.Error
	if _, err := Tree([]Cluster{{"x", "", []*unstructured.Unstructured{object("v1", "Secret", "one", "a"), object("v1", "Secret", "two", "a")}}}); !problem.IsInput(err) || !errors.As(err, &input) || !strings.Contains(input.Why, "Secret a") {
		t.Errorf("objects that cannot be told apart: got %v", err)
	}
}

// Every kind of difference is one that kustomize can make.
func TestDifference(t *testing.T) {
	from, to := object("v1", "ConfigMap", "demo", "a.b"), object("v1", "ConfigMap", "demo", "a.b")
	from.Object["data"] = map[string]any{"gone": "x", "same": "s", "a~/b": "x", "list": []any{"1", "2"}, "longer": []any{"1"}, "map": map[string]any{"x": "y"}, "null": "x"}
	to.Object["data"] = map[string]any{"new": "", "same": "s", "a~/b": "y", "list": []any{"1", int64(3)}, "longer": []any{"1", "2"}, "map": "text", "null": nil}
	beside := object("v1", "ConfigMap", "demo", "a-b")
	some := []Cluster{{"from", "", []*unstructured.Unstructured{beside, from}}, {"to", "", []*unstructured.Unstructured{beside, to}}}
	files, err := Tree(some)
	if err != nil {
		t.Fatal(err)
	}
	for _, cluster := range some {
		if got, want := build(t, files, ClusterPath("", cluster.Name)), plain(t, cluster.Objects); got != want {
			t.Errorf("%s built:\n%s\nplain:\n%s", cluster.Name, got, want)
		}
	}
}
