package release

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/announce"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
)

// To is what is to manage the objects after a release.
type To string

// The values of Request.To.
const (
	ToAny    To = "" // whichever engine manages them already
	ToArgoCD To = "argocd"
	ToFlux   To = "flux"
	ToNone   To = "none"
)

// Known reports whether it is one of the values.
func (t To) Known() bool { return t == ToAny || t == ToArgoCD || t == ToFlux || t == ToNone }

// accepts reports whether one of the engines of an object is the one meant.
func (t To) accepts(engines []string) bool {
	switch t {
	case ToArgoCD:
		return slices.Contains(engines, apply.ArgoCD)
	case ToFlux:
		return slices.Contains(engines, apply.Flux)
	case ToNone:
		return true
	}
	return len(engines) > 0
}

// takenOver refuses to release what no engine manages yet: it would be managed by
// nobody, and the engine would report that everything is in sync.
func takenOver(ctx context.Context, there installed, to To, now time.Time) error {
	argoIn := "argocd"
	if served, err := there.conn.Discovery(ctx); err == nil && served.ServesGroup("route.openshift.io") {
		argoIn = "openshift-gitops"
	}
	return notTakenOver(there.namespace.Value, there.items(), to, argoIn, now)
}

// notTakenOver is the refusal; nil if there is no reason for one. argoIn is the namespace
// of Argo CD.
func notTakenOver(project string, items []*apply.Item, to To, argoIn string, now time.Time) error {
	var missing []apply.Ref
	engines := map[string]bool{}
	for _, item := range items {
		if !to.accepts(apply.TakenOverBy(item.Live)) {
			missing = append(missing, item.Ref)
		}
		engines[apply.DeliveredBy(item.Live)] = true
	}
	if len(missing) == 0 {
		return nil
	}
	argo := to == ToArgoCD || to == ToAny && (engines[apply.ArgoCD] || !engines[apply.Flux])
	flux := to == ToFlux || to == ToAny && (engines[apply.Flux] || !engines[apply.ArgoCD])
	p := &problem.Error{
		Kind: problem.Refused,
		Why:  "after the release nobody would manage " + strings.Join(announce.Named(missing), ", "),
	}
	var names []string
	if argo {
		names = append(names, apply.ArgoCD)
		p.Why += "; Argo CD reports objects that already equal its manifests as Synced, and manages them only after a sync"
		p.Next += "have Argo CD sync once: " + shell.Words("argocd", "app", "sync", project) + ", or\n" + syncCommand(project, argoIn) + "\n"
	}
	if flux {
		names = append(names, apply.Flux)
		p.Next += "have Flux reconcile: " + shell.Words("flux", "reconcile", "kustomization", project, "--with-source") + ", or\n" + reconcileCommand(project, now) + "\n"
	}
	what := fmt.Sprintf("%d objects are", len(missing))
	if len(missing) == 1 {
		what = "1 object is"
	}
	p.What = what + " not managed by " + strings.Join(names, " or ") + " yet"
	p.Next += "then run the same command again; or release them to nobody with --to none"
	return p
}

// syncCommand has Argo CD sync the Application that render prints for the project:
// names that stand on the objects are not used in a command. An operation that is
// written by hand does not inherit the Application's sync options.
func syncCommand(project, argoIn string) string {
	return shell.Words("oc", "patch", "applications.argoproj.io", project, "-n", argoIn, "--type=merge", "-p",
		`{"operation":{"sync":{"syncOptions":["ServerSideApply=true"]}}}`)
}

// reconcileCommand is the same for the Kustomization.
func reconcileCommand(project string, now time.Time) string {
	return shell.Words("oc", "annotate", "kustomizations.kustomize.toolkit.fluxcd.io", project, "-n", "flux-system", "--overwrite",
		"reconcile.fluxcd.io/requestedAt="+now.UTC().Format(time.RFC3339))
}
