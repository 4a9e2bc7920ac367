package project

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// group is the discovery document of the group.
func group() metav1.APIGroup {
	version := metav1.GroupVersionForDiscovery{GroupVersion: Group + "/v1", Version: "v1"}
	return metav1.APIGroup{
		TypeMeta: kind("v1", "APIGroup"), Name: Group,
		Versions: []metav1.GroupVersionForDiscovery{version}, PreferredVersion: version,
	}
}

// resources is the discovery document of the version. No watch: the garbage
// collector would take that as an invitation.
func resources() *metav1.APIResourceList {
	return &metav1.APIResourceList{
		TypeMeta: kind("v1", "APIResourceList"), GroupVersion: Group + "/v1",
		APIResources: []metav1.APIResource{
			{Name: "projectrequests", SingularName: "projectrequest", Kind: "ProjectRequest", Verbs: metav1.Verbs{"create", "list"}},
			{Name: "projects", SingularName: "project", Kind: "Project", Verbs: metav1.Verbs{"delete", "get", "list"}},
		},
	}
}
