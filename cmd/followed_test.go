package cmd

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session/sessiontest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// typed is a kept project at which whole command lines are run.
type typed struct{ *kept }

func typing(t *testing.T) typed {
	t.Helper()
	w := typed{keep(t)}
	w.roles.Policies = append(w.roles.Policies, fullAccess)
	t.Setenv("HOME", t.TempDir())
	t.Setenv("AWS_REGION", awstest.Region)
	t.Setenv("KUBECONFIG", *w.cluster.Getter("demo").KubeConfig)
	w.cluster.Answer("GET /.well-known/openid-configuration", map[string]string{"issuer": "https://oidc.example.com/one"})
	creates(w)
	return w
}

// creates has the cluster create namespaces.
func creates(w typed) {
	namespaces := func(name string) map[string]any {
		object := map[string]any{
			"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name, "labels": map[string]any{render.TagManagedBy: render.ManagedBy}},
		}
		w.cluster.Answer("GET /api/v1/namespaces/"+name, object)
		return object
	}
	w.cluster.Handle("POST /api/v1/namespaces", func(out http.ResponseWriter, r *http.Request) {
		var made struct {
			Metadata struct{ Name string }
		}
		_ = json.NewDecoder(r.Body).Decode(&made)
		namespaces(made.Metadata.Name)
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(namespaces(made.Metadata.Name))
	})
}

// run runs a command line word for word, with the flags that say that nobody is asked and
// that nothing is waited for: no controller and no kubelet runs here.
func (w typed) run(line string) ran {
	w.t.Helper()
	args := wordsOf(line)[2:] // oc ostoy-s3
	command, _, err := newTestRoot().Find(args)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, flag := range []string{"--yes", "--wait=false", "--verify=false", "--timeout=20s"} {
		name, _, _ := strings.Cut(strings.TrimPrefix(flag, "--"), "=")
		if command.Flags().Lookup(name) != nil && !(name == "wait" && command.Name() == "check") {
			args = append(args, flag)
		}
	}
	var out, talk bytes.Buffer
	code := Run(w.t.Context(), args, Process{
		Streams: genericiooptions.IOStreams{In: &bytes.Buffer{}, Out: &out, ErrOut: &talk},
		Version: "v1", Now: time.Now, Getenv: func(string) string { return "" },
	})
	return ran{code, out.String(), talk.String()}
}

// done runs a command of the scene, which ends well.
func (w typed) done(line string) {
	w.t.Helper()
	if is := w.run(line); is.code != 0 {
		w.t.Fatalf("%s: exit %d\n%s%s", line, is.code, is.out, is.talk)
	}
}

// wordsOf are the words of a command as a shell reads them.
func wordsOf(line string) (words []string) {
	word, quoted, begun := "", false, false
	for _, r := range line + " " {
		switch {
		case r == '\'':
			quoted, begun = !quoted, true
		case r == ' ' && !quoted:
			if begun {
				words = append(words, word)
			}
			word, begun = "", false
		default:
			word, begun = word+string(r), true
		}
	}
	return words
}

// advisedIn are the commands of this tool in what was printed, without what the sentence
// says after them: the words end where none is a flag, or the value of one.
func advisedIn(text string) (all []string) {
	for _, begin := range regexp.MustCompile(`oc ostoy-s3 [a-z]`).FindAllStringIndex(text, -1) {
		line, _, _ := strings.Cut(text[begin[0]:], "\n")
		command, rest, err := newTestRoot().Find(wordsOf(line)[2:])
		if err != nil {
			continue
		}
		took := wordsOf(line)[:len(wordsOf(line))-len(rest)]
		for len(rest) > 0 && strings.HasPrefix(rest[0], "-") {
			word := strings.TrimRight(rest[0], ",;:)")
			name, _, given := strings.Cut(strings.TrimLeft(word, "-"), "=")
			flag := command.Flags().Lookup(name)
			if name == "n" {
				flag = command.InheritedFlags().Lookup("namespace")
			}
			if flag == nil {
				break
			}
			took, rest = append(took, word), rest[1:]
			if !given && flag.NoOptDefVal == "" && len(rest) > 0 {
				took, rest = append(took, strings.TrimRight(rest[0], ",;:)")), rest[1:]
			}
		}
		all = append(all, strings.Join(took, " "))
	}
	return all
}

// apply applies an object as somebody else does.
func (w typed) apply(manager, path string, object map[string]any) {
	w.t.Helper()
	body, err := json.Marshal(object)
	if err != nil {
		w.t.Fatal(err)
	}
	request, err := http.NewRequestWithContext(w.t.Context(), http.MethodPatch,
		w.cluster.URL+path+"?force=true&fieldManager="+url.QueryEscape(manager), bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/apply-patch+yaml")
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		w.t.Fatal(err)
	}
	_ = response.Body.Close()
	if response.StatusCode != http.StatusOK {
		w.t.Fatalf("%s: %s", path, response.Status)
	}
}

// followed is a state in which a command advises another one.
type followed struct {
	name    string
	state   func(typed)
	command string
	advised string // a command; flags for the first one if it begins with a hyphen
	// instead says that the advised command is typed in place of the first one, which
	// would say the same again.
	instead bool
	also    string // flags that the advice leaves to the user
}

const (
	chosen     = "CHOSEN" // the name of a new project
	sa         = "/api/v1/namespaces/demo/serviceaccounts/ostoy-sa"
	frontend   = "/apis/apps/v1/namespaces/demo/deployments/ostoy-frontend"
	pvc        = "/api/v1/namespaces/demo/persistentvolumeclaims/ostoy-pvc"
	fullAccess = "arn:aws:iam::aws:policy/AmazonS3FullAccess" // as the tutorial attaches it
	appRole    = "demo-ostoy-sa-bcc976909e9b"
)

func installed(w typed) { w.done("oc ostoy-s3 install -n demo") }

// bucketIn has the project's bucket exist in a region, with the tags of this project or none.
func bucketIn(region string, ours bool) func(typed) {
	return func(w typed) {
		w.account.Handle("HEAD demo-bucket", func(out http.ResponseWriter, _ *http.Request) { out.Header().Set("X-Amz-Bucket-Region", region) })
		tags := ""
		for key, value := range render.OwnershipTags(sessiontest.Given().Given) {
			if ours {
				tags += "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>"
			}
		}
		w.account.Answer("GET demo-bucket?versions", "<ListVersionsResult></ListVersionsResult>")
		w.account.Answer("GET demo-bucket?list-type", "<ListBucketResult><KeyCount>0</KeyCount></ListBucketResult>")
		w.account.Answer("GET demo-bucket?tagging", "<Tagging><TagSet>"+tags+"</TagSet></Tagging>")
	}
}

// roleAt has the role of this name exist under a path, with tags.
func roleAt(path string, tags map[string]string) func(typed) {
	return func(w typed) {
		installed(w)
		is := w.roles.Role(appRole)
		w.done("oc ostoy-s3 uninstall -n demo --delete-data")
		is.Path, is.Tags = path, tags
		w.roles.Put(appRole, is)
	}
}

// byTutorial has a part of the tutorial's objects exist.
func byTutorial(w typed) {
	w.apply("kubectl-create", "/api/v1/namespaces/demo/services/ostoy-microservice-svc", map[string]any{
		"apiVersion": "v1", "kind": "Service", "metadata": map[string]any{"name": "ostoy-microservice-svc", "namespace": "demo"},
		"spec": map[string]any{"selector": map[string]any{"app": "ostoy-microservice"}},
	})
}

// ofArgo has Argo CD manage all objects.
func ofArgo(w typed) {
	installed(w)
	for path := range w.store.Specs() {
		if path != inventoryPath {
			applyByArgo(w, path)
		}
	}
}

func applyByArgo(w typed, path string) {
	object := w.store.Object(path)
	w.apply("argocd-controller", path, map[string]any{
		"apiVersion": object.GetAPIVersion(), "kind": object.GetKind(),
		"metadata": map[string]any{"name": object.GetName(), "namespace": "demo", "annotations": map[string]any{
			"argocd.argoproj.io/tracking-id": "demo:" + object.GroupVersionKind().Group + "/" + object.GetKind() + ":demo/" + object.GetName(),
		}},
	})
}

// ofArgoAlone has Argo CD manage the volume, and ostoy-s3 no longer.
func ofArgoAlone(w typed) {
	installed(w)
	applyByArgo(w, pvc)
	w.store.Edit(pvc, func(object map[string]any) {
		metadata, _ := object["metadata"].(map[string]any)
		fields, _ := metadata["managedFields"].([]any)
		metadata["managedFields"] = slices.DeleteFunc(fields, func(entry any) bool {
			by, _ := entry.(map[string]any)
			return by["manager"] == "ostoy-s3"
		})
	})
}

// adopted has the app use the role that the tutorial's service account names.
func adopted(attached ...string) func(typed) {
	return func(w typed) {
		named(attached...)(w)
		w.run("oc ostoy-s3 install -n demo --adopt")
	}
}

// named has the tutorial's service account name a role that lets the app in.
func named(attached ...string) func(typed) {
	return func(w typed) {
		installed(w)
		trust := w.roles.Role(appRole).Trust
		w.done("oc ostoy-s3 uninstall -n demo --delete-data")
		w.roles.Put("ostoy-role", awstest.Role{Path: "/", Trust: trust, Attached: attached})
		w.apply("kubectl-annotate", sa, map[string]any{
			"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{
				"name": "ostoy-sa", "namespace": "demo", "annotations": map[string]any{"eks.amazonaws.com/role-arn": "arn:aws:iam::" + awstest.Account + ":role/ostoy-role"},
			},
		})
	}
}

// unread has IAM refuse to show the role that the tutorial's service account names.
func unread(w typed) {
	adopted(fullAccess)(w)
	w.roles.Hide("ostoy-role", http.StatusForbidden)
}

// refusesRoles has IAM refuse the policy of a role, as long as the first command runs.
func refusesRoles(w typed) {
	w.roles.Refuse(func(action string) bool { return action == "PutRolePolicy" })
}

// locked has another program hold the kubeconfig.
func locked(w typed) {
	if err := os.WriteFile(os.Getenv("KUBECONFIG")+".lock", nil, 0o600); err != nil {
		w.t.Fatal(err)
	}
}

// mayNotBypass has the cluster admin be another one than the first who types: the
// admission policy does not let that one carry the settings of a bucket over.
func mayNotBypass(w typed) {
	bucketIn("us-east-2", false)(w)
	w.account.Answer("GET demo-bucket?website", "<WebsiteConfiguration><IndexDocument><Suffix>index.html</Suffix></IndexDocument></WebsiteConfiguration>")
	for _, list := range []string{"validatingadmissionpolicies", "validatingadmissionpolicybindings"} {
		w.cluster.Answer("GET /apis/admissionregistration.k8s.io/v1/"+list+"/ostoy-s3-buckets", map[string]any{
			"apiVersion": "admissionregistration.k8s.io/v1", "kind": "X", "metadata": map[string]any{"name": "ostoy-s3-buckets"}, "spec": map[string]any{},
		})
	}
	w.cluster.Serve("v1/Namespace", "v1/ServiceAccount", "v1/ConfigMap", "v1/Secret", "v1/Service", "v1/PersistentVolumeClaim", "apps/v1/Deployment",
		"networking.k8s.io/v1/NetworkPolicy", "networking.k8s.io/v1/Ingress", "s3.services.k8s.aws/v1alpha1/Bucket",
		"authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SelfSubjectRulesReview",
		"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding")
	asked := 0
	w.cluster.Handle("POST /apis/authorization.k8s.io/v1/selfsubjectaccessreviews", func(out http.ResponseWriter, r *http.Request) {
		var review struct {
			Spec struct{ ResourceAttributes struct{ Verb string } }
		}
		_ = json.NewDecoder(r.Body).Decode(&review)
		bypass := review.Spec.ResourceAttributes.Verb == "bypass"
		if bypass {
			asked++
		}
		out.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(out).Encode(map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "SelfSubjectAccessReview", "spec": map[string]any{}, "status": map[string]any{"allowed": !bypass || asked > 1},
		})
	})
}

// prepared has all exist but the controller itself, which Helm installs.
func prepared(w typed) {
	noController(w)
	w.done("oc ostoy-s3 controller install --bucket-pattern *-bucket")
}

// servedWhole are the kinds of a cluster that keeps all its objects.
func servedWhole() []string {
	return []string{
		"v1/Namespace", "v1/ServiceAccount", "v1/ConfigMap", "v1/Secret", "v1/Service", "v1/Pod", "v1/PersistentVolumeClaim", "apps/v1/Deployment",
		"networking.k8s.io/v1/NetworkPolicy", "networking.k8s.io/v1/Ingress", "s3.services.k8s.aws/v1alpha1/Bucket", "coordination.k8s.io/v1/Lease",
		"rbac.authorization.k8s.io/v1/Role", "rbac.authorization.k8s.io/v1/RoleBinding", "rbac.authorization.k8s.io/v1/ClusterRole", "rbac.authorization.k8s.io/v1/ClusterRoleBinding",
		"apiextensions.k8s.io/v1/CustomResourceDefinition", "authorization.k8s.io/v1/SubjectAccessReview",
		"authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SelfSubjectRulesReview",
		"admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding",
	}
}

// noController has the cluster keep all its objects, and no controller.
func noController(w typed) {
	controlled(w)
	w.store.KeepWhole()
	w.cluster.Serve(servedWhole()...)
	w.apply("somebody", "/api/v1/namespaces/demo", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo"}})
	for _, path := range []string{controller, account, settings, "/api/v1/namespaces/ack-system/pods/ack-1"} {
		w.request(http.MethodDelete, path, "", nil)
	}
}

// elsewhere has the inventory name another account.
func elsewhere(w typed) {
	installed(w)
	w.store.Edit(inventoryPath, func(object map[string]any) { object["data"].(map[string]any)["account"] = "210987654321" })
}

// ended has the issuer of the cluster unknown, and roles of two others.
func ofTwoClusters(w typed) {
	installed(w)
	is := w.roles.Role(appRole)
	w.done("oc ostoy-s3 uninstall -n demo --delete-data")
	for _, issuer := range []string{"https://oidc.example.com/two", "https://oidc.example.com/three"} {
		is.Tags[render.TagIssuer] = issuer
		w.roles.Put(render.RoleName(issuer, "demo"), is)
	}
	w.cluster.Forbid("GET /.well-known/openid-configuration", "get", "", "", "at the cluster scope")
}

func scenes() []followed {
	return []followed{
		{name: "nothing is installed", command: "status -n demo", advised: "oc ostoy-s3 install -n demo"},
		{name: "a volume is kept", state: func(w typed) {
			installed(w)
			w.done("oc ostoy-s3 uninstall -n demo")
		}, command: "status -n demo", advised: "oc ostoy-s3 uninstall -n demo --delete-data"},
		{name: "uninstall keeps the volume", state: installed, command: "uninstall -n demo", advised: "oc ostoy-s3 uninstall -n demo --delete-data"},
		{name: "the project exists", command: "install --new-project=demo", advised: "oc ostoy-s3 install -n demo", instead: true},
		{name: "the project does not exist", command: "install -n other", advised: "oc ostoy-s3 install --new-project=other"},
		{name: "the bucket is in another region", state: bucketIn("eu-west-1", true), command: "install -n demo", advised: "oc ostoy-s3 install -n demo --region eu-west-1", instead: true},
		{name: "a bucket of others is in another region", state: bucketIn("eu-west-1", false), command: "install -n demo", advised: "oc ostoy-s3 install -n demo --region eu-west-1 --adopt=bucket", instead: true},
		{name: "a bucket of others", state: bucketIn("us-east-2", false), command: "install -n demo", advised: "oc ostoy-s3 install -n demo --adopt=bucket", instead: true},
		{name: "a bucket of others, elsewhere", state: bucketIn("us-east-2", false), command: "install -n demo", advised: "oc ostoy-s3 install --new-project", instead: true},
		{name: "the tutorial's objects", state: byTutorial, command: "install -n demo", advised: "oc ostoy-s3 install -n demo --adopt"},
		{name: "the role is under another path", state: roleAt("/apps/", nil), command: "install -n demo", advised: "--role-path /apps/", also: "--adopt=role", instead: true},
		{name: "the role of others", state: roleAt("/ostoy-s3/", nil), command: "install -n demo", advised: "--adopt=role"},
		{name: "Argo CD manages the objects", state: ofArgo, command: "install -n demo", advised: "--force-owner"},
		{name: "Argo CD manages what has drifted", state: func(w typed) {
			ofArgo(w)
			w.store.Edit(frontend, func(object map[string]any) { object["spec"].(map[string]any)["replicas"] = int64(0) })
		}, command: "check -n demo --only drift", advised: "oc ostoy-s3 install -n demo --force-owner"},
		{name: "a script leaves the other manager", state: ofArgo, command: "install -n demo --mode manual --force-owner", advised: "oc ostoy-s3 install -n demo --force-owner"},
		{name: "released to nobody", state: installed, command: "release -n demo --to none", advised: "oc ostoy-s3 install -n demo", instead: true},
		{name: "a release was interrupted", state: func(w typed) {
			ofArgo(w)
			w.store.Refuse(func(r *http.Request) bool { return r.Method == http.MethodDelete })
			w.run("oc ostoy-s3 release -n demo")
			w.store.Refuse(nil)
		}, command: "uninstall -n demo", advised: "oc ostoy-s3 release -n demo"},
		{name: "no Routes", command: "install -n demo --set expose=route --api-versions route.openshift.io/v1", advised: "oc ostoy-s3 install -n demo --set expose=ingress", instead: true},
		{name: "an autoscaler sets the replicas", state: func(w typed) {
			installed(w)
			w.apply("scaler", frontend, map[string]any{
				"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"name": "ostoy-frontend", "namespace": "demo"}, "spec": map[string]any{"replicas": 3},
			})
		}, command: "install -n demo", advised: "--set frontend.replicas=null"},
		{name: "the inventory names another account", state: elsewhere, command: "status -n demo", advised: "oc ostoy-s3 install -n demo"},
		{name: "uninstall in another account", state: elsewhere, command: "uninstall -n demo", advised: "--account-id 123456789012", instead: true},
		{name: "the role does more", state: named(fullAccess), command: "install -n demo --adopt", advised: "oc ostoy-s3 install -n demo --adopt --tighten-role"},
		{name: "the role does too little", state: named(), command: "install -n demo --adopt", advised: "oc ostoy-s3 install -n demo --adopt --tighten-role"},
		{name: "the adopted role does more", state: adopted(fullAccess), command: "status -n demo", advised: "oc ostoy-s3 install -n demo --adopt --tighten-role"},
		{name: "the adopted role is not shown", state: unread, command: "install -n demo", advised: "oc ostoy-s3 install -n demo --adopt", instead: true},
		{name: "an earlier role is not shown", state: func(w typed) { w.roles.Hide("demo-ostoy-sa-bcc97690", http.StatusInternalServerError) }, command: "render -n demo", advised: "--role-name demo-ostoy-sa-bcc97690", instead: true},
		{name: "roles of two clusters", state: ofTwoClusters, command: "uninstall -n demo", advised: "oc ostoy-s3 uninstall -n demo --role-only --oidc-issuer https://oidc.example.com/two"},
		{name: "Argo CD manages the data", state: ofArgoAlone, command: "uninstall -n demo", advised: "oc ostoy-s3 install -n demo --force-owner"},
		{name: "the project ends", state: func(w typed) {
			w.cluster.Answer("GET /api/v1/namespaces/demo", map[string]any{
				"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo", "deletionTimestamp": "2026-01-01T00:00:00Z"}, "status": map[string]any{"phase": "Terminating"},
			})
		}, command: "install -n demo", advised: "oc ostoy-s3 install --new-project", instead: true},
		{name: "S3 says that the name is taken", state: func(w typed) {
			installed(w)
			w.store.Edit("/apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets/demo-bucket", func(object map[string]any) {
				object["status"] = map[string]any{"conditions": []any{map[string]any{
					"type": "ACK.Terminal", "status": "True", "message": "BucketAlreadyExists: The requested bucket name is not available.",
				}}}
			})
		}, command: "status -n demo", advised: "oc ostoy-s3 install --new-project", instead: true},
		{name: "only a cluster admin carries settings over", state: mayNotBypass, command: "install -n demo --adopt=bucket", advised: "oc ostoy-s3 install -n demo --adopt=bucket"},
		{name: "no controller", state: noController, command: "controller status", advised: "oc ostoy-s3 controller install --bucket-pattern 'ostoy-*-bucket'", instead: true},
		{name: "the controller is of another account", state: func(w typed) {
			prepared(w)
			w.store.Edit("/api/v1/namespaces/ack-system/configmaps/ostoy-s3-controller", func(object map[string]any) {
				object["data"].(map[string]any)["account"] = "210987654321"
			})
		}, command: "controller uninstall", advised: "--account-id 123456789012", instead: true},
		{name: "controllers of two clusters", state: func(w typed) {
			prepared(w)
			for name, role := range w.roles.All() {
				for _, issuer := range []string{"https://oidc.example.com/two", "https://oidc.example.com/three"} {
					role.Tags[render.TagIssuer] = issuer
					w.roles.Put(strings.TrimRight(name, "0123456789abcdef")+issuer[len("https://oidc.example.com/"):], role)
				}
			}
			w.request(http.MethodDelete, "/api/v1/namespaces/ack-system/configmaps/ostoy-s3-controller", "", nil)
			w.cluster.Forbid("GET /.well-known/openid-configuration", "get", "", "", "at the cluster scope")
		}, command: "controller uninstall", advised: "--oidc-issuer https://oidc.example.com/two", instead: true},
		{name: "a script has no controller", state: noController, command: "install -n demo --mode manual --with-controller", advised: "oc ostoy-s3 controller install --bucket-pattern 'ostoy-*-bucket'", instead: true},
		{name: "a project of others", state: func(w typed) {
			w.cluster.Handle("POST /api/v1/namespaces", func(out http.ResponseWriter, _ *http.Request) {
				creates(w)
				out.Header().Set("Content-Type", "application/json")
				out.WriteHeader(http.StatusConflict)
				_ = json.NewEncoder(out).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": "AlreadyExists", "code": http.StatusConflict, "message": "exists"})
			})
		}, command: "install --new-project=other", advised: "oc ostoy-s3 install --new-project", instead: true},
		{name: "interrupted in a project of a chosen name", state: refusesRoles, command: "install --new-project", advised: "oc ostoy-s3 install -n " + chosen, instead: true},
		{name: "settings would be lost", state: func(w typed) {
			bucketIn("us-east-2", false)(w)
			w.account.Refuse("GET demo-bucket?lifecycle", http.StatusForbidden, "AccessDenied", "no")
		}, command: "install -n demo --adopt=bucket", advised: "oc ostoy-s3 install --new-project", instead: true},
	}
}

// TestAdviceIsFollowed: what is advised is printed word for word as it can be typed; typed
// in the state that it was printed in, it ends well, and the command that advised it does
// not advise it again.
func TestAdviceIsFollowed(t *testing.T) {
	for _, s := range append(scenes(), appScenes()...) {
		t.Run(s.name, func(t *testing.T) {
			w := typing(t)
			if s.state != nil {
				s.state(w)
			}
			command := "oc ostoy-s3 " + s.command
			was := w.run(command)
			s.advised = strings.Replace(s.advised, chosen, regexp.MustCompile(`ostoy-[0-9a-f]{8}|$`).FindString(was.talk), 1)
			if !s.isAdvised(was) {
				t.Fatalf("%s does not advise %s, but %q\n%s%s", command, s.advised, advisedIn(was.out+was.talk), was.out, was.talk)
			}
			w.roles.Refuse(nil)
			advised := s.advised
			if strings.HasPrefix(advised, "-") { // the command with these flags
				advised = command + " " + s.advised
			}
			is := w.run(strings.TrimSpace(advised + " " + s.also))
			if is.code != 0 {
				t.Fatalf("%s: exit %d\n%s%s", advised, is.code, is.out, is.talk)
			}
			if !s.instead {
				is = w.run(command)
			}
			if s.isAdvised(is) {
				t.Errorf("%s advises the same again\n%s%s", command, is.out, is.talk)
			}
		})
	}
}

func (s followed) isAdvised(printed ran) bool {
	text := printed.out + printed.talk
	return strings.HasPrefix(s.advised, "-") && strings.Contains(text, s.advised) || slices.Contains(advisedIn(text), strings.Join(wordsOf(s.advised), " "))
}
