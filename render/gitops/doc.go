// Package gitops makes the objects that lead a GitOps engine to the manifests:
// Argo CD's Application or ApplicationSet, Flux's Kustomization. The use case
// render calls it; the manifests themselves are package render's.
//
// It is as pure as package render: it knows no cluster, no engine that runs, and
// not whether the repository it names is there.
package gitops
