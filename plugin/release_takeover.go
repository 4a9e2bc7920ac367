package plugin

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/shell"
)

// ReleaseTo is what is to manage the objects after a release.
type ReleaseTo string

// The values of ReleaseRequest.To.
const (
	ReleaseToAny    ReleaseTo = "" // whichever engine manages them already
	ReleaseToArgoCD ReleaseTo = "argocd"
	ReleaseToFlux   ReleaseTo = "flux"
	ReleaseToNone   ReleaseTo = "none"
)

// Known reports whether it is one of the values.
func (t ReleaseTo) Known() bool {
	return t == ReleaseToAny || t == ReleaseToArgoCD || t == ReleaseToFlux || t == ReleaseToNone
}

// accepts reports whether one of the engines of an object is the one meant.
func (t ReleaseTo) accepts(engines []string) bool {
	switch t {
	case ReleaseToArgoCD:
		return slices.Contains(engines, apply.ArgoCD)
	case ReleaseToFlux:
		return slices.Contains(engines, apply.Flux)
	case ReleaseToNone:
		return true
	}
	return len(engines) > 0
}

// takenOver refuses to release what no engine manages yet: it would be managed by
// nobody, and the engine would report that everything is in sync.
func (r *release) takenOver(ctx context.Context) error {
	namespace := "argocd"
	if served, err := r.conn.Discovery(ctx); err == nil && served.ServesGroup("route.openshift.io") {
		namespace = "openshift-gitops"
	}
	return r.notTakenOver(namespace)
}

// notTakenOver is the refusal; nil if there is no reason for one. The namespace is
// Argo CD's own.
func (r *release) notTakenOver(argoIn string) error {
	var missing []apply.Ref
	engines := map[string]bool{}
	for _, item := range r.items() {
		if !r.request.To.accepts(apply.TakenOverBy(item.Live)) {
			missing = append(missing, item.Ref)
		}
		engines[apply.DeliveredBy(item.Live)] = true
	}
	if len(missing) == 0 {
		return nil
	}
	argo := r.request.To == ReleaseToArgoCD || r.request.To == ReleaseToAny && (engines[apply.ArgoCD] || !engines[apply.Flux])
	flux := r.request.To == ReleaseToFlux || r.request.To == ReleaseToAny && (engines[apply.Flux] || !engines[apply.ArgoCD])
	p := &problem.Error{
		Kind: problem.Refused,
		What: fmt.Sprintf("%s not managed by %s yet", counted(len(missing), "object is", "objects are"), eitherEngine(argo, flux)),
		Why:  "after the release nobody would manage " + strings.Join(named(missing), ", "),
	}
	if argo {
		p.Why += "; Argo CD reports objects that already equal its manifests as Synced, and manages them only after a sync"
	}
	again := "then run the same command again; or release them to nobody with --to none"
	if argo {
		p.Next += "have Argo CD sync once: " + shell.Words("argocd", "app", "sync", r.namespace.Value) + ", or\n" + r.syncCommand(argoIn) + "\n"
	}
	if flux {
		p.Next += "have Flux reconcile: " + shell.Words("flux", "reconcile", "kustomization", r.namespace.Value, "--with-source") + ", or\n" + r.reconcileCommand() + "\n"
	}
	p.Next += again
	return p
}

func counted(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

func eitherEngine(argo, flux bool) string {
	switch {
	case argo && flux:
		return "Argo CD or Flux"
	case argo:
		return apply.ArgoCD
	}
	return apply.Flux
}

// syncCommand has Argo CD sync the Application that render prints for the project:
// names that stand on the objects are not used in a command. An operation that is
// written by hand does not inherit the Application's sync options.
func (r *release) syncCommand(namespace string) string {
	return shell.Words("oc", "patch", "applications.argoproj.io", r.namespace.Value, "-n", namespace, "--type=merge", "-p",
		`{"operation":{"sync":{"syncOptions":["ServerSideApply=true"]}}}`)
}

// reconcileCommand is the same for the Kustomization.
func (r *release) reconcileCommand() string {
	return shell.Words("oc", "annotate", "kustomizations.kustomize.toolkit.fluxcd.io", r.namespace.Value, "-n", "flux-system", "--overwrite",
		"reconcile.fluxcd.io/requestedAt="+r.Now().UTC().Format(time.RFC3339))
}
