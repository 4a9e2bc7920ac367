package plugin

import (
	"cmp"
	"maps"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// doorLabel stands before a door's words.
const doorLabel = "access"

// door is by which way the app is reached. OSToy has no login: everybody who can send it
// a request can do what its pages do, with the permissions of its role.
type door struct {
	namespace string
	object    string // "Route ostoy-route"; "" if nothing leads to the app from outside
	encrypted bool
	host      string   // "" where it is not known yet
	secrets   []string // that the app shows and the chart does not create
}

// doorOf is the door of an app with these objects. exposed is the Route or Ingress among
// them as it is or will be in the cluster, nil if there is none.
func doorOf(namespace string, objects []*unstructured.Unstructured, exposed *unstructured.Unstructured) door {
	d := door{namespace: namespace, secrets: slices.Sorted(maps.Keys(expectedSecrets(objects)))}
	if exposed != nil {
		d.object = apply.RefOf(exposed).String()
		d.encrypted = health.Encrypted(exposed)
		d.host = hostOf(cmp.Or(health.URL(exposed), health.Text(exposed.Object, "spec", "host")))
	}
	return d
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

// public reports whether the app is reached from outside the cluster.
func (d door) public() bool { return d.object != "" }

// address is what a browser opens, or the object that will have an address.
func (d door) address() string {
	scheme := "http"
	if d.encrypted {
		scheme = "https"
	}
	if d.host == "" {
		return "the " + d.object + " (" + scheme + ")"
	}
	return scheme + "://" + d.host
}

// words say in one line who reaches what, and what would change that.
func (d door) words() string {
	if !d.public() {
		return "no Route or Ingress: pods of the cluster, and users who are allowed to port-forward in project " + d.namespace +
			", list, read, write and overwrite every object of " + render.BucketName(d.namespace) + d.alsoRead("read") + ", without a password"
	}
	text := "everybody who can reach " + d.address() + " " + d.deeds()
	if d.encrypted {
		text += " (https encrypts the connection and asks for no password)"
	}
	return text + "; expose=none keeps it inside the cluster"
}

// deeds say what one person can do who gets there.
func (d door) deeds() string {
	return "lists, reads, writes and overwrites every object of " + render.BucketName(d.namespace) + d.alsoRead("reads") + ", without a password"
}

// alsoRead names the Secrets that the app's pages show.
func (d door) alsoRead(verb string) string {
	if len(d.secrets) == 0 {
		return ""
	}
	return ", and " + verb + " " + d.secretNames()
}

func (d door) secretNames() string {
	if len(d.secrets) == 1 {
		return "the Secret " + d.secrets[0]
	}
	return "the Secrets " + strings.Join(d.secrets, " and ")
}
