// Package exposure says who reaches the app, at which address, and what they can do there:
// OSToy has no login, so everybody who can send it a request has the permissions of its
// role. It is asked before an install and after it, and gives the same words.
package exposure

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Label is the label of the line about the exposure.
const Label = "access"

// Exposure is how the app is reached. OSToy has no login: everybody who can send it
// a request can do what its pages do, with the permissions of its role.
type Exposure struct {
	Namespace string
	Object    string // "Route ostoy-route"; "" if none leads to the app
	Unread    string // as of By
	Managed   bool   // the installation created the object
	Encrypted bool
	Host      string   // "" where it is not known yet
	Secrets   []string // that the app shows and the chart does not create
}

// By is the Route or Ingress that leads to the app, as it is or will be in the
// cluster; the zero value is none.
type By struct {
	Object  *unstructured.Unstructured
	Managed bool   // the installation created it
	Unread  string // "Route ostoy-route", if it is not known whether it exists
}

// Of is the exposure of an app with these objects. Install and status print its
// words.
func Of(namespace string, objects []*unstructured.Unstructured, by By) Exposure {
	e := Exposure{Namespace: namespace, Unread: by.Unread, Secrets: slices.Sorted(maps.Keys(ExpectedSecrets(objects)))}
	if by.Object != nil {
		e.Object, e.Managed = apply.RefOf(by.Object).String(), by.Managed
		e.Encrypted = health.Encrypted(by.Object)
		e.Host = HostOf(cmp.Or(health.URL(by.Object), health.Text(by.Object.Object, "spec", "host")))
	}
	return e
}

// HostOf is the host of an address, "" if it is not a legal one: editors of the project
// can write it.
func HostOf(address string) string {
	_, host, found := strings.Cut(address, "://")
	if !found {
		host = address
	}
	if value := advice.Host(host); value.Legal() {
		return value.Word()
	}
	return ""
}

// Public reports whether a Route or an Ingress leads to the app.
func (e Exposure) Public() bool { return e.Object != "" }

// Who can reach the app.
func (e Exposure) Who() string {
	if !e.Public() {
		return "pods of the cluster, and users who are allowed to port-forward in project " + e.Namespace + ","
	}
	return "everybody who can reach " + e.Address()
}

// Address is what a browser opens, or the object that will have an address.
func (e Exposure) Address() string {
	scheme := "http"
	if e.Encrypted {
		scheme = "https"
	}
	if e.Host == "" {
		return "the " + e.Object + " (" + scheme + ")"
	}
	return scheme + "://" + e.Host
}

// Words say in one line who reaches what, and what would change that.
func (e Exposure) Words() string {
	if !e.Public() && e.Unread != "" {
		return "not known: the " + e.Unread + " cannot be read"
	}
	if !e.Public() {
		return "the installation has no Route or Ingress: " + e.Who() + " list, read, write and overwrite every object of " +
			render.BucketName(e.Namespace) + e.alsoRead("read") + ", without a password"
	}
	text := e.Who() + " lists, reads, writes and overwrites every object of " + render.BucketName(e.Namespace) + e.alsoRead("reads") + ", without a password"
	if e.Encrypted {
		text += " (https encrypts the connection and asks for no password)"
	}
	if !e.Managed {
		return text + "; " + e.NotManaged()
	}
	return text + "; expose=none keeps it inside the cluster"
}

// NotManaged says what keeps the app inside the cluster if expose=none does not.
func (e Exposure) NotManaged() string {
	return "the installation does not manage the " + e.Object + ": without it the app stays inside the cluster"
}

// alsoRead names the Secrets that the app's pages show.
func (e Exposure) alsoRead(verb string) string {
	if len(e.Secrets) == 0 {
		return ""
	}
	return ", and " + verb + " " + SecretsNamed(e.Secrets)
}

func SecretsNamed(names []string) string {
	if len(names) == 1 {
		return "the Secret " + names[0]
	}
	return "the Secrets " + strings.Join(names, " and ")
}

// Among is the Route or Ingress among objects, nil without one.
func Among(objects []*unstructured.Unstructured) *unstructured.Unstructured {
	for _, object := range objects {
		if IsKind(object.GetKind()) {
			return object
		}
	}
	return nil
}

// IsKind reports whether objects of a kind lead to the app from outside the cluster.
func IsKind(kind string) bool { return kind == "Route" || kind == "Ingress" }

type entrance struct {
	kinds.Kind
	name string
}

// entrances are what leads to the app from outside, under the names of the chart.
func entrances() []entrance {
	return []entrance{{kinds.Route, "ostoy-route"}, {kinds.Ingress, "ostoy-ingress"}}
}

// Left is the Route or Ingress that exists in a project under a name of the chart
// although the values ask for none. The objects of the plan are known and not asked for.
func Left(ctx context.Context, resources apply.Resources, namespace string, plan *apply.Plan) (by By) {
	for _, one := range entrances() {
		planned := func(item *apply.Item) bool { return item.Ref.Kind == one.String() && item.Ref.Name == one.name }
		if slices.ContainsFunc(plan.All(), planned) {
			continue
		}
		client, err := resources.Resource(ctx, one.GVK(), namespace)
		if err != nil {
			continue // the cluster does not serve it
		}
		switch object, err := client.Get(ctx, one.name, metav1.GetOptions{}); {
		case err == nil:
			return By{Object: object}
		case !apierrors.IsNotFound(err):
			by.Unread = one.String() + " " + one.name
		}
	}
	return by
}

// ErrHost is the cause where a Route or Ingress is at an address that no browser is sent
// to, and that is not printed for scripts.
var ErrHost = errors.New("the host of the Route or Ingress is not a host name")

// noAddress is the error for such an object.
func noAddress(object *unstructured.Unstructured) error {
	kind, name, namespace := object.GetKind(), object.GetName(), object.GetNamespace()
	return problem.Fail(kind+" "+name+" in project "+namespace+" has no valid address",
		"its host is not a host name, so it is not opened or printed",
		advice.Command("oc get", strings.ToLower(kind), name, "-n", namespace, "-o", "yaml")).Because(ErrHost)
}

// URL is the address of the app's Route or Ingress; empty where it has none,
// or none that may be seen. One request on OpenShift, else two.
func URL(ctx context.Context, conn *cluster.Conn, namespace string) (string, error) {
	for _, one := range entrances() {
		object, err := conn.Dynamic.Resource(one.GVR()).Namespace(namespace).Get(ctx, one.name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err), apierrors.IsForbidden(err):
			continue
		case err != nil:
			return "", conn.Translate(err)
		}
		if address := health.URL(object); address != "" {
			return address, nil
		}
		if health.AtNoHost(object) {
			return "", noAddress(object)
		}
	}
	return "", nil
}

// ExpectedSecrets are the Secrets without which a pod does not start and that
// are not among the objects: the keys wanted, by name of the Secret. They are
// somebody else's to bring (secrets.existing=true).
func ExpectedSecrets(objects []*unstructured.Unstructured) map[string][]string {
	wanted := map[string][]string{}
	for _, object := range objects {
		if object.GetKind() == "Deployment" {
			template, _, _ := unstructured.NestedMap(object.Object, "spec", "template", "spec")
			secretsIn(wanted, template)
		}
	}
	for _, object := range objects {
		if object.GetKind() == "Secret" {
			delete(wanted, object.GetName())
		}
	}
	return wanted
}

// secretsIn finds every reference to a Secret below a value: volumes (secret with
// secretName) and variables (secretKeyRef with name and key).
func secretsIn(wanted map[string][]string, value any) {
	switch value := value.(type) {
	case []any:
		for _, inner := range value {
			secretsIn(wanted, inner)
		}
	case map[string]any:
		for field, inner := range value {
			reference, _ := inner.(map[string]any)
			name, _ := reference["secretName"].(string)
			if field == "secretKeyRef" || field == "secretRef" {
				name, _ = reference["name"].(string)
			}
			known := slices.Contains([]string{"secret", "secretKeyRef", "secretRef"}, field)
			if !known || name == "" || reference["optional"] == true {
				secretsIn(wanted, inner)
				continue
			}
			wanted[name] = slices.Clip(wanted[name])
			if key, _ := reference["key"].(string); key != "" && !slices.Contains(wanted[name], key) {
				wanted[name] = append(wanted[name], key)
			}
		}
	}
}

// SecretFlaws say which of the expected Secrets do not exist or lack a key, a clause for
// each: "Secret ostoy-secret is not there". They are no more than a warning, because who
// brings them may come later; of Secrets that cannot be read nothing is said.
func SecretFlaws(ctx context.Context, conn *cluster.Conn, namespace string, objects []*unstructured.Unstructured) []string {
	expected := ExpectedSecrets(objects)
	client := conn.Dynamic.Resource(kinds.Secret.GVR()).Namespace(namespace)
	var flaws []string
	for _, name := range slices.Sorted(maps.Keys(expected)) {
		secret, err := client.Get(ctx, name, metav1.GetOptions{})
		if why := secretFlaw(secret, err, expected[name]); why != "" {
			flaws = append(flaws, "Secret "+name+" "+why)
		}
	}
	return flaws
}

// secretFlaw says what a Secret lacks, empty if nothing, or nobody can tell.
func secretFlaw(secret *unstructured.Unstructured, err error, keys []string) string {
	if apierrors.IsNotFound(err) {
		return "is not there"
	}
	if err != nil {
		return ""
	}
	data, _, _ := unstructured.NestedMap(secret.Object, "data")
	var missing []string
	for _, key := range keys {
		if _, there := data[key]; !there {
			missing = append(missing, key)
		}
	}
	if len(missing) == 0 {
		return ""
	}
	return "has no key " + strings.Join(missing, ", ")
}
