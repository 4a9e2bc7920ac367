package project

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// listed answers a list of projects or namespaces.
func listed(server *clustertest.Server, path string, names ...string) {
	items := []any{}
	for _, name := range names {
		items = append(items, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}})
	}
	server.Answer("GET "+path, map[string]any{"apiVersion": "v1", "kind": "List", "items": items})
}

const (
	namespaces = "/api/v1/namespaces"
	projects   = "/apis/project.openshift.io/v1/projects"
)

// TestAbsent: what the API server shows decides what is said of a project that was not
// found: that it does not exist, with the names that were meant, or that it cannot be read.
func TestAbsent(t *testing.T) {
	openShift := []string{"v1/Namespace", "project.openshift.io/v1/Project"}
	for name, c := range map[string]struct {
		served []string
		answer func(*clustertest.Server)
		kind   problem.Kind
		says   []string // what, in the error
		not    string   // is said
	}{
		"it does not exist": {
			[]string{"v1/Namespace"},
			func(s *clustertest.Server) { listed(s, namespaces, "default", "demo", "demo-2", "BAD\x1b") },
			problem.Usage,
			[]string{"project dmeo does not exist", "flag --namespace", "did you mean demo?", "oc ostoy-s3 install --new-project=dmeo"},
			"access",
		},
		"it does not exist, and you may not list others": {
			[]string{"v1/Namespace"},
			func(s *clustertest.Server) {
				s.Forbid("GET "+namespaces, "list", "namespaces", "", "at the cluster scope")
			},
			problem.Usage,
			[]string{"project dmeo does not exist", "--new-project=dmeo"},
			"did you mean",
		},
		"OpenShift does not show it, and lists yours": {
			openShift, func(s *clustertest.Server) {
				s.Forbid("GET "+namespaces+"/dmeo", "get", "namespaces", "", `in the namespace "dmeo"`)
				listed(s, projects, "demo", "other")
			},
			problem.Usage,
			[]string{"project dmeo does not exist, or you have no access to it", "not among the projects", "did you mean demo?", "oc projects"},
			"other",
		},
		"it is not shown, and neither are others": {
			[]string{"v1/Namespace"},
			func(s *clustertest.Server) {
				s.Forbid("GET "+namespaces+"/dmeo", "get", "namespaces", "", `in the namespace "dmeo"`)
				s.Forbid("GET "+namespaces, "list", "namespaces", "", "at the cluster scope")
			},
			problem.Failed,
			[]string{"you are not allowed to read project dmeo", "does not show whether it exists"},
			"does not exist",
		},
		"OpenShift lists it a moment later": {
			openShift, func(s *clustertest.Server) {
				s.Forbid("GET "+namespaces+"/dmeo", "get", "namespaces", "", `in the namespace "dmeo"`)
				listed(s, projects, "dmeo")
			}, 0, nil, "",
		},
		"it exists": {[]string{"v1/Namespace"}, func(s *clustertest.Server) { listed(s, namespaces+"/dmeo") }, 0, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			server := clustertest.New(t, "v1.33.0", c.served...)
			c.answer(server)
			conn, err := playing(t, server).Connect(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			err = MustExist(t.Context(), conn, render.Fact{Value: "dmeo", Source: "flag --namespace"})
			wantError(t, err, c.kind, c.says, c.not)
			if errors.Is(err, ErrAbsent) != (c.kind == problem.Usage) {
				t.Errorf("%v", err)
			}
		})
	}
}

func wantError(t *testing.T, err error, kind problem.Kind, says []string, not string) {
	t.Helper()
	var told *problem.Error
	if !errors.As(err, &told) {
		if kind != 0 {
			t.Fatalf("%v", err)
		}
		return
	}
	text := strings.Join([]string{told.What, told.Why, told.Next}, "\n")
	if told.Kind != kind || not != "" && strings.Contains(text, not) {
		t.Errorf("kind %d: %s", told.Kind, text)
	}
	for _, one := range says {
		if !strings.Contains(text, one) {
			t.Errorf("%q is not said:\n%s", one, text)
		}
	}
}

// TestLookMustExist: that the project does not exist comes before everything else that is
// wrong, whoever answers first; a tolerant look says so, too. What the inventory shows to
// exist exists.
func TestLookMustExist(t *testing.T) {
	server := clustertest.New(t, "v1.33.0", "v1/Namespace", "v1/ConfigMap")
	for _, tolerant := range []bool{false, true} {
		_, err := Look(t.Context(), playing(t, server), Wanted{Facts: given(), MustExist: true, Tolerant: tolerant}) // no credentials either
		if !errors.Is(err, ErrAbsent) {
			t.Errorf("tolerant %t: %v", tolerant, err)
		}
	}
	if _, err := Look(t.Context(), playing(t, server), Wanted{Facts: given(), Tolerant: true}); err != nil {
		t.Error(err)
	}
	server.Refuse("GET "+namespaces+"/mine", http.StatusInternalServerError, metav1.StatusReasonInternalError, "no")
	if p, err := Look(t.Context(), playing(t, server), Wanted{Facts: given(), MustExist: true, Tolerant: true}); errors.Is(err, ErrAbsent) || p.State.Missing() {
		t.Errorf("%+v, %v", p.State, err)
	}
	server.Forbid("GET "+namespaces+"/mine", "get", "namespaces", "", `in the namespace "mine"`)
	server.Answer("GET "+namespaces+"/mine/configmaps/ostoy-s3", map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "ostoy-s3", "namespace": "mine", "labels": map[string]any{render.TagManagedBy: render.ManagedBy}},
		"data":     map[string]any{"namespace": "mine"},
	})
	if p, err := Look(t.Context(), playing(t, server), Wanted{Facts: given(), MustExist: true, Tolerant: true}); err != nil || !p.State.Exists {
		t.Errorf("%+v, %v", p.State, err)
	}
}

// TestExplain: only an answer that may mean that there is no such project is asked about.
func TestExplain(t *testing.T) {
	server := clustertest.New(t, "v1.33.0", "v1/Namespace")
	conn, err := playing(t, server).Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	named, other := render.Fact{Value: "demo"}, errors.New("other")
	if got := Explain(t.Context(), conn, named, other); got != other || len(server.Requests()) > 0 {
		t.Errorf("%v, %v", got, server.Requests())
	}
	_, missing := conn.Read(t.Context(), kinds.Namespace.GVR(), "", "demo")
	if got := Explain(t.Context(), conn, named, missing); !errors.Is(got, ErrAbsent) || !strings.Contains(got.Error(), "kubeconfig context here") {
		t.Errorf("%v", got)
	}
	listed(server, namespaces+"/demo")
	if got := Explain(t.Context(), conn, named, missing); got != missing {
		t.Errorf("%v", got)
	}
}
