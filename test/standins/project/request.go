package project

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
	"k8s.io/apimachinery/pkg/util/validation/field"
)

// projectRequest is what a user sends. Labels and annotations are not read.
type projectRequest struct {
	metav1.TypeMeta `json:",inline"`
	Metadata        struct {
		Name string `json:"name"`
	} `json:"metadata"`
	DisplayName string `json:"displayName"`
	Description string `json:"description"`
}

// request makes a project of a ProjectRequest and answers with the Project.
func (s *Server) request(w http.ResponseWriter, r *http.Request, who user) {
	var wanted projectRequest
	if err := json.NewDecoder(r.Body).Decode(&wanted); err != nil {
		fail(w, apierrors.NewBadRequest(err.Error()))
		return
	}
	if err := refused(wanted.Metadata.Name); err != nil {
		fail(w, err)
		return
	}
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
		Name: wanted.Metadata.Name,
		Annotations: map[string]string{
			"openshift.io/description":  wanted.Description,
			"openshift.io/display-name": wanted.DisplayName,
			"openshift.io/requester":    who.name,
		},
	}}
	made, err := s.Client.CoreV1().Namespaces().Create(r.Context(), namespace, metav1.CreateOptions{DryRun: r.URL.Query()["dryRun"]})
	if apierrors.IsAlreadyExists(err) {
		err = apierrors.NewAlreadyExists(schema.GroupResource{Group: Group, Resource: "project"}, wanted.Metadata.Name)
	}
	if err != nil {
		fail(w, err)
		return
	}
	if !r.URL.Query().Has("dryRun") {
		// The answer does not wait for the rights; whoever asks next may still
		// be refused.
		s.work.Go(func() { s.grant(made, who) })
	}
	reply(w, http.StatusCreated, toProject(made))
}

// refused says no to names OpenShift keeps to itself.
func refused(name string) error {
	resource := schema.GroupResource{Group: Group, Resource: "projectrequests"}
	if slices.Contains([]string{"openshift", "kubernetes", "kube"}, name) {
		return apierrors.NewForbidden(resource, name, fmt.Errorf("cannot request a project with the name %q", name))
	}
	for _, prefix := range []string{"openshift-", "kubernetes-", "kube-"} {
		if strings.HasPrefix(name, prefix) {
			return apierrors.NewForbidden(resource, name, fmt.Errorf("cannot request a project starting with %q", prefix))
		}
	}
	if problems := validation.IsDNS1123Label(name); len(problems) > 0 {
		list := field.ErrorList{field.Invalid(field.NewPath("metadata", "name"), name, strings.Join(problems, ", "))}
		return apierrors.NewInvalid(schema.GroupKind{Group: Group, Kind: "ProjectRequest"}, name, list)
	}
	return nil
}

// grant makes the requester admin. What OpenShift's authorizer grants on the
// project itself, by treating a project's name as its namespace, is spelt out
// in a ClusterRole that goes away with the namespace.
func (s *Server) grant(namespace *corev1.Namespace, who user) {
	name := namespace.Name
	subjects := []rbacv1.Subject{{APIGroup: rbacv1.GroupName, Kind: rbacv1.UserKind, Name: who.name}}
	owner := []metav1.OwnerReference{{APIVersion: "v1", Kind: "Namespace", Name: name, UID: namespace.UID}}
	cluster := metav1.ObjectMeta{Name: "testbed-project-" + name, OwnerReferences: owner}
	rbac, ctx := s.Client.RbacV1(), s.Context
	_, err1 := rbac.RoleBindings(name).Create(ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: "admin"}, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "admin"},
	}, metav1.CreateOptions{})
	_, err2 := rbac.ClusterRoles().Create(ctx, &rbacv1.ClusterRole{ObjectMeta: cluster, Rules: []rbacv1.PolicyRule{
		{APIGroups: []string{Group}, Resources: []string{"projects"}, ResourceNames: []string{name}, Verbs: []string{"get", "delete"}},
	}}, metav1.CreateOptions{})
	_, err3 := rbac.ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
		ObjectMeta: cluster, Subjects: subjects,
		RoleRef: rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: cluster.Name},
	}, metav1.CreateOptions{})
	if err := errors.Join(err1, err2, err3); err != nil && !errors.Is(err, context.Canceled) {
		// Nobody waits for this answer; the event is where one would look.
		s.note(namespace, err)
	}
}

// note leaves an event in the namespace.
func (s *Server) note(namespace *corev1.Namespace, problem error) {
	_, _ = s.Client.CoreV1().Events(namespace.Name).Create(s.Context, &corev1.Event{
		ObjectMeta:     metav1.ObjectMeta{GenerateName: "project-"},
		InvolvedObject: corev1.ObjectReference{APIVersion: "v1", Kind: "Namespace", Name: namespace.Name, Namespace: namespace.Name},
		Reason:         "GrantFailed", Message: problem.Error(), Type: corev1.EventTypeWarning,
	}, metav1.CreateOptions{})
}
