package gitops

import (
	_ "embed" // for the health check
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// The namespaces in which Argo CD usually runs: by its own manifests, and by
// the operator of OpenShift.
const (
	argoNamespace      = "argocd"
	openShiftNamespace = "openshift-gitops"
)

// group and kind of ACK's Bucket.
const (
	bucketGroup = "s3.services.k8s.aws"
	bucketKind  = "Bucket"
)

//go:embed bucket.lua
var bucketHealth string

// ArgoCD makes the Application for one target, and for several an
// ApplicationSet with a list of them.
func ArgoCD(f render.Facts, o Options, targets []Target) ([]*unstructured.Unstructured, error) {
	if err := o.check("argocd"); err != nil {
		return nil, err
	}
	if o.Source != "" || len(o.DependsOn) > 0 {
		return nil, problem.Input("--source and --depends-on", "they are Flux's, Argo CD knows nothing of the kind", "leave them out, or give --format flux")
	}
	if err := oneEach(targets); err != nil {
		return nil, err
	}
	if len(targets) > 1 {
		return []*unstructured.Unstructured{applicationSet(f, o, targets)}, nil
	}
	// Argo CD before 3.0 writes the name into app.kubernetes.io/instance, where
	// the name of the project stands already.
	return []*unstructured.Unstructured{{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1",
		"kind":       "Application",
		"metadata":   map[string]any{"name": targets[0].Project, "namespace": argoIn(f, o)},
		"spec":       application(f, o, targets[0]),
	}}}, nil
}

func argoIn(f render.Facts, o Options) string {
	switch {
	case o.Namespace != "":
		return o.Namespace
	case openShift(f):
		return openShiftNamespace
	}
	return argoNamespace
}

// openShift reports whether the cluster is one, by what is known of it.
func openShift(f render.Facts) bool {
	known := []string{render.PlatformOpenShift, render.PlatformROSAClassic, render.PlatformROSAHCP}
	return slices.Contains(known, f.Platform.Value) || slices.Contains(f.APIVersions.Values, "route.openshift.io/v1")
}

// application is the spec of an Application. Bucket and volume are annotated so
// that neither a prune nor the end of the Application removes them.
func application(f render.Facts, o Options, target Target) map[string]any {
	destination := map[string]any{"namespace": target.Project, "server": "https://kubernetes.default.svc"}
	if target.Cluster != "" {
		destination = map[string]any{"namespace": target.Project, "name": target.Cluster}
	}
	options := []any{
		"ServerSideApply=true",          // as install applies: fields of others stay
		"RespectIgnoreDifferences=true", // a sync leaves alone what is not compared
		// ACK's CRD may come later than the app; the sync is tried again.
		"SkipDryRunOnMissingResource=true",
	}
	sync := map[string]any{
		"automated": map[string]any{"prune": true, "selfHeal": true},
		"retry": map[string]any{
			"limit":   int64(10),
			"backoff": map[string]any{"duration": "10s", "factor": int64(2), "maxDuration": "5m"},
		},
	}
	if !o.HasNamespace {
		options = append(options, "CreateNamespace=true")
		if openShift(f) {
			// Lets the operator's Argo CD work in the project.
			label := map[string]any{"argocd.argoproj.io/managed-by": argoIn(f, o)}
			sync["managedNamespaceMetadata"] = map[string]any{"labels": label}
		}
	}
	sync["syncOptions"] = options
	return map[string]any{
		"project":           "default",
		"source":            map[string]any{"repoURL": o.RepoURL, "targetRevision": o.Revision, "path": target.Path},
		"destination":       destination,
		"syncPolicy":        sync,
		"ignoreDifferences": ignored(),
	}
}

// ignored is what ACK's controller writes to a Bucket besides its status.
func ignored() []any {
	return []any{map[string]any{
		"group": bucketGroup,
		"kind":  bucketKind,
		"jsonPointers": []any{
			"/metadata/annotations/services.k8s.aws~1adopted",
			"/metadata/finalizers",
			"/spec/abac", // filled in by controllers since 1.10.0
		},
	}}
}

// applicationSet makes the same Application of each target.
func applicationSet(f render.Facts, o Options, targets []Target) *unstructured.Unstructured {
	elements := make([]any, len(targets))
	template := Target{Project: "{{.project}}", Path: "{{.path}}"}
	name := template.Project
	for i, target := range targets {
		element := map[string]any{"project": target.Project, "path": target.Path}
		if target.Cluster != "" {
			element["cluster"] = target.Cluster
			template.Cluster = "{{.cluster}}"
			name = "{{.project}}-{{.cluster}}"
		}
		elements[i] = element
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "argoproj.io/v1alpha1",
		"kind":       "ApplicationSet",
		"metadata":   map[string]any{"name": "ostoy-s3", "namespace": argoIn(f, o)},
		"spec": map[string]any{
			"goTemplate":        true,
			"goTemplateOptions": []any{"missingkey=error"},
			"generators":        []any{map[string]any{"list": map[string]any{"elements": elements}}},
			// An app that leaves the list leaves what it made, data above all.
			"syncPolicy": map[string]any{"preserveResourcesOnDeletion": true},
			"template": map[string]any{
				"metadata": map[string]any{"name": name},
				"spec":     application(f, o, template),
			},
		},
	}}
}

// HealthCheck is the part of Argo CD's settings that tells it how a Bucket is,
// and where it goes: into the ConfigMap of its manifests, or into the resource
// from which OpenShift's operator writes that ConfigMap.
func HealthCheck(f render.Facts, o Options) (place, fragment string) {
	if openShift(f) {
		return "resource argocds.argoproj.io of namespace " + argoIn(f, o), `spec:
  resourceHealthChecks:
  - group: ` + bucketGroup + `
    kind: ` + bucketKind + `
    check: |
` + indented("      ", bucketHealth)
	}
	return "ConfigMap argocd-cm of namespace " + argoIn(f, o), `data:
  resource.customizations.health.` + bucketGroup + `_` + bucketKind + `: |
` + indented("    ", bucketHealth)
}

func indented(by, text string) string {
	var all strings.Builder
	for line := range strings.Lines(text) {
		all.WriteString(by + line)
	}
	return all.String()
}

// ArgoCDHeader is the comment above the objects: what has to be told to Argo CD
// once, by hand, because it belongs to Argo CD as a whole. As an object among the
// others it would be theirs to prune.
func ArgoCDHeader(f render.Facts, o Options) string {
	place, fragment := HealthCheck(f, o)
	return `# For Argo CD, as printed by the command render with --format argocd.
#
# Argo CD before 3.6 takes a Bucket for healthy at once. To tell it how one is, merge
# this into the ` + place + `:
#
` + indented("#   ", fragment)
}
