package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	apidiscovery "k8s.io/api/apidiscovery/v2"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	olmAPI       = "operators.coreos.com/v1alpha1"
	olmIn        = "/apis/operators.coreos.com/v1alpha1/namespaces/ack-system/"
	subscription = olmIn + "subscriptions/ack-s3-controller"
	version      = olmIn + "clusterserviceversions/ack-s3-controller.v1.10.0"
	groups       = "/apis/operators.coreos.com/v1/namespaces/ack-system/operatorgroups/"
	acksProject  = "/api/v1/namespaces/ack-system"
	buckets      = "/apis/s3.services.k8s.aws/v1alpha1/"
	installOLM   = "controller install --bucket-pattern *-bucket"
)

// withOLM has the cluster have OLM, a catalog with two versions, and no controller.
func withOLM(w typed) {
	noController(w)
	w.cluster.Serve(append(servedWhole(), "operators.coreos.com/v1alpha1/Subscription", "operators.coreos.com/v1alpha1/InstallPlan",
		"operators.coreos.com/v1alpha1/ClusterServiceVersion", "operators.coreos.com/v1/OperatorGroup", "packages.operators.coreos.com/v1/PackageManifest")...)
	w.apply("somebody", acksProject, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": acks}})
	entry := func(version string) map[string]any {
		return map[string]any{"name": "ack-s3-controller.v" + version, "version": version}
	}
	w.apply("olm", "/apis/packages.operators.coreos.com/v1/namespaces/openshift-marketplace/packagemanifests/ack-s3-controller", map[string]any{
		"apiVersion": "packages.operators.coreos.com/v1", "kind": "PackageManifest",
		"metadata": map[string]any{"name": "ack-s3-controller", "namespace": "openshift-marketplace"},
		"status": map[string]any{
			"catalogSource": "community-operators", "catalogSourceNamespace": "openshift-marketplace", "packageName": "ack-s3-controller", "defaultChannel": "alpha",
			"channels": []any{map[string]any{
				"name": "alpha", "currentCSV": "ack-s3-controller.v1.10.0", "currentCSVDesc": map[string]any{"version": "1.10.0"},
				"entries": []any{entry("1.10.0"), entry("1.9.0")},
			}},
		},
	})
	w.cluster.Hold = w.collects
}

// collects has the cluster delete what a ClusterServiceVersion owns.
func (w typed) collects(r *http.Request) {
	if r.Method == http.MethodDelete && strings.HasPrefix(r.URL.Path, olmIn+"clusterserviceversions/") {
		for _, path := range []string{controller, "/api/v1/namespaces/ack-system/pods/ack-1"} {
			if w.store.Object(path) != nil {
				w.request(http.MethodDelete, path, "", nil)
			}
		}
	}
}

// subscribed has controller install ask OLM for the operator.
func subscribed(w typed) {
	withOLM(w)
	w.done("oc ostoy-s3 " + installOLM)
}

// hasVersion has OLM have installed the operator, in a phase and for a reason.
func (w typed) hasVersion(phase, reason string) {
	w.apply("olm", version, map[string]any{
		"apiVersion": olmAPI, "kind": "ClusterServiceVersion", "metadata": map[string]any{"name": "ack-s3-controller.v1.10.0", "namespace": acks},
		"spec":   map[string]any{"install": map[string]any{"strategy": "deployment", "spec": map[string]any{"deployments": []any{map[string]any{"name": "ack-s3-controller"}}}}},
		"status": map[string]any{"phase": phase, "reason": reason, "lastUpdateTime": "2026-01-01T00:00:00Z"},
	})
}

// operated has OLM have installed the operator that controller install asked for.
func operated(w typed) {
	subscribed(w)
	w.installsVersion()
}

// installsVersion has OLM install the operator that was subscribed to.
func (w typed) installsVersion() {
	w.hasVersion("Succeeded", "InstallSucceeded")
	w.store.Edit(subscription, func(object map[string]any) {
		object["status"] = map[string]any{"state": "AtLatestKnown", "currentCSV": "ack-s3-controller.v1.10.0", "installedCSV": "ack-s3-controller.v1.10.0"}
	})
}

// missed has the webhook have missed the controller's pod, which the caller may not delete.
func missed(w typed) {
	withOLM(w)
	w.done("oc ostoy-s3 " + installOLM + " --identity annotation")
	w.installsVersion()
	w.deploys("ack-s3-controller", acks)
	w.store.Edit(controller, func(object map[string]any) {
		object["metadata"].(map[string]any)["generation"] = int64(1)
		object["status"] = map[string]any{"observedGeneration": int64(1), "replicas": int64(1), "updatedReplicas": int64(1), "readyReplicas": int64(1), "availableReplicas": int64(1)}
	})
	w.podOf("")
	w.keepsPods()
}

// keepsPods has the caller not be allowed to delete.
func (w typed) keepsPods() {
	w.store.Refuse(func(r *http.Request) bool { return r.Method == http.MethodDelete })
}

// podOf has the controller's pod be a new one, which the webhook gave a role, or missed.
func (w typed) podOf(role string) {
	w.controllersPod(acks)
	w.store.Edit("/api/v1/namespaces/ack-system/pods/ack-1", func(object map[string]any) {
		object["metadata"].(map[string]any)["labels"].(map[string]any)["pod-template-hash"] = "x"
		if role == "" {
			return
		}
		spec, _ := object["spec"].(map[string]any)
		spec["volumes"] = []any{map[string]any{"name": "aws-iam-token"}}
		containers, _ := spec["containers"].([]any)
		setEnv(containers[0].(map[string]any), []string{
			"AWS_ROLE_ARN=arn:aws:iam::" + awstest.Account + ":role" + render.ControllerRolePath + role,
		})
	})
}

// ofOthers has somebody else subscribe to the operator.
func ofOthers(w typed) {
	withOLM(w)
	w.apply("console", strings.Replace(subscription, acks, "else", 1), map[string]any{
		"apiVersion": olmAPI, "kind": "Subscription", "metadata": map[string]any{"name": "ack-s3-controller", "namespace": "else"},
		"spec": map[string]any{"name": "ack-s3-controller", "channel": "alpha", "source": "community-operators", "sourceNamespace": "openshift-marketplace"},
	})
}

// narrowGroup has the namespace have an OperatorGroup for one project.
func narrowGroup(w typed) {
	withOLM(w)
	w.apply("console", groups+"narrow", map[string]any{
		"apiVersion": "operators.coreos.com/v1", "kind": "OperatorGroup", "metadata": map[string]any{"name": "narrow", "namespace": acks},
		"spec": map[string]any{"targetNamespaces": []any{acks}},
	})
}

// lists has discovery say that all kinds can be listed.
func (w typed) lists() {
	for _, path := range []string{"/api", "/apis"} {
		response, err := http.Get(w.cluster.URL + path)
		if err != nil {
			w.t.Fatal(err)
		}
		all := &apidiscovery.APIGroupDiscoveryList{}
		if err := errors.Join(json.NewDecoder(response.Body).Decode(all), response.Body.Close()); err != nil {
			w.t.Fatal(err)
		}
		for _, group := range all.Items {
			for _, version := range group.Versions {
				for n := range version.Resources {
					version.Resources[n].Verbs = []string{"get", "list", "watch"}
				}
			}
		}
		w.cluster.Discovery("GET "+path, all)
	}
}

// madeProject has the namespace of the controller be one that controller install created.
func (w typed) madeProject() {
	w.request(http.MethodDelete, acksProject, "", nil)
	w.apply("ostoy-s3", acksProject, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": acks, "labels": map[string]any{"x": "y"}}})
}

// requested has the namespace of the controller be one that a user requested who is no
// cluster admin.
func requested(w typed) {
	operated(w)
	w.deploys("ack-s3-controller", acks)
	w.controllersPod(acks)
	w.apply("openshift", acksProject, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{
		"name": acks, "annotations": map[string]any{"openshift.io/requester": "mallory"},
	}})
	w.cluster.Handle("POST /apis/authorization.k8s.io/v1/subjectaccessreviews", func(out http.ResponseWriter, r *http.Request) {
		var review struct{ Spec struct{ User string } }
		_ = json.NewDecoder(r.Body).Decode(&review)
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": map[string]any{}, "status": map[string]any{"allowed": review.Spec.User != "mallory"},
		})
	})
}

// controllersRole is the name of the role that controller install created.
func (w typed) controllersRole() string {
	for name, role := range w.roles.All() {
		if strings.HasPrefix(role.Path, render.ControllerRolePath) {
			return name
		}
	}
	w.t.Fatal("there is no role of the controller")
	return ""
}

// byController is a state of the controller in which a command advises others.
type byController struct {
	name    string
	state   func(typed)
	command string
	advised []string    // as byOthers has them; flags are those of the first command
	before  func(typed) // what somebody does before what is advised is typed
	// meanwhile is what a person or OLM does before the first command is typed again.
	meanwhile func(typed)
	// last is typed at the end in place of the first command, which ends well then.
	last string
}

func controllerScenes() []byController {
	uninstall := "oc ostoy-s3 controller uninstall"
	return []byController{
		{name: "no such version", state: withOLM, command: installOLM + " --version 9.9.9", advised: []string{"--version 1.10.0"}, last: installOLM},
		{name: "a version without a Subscription", state: func(w typed) {
			withOLM(w)
			w.hasVersion("Succeeded", "")
		}, command: installOLM, advised: []string{"oc delete clusterserviceversions"}},
		{name: "our version without a Subscription", state: func(w typed) {
			operated(w)
			w.request(http.MethodDelete, subscription, "", nil)
		}, command: installOLM, advised: []string{uninstall}},
		{name: "somebody else has subscribed", state: ofOthers, command: installOLM, advised: []string{"oc delete subscriptions"}},
		{name: "another version is being installed", state: subscribed, command: installOLM + " --version 1.9.0", advised: []string{
			uninstall, "oc ostoy-s3 controller install --bucket-pattern '*-bucket' --version 1.9.0",
		}},
		{name: "another version is being installed in a namespace of its own", state: func(w typed) {
			withOLM(w)
			w.done("oc ostoy-s3 " + installOLM + " -n other")
		}, command: installOLM + " -n other --version 1.9.0", advised: []string{
			uninstall + " -n other", "oc ostoy-s3 controller install -n other --bucket-pattern '*-bucket' --version 1.9.0",
		}},
		{name: "a newer version is installed", state: operated, command: installOLM + " --upgrade --version 1.9.0 --dry-run=client", advised: []string{
			uninstall, "oc ostoy-s3 controller install --bucket-pattern '*-bucket' --version 1.9.0",
		}},
		{name: "a group for one project is widened", state: narrowGroup, command: installOLM, advised: []string{"oc patch operatorgroups"}},
		{name: "a group for one project is deleted", state: narrowGroup, command: installOLM, advised: []string{"oc delete operatorgroups"}},
		{name: "OLM keeps Roles", state: func(w typed) {
			operated(w)
			for _, name := range []string{"ack-s3-reader", "ack-s3-writer"} {
				w.apply("olm", "/apis/rbac.authorization.k8s.io/v1/namespaces/ack-system/roles/"+name, map[string]any{
					"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": map[string]any{"name": name, "namespace": acks, "labels": map[string]any{"olm.managed": "true"}},
				})
			}
		}, command: "controller uninstall", advised: []string{"oc delete roles"}},
		{name: "others use the controller's namespace", state: func(w typed) {
			operated(w)
			w.madeProject()
			w.lists()
			w.apply("somebody", "/apis/apps/v1/namespaces/ack-system/deployments/web", map[string]any{
				"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "web", "namespace": acks},
			})
		}, command: "controller uninstall", advised: []string{"oc delete namespace"}},
		{name: "the controller's role is kept", state: func(w typed) {
			operated(w)
			w.madeProject()
		}, command: "controller uninstall --keep-role", advised: []string{uninstall}},
		{name: "a user requested the controller's namespace", state: requested, command: "controller status", advised: []string{
			uninstall + " -n ack-system", "oc ostoy-s3 controller install -n NAMESPACE",
		}},
		{name: "the namespace has no OperatorGroup", state: func(w typed) {
			operated(w)
			w.request(http.MethodDelete, groups+"ack-system", "", nil)
			w.hasVersion("Failed", "NoOperatorGroup")
		}, command: "check -n demo --only controller-olm", advised: []string{"echo "}, meanwhile: func(w typed) { w.hasVersion("Succeeded", "") }},
		{name: "the version was deleted", state: func(w typed) {
			operated(w)
			w.request(http.MethodDelete, version, "", nil)
		}, command: "check -n demo --only controller-olm", advised: []string{"oc delete subscriptions", "=oc ostoy-s3 controller install"}},
		{name: "the cluster has no admission policies", state: func(w typed) {
			noController(w)
			w.cluster.Serve(slices.DeleteFunc(servedWhole(), func(kind string) bool { return strings.Contains(kind, "ValidatingAdmission") })...)
		}, command: installOLM, advised: []string{"oc ostoy-s3 controller install"}, before: func(w typed) { w.cluster.Serve(servedWhole()...) }},
		{name: "the controller's role reaches every bucket", state: func(w typed) {
			noController(w)
			w.done("oc ostoy-s3 controller install --bucket-pattern *")
		}, command: "controller install", advised: []string{"oc ostoy-s3 controller install --bucket-pattern"}},
		{name: "a role of the controller goes with an app", state: func(w typed) {
			w.done("oc ostoy-s3 install --new-project=ack-system")
			prepared(w)
			w.apply("somebody", acksProject, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": acks}})
			w.roles.Remove(render.RoleName("https://oidc.example.com/one", acks))
			w.store.Edit(strings.Replace(inventoryPath, "demo", acks, 1), func(object map[string]any) {
				object["data"].(map[string]any)["roleARN"] = "arn:aws:iam::" + awstest.Account + ":role" + render.ControllerRolePath + w.controllersRole()
			})
		}, command: "uninstall -n ack-system", advised: []string{"--keep-role", "oc ostoy-s3 controller uninstall"}},
		{name: "a role of an app goes with the controller", state: func(w typed) {
			installed(w)
			prepared(w)
			w.store.Edit("/api/v1/namespaces/ack-system/configmaps/ostoy-s3-controller", func(object map[string]any) {
				object["data"].(map[string]any)["roleARN"] = "arn:aws:iam::" + awstest.Account + ":role" + render.RolePath + appRole
				for _, entry := range object["metadata"].(map[string]any)["managedFields"].([]any) {
					entry.(map[string]any)["time"] = "2026-01-01T00:00:00Z" // or else the role is waited for
				}
			})
		}, command: "controller uninstall --adopt=role", advised: []string{"oc ostoy-s3 uninstall -n"}},
		{name: "a harmful variable", state: func(w typed) {
			controlled(w)
			w.store.Edit(controller, func(object map[string]any) {
				delete(object["metadata"].(map[string]any), "labels")
				setEnv(containerOf(object), []string{"AWS_CA_BUNDLE=/none"})
			})
		}, command: "check -n demo --only controller-config", advised: []string{"oc set env"}},
		{name: "a Bucket was created meanwhile", state: func(w typed) {
			prepared(w)
			var asked atomic.Int32
			w.cluster.Hold = func(r *http.Request) {
				if r.URL.Path == buckets+"buckets" && asked.Add(1) == 3 { // when no controller runs any more
					w.apply("controller", buckets+"namespaces/demo/buckets/late", map[string]any{
						"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket",
						"metadata": map[string]any{"name": "late", "namespace": "demo", "finalizers": []any{"finalizers.s3.services.k8s.aws/Bucket"}},
					})
				}
			}
		}, command: "controller uninstall", advised: []string{"oc ostoy-s3 controller install"}, meanwhile: func(w typed) {
			w.request(http.MethodDelete, buckets+"namespaces/demo/buckets/late", "", nil)
		}},
		{name: "the Deployment is deleted while it is waited for", state: func(w typed) {
			noController(w)
			w.deploys("ack-s3-controller", "else")
			var once sync.Once
			w.cluster.Hold = func(r *http.Request) {
				path := strings.Replace(controller, acks, "else", 1)
				if r.Method == http.MethodGet && strings.HasPrefix(path, r.URL.Path) && strings.Contains(r.URL.Path, "/else/") {
					once.Do(func() { w.request(http.MethodDelete, path, "", nil) })
				}
			}
		}, command: "controller install --timeout=6s", advised: []string{"oc ostoy-s3 controller install --bucket-pattern"}, last: "controller install"},
		{
			name: "a pod has no role and may not be deleted", state: missed, command: "controller install --timeout=6s", before: func(w typed) { w.store.Refuse(nil) },
			advised: []string{"oc delete pod"}, meanwhile: func(w typed) {
				w.podOf(w.controllersRole())
				w.keepsPods()
			},
		},
		{name: "the namespace of an exempt account is deleted", state: func(w typed) {
			prepared(w)
			w.deploys("ack-s3-controller", "else")
			w.controllersPod("else")
			w.apply("somebody", "/api/v1/namespaces/else", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "else"}})
		}, command: "controller status", advised: []string{"oc ostoy-s3 controller install"}},
	}
}

// advisedBy is the command or the flags in a text that begin so, "" if none do.
func advisedBy(text, begin string) string {
	switch {
	case strings.HasPrefix(begin, "oc ostoy-s3"):
		for _, one := range advisedIn(text) {
			if strings.HasPrefix(one, begin) {
				return one
			}
		}
	case strings.HasPrefix(begin, "-") && strings.Contains(text, begin):
		return begin
	}
	return printed(text, begin)
}

// TestAdviceAboutTheControllerIsFollowed is TestAdviceIsFollowed for what is said about the
// controller: several commands are typed one after the other, and OLM does its part.
func TestAdviceAboutTheControllerIsFollowed(t *testing.T) {
	for _, s := range controllerScenes() {
		t.Run(s.name, func(t *testing.T) {
			w := typing(t)
			s.state(w)
			was := w.asks(s.command)
			text := was.out + was.talk
			if s.before != nil {
				s.before(w)
			}
			var typed []string
			for _, begin := range s.advised {
				command, is := strings.CutPrefix(begin, "=")
				if !is {
					command = advisedBy(text, begin)
				}
				if command == "" {
					t.Fatalf("%s does not advise %q, but %q\n%s", s.command, begin, advisedIn(text), text)
				}
				if strings.HasPrefix(command, "-") {
					command = "oc ostoy-s3 " + s.command + " " + command
				}
				typed = append(typed, command)
				w.plays(strings.Replace(command, "NAMESPACE", "other", 1))
			}
			if s.meanwhile != nil {
				s.meanwhile(w)
			}
			last := s.command
			if s.last != "" {
				last = s.last
			}
			is := w.asks(last)
			if strings.Contains(is.out+is.talk, typed[0]) || advisedBy(is.out+is.talk, s.advised[0]) != "" {
				t.Errorf("%s advises %q again\n%s%s", last, typed, is.out, is.talk)
			}
			if is.code != 0 && is.code == was.code && strings.Contains(is.talk, firstLine(was.talk)) {
				t.Errorf("%s ends as before\n%s", last, is.talk)
			}
		})
	}
}

func firstLine(text string) string {
	line, _, _ := strings.Cut(text, "\n")
	return line
}

// asks is run; it waits if the command says how long, and for an upgrade.
func (w typed) asks(command string) ran {
	words := wordsOf(command)
	switch {
	case strings.Contains(command, "--timeout"):
	case strings.Contains(command, "--upgrade"):
		words = append(words, "--timeout=20s")
	default:
		return w.run("oc ostoy-s3 " + command)
	}
	var out, talk bytes.Buffer
	code := Run(w.t.Context(), words, Process{
		Streams: genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &talk},
		Version: "v1", Now: time.Now, Getenv: func(string) string { return "" },
	})
	return ran{code, out.String(), talk.String()}
}

// plays is types, for the forms of oc that are advised about OLM and the controller, too.
func (w typed) plays(line string) {
	w.t.Helper()
	words := wordsOf(line)
	place := func(kind string) string {
		return map[string]string{
			"subscriptions.operators.coreos.com":          "/apis/operators.coreos.com/v1alpha1",
			"clusterserviceversions.operators.coreos.com": "/apis/operators.coreos.com/v1alpha1",
			"operatorgroups.operators.coreos.com":         "/apis/operators.coreos.com/v1",
			"roles.rbac.authorization.k8s.io":             "/apis/rbac.authorization.k8s.io/v1",
		}[kind]
	}
	list := func(namespace string) string {
		resource, _, _ := strings.Cut(words[2], ".")
		return place(words[2]) + "/namespaces/" + namespace + "/" + resource + "/"
	}
	switch {
	case words[0] == "echo": // the object | oc create -f -
		var object map[string]any
		if err := json.Unmarshal([]byte(words[1]), &object); err != nil || strings.Join(words[2:], " ") != "| oc create -f -" {
			w.t.Fatalf("%q: %v", words, err)
		}
		metadata, _ := object["metadata"].(map[string]any)
		w.apply("kubectl-create", "/apis/operators.coreos.com/v1/namespaces/"+metadata["namespace"].(string)+"/operatorgroups/"+metadata["name"].(string), object)
	case words[0] == "oc" && words[1] == "set" && strings.HasSuffix(words[len(words)-1], "-"):
		c := parseOC(words)
		w.store.Edit(c.path(), func(object map[string]any) { unsetEnv(containerOf(object), strings.TrimSuffix(c.rest[0], "-")) })
	case words[0] == "oc" && words[1] == "delete" && words[2] == "namespace":
		for path := range w.store.Specs() {
			if strings.Contains(path+"/", "/namespaces/"+words[3]+"/") {
				w.request(http.MethodDelete, path, "", nil)
			}
		}
	case words[0] == "oc" && words[1] == "delete" && place(words[2]) != "":
		for _, name := range slices.DeleteFunc(words[3:len(words)-2], func(word string) bool { return strings.HasPrefix(word, "--") }) {
			w.request(http.MethodDelete, list(words[len(words)-1])+name, "", nil)
		}
	case words[0] == "oc" && words[1] == "patch" && place(words[2]) != "": // by a JSON patch that removes a field
		c := parseOC(words)
		var patch []struct{ Op, Path string }
		if err := json.Unmarshal([]byte(c.patch), &patch); err != nil || patch[0].Op != "remove" || !slices.Contains(words, "--type=json") {
			w.t.Fatalf("%q: %v", words, err)
		}
		w.store.Edit(list(c.namespace)+c.name, func(object map[string]any) {
			delete(object["spec"].(map[string]any), strings.TrimPrefix(patch[0].Path, "/spec/"))
		})
	default:
		w.types(line)
	}
}

func unsetEnv(container map[string]any, name string) {
	env, _ := container["env"].([]any)
	container["env"] = slices.DeleteFunc(env, func(one any) bool { return one.(map[string]any)["name"] == name })
}
