package controller

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"

	authorization "k8s.io/api/authorization/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestF1StatusNamespaces: who can act as the controller by permissions in its namespace
// is shown, however they came there, and what you are not allowed to read is not passed.
func TestF1StatusNamespaces(t *testing.T) {
	const bindings = "/apis/rbac.authorization.k8s.io/v1/namespaces/ack-system/rolebindings"
	for name, c := range map[string]struct {
		change func(p *played)
		mark   report.Mark
		says   []string
	}{
		"nobody's":        {func(*played) {}, report.OK, []string{"no RoleBinding lets anybody but cluster admins"}},
		"a cluster admin": {func(p *played) { p.binding("a", "the-admin") }, report.OK, nil},
		"a later binding": {
			func(p *played) { p.binding("late", "mallory") }, report.Warning,
			[]string{"user mallory (RoleBinding late)", "act as the controller", "oc delete -n ack-system rolebinding/late"},
		},
		"requested": {func(p *played) { p.namespace("ack-system", map[string]any{live.Requester: "mallory"}) }, report.Warning, []string{"user mallory (requested the project)", "-n NAMESPACE"}},
		"bindings unread": {
			func(p *played) { p.Forbid("GET "+bindings, "list", "rolebindings", "rbac.authorization.k8s.io", "") }, report.Unknown,
			[]string{"not checked: requires list rolebindings.rbac.authorization.k8s.io in ack-system"},
		},
		"namespace unread": {
			func(p *played) { p.Forbid("GET /api/v1/namespaces/ack-system", "get", "namespaces", "", "") }, report.Unknown,
			[]string{"not checked: requires get namespaces"},
		},
		"exempts no service account": {func(p *played) {
			p.policy(operator.AdmissionPolicy(render.Facts{}, []string{"system:serviceaccount:ack-system:ack-s3-controller", "mallory"})...)
		}, report.OK, nil},
		"roles unread": {func(p *played) {
			p.binding("late", "mallory")
			p.Forbid("GET /apis/rbac.authorization.k8s.io/v1/clusterroles/edit", "get", "clusterroles", "rbac.authorization.k8s.io", "")
		}, report.Unknown, []string{"not checked: requires get roles"}},
		"nobody is proven": {func(p *played) {
			p.binding("late", "mallory")
			p.Forbid("POST "+reviewsPath, "create", "subjectaccessreviews", "authorization.k8s.io", "")
		}, report.Unknown, []string{"not checked: requires create subjectaccessreviews"}},
		"does not exist": {func(p *played) { p.missing("/api/v1/namespaces/ack-system") }, report.Warning, []string{"does not exist"}},
	} {
		t.Run(name, func(t *testing.T) {
			p, _ := good(t)
			p.admins("the-admin", "system:serviceaccount:ack-system:ack-s3-controller")
			c.change(p)
			r := p.look()
			if len(r.Namespaces) != 1 || r.Namespaces[0].Namespace != "ack-system" {
				t.Fatalf("%+v", r.Namespaces)
			}
			is(t, "namespace", r.Namespaces[0].Part, c.mark, c.says...)
			if c.mark == report.Warning && r.Mark != report.Warning {
				t.Errorf("the report is %s", r.Mark)
			}
		})
	}
}

// TestF1StatusNamespacesOfControllers: a Deployment in a project is no controller, and
// its namespace is not one that has to be trusted.
func TestF1StatusNamespacesOfControllers(t *testing.T) {
	p, _ := good(t)
	p.admins("system:serviceaccount:ack-system:ack-s3-controller")
	fake := olmSite()
	fake.namespace, fake.labels = "mallory", ""
	p.deploy(fake)
	r := p.look()
	if len(r.Controllers) != 1 || len(r.Unproven) != 1 || len(r.Namespaces) != 1 || r.Namespaces[0].Namespace != "ack-system" {
		t.Errorf("%d controllers, %+v", len(r.Controllers), r.Namespaces)
	}
}

// admins answers SubjectAccessReviews: these users have every permission.
func (p *played) admins(users ...string) {
	p.Handle("POST "+reviewsPath, func(w http.ResponseWriter, r *http.Request) {
		review := authorization.SubjectAccessReview{}
		_ = json.NewDecoder(r.Body).Decode(&review)
		review.APIVersion, review.Kind = "authorization.k8s.io/v1", "SubjectAccessReview"
		review.Status.Allowed = strings.Contains(" "+strings.Join(users, " ")+" ", " "+review.Spec.User+" ")
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(review)
	})
}

// namespace puts one with annotations, in which nobody has permissions yet.
func (p *played) namespace(name string, annotations map[string]any) {
	p.Answer("GET /api/v1/namespaces/"+name, map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name, "annotations": annotations}})
	p.list("/apis/rbac.authorization.k8s.io/v1/namespaces/" + name + "/rolebindings")
}

// binding gives a user a ClusterRole in ack-system, one that allows to create pods.
func (p *played) binding(name, user string) {
	p.put("rolebindings", "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: "+name+", namespace: ack-system}\n"+
		"roleRef: {kind: ClusterRole, name: edit}\nsubjects: [{kind: User, name: "+user+"}]")
	p.put("clusterroles", "apiVersion: rbac.authorization.k8s.io/v1\nkind: ClusterRole\nmetadata: {name: edit}\nrules: [{apiGroups: [''], resources: [pods], verbs: [create]}]")
}
