package plugin

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// exposureLabel is the label of the line about the exposure.
const exposureLabel = "access"

// exposure is how the app is reached. OSToy has no login: everybody who can send it
// a request can do what its pages do, with the permissions of its role.
type exposure struct {
	namespace string
	object    string // "Route ostoy-route"; "" if none leads to the app
	unread    string // as of exposedBy
	managed   bool   // the installation created the object
	encrypted bool
	host      string   // "" where it is not known yet
	secrets   []string // that the app shows and the chart does not create
}

// exposedBy is the Route or Ingress that leads to the app, as it is or will be in the
// cluster; the zero value is none.
type exposedBy struct {
	object  *unstructured.Unstructured
	managed bool   // the installation created it
	unread  string // "Route ostoy-route", if it is not known whether it exists
}

// exposureOf is the exposure of an app with these objects. Install and status print its
// words.
func exposureOf(namespace string, objects []*unstructured.Unstructured, by exposedBy) exposure {
	e := exposure{namespace: namespace, unread: by.unread, secrets: slices.Sorted(maps.Keys(expectedSecrets(objects)))}
	if by.object != nil {
		e.object, e.managed = apply.RefOf(by.object).String(), by.managed
		e.encrypted = health.Encrypted(by.object)
		e.host = hostOf(cmp.Or(health.URL(by.object), health.Text(by.object.Object, "spec", "host")))
	}
	return e
}

// hostOf is the host of an address, "" if it is not a legal one: editors of the project
// can write it.
func hostOf(address string) string {
	_, host, found := strings.Cut(address, "://")
	if !found {
		host = address
	}
	if value := advice.Host(host); value.Legal() {
		return value.Word()
	}
	return ""
}

// public reports whether a Route or an Ingress leads to the app.
func (e exposure) public() bool { return e.object != "" }

// who can reach the app.
func (e exposure) who() string {
	if !e.public() {
		return "pods of the cluster, and users who are allowed to port-forward in project " + e.namespace + ","
	}
	return "everybody who can reach " + e.address()
}

// address is what a browser opens, or the object that will have an address.
func (e exposure) address() string {
	scheme := "http"
	if e.encrypted {
		scheme = "https"
	}
	if e.host == "" {
		return "the " + e.object + " (" + scheme + ")"
	}
	return scheme + "://" + e.host
}

// words say in one line who reaches what, and what would change that.
func (e exposure) words() string {
	if !e.public() && e.unread != "" {
		return "not known: the " + e.unread + " cannot be read"
	}
	if !e.public() {
		return "the installation has no Route or Ingress: " + e.who() + " list, read, write and overwrite every object of " +
			render.BucketName(e.namespace) + e.alsoRead("read") + ", without a password"
	}
	text := e.who() + " lists, reads, writes and overwrites every object of " + render.BucketName(e.namespace) + e.alsoRead("reads") + ", without a password"
	if e.encrypted {
		text += " (https encrypts the connection and asks for no password)"
	}
	if !e.managed {
		return text + "; " + e.notManaged()
	}
	return text + "; expose=none keeps it inside the cluster"
}

// notManaged says what keeps the app inside the cluster if expose=none does not.
func (e exposure) notManaged() string {
	return "the installation does not manage the " + e.object + ": without it the app stays inside the cluster"
}

// alsoRead names the Secrets that the app's pages show.
func (e exposure) alsoRead(verb string) string {
	if len(e.secrets) == 0 {
		return ""
	}
	return ", and " + verb + " " + secretsNamed(e.secrets)
}

func secretsNamed(names []string) string {
	if len(names) == 1 {
		return "the Secret " + names[0]
	}
	return "the Secrets " + strings.Join(names, " and ")
}

// exposing is the Route or Ingress among objects, nil without one.
func exposing(objects []*unstructured.Unstructured) *unstructured.Unstructured {
	for _, object := range objects {
		if isExposing(object.GetKind()) {
			return object
		}
	}
	return nil
}

// isExposing reports whether objects of a kind lead to the app from outside the cluster.
func isExposing(kind string) bool { return kind == "Route" || kind == "Ingress" }

// leftExposing is the Route or Ingress that exists in a project under a name of the chart
// although the values ask for none. The objects of the plan are known and not asked for.
func leftExposing(ctx context.Context, resources apply.Resources, namespace string, plan *apply.Plan) (by exposedBy) {
	for _, ref := range []apply.Ref{
		{Group: "route.openshift.io", Version: "v1", Kind: "Route", Name: "ostoy-route"},
		{Group: "networking.k8s.io", Version: "v1", Kind: "Ingress", Name: "ostoy-ingress"},
	} {
		planned := func(item *apply.Item) bool { return item.Ref.Kind == ref.Kind && item.Ref.Name == ref.Name }
		if slices.ContainsFunc(plan.All(), planned) {
			continue
		}
		client, err := resources.Resource(ctx, ref.GVK(), namespace)
		if err != nil {
			continue // the cluster does not serve it
		}
		switch object, err := client.Get(ctx, ref.Name, metav1.GetOptions{}); {
		case err == nil:
			return exposedBy{object: object}
		case !apierrors.IsNotFound(err):
			by.unread = ref.String()
		}
	}
	return by
}
