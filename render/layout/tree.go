package layout

import (
	"fmt"
	"maps"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Cluster is what one of several clusters is to have.
type Cluster struct {
	Name    string // of its directory: clusters/NAME
	Header  string // comment lines for the reader of its overlay
	Objects []*unstructured.Unstructured
}

// ClusterPath is the directory of a cluster's overlay below a tree's.
func ClusterPath(dir, cluster string) string { return path.Join(dir, clustersDir, cluster) }

// Tree is the directory of several clusters: a base with every object that any
// of them has, as the first that has it, and for each an overlay that removes
// what the cluster has not and patches what it has otherwise. Each overlay builds
// to the cluster's objects, in their order.
func Tree(clusters []Cluster) ([]File, error) {
	names := make([]string, len(clusters))
	for i, cluster := range clusters {
		names[i] = cluster.Name
		if err := tellApart(cluster); err != nil {
			return nil, err
		}
	}
	if err := ValidateNames(names); err != nil {
		return nil, err
	}
	all := union(clusters)
	files, err := Flat(all, `# What the clusters beside it share. Not to be applied by itself: where they
# differ it has what `+clusters[0].Name+` has, or who else has it.
`)
	if err != nil {
		return nil, err
	}
	for i, file := range files {
		content := strings.TrimPrefix(string(file.Data), Mark(file.Path))
		files[i] = newFile(path.Join(baseDir, file.Path), []byte(content))
	}
	for _, cluster := range clusters {
		overlay, err := overlayOf(cluster, all)
		if err != nil {
			return nil, err
		}
		files = append(files, overlay)
	}
	return files, nil
}

// ValidateNames wants each cluster once, by a name that can be a directory and the
// end of an object's name. The error is a *problem.Error.
func ValidateNames(clusters []string) error {
	valid := regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?$`)
	seen := map[string]bool{}
	for _, name := range clusters {
		why := ""
		switch {
		case !valid.MatchString(name):
			why = "a cluster's name is made of at most 63 lower case letters, digits, dots and hyphens, and begins and ends with a letter or digit"
		case seen[name]:
			why = "there are two of that name"
		}
		if why != "" {
			return problem.Input("cluster "+name, why, "name its file of facts otherwise: a cluster is called like the file, without the suffix")
		}
		seen[name] = true
	}
	return nil
}

// tellApart refuses objects that key takes for one.
func tellApart(cluster Cluster) error {
	seen := map[string]bool{}
	for _, object := range cluster.Objects {
		if seen[key(object)] {
			return problem.Input("cluster "+cluster.Name,
				"it has two objects "+object.GetKind()+" "+object.GetName()+", in two namespaces: beside the other clusters they cannot be told apart",
				"name one of them otherwise, or render the cluster by itself, with --facts")
		}
		seen[key(object)] = true
	}
	return nil
}

// key tells objects apart whichever namespace they are in: clusters may have
// the same project under another name.
func key(object *unstructured.Unstructured) string {
	return strings.Join([]string{object.GroupVersionKind().Group, object.GetKind(), object.GetName()}, "\n")
}

// union is every object that any cluster has, in apply order. That order hangs
// on nothing but the object, so that each cluster's is a part of it.
func union(clusters []Cluster) []*unstructured.Unstructured {
	var all []*unstructured.Unstructured
	seen := map[string]bool{}
	for _, cluster := range clusters {
		for _, object := range cluster.Objects {
			if !seen[key(object)] {
				seen[key(object)] = true
				all = append(all, object)
			}
		}
	}
	render.Sort(all)
	return all
}

// overlayOf is the kustomization that makes a cluster's objects of all.
func overlayOf(cluster Cluster, all []*unstructured.Unstructured) (File, error) {
	own := map[string]*unstructured.Unstructured{}
	var order, patched []string
	for _, object := range cluster.Objects {
		own[key(object)] = object
		order = append(order, key(object))
	}
	var patches []any
	for _, object := range all {
		wanted := own[key(object)]
		if wanted != nil {
			patched = append(patched, key(object))
		}
		patch, err := patchOf(object, wanted)
		if err != nil {
			return File{}, err
		}
		if patch != nil {
			patches = append(patches, patch)
		}
	}
	if !slices.Equal(order, patched) {
		return File{}, fmt.Errorf("the objects of cluster %s do not stand in the order of the others'", cluster.Name)
	}
	content := map[string]any{"resources": []string{"../../" + baseDir}}
	if patches != nil {
		content["patches"] = patches
	}
	return listing(path.Join(ClusterPath("", cluster.Name), kustomization), cluster.Header, content)
}

// patchOf is the entry of patches that makes wanted of an object, nil where they
// are the same. wanted is nil where the object is to go.
func patchOf(object, wanted *unstructured.Unstructured) (map[string]any, error) {
	if wanted == nil {
		text, err := yaml.Marshal(map[string]any{
			"$patch":     "delete",
			"apiVersion": object.GetAPIVersion(),
			"kind":       object.GetKind(),
			"metadata":   nameOf(object),
		})
		return map[string]any{"patch": string(text)}, err
	}
	steps := difference("", object.Object, wanted.Object)
	if steps == nil {
		return nil, nil
	}
	text, err := yaml.Marshal(steps)
	kind := object.GroupVersionKind()
	target := map[string]any{
		"version": kind.Version, "kind": kind.Kind,
		"name": regexp.QuoteMeta(object.GetName()), // kustomize takes it for a pattern
	}
	if kind.Group != "" {
		target["group"] = kind.Group
	}
	return map[string]any{"target": target, "patch": string(text)}, err
}

func nameOf(object *unstructured.Unstructured) map[string]any {
	name := map[string]any{"name": object.GetName()}
	if namespace := object.GetNamespace(); namespace != "" {
		name["namespace"] = namespace
	}
	return name
}

// step is one operation of a JSON patch (RFC 6902). Its value may be null, which
// is not the same as none.
type step map[string]any

func put(op, at string, value any) step { return step{"op": op, "path": at, "value": value} }

// difference gives the steps that make b of a, both as JSON decodes values. It
// goes into maps, and into lists of one length; of all else it takes b's.
func difference(at string, a, b any) []step {
	if reflect.DeepEqual(a, b) {
		return nil
	}
	from, isMap := a.(map[string]any)
	to, areMaps := b.(map[string]any)
	if isMap && areMaps {
		return mapDifference(at, from, to)
	}
	list, isList := a.([]any)
	other, areLists := b.([]any)
	if !isList || !areLists || len(list) != len(other) {
		return []step{put("replace", at, b)}
	}
	var steps []step
	for i := range list {
		steps = append(steps, difference(at+"/"+strconv.Itoa(i), list[i], other[i])...)
	}
	return steps
}

func mapDifference(at string, a, b map[string]any) []step {
	all := maps.Clone(a)
	maps.Copy(all, b)
	var steps []step
	for _, name := range slices.Sorted(maps.Keys(all)) {
		// As RFC 6901 writes a name in a path.
		here := at + "/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(name)
		before, had := a[name]
		after, has := b[name]
		switch {
		case !has:
			steps = append(steps, step{"op": "remove", "path": here})
		case !had:
			steps = append(steps, put("add", here, after))
		default:
			steps = append(steps, difference(here, before, after)...)
		}
	}
	return steps
}
