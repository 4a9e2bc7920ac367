package uninstall

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/adopt"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awstest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/controller"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// play is a cluster without OLM in which everything is allowed and no controller is.
func play(t *testing.T) (s *session.Session, server *clustertest.Server, out, talk *bytes.Buffer) {
	t.Helper()
	server = clustertest.New(t, "v1.33.0", "v1/Namespace", "v1/ConfigMap", "v1/ServiceAccount", "apps/v1/Deployment",
		"rbac.authorization.k8s.io/v1/ClusterRole", "apiextensions.k8s.io/v1/CustomResourceDefinition", "authorization.k8s.io/v1/SelfSubjectAccessReview", "authorization.k8s.io/v1/SelfSubjectRulesReview")
	allow(server, true)
	server.Answer("GET /apis/apps/v1/deployments", map[string]any{"apiVersion": "v1", "kind": "List", "items": []any{}})
	streams, _, out, talk := genericiooptions.NewTestIOStreams()
	return &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: server.Getter("demo"), Now: time.Now}, server, out, talk
}

func allow(server *clustertest.Server, all bool) {
	rules := []any{}
	if all {
		rules = append(rules, map[string]any{"verbs": []any{"*"}, "apiGroups": []any{"*"}, "resources": []any{"*"}})
	}
	for _, review := range []string{"selfsubjectaccessreviews", "selfsubjectrulesreviews"} {
		server.Answer("POST /apis/authorization.k8s.io/v1/"+review, map[string]any{
			"apiVersion": "authorization.k8s.io/v1", "kind": "Review", "status": map[string]any{"allowed": all, "resourceRules": rules},
		})
	}
}

func request() Request { return Request{KeepRole: true, Timeout: time.Minute} }

// TestNothing: where there is nothing of ours, nothing is written, and the document says so.
func TestNothing(t *testing.T) {
	s, server, out, talk := play(t)
	r := request()
	r.Output = session.FormatJSON
	if err := Run(t.Context(), s, r); err != nil {
		t.Fatal(err)
	}
	var document struct{ Removed, Kept, Left []any }
	if err := json.Unmarshal(out.Bytes(), &document); err != nil || len(document.Removed)+len(document.Left) > 0 || document.Removed == nil {
		t.Errorf("%v: %s", err, out)
	}
	if !strings.Contains(talk.String(), "ack-system") || !strings.HasSuffix(talk.String(), "nothing to remove\n") {
		t.Error(talk.String())
	}
	for path := range server.Persisted() {
		if !strings.Contains(path, "authorization.k8s.io") {
			t.Error(path)
		}
	}
}

// inventory puts a ServiceAccount of ours and the inventory that names it.
func inventory(server *clustertest.Server) {
	owned := func(object map[string]any, name string) map[string]any {
		object["metadata"] = map[string]any{
			"name": name, "namespace": "ack-system", "uid": name, "resourceVersion": "1",
			"labels":        map[string]any{render.TagManagedBy: render.ManagedBy},
			"managedFields": []any{map[string]any{"manager": "ostoy-s3", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{}}},
		}
		return object
	}
	server.Answer("GET /api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller",
		owned(map[string]any{"apiVersion": "v1", "kind": "ServiceAccount"}, "ack-s3-controller"))
}

// TestDryRun: what would be removed is printed, and nothing is written.
func TestDryRun(t *testing.T) {
	s, server, _, talk := play(t)
	inventory(server)
	r := request()
	r.DryRun = true
	if err := Run(t.Context(), s, r); err != nil || !strings.Contains(talk.String(), "would remove  ServiceAccount ack-s3-controller") {
		t.Errorf("%v\n%s", err, talk)
	}
	for path := range server.Persisted() {
		if strings.HasPrefix(path, "DELETE") {
			t.Error(path)
		}
	}
}

// TestRefused: what is wrong is told before anything is removed.
func TestRefused(t *testing.T) {
	for name, c := range map[string]struct {
		spoil func(*clustertest.Server, *Request)
		want  problem.Kind
		says  string
	}{
		"a name that none can have": {func(_ *clustertest.Server, r *Request) { r.Facts.Given.Namespace = render.Fact{Value: "not/a/name"} }, problem.Usage, "not/a/name"},
		"not allowed":               {func(server *clustertest.Server, _ *Request) { allow(server, false) }, problem.Refused, "you may not remove the ACK S3 controller"},
		"no credentials": {func(server *clustertest.Server, r *Request) {
			r.KeepRole = false
			inventory(server)
		}, problem.Refused, "--keep-role"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
			t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
			s, server, _, _ := play(t)
			r := request()
			r.Facts.Given = render.Facts{Region: render.Fact{Value: "us-east-2"}, Issuer: render.Fact{Value: "https://oidc.example.com/1"}}
			c.spoil(server, &r)
			var told *problem.Error
			err := Run(t.Context(), s, r)
			if !errors.As(err, &told) || told.Kind != c.want || !strings.Contains(told.What+told.Why+told.Next, c.says) {
				t.Errorf("%v", err)
			}
		})
	}
}

// TestInterrupted: a run that is cut off says what it has removed.
func TestInterrupted(t *testing.T) {
	s, _, _, _ := play(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var told *problem.Error
	if err := Run(ctx, s, request()); !errors.As(err, &told) || told.Kind != problem.Interrupted || told.Why != "nothing was removed" {
		t.Errorf("%v", err)
	}
}

// account is an AWS account whose credentials the environment has.
func account(t *testing.T) *awstest.Server {
	t.Helper()
	server := awstest.New(t)
	for name, value := range map[string]string{
		"AWS_ENDPOINT_URL": server.URL, "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEKEY123456", "AWS_SECRET_ACCESS_KEY": "x", "AWS_REGION": awstest.Region,
		"AWS_CONFIG_FILE": t.TempDir() + "/none", "AWS_SHARED_CREDENTIALS_FILE": t.TempDir() + "/none", "AWS_PROFILE": "", "AWS_MAX_ATTEMPTS": "1",
	} {
		t.Setenv(name, value)
	}
	server.Answer("ListRoles", "<Roles></Roles><IsTruncated>false</IsTruncated>")
	return server
}

func facts() render.Facts {
	return render.Facts{Region: render.Fact{Value: awstest.Region}, Issuer: render.Fact{Value: "https://oidc.example.com/1"}}
}

// record puts an inventory that names an account and a role.
func record(server *clustertest.Server, owner, role string) {
	server.Answer("GET /api/v1/namespaces/ack-system/configmaps/"+apply.ControllerInventoryName, map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{
			"name": apply.ControllerInventoryName, "namespace": "ack-system", "uid": "i", "resourceVersion": "1", "labels": map[string]any{render.TagManagedBy: render.ManagedBy},
			"managedFields": []any{map[string]any{"manager": "ostoy-s3", "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{}}},
		},
		"data": apply.Inventory{Record: apply.Record{Account: owner, RoleARN: role}}.Data(),
	})
}

// TestOtherAccount: with the credentials of another account than you gave, or, without
// that, than the inventory names, the role would not be found and nobody would remove it.
func TestOtherAccount(t *testing.T) {
	const other = "999999999999"
	for name, c := range map[string]struct{ given, recorded, says string }{
		"given":              {other, "", "is looked for in account " + other},
		"recorded":           {"", other, "is in account " + other},
		"given, as recorded": {awstest.Account, awstest.Account, ""},
		"given, unlike that": {awstest.Account, other, ""},
		"recorded, the same": {"", awstest.Account, ""},
	} {
		account(t)
		s, server, _, _ := play(t)
		inventory(server)
		record(server, c.recorded, "")
		r := request()
		r.KeepRole, r.DryRun, r.Facts.Given = false, true, facts()
		if c.given != "" {
			r.Facts.Given.Account = render.Fact{Value: c.given, Source: "flag --account-id"}
		}
		err := Run(t.Context(), s, r)
		var told *problem.Error
		if c.says == "" && err != nil || c.says != "" && (!errors.As(err, &told) || told.Kind != problem.Refused || !strings.Contains(told.Why, c.says)) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestNoAWS: with --keep-role nobody is asked for what a role is known by; where nothing
// of ours is there, an issuer that AWS cannot reach and no credentials do not matter.
func TestNoAWS(t *testing.T) {
	for _, keep := range []bool{true, false} {
		t.Setenv("AWS_EC2_METADATA_DISABLED", "true")
		t.Setenv("AWS_CONFIG_FILE", t.TempDir()+"/none")
		t.Setenv("AWS_SHARED_CREDENTIALS_FILE", t.TempDir()+"/none")
		s, server, _, talk := play(t)
		server.Answer("GET /.well-known/openid-configuration", map[string]string{"issuer": "https://kubernetes.default.svc"})
		r := request()
		r.KeepRole = keep
		if err := Run(t.Context(), s, r); err != nil || !strings.Contains(talk.String(), "nothing to remove") {
			t.Errorf("%t: %v", keep, err)
		}
		if asked := server.Requests()["GET /.well-known/openid-configuration"] > 0; asked == keep {
			t.Errorf("%t: asked for the issuer: %t", keep, asked)
		}
	}
}

// TestForgets: what the cluster served before a removal, also one that failed, is not taken
// for what it serves now.
func TestForgets(t *testing.T) {
	s, server, _, talk := play(t)
	inventory(server)
	server.Forbid("DELETE /api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller", "delete", "serviceaccounts", "", "in the namespace")
	if err := Run(t.Context(), s, request()); err == nil || !strings.Contains(err.Error(), "ServiceAccount ack-s3-controller could not be deleted") {
		t.Errorf("%v\n%s", err, talk)
	}
	conn, err := s.Connect(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	before := server.Requests()["GET /apis"]
	if _, err := conn.Discovery(t.Context()); err != nil || server.Requests()["GET /apis"] != before+1 {
		t.Errorf("%v", err)
	}
}

// TestForceOwner: what Argo CD applies is removed only with --force-owner.
func TestForceOwner(t *testing.T) {
	for _, force := range []bool{false, true} {
		s, server, _, talk := play(t)
		entry := func(manager string) map[string]any {
			return map[string]any{"manager": manager, "operation": "Apply", "fieldsType": "FieldsV1", "fieldsV1": map[string]any{"f:metadata": map[string]any{"f:labels": map[string]any{"f:" + manager: map[string]any{}}}}}
		}
		server.Answer("GET /api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller", map[string]any{
			"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{
				"name": "ack-s3-controller", "namespace": "ack-system", "uid": "s", "resourceVersion": "1", "labels": map[string]any{render.TagManagedBy: render.ManagedBy},
				"managedFields": []any{entry("ostoy-s3"), entry("argocd-controller")},
			},
		})
		r := request()
		r.DryRun, r.ForceOwner = true, force
		if err := Run(t.Context(), s, r); (err == nil && strings.Contains(talk.String(), "would remove  ServiceAccount")) != force {
			t.Errorf("%t: %v\n%s", force, err, talk)
		}
	}
}

// role is the controller's, ours by its tags, with one inline policy. Its ARN is given.
func role(aws *awstest.Server, policy string) (arn string) {
	arn = "arn:aws:iam::" + awstest.Account + ":role/ostoy-s3-controller/ours"
	f := facts()
	f.Namespace.Value = "ack-system"
	var tags strings.Builder
	for key, value := range render.OwnershipTags(f) {
		tags.WriteString("<member><Key>" + key + "</Key><Value>" + value + "</Value></member>")
	}
	aws.Answer("GetRole", "<Role><RoleName>ours</RoleName><Path>/ostoy-s3-controller/</Path><Arn>"+arn+"</Arn><CreateDate>2026-01-02T03:04:04Z</CreateDate>"+
		"<AssumeRolePolicyDocument></AssumeRolePolicyDocument><Tags>"+tags.String()+"</Tags></Role>")
	aws.Answer("ListRolePolicies", "<PolicyNames>"+policy+"</PolicyNames><IsTruncated>false</IsTruncated>")
	aws.Answer("ListAttachedRolePolicies", "<AttachedPolicies></AttachedPolicies><IsTruncated>false</IsTruncated>")
	return arn
}

// TestAdoptRole: a role with policies of others on it is removed only with leave.
func TestAdoptRole(t *testing.T) {
	for _, leave := range []adopt.Set{0, adopt.Role} {
		arn := role(account(t), "<member>theirs</member>")
		s, server, _, talk := play(t)
		inventory(server)
		record(server, awstest.Account, arn)
		r := request()
		r.KeepRole, r.DryRun, r.Adopt, r.Facts.Given = false, true, leave, facts()
		if err := Run(t.Context(), s, r); (err == nil) != (leave == adopt.Role) || err != nil && !strings.Contains(err.Error(), "theirs") {
			t.Errorf("%d: %v\n%s", leave, err, talk)
		}
	}
}

// TestLeft: a role that cannot be removed does not keep the rest, and the run fails.
func TestLeft(t *testing.T) {
	aws := account(t)
	arn := role(aws, "")
	aws.Refuse("DeleteRole", 403, "AccessDenied", "not authorized to perform: iam:DeleteRole")
	s, server, _, talk := play(t)
	record(server, awstest.Account, arn)
	inventory(server)
	server.Answer("DELETE /api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller", map[string]any{"apiVersion": "v1", "kind": "Status", "status": "Success"})
	for _, path := range []string{"/apis/apps/v1/namespaces/ack-system/deployments", "/api/v1/namespaces/ack-system/pods"} {
		server.Answer("GET "+path, map[string]any{"apiVersion": "v1", "kind": "List", "metadata": map[string]any{"resourceVersion": "1"}, "items": []any{}})
	}
	r := request()
	r.KeepRole, r.Facts.Given = false, facts()
	var told *problem.Error
	if err := Run(t.Context(), s, r); !errors.As(err, &told) || told.Kind != problem.Failed || !strings.Contains(told.Why, "role ours") {
		t.Errorf("%v\n%s", err, talk)
	}
	if server.Persisted()["DELETE /api/v1/namespaces/ack-system/serviceaccounts/ack-s3-controller"] == 0 {
		t.Error("the rest stays")
	}
}

// TestHead: whose the credentials are, and what to know before, is said first.
func TestHead(t *testing.T) {
	for caller, want := range map[string]bool{"": false, "me": true} {
		s, _, _, talk := play(t)
		c := &run{Session: s, removal: &controller.Removal{Notes: []string{"something is forgotten"}}}
		c.role.Caller, c.role.Facts.Account.Value = caller, awstest.Account
		if c.head(); strings.Contains(talk.String(), awstest.Account+", as me") != want || !strings.Contains(talk.String(), "something is forgotten") {
			t.Errorf("%q: %s", caller, talk)
		}
	}
}
