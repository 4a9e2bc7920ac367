package gitops

import (
	"regexp"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// fluxNamespace is where `flux bootstrap` puts Flux.
const fluxNamespace = "flux-system"

// sourceName is the GitRepository made where no source is named.
const sourceName = "ostoy-s3"

// Flux makes a Kustomization for each target, led by the GitRepository they
// come from unless the source is there.
func Flux(_ render.Facts, o Options, targets []Target) ([]*unstructured.Unstructured, error) {
	if err := o.check("flux"); err != nil {
		return nil, err
	}
	if err := oneEach(targets); err != nil {
		return nil, err
	}
	if o.Namespace == "" {
		o.Namespace = fluxNamespace
	}
	source, objects, err := o.source()
	if err != nil {
		return nil, err
	}
	for _, target := range targets {
		if target.Cluster != "" {
			return nil, refuse("--format flux for several clusters", "each cluster has a Flux of its own, which reads one overlay: that of this one is "+target.Path,
				"run it once for each cluster, with one --facts, and with the overlay of the cluster as --path")
		}
		objects = append(objects, fluxKustomization(o, source, target))
	}
	return objects, nil
}

// source is what a Kustomization refers to, and the object where it is made.
func (o Options) source() (map[string]any, []*unstructured.Unstructured, error) {
	if o.Source != "" {
		kind, name, found := strings.Cut(o.Source, "/")
		if !found || kind == "" || name == "" {
			return nil, nil, refuse("--source "+o.Source, "it names no kind or no name", "write it as GitRepository/flux-system or OCIRepository/name.namespace")
		}
		ref := map[string]any{"kind": kind, "name": name}
		if name, namespace, other := strings.Cut(name, "."); other {
			ref["name"], ref["namespace"] = name, namespace
		}
		return ref, nil, nil
	}
	if !regexp.MustCompile(`^(https?|ssh)://`).MatchString(o.RepoURL) {
		return nil, nil, refuse("--repo-url", "Flux takes http, https and ssh only", "write it as ssh://git@host/team/apps")
	}
	repository := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "source.toolkit.fluxcd.io/v1",
		"kind":       "GitRepository",
		"metadata":   map[string]any{"name": sourceName, "namespace": o.Namespace},
		"spec":       map[string]any{"interval": "5m", "url": o.RepoURL, "ref": reference(o.Revision)},
	}}
	return map[string]any{"kind": "GitRepository", "name": sourceName}, []*unstructured.Unstructured{repository}, nil
}

// reference tells apart what Flux has a field each for. A tag that does not look
// like a version can be given as refs/tags/NAME.
func reference(revision string) map[string]any {
	switch {
	case strings.HasPrefix(revision, "refs/"):
		return map[string]any{"name": revision}
	case regexp.MustCompile(`^[0-9a-f]{40}$`).MatchString(revision):
		return map[string]any{"commit": revision}
	case regexp.MustCompile(`^v?[0-9]+\.[0-9]+\.[0-9]+([-+].*)?$`).MatchString(revision):
		return map[string]any{"tag": revision}
	}
	return map[string]any{"branch": revision}
}

func fluxKustomization(o Options, source map[string]any, target Target) *unstructured.Unstructured {
	spec := map[string]any{
		"interval":      "10m",
		"retryInterval": "2m",
		"path":          "./" + target.Path,
		"prune":         true, // Bucket and volume say that they are not
		"sourceRef":     source,
		"wait":          true,
		"timeout":       "10m", // a bucket, two images and a volume
		"healthCheckExprs": []any{map[string]any{
			"apiVersion": bucketGroup + "/v1alpha1",
			"kind":       bucketKind,
			"failed":     bucketFailed,
			"current":    bucketCurrent,
		}},
	}
	var dependsOn []any
	for _, other := range o.DependsOn {
		reference := map[string]any{"name": other}
		if namespace, name, found := strings.Cut(other, "/"); found {
			reference = map[string]any{"name": name, "namespace": namespace}
		}
		dependsOn = append(dependsOn, reference)
	}
	if dependsOn != nil {
		spec["dependsOn"] = dependsOn
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kustomize.toolkit.fluxcd.io/v1",
		"kind":       "Kustomization",
		"metadata":   map[string]any{"name": target.Project, "namespace": o.Namespace},
		"spec":       spec,
	}}
}

// The health of a Bucket in CEL, for Flux since 2.5. An object without a status
// is an error to it, which it takes for "not yet". Two errors that ACK tries again
// for ever never heal; controllers before 1.1.2 do not know Ready.
const (
	bucketFailed = `has(status.conditions) && status.conditions.exists(c, c.status == 'True' && ` +
		`(c.type == 'ACK.Terminal' || c.type == 'ACK.Recoverable' && has(c.message) && ` +
		`(c.message.contains('BucketAlreadyExists') || c.message.contains('InvalidBucketName'))))`
	bucketCurrent = `has(status.conditions) && (status.conditions.exists(c, c.type == 'Ready' && c.status == 'True') || ` +
		`!status.conditions.exists(c, c.type == 'Ready') && ` +
		`status.conditions.exists(c, c.type == 'ACK.ResourceSynced' && c.status == 'True'))`
)

// FluxHeader is the comment above the objects.
func FluxHeader(o Options) string {
	text := `# For Flux 2.5 or newer, as printed by: oc ostoy-s3 render --format flux
#
# The manifests need ACK's S3 controller. Where Flux brings it, too, name its
# Kustomization with --depends-on.
`
	if !o.HasNamespace {
		text += `# Flux makes no namespace: it is there, or in the manifests (--include-namespace).
`
	}
	return text
}
