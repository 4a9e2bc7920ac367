// Package tutorial knows what the ROSA tutorial "Integrating with AWS services"
// leaves in a project: which objects, by which names, in which shape
// (openshift-cs/rosaworkshop, rosa-workshop/ostoy/yaml). Its one job is to tell them from all else that may bear the same names, for
// the use cases that bring them in (`install --adopt`) or say that they could be.
// It judges objects that others have read; it asks nobody, changes nothing, and
// must never know what is done with its answer.
package tutorial

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Differs says why an object is none of the tutorial's, as a clause; "" if it is
// one. It is one if it has the name and the shape that the tutorial gives it,
// somebody at a terminal or in the web console made it so, by managedFields, and
// nothing shows that another has a hand in it: no label of another tool, no owner,
// no engine. Objects of ours are none either.
func Differs(live *unstructured.Unstructured) string {
	if apply.Ours(live) {
		return "install has it already"
	}
	if by := apply.DeliveredBy(live); by != "" {
		return "it is managed by " + by
	}
	for _, label := range []string{render.TagManagedBy, "app.kubernetes.io/instance"} {
		if value, there := live.GetLabels()[label]; there {
			return fmt.Sprintf("its label %s is %q, and the tutorial sets none", label, value)
		}
	}
	if owners := live.GetOwnerReferences(); len(owners) > 0 {
		return "it belongs to " + owners[0].Kind + " " + owners[0].Name
	}
	shape, known := shapes()[live.GetKind()+" "+nameOf(live)]
	if !known {
		return "the tutorial makes no " + live.GetKind() + " of that name"
	}
	if why := shape.differs(live); why != "" {
		return why
	}
	for _, name := range apply.Setters(live, shape.place...) {
		if !apply.ByPerson(name) {
			return fmt.Sprintf("its %s was set by %s, and not by hand", strings.Join(shape.place, "."), name)
		}
	}
	return ""
}

// nameOf is an object's name, without what the project gives to a Bucket's.
func nameOf(live *unstructured.Unstructured) string {
	if live.GetKind() == "Bucket" && live.GetName() == render.BucketName(live.GetNamespace()) {
		return theBucket
	}
	return live.GetName()
}

// theBucket stands in for the name that the project gives.
const theBucket = "*-bucket"

// shape is how an object of the tutorial is known.
type shape struct {
	place   []string // field that whoever made the object has set
	differs func(*unstructured.Unstructured) string
}

// shapes are the objects of the tutorial by kind and name.
func shapes() map[string]shape {
	at := func(place ...string) []string { return place }
	role := at("metadata", "annotations", "eks.amazonaws.com/role-arn")
	return map[string]shape{
		"ServiceAccount " + render.ServiceAccount: {role, func(*unstructured.Unstructured) string { return "" }},
		"ConfigMap ostoy-configmap-files":         {at("data"), hasKey("config.json")},
		"Secret ostoy-secret-env":                 {at("data"), isSample("ENV_TOY_SECRET", "c7be1ed902fb8dd4d48997c6452f5d7e509fbcdbe2808b16bcf4edce4c07d14e")},
		"Secret ostoy-secret":                     {at("data"), isSample("secret.txt", "c1986f22686113a8208ca8062c204ac9ffc7fabcb1b77953824104efb06aa5bd")},
		"Service ostoy-frontend-svc":              {at("spec", "selector"), selects("ostoy-frontend", "spec", "selector")},
		"Service ostoy-microservice-svc":          {at("spec", "selector"), selects("ostoy-microservice", "spec", "selector")},
		"Deployment ostoy-frontend":               {at("spec", "selector"), runs("ostoy-frontend")},
		"Deployment ostoy-microservice":           {at("spec", "selector"), runs("ostoy-microservice")},
		"PersistentVolumeClaim ostoy-pvc":         {at("spec", "accessModes"), writtenByOne},
		"Route ostoy-route":                       {at("spec", "to"), has("ostoy-frontend-svc", "spec", "to", "name")},
		"Bucket " + theBucket: {at("spec", "name"), func(o *unstructured.Unstructured) string {
			return has(o.GetName(), "spec", "name")(o)
		}},
	}
}

// has wants one text at a place.
func has(want string, place ...string) func(*unstructured.Unstructured) string {
	return func(o *unstructured.Unstructured) string {
		if is, _, _ := unstructured.NestedString(o.Object, place...); is != want {
			return fmt.Sprintf("its %s is %q, and the tutorial's is %q", strings.Join(place, "."), is, want)
		}
		return ""
	}
}

// selects wants the tutorial's selector, which ours equals: it cannot be changed.
func selects(app string, place ...string) func(*unstructured.Unstructured) string {
	return func(o *unstructured.Unstructured) string {
		is, _, _ := unstructured.NestedStringMap(o.Object, place...)
		if !maps.Equal(is, map[string]string{"app": app}) {
			return fmt.Sprintf("its %s is %v, and the tutorial's is app=%s", strings.Join(place, "."), is, app)
		}
		return ""
	}
}

// runs wants a Deployment of the tutorial's one container, from whatever registry.
func runs(name string) func(*unstructured.Unstructured) string {
	return func(o *unstructured.Unstructured) string {
		if why := selects(name, "spec", "selector", "matchLabels")(o); why != "" {
			return why
		}
		for _, fields := range health.Maps(o.Object, "spec", "template", "spec", "containers") {
			path, _, _ := strings.Cut(health.Text(fields, "image"), "@")
			base := path[strings.LastIndex(path, "/")+1:]
			if repository, _, _ := strings.Cut(base, ":"); fields["name"] == name && repository == name {
				return ""
			}
		}
		return "it has no container " + name + " that runs an image of that name"
	}
}

// writtenByOne wants the tutorial's access mode, which cannot be changed.
func writtenByOne(o *unstructured.Unstructured) string {
	modes, _, _ := unstructured.NestedStringSlice(o.Object, "spec", "accessModes")
	if !slices.Equal(modes, []string{"ReadWriteOnce"}) {
		return fmt.Sprintf("its access modes are %v, and the tutorial's are [ReadWriteOnce]", modes)
	}
	return ""
}

// hasKey wants data of exactly one key.
func hasKey(key string) func(*unstructured.Unstructured) string {
	return func(o *unstructured.Unstructured) string {
		data, _, _ := unstructured.NestedMap(o.Object, "data")
		if _, there := data[key]; !there || len(data) != 1 {
			return fmt.Sprintf("its keys are %v, and the tutorial's is [%s]", slices.Sorted(maps.Keys(data)), key)
		}
		return ""
	}
}

// isSample wants the text that the tutorial's own Secret has, by the SHA-256 of the
// value, in hex: whoever wrote another has something to lose.
func isSample(key, sum string) func(*unstructured.Unstructured) string {
	return func(o *unstructured.Unstructured) string {
		if why := hasKey(key)(o); why != "" {
			return why
		}
		value, err := base64.StdEncoding.DecodeString(health.Text(o.Object, "data", key))
		if is := sha256.Sum256(value); err != nil || hex.EncodeToString(is[:]) != sum {
			return OwnSecret
		}
		return ""
	}
}

// OwnSecret is why a Secret of the tutorial's name stays: somebody put a value of
// theirs into it.
const OwnSecret = "its value is not the tutorial's sample, so that somebody may need it"
