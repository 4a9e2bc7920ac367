// Package project plays OpenShift's project API (project.openshift.io/v1): an
// aggregated API server behind the cluster's own, which has checked the
// caller's rights and passes the name on in a header.
//
// It follows openshift/openshift-apiserver (pkg/project): a ProjectRequest makes a namespace, keeps
// name, display name and description and drops labels and annotations; the
// requester becomes admin a moment later; reserved names are refused. It does
// not serve watches or changes of projects.
package project

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"

	authorization "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes"
)

// Group is the API group served.
const Group = "project.openshift.io"

// Server answers what the API server hands on. Context bounds the work that
// goes on after an answer.
type Server struct {
	Client  kubernetes.Interface
	Context context.Context
	work    sync.WaitGroup
}

// Wait returns when no work is under way any more.
func (s *Server) Wait() { s.work.Wait() }

// user is who asks, as the front proxy says.
type user struct {
	name   string
	groups []string
}

// ServeHTTP routes by path and method.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	who := user{r.Header.Get("X-Remote-User"), r.Header.Values("X-Remote-Group")}
	path := strings.Trim(strings.TrimPrefix(r.URL.Path, "/apis"), "/")
	rest, versioned := strings.CutPrefix(path, Group+"/v1")
	name, named := strings.CutPrefix(rest, "/projects/")
	switch {
	case path == "" && strings.HasPrefix(r.URL.Path, "/apis"):
		reply(w, http.StatusOK, &metav1.APIGroupList{TypeMeta: kind("v1", "APIGroupList"), Groups: []metav1.APIGroup{group()}})
	case path == Group:
		found := group()
		reply(w, http.StatusOK, &found)
	case versioned && rest == "":
		reply(w, http.StatusOK, resources())
	case rest == "/projectrequests" && r.Method == http.MethodPost:
		s.request(w, r, who)
	case rest == "/projectrequests":
		s.mayRequest(w, r, who)
	case rest == "/projects":
		s.list(w, r, who)
	case named && r.Method == http.MethodDelete:
		s.remove(w, r, name)
	case named:
		s.get(w, r, name)
	default:
		http.NotFound(w, r)
	}
}

// mayRequest answers oc's question before it requests a project.
func (s *Server) mayRequest(w http.ResponseWriter, r *http.Request, who user) {
	if s.allowed(r.Context(), who, authorization.ResourceAttributes{Verb: "create", Group: Group, Resource: "projectrequests"}) {
		reply(w, http.StatusOK, &metav1.Status{TypeMeta: kind("v1", "Status"), Status: metav1.StatusSuccess})
		return
	}
	// The real one sends this text as it is, without "projectrequests is forbidden".
	refusal := apierrors.NewForbidden(schema.GroupResource{Group: Group, Resource: "projectrequests"}, "", nil)
	refusal.ErrStatus.Message = "You may not request a new project via this API."
	fail(w, refusal)
}

func (s *Server) get(w http.ResponseWriter, r *http.Request, name string) {
	namespace, err := s.Client.CoreV1().Namespaces().Get(r.Context(), name, metav1.GetOptions{})
	if err != nil {
		fail(w, asProject(err, name))
		return
	}
	reply(w, http.StatusOK, toProject(namespace))
}

func (s *Server) remove(w http.ResponseWriter, r *http.Request, name string) {
	if err := s.Client.CoreV1().Namespaces().Delete(r.Context(), name, metav1.DeleteOptions{}); err != nil {
		fail(w, asProject(err, name))
		return
	}
	reply(w, http.StatusOK, &metav1.Status{TypeMeta: kind("v1", "Status"), Status: metav1.StatusSuccess})
}

// list shows each caller the projects that the caller may get.
func (s *Server) list(w http.ResponseWriter, r *http.Request, who user) {
	all, err := s.Client.CoreV1().Namespaces().List(r.Context(), metav1.ListOptions{LabelSelector: r.URL.Query().Get("labelSelector")})
	if err != nil {
		fail(w, err)
		return
	}
	found := projectList{TypeMeta: kind(Group+"/v1", "ProjectList"), ListMeta: metav1.ListMeta{ResourceVersion: all.ResourceVersion}}
	found.Items = []project{}
	for i := range all.Items {
		attributes := authorization.ResourceAttributes{Verb: "get", Resource: "namespaces", Namespace: all.Items[i].Name, Name: all.Items[i].Name}
		if s.allowed(r.Context(), who, attributes) {
			found.Items = append(found.Items, *toProject(&all.Items[i]))
		}
	}
	reply(w, http.StatusOK, found)
}

func (s *Server) allowed(ctx context.Context, who user, attributes authorization.ResourceAttributes) bool {
	review, err := s.Client.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorization.SubjectAccessReview{
		Spec: authorization.SubjectAccessReviewSpec{User: who.name, Groups: who.groups, ResourceAttributes: &attributes},
	}, metav1.CreateOptions{})
	return err == nil && review.Status.Allowed
}

// project is the API's Project, as far as anybody reads it.
type project struct {
	metav1.TypeMeta   `json:",inline"`
	metav1.ObjectMeta `json:"metadata"`
	Spec              corev1.NamespaceSpec   `json:"spec"`
	Status            corev1.NamespaceStatus `json:"status"`
}

type projectList struct {
	metav1.TypeMeta `json:",inline"`
	metav1.ListMeta `json:"metadata"`
	Items           []project `json:"items"`
}

func toProject(namespace *corev1.Namespace) *project {
	p := &project{TypeMeta: kind(Group+"/v1", "Project"), ObjectMeta: namespace.ObjectMeta, Spec: namespace.Spec, Status: namespace.Status}
	p.ManagedFields = nil
	return p
}

// asProject words an error about a namespace as one about the project.
func asProject(err error, name string) error {
	if apierrors.IsNotFound(err) {
		return apierrors.NewNotFound(schema.GroupResource{Group: Group, Resource: "projects"}, name)
	}
	return err
}

func reply(w http.ResponseWriter, status int, body any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The caller went away: nobody is left to tell.
	_ = json.NewEncoder(w).Encode(body)
}

func fail(w http.ResponseWriter, err error) {
	status := apierrors.APIStatus(nil)
	reason, ok := err.(apierrors.APIStatus)
	if ok {
		status = reason
	} else {
		status = apierrors.NewInternalError(fmt.Errorf("project API: %w", err))
	}
	body := status.Status()
	body.TypeMeta = kind("v1", "Status")
	reply(w, int(body.Code), &body)
}

func kind(version, name string) metav1.TypeMeta {
	return metav1.TypeMeta{APIVersion: version, Kind: name}
}
