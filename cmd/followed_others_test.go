package cmd

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"k8s.io/client-go/tools/clientcmd"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// places are the paths of the kinds of which commands of oc are played, without the
// namespace and the name.
func places() map[string][2]string {
	return map[string][2]string{
		"deployment": {"/apis/apps/v1", "deployments"}, "service": {"/api/v1", "services"}, "pvc": {"/api/v1", "persistentvolumeclaims"},
		"pod": {"/api/v1", "pods"}, "configmap": {"/api/v1", "configmaps"}, "serviceaccount": {"/api/v1", "serviceaccounts"},
		"installplans.operators.coreos.com": {"/apis/operators.coreos.com/v1alpha1", "installplans"}, "ingress": {"/apis/networking.k8s.io/v1", "ingresses"}, "buckets.s3.services.k8s.aws": {"/apis/s3.services.k8s.aws/v1alpha1", "buckets"},
	}
}

// ocCommand is a command of oc about one object.
type ocCommand struct {
	verb, kind, name, namespace string
	patch, replicas             string
	literals, rest              []string // data of a ConfigMap; annotations or variables
}

// parseOC reads the forms that are printed: "oc annotate KIND NAME", "oc rollout restart
// KIND/NAME", "oc set env KIND/NAME", "oc create configmap NAME".
func parseOC(words []string) (c ocCommand) {
	for n := 1; n < len(words); n++ {
		name, value, given := strings.Cut(words[n], "=")
		switch {
		case words[n] == "-n":
			n++
			c.namespace = words[n]
		case words[n] == "-p":
			n++
			c.patch = words[n]
		case name == "--replicas":
			c.replicas = value
		case name == "--from-literal":
			c.literals = append(c.literals, value)
		case strings.HasPrefix(name, "--") && (given || name == "--overwrite"):
		default:
			c.rest = append(c.rest, words[n])
		}
	}
	c.verb, c.rest = c.rest[0], c.rest[1:]
	if c.verb == "rollout" || c.verb == "set" { // restart, env
		c.rest = c.rest[1:]
	}
	kind, name, joined := strings.Cut(c.rest[0], "/")
	if c.rest = c.rest[1:]; !joined {
		name, c.rest = c.rest[0], c.rest[1:]
	}
	c.kind, c.name = kind, name
	return c
}

func (c ocCommand) path() string {
	place, known := places()[c.kind]
	switch {
	case c.kind == "project" || c.kind == "namespace":
		return "/api/v1/namespaces/" + c.name
	case strings.HasPrefix(c.kind, "customresourcedefinitions."):
		return definitions + c.name
	case !known:
		return ""
	}
	return place[0] + "/namespaces/" + c.namespace + "/" + place[1] + "/" + c.name
}

// oc plays a command of oc that a message prints.
func (w typed) oc(words []string) {
	w.t.Helper()
	if words[1] == "project" {
		w.switches(words[2])
		return
	}
	c := parseOC(words)
	path := c.path()
	merge := func(patch map[string]any) {
		body, _ := json.Marshal(patch)
		w.request(http.MethodPatch, path, "application/merge-patch+json", body)
	}
	switch {
	case path == "":
		w.t.Fatalf("not played: %q", words)
	case c.verb == "delete":
		w.request(http.MethodDelete, path, "", nil)
	case c.verb == "patch" && strings.HasPrefix(c.patch, "["): // the one JSON patch that is printed
		merge(map[string]any{"spec": map[string]any{"tls": nil}})
	case c.verb == "patch":
		w.request(http.MethodPatch, path, "application/merge-patch+json", []byte(c.patch))
	case c.verb == "scale":
		merge(map[string]any{"spec": map[string]any{"replicas": json.Number(c.replicas)}})
	case c.verb == "annotate":
		notes := map[string]any{}
		for _, note := range c.rest {
			key, value, set := strings.Cut(note, "=")
			if notes[key] = any(value); !set {
				notes[strings.TrimSuffix(key, "-")] = nil
			}
		}
		merge(map[string]any{"metadata": map[string]any{"annotations": notes}})
	case c.verb == "create":
		data := map[string]any{}
		for _, literal := range c.literals {
			key, value, _ := strings.Cut(literal, "=")
			data[key] = value
		}
		w.apply("kubectl-create", path, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": c.name, "namespace": c.namespace}, "data": data})
	case c.verb == "rollout": // of the controller
		w.controllersPod(c.namespace)
	case c.verb == "set":
		w.store.Edit(path, func(object map[string]any) { setEnv(containerOf(object), c.rest) })
	default:
		w.t.Fatalf("not played: %q", words)
	}
}

// switches has the context of the kubeconfig name another project, once the program that
// held the file has ended.
func (w typed) switches(project string) {
	w.t.Helper()
	file := os.Getenv("KUBECONFIG")
	config, err := clientcmd.LoadFromFile(file)
	if err == nil {
		config.Contexts[config.CurrentContext].Namespace = project
		err = errors.Join(clientcmd.WriteToFile(*config, file), os.Remove(file+".lock"))
	}
	if err != nil {
		w.t.Fatal(err)
	}
}

func setEnv(container map[string]any, pairs []string) {
	env, _ := container["env"].([]any)
	for _, pair := range pairs {
		key, value, _ := strings.Cut(pair, "=")
		env = append(env, map[string]any{"name": key, "value": value})
	}
	container["env"] = env
}

func containerOf(deployment map[string]any) map[string]any {
	spec, _ := deployment["spec"].(map[string]any)
	template, _ := spec["template"].(map[string]any)
	inner, _ := template["spec"].(map[string]any)
	containers, _ := inner["containers"].([]any)
	container, _ := containers[0].(map[string]any)
	return container
}

func (w typed) request(method, path, form string, body []byte) {
	w.t.Helper()
	request, err := http.NewRequestWithContext(w.t.Context(), method, w.cluster.URL+path, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", form)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s %s: %s", method, path, response.Status)
	}
}

// aws plays a command of the AWS command line for IAM: its flags are the parameters of the
// action.
func (w typed) aws(command []string) {
	w.t.Helper()
	camel := func(words string) string {
		var all strings.Builder
		for word := range strings.SplitSeq(words, "-") {
			all.WriteString(map[string]string{"id": "ID", "open": "Open", "connect": "Connect"}[word])
			if word != "id" && word != "open" && word != "connect" {
				all.WriteString(strings.ToUpper(word[:1]) + word[1:])
			}
		}
		return all.String()
	}
	form := url.Values{"Action": {camel(command[2])}}
	for n := 3; n < len(command); n++ {
		name, value, given := strings.Cut(strings.TrimPrefix(command[n], "--"), "=")
		var values []string
		for ; !given && n+1 < len(command) && !strings.HasPrefix(command[n+1], "--"); n++ {
			values = append(values, command[n+1])
		}
		form.Set(camel(name), value+strings.Join(values, " "))
	}
	response, err := http.PostForm(w.account.URL, form)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("%q: %s", command, response.Status)
	}
}

// types runs a printed command, whichever program it is for.
func (w typed) types(line string) {
	w.t.Helper()
	switch command := wordsOf(line); {
	case command[1] == "ostoy-s3":
		w.done(line)
	case command[0] == "oc":
		w.oc(command)
	default:
		w.aws(command)
	}
}

// printed are the commands in a text that begin so, as far as the sentence does not go on.
func printed(text, begin string) string {
	_, rest, found := strings.Cut(text, begin)
	if !found {
		return ""
	}
	line, _, _ := strings.Cut(rest, "\n")
	return begin + regexp.MustCompile(`(; |\)|, if |, then | shows | to ).*$`).ReplaceAllString(line, "")
}

const (
	provider    = "arn:aws:iam::" + awstest.Account + ":oidc-provider/oidc.example.com/one"
	definitions = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions/"
	acks        = "ack-system"
	ackRole     = "arn:aws:iam::" + awstest.Account + ":role/ack"
	controller  = "/apis/apps/v1/namespaces/ack-system/deployments/ack-s3-controller"
	account     = "/api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller"
	service     = "/api/v1/namespaces/demo/services/ostoy-microservice-svc"
	settings    = "/api/v1/namespaces/ack-system/configmaps/ack-s3-user-config"
)

// controlled has the ACK S3 controller run.
func controlled(w typed) {
	for _, list := range []string{"/apis/apps/v1/deployments", "/api/v1/pods"} {
		w.cluster.Handle("GET "+list, func(out http.ResponseWriter, _ *http.Request) {
			out.Header().Set("Content-Type", "application/json")
			_ = json.NewEncoder(out).Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": w.store.All(list)})
		})
	}
	w.cluster.Serve("v1/Namespace", "v1/ServiceAccount", "v1/ConfigMap", "v1/Secret", "v1/Pod", "v1/Service", "v1/PersistentVolumeClaim", "apps/v1/Deployment",
		"s3.services.k8s.aws/v1alpha1/Bucket", "authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SubjectAccessReview")
	w.cluster.Answer("POST /apis/authorization.k8s.io/v1/subjectaccessreviews", map[string]any{
		"apiVersion": "authorization.k8s.io/v1", "kind": "SubjectAccessReview", "spec": map[string]any{}, "status": map[string]any{"allowed": true},
	})
	w.deploys("ack-s3-controller", acks)
	w.apply("olm", account, map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{
		"name": "ack-s3-controller", "namespace": acks, "annotations": map[string]any{"eks.amazonaws.com/role-arn": ackRole},
	}})
	w.apply("olm", settings, map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "ack-s3-user-config", "namespace": acks}, "data": map[string]any{
		"ACK_ENABLE_DEVELOPMENT_LOGGING": "false", "ACK_LOG_LEVEL": "info", "ACK_WATCH_NAMESPACE": "", "AWS_REGION": awstest.Region, "AWS_ENDPOINT_URL": "",
		"ACK_RESOURCE_TAGS": "app=ack", "ENABLE_LEADER_ELECTION": "true", "LEADER_ELECTION_NAMESPACE": "", "RECONCILE_DEFAULT_MAX_CONCURRENT_SYNCS": "1",
		"FEATURE_GATES": "", "ENABLE_CARM": "false", "ENABLE_CROSS_NAMESPACE": "true",
	}})
	w.controllersPod(acks)
}

// deploys has a Deployment of the controller exist.
func (w typed) deploys(name, namespace string) {
	w.apply("olm", "/apis/apps/v1/namespaces/"+namespace+"/deployments/"+name, map[string]any{
		"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": name, "namespace": namespace, "labels": map[string]any{"olm.owner": "ack-s3-controller.v1.10.0"}},
		"spec": map[string]any{
			"replicas": 1, "selector": map[string]any{"matchLabels": map[string]any{"app": "ack"}},
			"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"app": "ack"}}, "spec": map[string]any{
				"serviceAccountName": "ack-s3-controller",
				"containers": []any{map[string]any{
					"name": "controller", "image": "public.ecr.aws/aws-controllers-k8s/s3-controller:1.10.0",
					"args":    []any{"--aws-region", "$(AWS_REGION)", "--feature-gates", "$(FEATURE_GATES)"},
					"envFrom": []any{map[string]any{"configMapRef": map[string]any{"name": "ack-s3-user-config"}}},
				}},
			}},
		},
	})
}

// controllersPod has the controller's pod be new.
func (w typed) controllersPod(namespace string) {
	w.apply("kubelet", "/api/v1/namespaces/"+namespace+"/pods/ack-1", map[string]any{
		"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "ack-1", "namespace": namespace, "labels": map[string]any{"app": "ack"}},
		"spec": map[string]any{"containers": []any{map[string]any{"name": "controller", "image": "x", "env": []any{
			map[string]any{"name": "AWS_ROLE_ARN", "value": ackRole}, map[string]any{"name": "AWS_REGION", "value": awstest.Region},
		}}}},
		"status": map[string]any{"phase": "Running", "conditions": []any{map[string]any{"type": "Ready", "status": "True"}}},
	})
}

// without takes a key out of the controller's settings, or gives it another value.
func without(key string, value any) func(typed) {
	return func(w typed) {
		controlled(w)
		w.store.Edit(settings, func(object map[string]any) {
			data, _ := object["data"].(map[string]any)
			if data[key] = value; value == nil {
				delete(data, key)
			}
		})
	}
}

// planned has OLM wait for somebody to approve the operator.
func planned(w typed) {
	controlled(w)
	w.cluster.Serve("v1/Namespace", "v1/ServiceAccount", "v1/ConfigMap", "v1/Pod", "apps/v1/Deployment", "authorization.k8s.io/v1/SelfSubjectAccessReview",
		"authorization.k8s.io/v1/SubjectAccessReview", "operators.coreos.com/v1alpha1/Subscription", "operators.coreos.com/v1alpha1/InstallPlan",
		"operators.coreos.com/v1alpha1/ClusterServiceVersion", "operators.coreos.com/v1/OperatorGroup")
	const api, of = "operators.coreos.com/v1alpha1", "/apis/operators.coreos.com/v1alpha1/namespaces/ack-system/"
	w.cluster.Handle("GET /apis/operators.coreos.com/v1alpha1/subscriptions", func(out http.ResponseWriter, r *http.Request) {
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(map[string]any{"apiVersion": "v1", "kind": "List", "items": w.store.All(r.URL.Path)})
	})
	meta := func(name string) map[string]any { return map[string]any{"name": name, "namespace": acks} }
	w.apply("olm", of+"subscriptions/ack-s3-controller", map[string]any{
		"apiVersion": api, "kind": "Subscription", "metadata": meta("ack-s3-controller"),
		"spec":   map[string]any{"name": "ack-s3-controller", "channel": "alpha", "source": "community-operators", "sourceNamespace": "openshift-marketplace", "installPlanApproval": "Manual"},
		"status": map[string]any{"state": "UpgradePending", "currentCSV": "ack-s3-controller.v1.10.0", "installPlanRef": map[string]any{"name": "install-1", "namespace": acks}},
	})
	w.apply("olm", of+"installplans/install-1", map[string]any{
		"apiVersion": api, "kind": "InstallPlan", "metadata": meta("install-1"),
		"spec":   map[string]any{"approval": "Manual", "approved": false, "clusterServiceVersionNames": []any{"ack-s3-controller.v1.10.0"}},
		"status": map[string]any{"phase": "RequiresApproval"},
	})
}

// provides has IAM know the issuer and the audience.
func provides(w typed) {
	w.account.Answer("GetOpenIDConnectProvider", "<Url>oidc.example.com/one</Url><ClientIDList><member>sts.amazonaws.com</member></ClientIDList>")
}

// statusOf gives an object a status.
func statusOf(path string, status map[string]any) func(typed) {
	return func(w typed) {
		installed(w)
		w.store.Edit(path, func(object map[string]any) { object["status"] = status })
	}
}

// byOthers is a state in which commands of oc or aws are advised, one after the other, each
// by how it begins.
type byOthers struct {
	name    string
	state   func(typed)
	command string
	advised []string // with = before it: what the words "install again" mean
}

func othersScenes() []byOthers {
	const bucketPath = "/apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets/demo-bucket"
	return []byOthers{
		{"the controller is scaled down", func(w typed) {
			controlled(w)
			w.request(http.MethodDelete, "/api/v1/namespaces/ack-system/pods/ack-1", "", nil)
			w.store.Edit(controller, func(object map[string]any) { object["spec"].(map[string]any)["replicas"] = int64(0) })
		}, "check -n demo --only controller-running", []string{"oc scale deployment/ack-s3-controller"}},
		{"two controllers", func(w typed) {
			controlled(w)
			w.deploys("second", "second")
		}, "check -n demo --only controller-single", []string{"oc scale deployment/"}},
		{"a setting is missing", without("FEATURE_GATES", nil), "check -n demo --only controller-config", []string{"oc patch configmap"}},
		{"the settings are missing", func(w typed) {
			controlled(w)
			w.request(http.MethodDelete, settings, "", nil)
		}, "check -n demo --only controller-config", []string{"oc create configmap"}},
		{"the controller's account names no role", func(w typed) {
			controlled(w)
			w.store.Edit(account, func(object map[string]any) { delete(object["metadata"].(map[string]any), "annotations") })
		}, "check -n demo --only controller-identity", []string{"oc annotate serviceaccount/", "oc rollout restart"}},
		{"the settings name another region", without("AWS_REGION", "us-west-2"), "check -n demo --only controller-config", []string{"oc patch configmap"}},
		{"an object of others is kept", func(w typed) {
			installed(w)
			w.store.Edit(service, func(object map[string]any) { delete(object["metadata"].(map[string]any), "managedFields") })
		}, "uninstall -n demo", []string{"oc delete service"}},
		{"the volume is lost", statusOf(pvc, map[string]any{"phase": "Lost"}), "status -n demo", []string{"oc delete pvc", "=oc ostoy-s3 install -n demo"}},
		{"the bucket existed", statusOf(bucketPath, map[string]any{"conditions": []any{map[string]any{
			"type": "ACK.Terminal", "status": "True", "message": "resource already exists",
		}}}), "status -n demo", []string{"oc annotate buckets", "oc delete buckets", "=oc ostoy-s3 install -n demo"}},
		{"an Ingress has TLS", func(w typed) {
			w.done("oc ostoy-s3 install -n demo --set expose=ingress")
			w.store.Edit("/apis/networking.k8s.io/v1/namespaces/demo/ingresses/ostoy-ingress", func(object map[string]any) {
				object["spec"].(map[string]any)["tls"] = []any{map[string]any{"secretName": "x"}}
			})
		}, "check -n demo --only route-tls", []string{"oc patch ingress"}},
		{"a setting of the environment is missing", func(w typed) {
			controlled(w)
			w.store.Edit(controller, func(object map[string]any) {
				delete(containerOf(object), "envFrom")
				containerOf(object)["env"] = []any{map[string]any{"name": "AWS_REGION", "value": awstest.Region}}
			})
		}, "check -n demo --only controller-config", []string{"oc set env deployment/"}},
		{"a Bucket is held", func(w typed) {
			installed(w)
			w.store.Edit(bucketPath, func(object map[string]any) {
				metadata, _ := object["metadata"].(map[string]any)
				metadata["deletionTimestamp"], metadata["finalizers"] = "2026-01-01T00:00:00Z", []any{"finalizers.s3.services.k8s.aws/Bucket"}
			})
		}, "check -n demo --only controller-found", []string{"oc patch buckets"}},
		{"no provider", func(w typed) {
			installed(w)
			w.account.Refuse("GetOpenIDConnectProvider", http.StatusNotFound, "NoSuchEntity", "no")
			w.account.Handle("CreateOpenIDConnectProvider", func(http.ResponseWriter, *http.Request) { provides(w) })
		}, "check -n demo --only oidc-provider", []string{"aws iam create-open-id-connect-provider"}},
		{"no audience", func(w typed) {
			installed(w)
			w.account.Answer("GetOpenIDConnectProvider", "<Url>oidc.example.com/one</Url><ClientIDList><member>openshift</member></ClientIDList>")
			w.account.Handle("AddClientIDToOpenIDConnectProvider", func(http.ResponseWriter, *http.Request) { provides(w) })
		}, "check -n demo --only oidc-provider", []string{"aws iam add-client-id-to-open-id-connect-provider"}},
		{"the project is empty", func(w typed) {
			installed(w)
			w.cluster.Handle("DELETE /api/v1/namespaces/demo", func(out http.ResponseWriter, _ *http.Request) {
				w.cluster.Refuse("GET /api/v1/namespaces/demo", http.StatusNotFound, "NotFound", "not found")
				_, _ = out.Write([]byte("{}"))
			})
		}, "uninstall -n demo --delete-data --delete-namespace", []string{"oc delete project"}},
		{"a pod has no identity", func(w typed) {
			installed(w)
			w.apply("kubelet", "/api/v1/namespaces/demo/pods/ostoy-frontend-1", map[string]any{
				"apiVersion": "v1", "kind": "Pod", "metadata": map[string]any{"name": "ostoy-frontend-1", "namespace": "demo", "labels": map[string]any{"app": "ostoy-frontend"}},
				"spec": map[string]any{"containers": []any{map[string]any{"name": "ostoy-frontend", "image": "x"}}},
			})
		}, "status -n demo", []string{"oc delete pod"}},
		{"an InstallPlan waits for approval", planned, "check -n demo --only controller-olm", []string{"oc patch installplans"}},
		{"the kubeconfig is locked", locked, "install --new-project=other --use", []string{"oc project", "oc ostoy-s3 install -n other"}},
		{"the definition of Buckets stays", func(w typed) {
			prepared(w)
			w.apply("helm", definitions+"buckets.s3.services.k8s.aws", map[string]any{
				"apiVersion": "apiextensions.k8s.io/v1", "kind": "CustomResourceDefinition", "metadata": map[string]any{"name": "buckets.s3.services.k8s.aws"},
			})
		}, "controller uninstall", []string{"oc delete customresourcedefinitions"}},
		{"an orphaned role", func(w typed) {
			installed(w)
			w.roles.Put("old-ostoy-sa-12345678", awstest.Role{Path: render.RolePath, Trust: strings.ReplaceAll(w.roles.Role(appRole).Trust, "oidc.example.com/one", "old.example.com"), Inline: map[string]string{"ostoy-s3": "{}"}, Tags: map[string]string{
				render.TagManagedBy: render.ManagedBy, render.TagNamespace: "old", render.TagIssuer: "https://old.example.com",
			}})
			w.account.Answer("ListOpenIDConnectProviders", "<OpenIDConnectProviderList><member><Arn>"+provider+"</Arn></member></OpenIDConnectProviderList>")
		}, "check -n demo --only role-orphaned", []string{"aws iam delete-role-policy", "aws iam delete-role "}},
	}
}

// TestAdviceForOthersIsFollowed is TestAdviceIsFollowed for commands of oc and aws, which
// are played: they do what those programs do.
func TestAdviceForOthersIsFollowed(t *testing.T) {
	for _, s := range append(othersScenes(), appScenesOfOthers()...) {
		t.Run(s.name, func(t *testing.T) {
			w := typing(t)
			s.state(w)
			was := w.run("oc ostoy-s3 " + s.command)
			text := was.out + was.talk
			var commands []string
			for _, begin := range s.advised {
				command, is := strings.CutPrefix(begin, "=")
				if !is {
					command = printed(text, begin)
				}
				commands = append(commands, command)
			}
			if slices.Contains(commands, "") {
				t.Fatalf("%s does not advise %q\n%s", s.command, s.advised, text)
			}
			for _, command := range commands {
				w.types(command)
			}
			if is := w.run("oc ostoy-s3 " + s.command); strings.Contains(is.out+is.talk, commands[0]) {
				t.Errorf("%s advises %q again\n%s%s", s.command, commands, is.out, is.talk)
			}
		})
	}
}
