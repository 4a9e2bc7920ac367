package status

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	issuer  = "https://issuer.example.com"
	account = "123456789012"
)

// givenFacts are all that an install needs to know.
func givenFacts() render.Facts {
	flag := func(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }
	return render.Facts{
		Namespace: flag("demo"), Region: flag("us-east-2"), Account: flag(account), Partition: flag("aws"), Issuer: flag(issuer),
		Audience: flag(render.DefaultAudience), Platform: flag(render.PlatformKubernetes), KubeVersion: flag("v1.33.0"),
	}
}

// scene is a run of status: a played cluster, a played AWS, and what the run wrote.
type scene struct {
	*testing.T
	kube      *clustertest.Server
	aws       *playedAWS
	session   *session.Session
	out, talk *bytes.Buffer
	request   Request
}

// scenery has the project demo, in which nothing is installed, and no role and no bucket.
func scenery(t *testing.T) *scene {
	s := &scene{T: t, kube: clustertest.New(t, "v1.33.0", "v1/Namespace", "v1/ConfigMap", "v1/Pod", "v1/ServiceAccount", "v1/Service", "v1/Secret",
		"v1/PersistentVolumeClaim", "apps/v1/Deployment", "networking.k8s.io/v1/Ingress", "route.openshift.io/v1/Route", "s3.services.k8s.aws/v1alpha1/Bucket")}
	s.session, s.out, s.talk = aSession()
	s.session.Getter = s.kube.Getter("demo")
	s.request = Request{Facts: session.Facts{Given: givenFacts()}, Output: session.FormatTable, Timeout: time.Minute}
	s.kube.Answer("GET /api/v1/namespaces/demo", map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": "demo"}})
	s.list("/api/v1/namespaces/demo/pods")
	s.aws = playAWS(t)
	return s
}

// list answers the list of a resource.
func (s *scene) list(path string, items ...any) {
	s.kube.Answer("GET "+path, map[string]any{"kind": "List", "apiVersion": "v1", "metadata": map[string]any{}, "items": append([]any{}, items...)})
}

func (s *scene) run() error { return Run(s.Context(), s.session, s.request) }

// inventory is what an install has put on record in the project.
func inventory(data map[string]any) map[string]any {
	return map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "data": data, "metadata": map[string]any{
			"name": "ostoy-s3", "namespace": "demo", "labels": map[string]any{render.TagManagedBy: render.ManagedBy},
		},
	}
}

// deploymentIn is the frontend's Deployment in a namespace.
func deploymentIn(namespace string) map[string]any {
	return map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "metadata": map[string]any{"namespace": namespace, "name": "ostoy-frontend"}}
}

// installed has the project demo an install: this record, and a Deployment.
func (s *scene) installed(record map[string]any) {
	s.kube.Answer("GET /api/v1/namespaces/demo/configmaps/ostoy-s3", inventory(record))
	s.kube.Answer("GET /apis/apps/v1/namespaces/demo/deployments/ostoy-frontend", deploymentIn("demo"))
}

// playedAWS answers by the name of the call, "GetRole", or by method and query, "HEAD" and
// "GET ?tagging"; it refuses what it has no answer for.
type playedAWS struct {
	role string // the only one that exists; "" if roles may not be read

	mu      sync.Mutex
	answers map[string]string
	asked   map[string]int
}

// playAWS has the AWS SDK ask it, with the credentials of the account.
func playAWS(t *testing.T) *playedAWS {
	p := &playedAWS{asked: map[string]int{}, answers: map[string]string{
		"GetCallerIdentity": fmt.Sprintf("<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>arn:aws:iam::%[1]s:user/ann</Arn><Account>%[1]s</Account></GetCallerIdentityResult></GetCallerIdentityResponse>", account),
	}}
	server := httptest.NewServer(http.HandlerFunc(p.serve))
	t.Cleanup(server.Close)
	dir := t.TempDir()
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIDEXAMPLE", "AWS_SECRET_ACCESS_KEY": "secret", "AWS_SESSION_TOKEN": "", "AWS_PROFILE": "",
		"AWS_CONFIG_FILE": filepath.Join(dir, "config"), "AWS_SHARED_CREDENTIALS_FILE": filepath.Join(dir, "credentials"), "AWS_EC2_METADATA_DISABLED": "true",
		"AWS_WEB_IDENTITY_TOKEN_FILE": "", "AWS_REGION": "us-east-2",
	} {
		t.Setenv(name, value)
	}
	return p
}

func (p *playedAWS) serve(w http.ResponseWriter, r *http.Request) {
	call := r.Method
	for key := range r.URL.Query() {
		if key != "x-id" && key != "encoding-type" {
			call = r.Method + " ?" + key
		}
	}
	if _, target, is := strings.Cut(r.Header.Get("X-Amz-Target"), "."); is {
		call = target[strings.LastIndex(target, ".")+1:]
	} else if r.ParseForm() == nil && r.PostForm.Get("Action") != "" {
		call = r.PostForm.Get("Action")
	}
	p.mu.Lock()
	p.asked[call]++
	answer, known := p.answers[call]
	p.mu.Unlock()
	code, status := "AccessDenied", http.StatusForbidden
	if name := r.PostForm.Get("RoleName"); name != "" && p.role != "" && name != p.role {
		code, status, known = "NoSuchEntity", http.StatusNotFound, false
	}
	if known {
		_, _ = w.Write([]byte(answer))
		return
	}
	w.WriteHeader(status)
	_, _ = fmt.Fprintf(w, "<ErrorResponse><Code>%[1]s</Code><Error><Code>%[1]s</Code><Message>%[2]s</Message></Error></ErrorResponse>", code, call)
}

// count is how often a call was made.
func (p *playedAWS) count(call string) int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.asked[call]
}

// desired is the role of the project demo.
func desired(t *testing.T) iam.Role {
	t.Helper()
	role, err := iam.Desired(givenFacts(), iam.RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	return role
}

// has gives AWS the role of the project demo, as install makes it but for its policy.
func (p *playedAWS) has(role iam.Role) {
	p.role = role.Name
	element := fmt.Sprintf("<Path>%s</Path><RoleName>%s</RoleName><Arn>%s</Arn><AssumeRolePolicyDocument>%s</AssumeRolePolicyDocument>",
		role.Path, role.Name, role.ARN, url.QueryEscape(role.Trust.JSON()))
	tags := ""
	for key, value := range role.Tags {
		tags += "<member><Key>" + key + "</Key><Value>" + value + "</Value></member>"
	}
	p.answers["GetRole"] = "<GetRoleResponse><GetRoleResult><Role>" + element + "<Tags>" + tags + "</Tags></Role></GetRoleResult></GetRoleResponse>"
	p.answers["ListRoles"] = rolesListed("<member>" + element + "</member>")
	p.answers["ListRolePolicies"] = "<ListRolePoliciesResponse><ListRolePoliciesResult><PolicyNames></PolicyNames></ListRolePoliciesResult></ListRolePoliciesResponse>"
	p.answers["ListAttachedRolePolicies"] = "<ListAttachedRolePoliciesResponse><ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResult></ListAttachedRolePoliciesResponse>"
	p.answers["GetRolePolicy"] = "<GetRolePolicyResponse><GetRolePolicyResult><PolicyName>" + iam.PolicyName + "</PolicyName><PolicyDocument>" +
		url.QueryEscape(role.Policy.JSON()) + "</PolicyDocument></GetRolePolicyResult></GetRolePolicyResponse>"
}

// rolesListed is IAM's list of roles.
func rolesListed(members ...string) string {
	return "<ListRolesResponse><ListRolesResult><Roles>" + strings.Join(members, "") + "</Roles></ListRolesResult></ListRolesResponse>"
}
