// Package clustertest plays an API server over HTTP for tests: it answers what
// it was told to, refuses as RBAC does, and remembers what it was asked.
package clustertest

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/cli-runtime/pkg/genericclioptions"
)

// User is who the played server takes every client for.
const User = "learner"

// Server is the played API server.
type Server struct {
	*httptest.Server

	// Hold, if set, is called with each request before it is answered.
	Hold func(*http.Request)

	t        testing.TB
	mu       sync.Mutex
	requests map[string]int
	dryRuns  map[string]int // those of them that were to persist nothing
	headers  []http.Header
	answers  map[string]http.HandlerFunc
	store    *Store // nil: objects are not kept
}

// New starts a server that serves /version and discovery of groupKinds, each
// "group/version/Kind" ("v1/Pod" for the core group).
func New(t testing.TB, version string, groupKinds ...string) *Server {
	s := &Server{t: t, requests: map[string]int{}, dryRuns: map[string]int{}, answers: map[string]http.HandlerFunc{}}
	s.Server = httptest.NewServer(http.HandlerFunc(s.serve))
	t.Cleanup(s.CloseClientConnections)
	t.Cleanup(s.Close)
	s.Answer("GET /version", map[string]string{"gitVersion": version})
	s.Serve(groupKinds...)
	return s
}

func (s *Server) serve(w http.ResponseWriter, r *http.Request) {
	key := r.Method + " " + r.URL.Path
	s.mu.Lock()
	s.requests[key]++
	if r.URL.Query().Get("dryRun") != "" {
		s.dryRuns[key]++
	}
	s.headers = append(s.headers, r.Header.Clone())
	answer, ok := s.answers[key]
	store := s.store
	s.mu.Unlock()
	if s.Hold != nil {
		s.Hold(r)
	}
	if store != nil && store.keeps(r) {
		store.serve(w, r)
		return
	}
	if !ok {
		writeStatus(w, 404, metav1.StatusReasonNotFound, "the server could not find the requested resource", nil)
		return
	}
	answer(w, r)
}

// Handle answers "METHOD /path" by a function.
func (s *Server) Handle(key string, answer http.HandlerFunc) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.answers[key] = answer
}

// Answer answers "METHOD /path" with an object as JSON.
func (s *Server) Answer(key string, object any) {
	s.Handle(key, func(w http.ResponseWriter, _ *http.Request) { writeJSON(w, "application/json", 200, object) })
}

// Forbid refuses "METHOD /path" in RBAC's words.
func (s *Server) Forbid(key, verb, resource, group, scope string) {
	s.Handle(key, func(w http.ResponseWriter, _ *http.Request) {
		message := fmt.Sprintf("%s.%s is forbidden: User %q cannot %s resource %q in API group %q %s", resource, group, User, verb, resource, group, scope)
		writeStatus(w, 403, metav1.StatusReasonForbidden, message, &metav1.StatusDetails{Kind: resource, Group: group})
	})
}

// Refuse answers "METHOD /path" with a status.
func (s *Server) Refuse(key string, code int, reason metav1.StatusReason, message string) {
	s.Handle(key, func(w http.ResponseWriter, _ *http.Request) { writeStatus(w, code, reason, message, nil) })
}

// Serve sets what discovery answers, in the form of Kubernetes 1.30 and later.
func (s *Server) Serve(groupKinds ...string) {
	groups := map[string]map[string][]string{}
	for _, entry := range groupKinds {
		parts := strings.Split(entry, "/")
		if len(parts) == 2 {
			parts = append([]string{""}, parts...)
		}
		if groups[parts[0]] == nil {
			groups[parts[0]] = map[string][]string{}
		}
		groups[parts[0]][parts[1]] = append(groups[parts[0]][parts[1]], parts[2])
	}
	s.Discovery("GET /api", list(groups, func(g string) bool { return g == "" }))
	s.Discovery("GET /apis", list(groups, func(g string) bool { return g != "" }))
}

// Discovery answers one of the two roots with a list.
func (s *Server) Discovery(key string, groups *apidiscovery.APIGroupDiscoveryList) {
	s.Handle(key, func(w http.ResponseWriter, _ *http.Request) {
		writeJSON(w, "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList", 200, groups)
	})
}

// clusterScoped are the kinds without a namespace that tests use.
func clusterScoped(kind string) bool {
	return slices.Contains([]string{"Namespace", "Project", "ProjectRequest", "ClusterRole", "ClusterRoleBinding", "CustomResourceDefinition", "ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding", "Infrastructure", "Authentication", "ClusterVersion"}, kind)
}

func list(groups map[string]map[string][]string, want func(string) bool) *apidiscovery.APIGroupDiscoveryList {
	all := &apidiscovery.APIGroupDiscoveryList{}
	for _, name := range slices.Sorted(maps.Keys(groups)) {
		if !want(name) {
			continue
		}
		group := apidiscovery.APIGroupDiscovery{ObjectMeta: metav1.ObjectMeta{Name: name}}
		for _, version := range slices.Sorted(maps.Keys(groups[name])) {
			v := apidiscovery.APIVersionDiscovery{Version: version, Freshness: apidiscovery.DiscoveryFreshnessCurrent}
			for _, kind := range groups[name][version] {
				scope := apidiscovery.ScopeNamespace
				if clusterScoped(kind) {
					scope = apidiscovery.ScopeCluster
				}
				plural, _ := meta.UnsafeGuessKindToResource(schema.GroupVersionKind{Kind: kind})
				v.Resources = append(v.Resources, apidiscovery.APIResourceDiscovery{
					Resource: plural.Resource, Scope: scope,
					ResponseKind: &metav1.GroupVersionKind{Group: name, Version: version, Kind: kind},
				})
			}
			group.Versions = append(group.Versions, v)
		}
		all.Items = append(all.Items, group)
	}
	return all
}

// Requests gives how often each "METHOD /path" was asked.
func (s *Server) Requests() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.requests)
}

// Persisted gives how often each "METHOD /path" was asked that is no read and no dry run.
func (s *Server) Persisted() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	persisted := map[string]int{}
	for key, times := range s.requests {
		if more := times - s.dryRuns[key]; more > 0 && !strings.HasPrefix(key, "GET ") {
			persisted[key] = more
		}
	}
	return persisted
}

// Headers gives the headers of all requests.
func (s *Server) Headers() []http.Header {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.headers)
}

// Getter is kubectl's flags over a kubeconfig that leads to the server, with
// the namespace in its context.
func (s *Server) Getter(namespace string) *genericclioptions.ConfigFlags {
	return Getter(s.t, s.URL, namespace)
}

// Getter is kubectl's flags over a kubeconfig for any server.
func Getter(t testing.TB, url, namespace string) *genericclioptions.ConfigFlags {
	t.Helper()
	file := filepath.Join(t.TempDir(), "kubeconfig")
	text := fmt.Sprintf(`apiVersion: v1
kind: Config
current-context: here
contexts: [{name: here, context: {cluster: c, user: u, namespace: %q}}, {name: there, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: %q}}]
users: [{name: u, user: {token: not-a-secret}}]
`, namespace, url)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	flags := genericclioptions.NewConfigFlags(true)
	flags.KubeConfig = &file
	return flags
}

func writeStatus(w http.ResponseWriter, code int, reason metav1.StatusReason, message string, details *metav1.StatusDetails) {
	writeJSON(w, "application/json", code, metav1.Status{
		TypeMeta: metav1.TypeMeta{Kind: "Status", APIVersion: "v1"},
		Status:   "Failure", Message: message, Reason: reason, Details: details, Code: int32(code),
	})
}

func writeJSON(w http.ResponseWriter, form string, code int, object any) {
	w.Header().Set("Content-Type", form)
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(object)
}

// Echo answers every apply of an object with the object, as a server does that has nothing
// to add to it but a version.
func (s *Server) Echo(key string) {
	s.Handle(key, func(w http.ResponseWriter, r *http.Request) {
		object := map[string]any{}
		if err := yaml.NewYAMLOrJSONDecoder(r.Body, 4096).Decode(&object); err != nil {
			writeStatus(w, 400, metav1.StatusReasonBadRequest, err.Error(), nil)
			return
		}
		metadata, _ := object["metadata"].(map[string]any)
		metadata["uid"], metadata["resourceVersion"] = "uid-"+fmt.Sprint(metadata["name"]), "2"
		writeJSON(w, "application/json", 200, object)
	})
}
