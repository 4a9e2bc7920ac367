package status

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/presence"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/report"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// many is a cluster with lists of all kinds and nothing in them.
func many(t *testing.T) *scene {
	s := scenery(t)
	s.request.All = true
	for _, path := range []string{
		"/api/v1/configmaps", "/apis/s3.services.k8s.aws/v1alpha1/buckets", "/apis/apps/v1/deployments", "/api/v1/serviceaccounts",
		"/api/v1/services", "/api/v1/persistentvolumeclaims",
		"/apis/route.openshift.io/v1/routes", "/apis/networking.k8s.io/v1/ingresses", "/api/v1/pods",
	} {
		s.list(path)
	}
	return s
}

// in is an object that is in a namespace.
func in(namespace string, object map[string]any) map[string]any {
	object["metadata"].(map[string]any)["namespace"] = namespace
	return object
}

func bucketIn(namespace string) map[string]any {
	return map[string]any{"apiVersion": "s3.services.k8s.aws/v1alpha1", "kind": "Bucket", "metadata": map[string]any{"namespace": namespace, "name": namespace + "-bucket"}}
}

func accountIn(namespace, role string) map[string]any {
	return map[string]any{"apiVersion": "v1", "kind": "ServiceAccount", "metadata": map[string]any{
		"namespace": namespace, "name": "ostoy-sa", "annotations": map[string]any{"eks.amazonaws.com/role-arn": role},
	}}
}

// rows are the document of all.
func (s *scene) rows() map[string]Row {
	s.Helper()
	s.request.Output = session.FormatJSON
	if err := s.run(); err != nil {
		s.Fatal(err)
	}
	var document table
	if err := json.Unmarshal(s.out.Bytes(), &document); err != nil {
		s.Fatal(err)
	}
	rows := map[string]Row{}
	for _, row := range document.Installs {
		rows[row.Namespace] = row
	}
	return rows
}

// TestRunAll: each install is what its inventory, its Bucket and its service account say,
// with a request for each kind and one for all roles.
func TestRunAll(t *testing.T) {
	s := many(t)
	s.request.Facts.Given.Account, s.request.Facts.Given.Partition = render.Fact{}, render.Fact{}
	role := desired(t)
	earlier := "arn:aws:iam::" + account + ":role/ostoy-s3/" + render.EarlierRoleName(issuer, "fromgit")
	s.list("/api/v1/configmaps", inventory(map[string]any{"roleARN": role.ARN, "version": "v1.2.0"}),
		in("elsewhere", inventory(map[string]any{"account": "999999999999", "roleARN": "arn:aws:iam::999999999999:role/r"})),
		in("named", inventory(map[string]any{"roleARN": "arn:aws:iam::" + account + ":role/mine/r"})))
	s.list("/apis/s3.services.k8s.aws/v1alpha1/buckets", bucketIn("demo"), bucketIn("fromgit"), in("no-install", bucketIn("other")))
	s.list("/apis/apps/v1/deployments", deploymentIn("demo"), deploymentIn("elsewhere"), deploymentIn("named"), deploymentIn("fromgit"))
	s.list("/api/v1/serviceaccounts", accountIn("demo", role.ARN), accountIn("fromgit", earlier))
	s.aws.has(role)
	rows := s.rows()
	if len(rows) != 4 || rows["demo"].Version != "v1.2.0" {
		t.Errorf("%+v", rows)
	}
	for name, want := range map[string]RoleWord{"demo": RoleOK, "fromgit": RoleMissing, "elsewhere": RoleUnknown, "named": RoleMissing} {
		if got := rows[name]; got.Role != want || got.Drift == "no" || got.Mark == report.OK {
			t.Errorf("%s: %+v, want %s", name, got, want)
		}
	}
	if got := rows["fromgit"].RoleARN; got != earlier {
		t.Errorf("role %s, want %s", got, earlier)
	}
	if got := rows["named"].RoleARN; got != "arn:aws:iam::"+account+":role/mine/r" {
		t.Errorf("role %s", got)
	}
	for asked, n := range s.kube.Requests() {
		if n > 1 {
			t.Errorf("%d times %s", n, asked)
		}
	}
	// Of the role outside the usual path no list tells; contents and policies are details.
	if s.aws.count("ListRoles") != 1 || s.aws.count("GetRole") != 1 || s.aws.count("GetRolePolicy") != 1 || s.aws.count("GET ?list-type") == 0 {
		t.Errorf("AWS was asked %v", s.aws.asked)
	}
}

// TestRunAllAsTable: details are not asked for, and what was not looked at is told.
func TestRunAllAsTable(t *testing.T) {
	s := many(t)
	s.list("/api/v1/configmaps", inventory(nil))
	s.list("/apis/apps/v1/deployments", deploymentIn("demo"))
	s.aws.has(desired(t))
	delete(s.aws.answers, "ListRoles")
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	if text := s.out.String(); !strings.HasPrefix(text, "PROJECT") || !strings.Contains(text, "demo-bucket  ok") {
		t.Errorf("%s", text)
	}
	for _, note := range []string{"needs iam:ListRoles", "-o wide", "demo  bucket: it is not there; "} {
		if !strings.Contains(s.talk.String(), note) {
			t.Errorf("%q is not in\n%s", note, s.talk)
		}
	}
	if s.aws.count("GetRolePolicy")+s.aws.count("GET ?list-type") > 0 {
		t.Errorf("AWS was asked %v", s.aws.asked)
	}
}

// TestRunAllWithoutAWS: the installs are told, and why their roles are not.
func TestRunAllWithoutAWS(t *testing.T) {
	s := many(t)
	s.Setenv("AWS_ACCESS_KEY_ID", "")
	s.Setenv("AWS_SECRET_ACCESS_KEY", "")
	s.list("/api/v1/configmaps", inventory(nil))
	s.list("/apis/apps/v1/deployments", deploymentIn("demo"))
	if row := s.rows()["demo"]; row.Role != RoleUnknown || row.Drift != "cluster" {
		t.Errorf("%+v", row)
	}
	if !strings.Contains(s.out.String(), "roles were not looked at: ") {
		t.Errorf("%s", s.out)
	}
}

// TestRunAllOfNone: an empty list is an answer.
func TestRunAllOfNone(t *testing.T) {
	s := many(t)
	if err := s.run(); err != nil || s.out.Len() > 0 || !strings.Contains(s.talk.String(), "nothing is installed") {
		t.Errorf("%v, %s%s", err, s.out, s.talk)
	}
}

// TestRunAllKept: what is kept after an uninstall makes no row; what one look says of it is
// said here, too.
func TestRunAllKept(t *testing.T) {
	claim := map[string]any{"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": map[string]any{"namespace": "demo", "name": "ostoy-pvc"}}
	tags := "<Tagging><TagSet>"
	for key, value := range desired(t).Tags {
		tags += "<Tag><Key>" + key + "</Key><Value>" + value + "</Value></Tag>"
	}
	keeps := func(s *scene) {
		s.aws.answers["HEAD"], s.aws.answers["GET ?tagging"] = "", tags+"</TagSet></Tagging>"
		s.aws.answers["GET ?versions"] = `<ListVersionsResult><Version><Key>a</Key><VersionId>null</VersionId><IsLatest>true</IsLatest><Size>6</Size></Version></ListVersionsResult>`
	}
	const words = "; kept: volume ostoy-pvc, bucket demo-bucket (1 object, 6 B)"

	s := many(t)
	keeps(s)
	s.list("/api/v1/persistentvolumeclaims", claim)
	if err := s.run(); err != nil || s.out.Len() > 0 || !strings.Contains(s.talk.String(), "demo  not installed"+words+"\n") {
		t.Errorf("%v\n%s%s", err, s.out, s.talk)
	}
	s.request.Output = session.FormatJSON
	document := table{}
	if err := s.run(); err != nil || json.Unmarshal(s.out.Bytes(), &document) != nil || len(document.Kept) != 1 || document.Kept[0].Words() != "not installed"+words {
		t.Errorf("%v\n%s", err, s.out)
	}

	s = scenery(t)
	keeps(s)
	s.kube.Answer("GET /api/v1/namespaces/demo/persistentvolumeclaims/ostoy-pvc", claim)
	refused(t, s.run(), problem.Refused, "OSToy is not installed in project demo"+words, "oc ostoy-s3 uninstall -n demo --delete-data --adopt=bucket")
	if s.out.Len() > 0 {
		t.Errorf("%s", s.out)
	}
	s.request.Output = session.FormatJSON
	refused(t, s.run(), problem.Refused, "OSToy is not installed in project demo"+words)
	one := presence.Document{}
	if json.Unmarshal(s.out.Bytes(), &one) != nil || one.State != "not installed" || one.Words() != "not installed"+words {
		t.Errorf("%s", s.out)
	}
}

// TestRunAllKeptAsksLittle: what is kept in a project costs a look at its bucket, and one at
// its role only if the list of roles has it, or if there is no list.
func TestRunAllKeptAsksLittle(t *testing.T) {
	const projects = 5
	role := desired(t)
	for name, c := range map[string]struct {
		prepare func(*scene)
		reads   int
		role    string // that is kept in the project demo
	}{
		"no role in the list":          {func(s *scene) { s.aws.answers["ListRoles"] = rolesListed() }, 0, ""},
		"a role in the list":           {func(s *scene) { s.aws.has(role) }, 1, role.Name},
		"a role of an earlier version": {func(s *scene) { s.aws.has(renamed(role, render.EarlierRoleName(issuer, "demo"))) }, 1, render.EarlierRoleName(issuer, "demo")},
		"roles may not be listed":      {func(s *scene) { s.aws.has(role); delete(s.aws.answers, "ListRoles") }, 2*projects - 1, role.Name},
	} {
		t.Run(name, func(t *testing.T) {
			s := many(t)
			inventories := []any{inventory(nil)}
			for n := 1; n < projects; n++ {
				inventories = append(inventories, in(fmt.Sprintf("left-%d", n), inventory(nil)))
			}
			s.list("/api/v1/configmaps", inventories...)
			s.aws.answers["HEAD"], s.aws.answers["GET ?tagging"] = "", "<Tagging><TagSet></TagSet></Tagging>"
			c.prepare(s)
			if err := s.run(); err != nil {
				t.Fatal(err)
			}
			want := "demo  not installed; kept: inventory ostoy-s3"
			if c.role != "" {
				want += ", role " + c.role
			}
			if !strings.Contains(s.talk.String(), want+"\n") || !strings.Contains(s.talk.String(), "left-4  not installed; kept: inventory ostoy-s3\n") {
				t.Errorf("%q is not in\n%s", want, s.talk)
			}
			for call, most := range map[string]int{
				"ListRoles": 1, "GetRole": c.reads, "GetRolePolicy": 0, "ListRolePolicies": 0, "ListAttachedRolePolicies": 0,
				"HEAD": projects, "GET ?tagging": projects, "GET ?versions": 0, "GET ?list-type": 0,
			} {
				if n := s.aws.count(call); n != most {
					t.Errorf("%d times %s, want %d", n, call, most)
				}
			}
			for asked, n := range s.kube.Requests() {
				if n > 1 {
					t.Errorf("%d times %s", n, asked)
				}
			}
		})
	}
}

// renamed is a role of another name, under the same path.
func renamed(role iam.Role, name string) iam.Role {
	role.ARN = strings.TrimSuffix(role.ARN, role.Name) + name
	role.Name = name
	return role
}

// TestRunAllOfMine: for a user who may list only the current project it is the whole list.
func TestRunAllOfMine(t *testing.T) {
	s := many(t)
	s.kube.Forbid("GET /api/v1/configmaps", "list", "configmaps", "", "")
	s.kube.Forbid("GET /apis/project.openshift.io/v1/projects", "list", "projects", "project.openshift.io", "")
	s.kube.Forbid("GET /api/v1/namespaces", "list", "namespaces", "", "")
	s.list("/api/v1/namespaces/demo/configmaps", inventory(nil))
	s.list("/apis/apps/v1/deployments", deploymentIn("demo"))
	if err := s.run(); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(s.out.String(), "demo-bucket") || !strings.Contains(s.talk.String(), "looked in project demo only") {
		t.Errorf("%s%s", s.out, s.talk)
	}
	s.kube.Forbid("GET /api/v1/namespaces/demo/configmaps", "list", "configmaps", "", "")
	s.kube.Forbid("GET /apis/s3.services.k8s.aws/v1alpha1/buckets", "list", "buckets", "s3.services.k8s.aws", "")
	s.kube.Forbid("GET /apis/s3.services.k8s.aws/v1alpha1/namespaces/demo/buckets", "list", "buckets", "s3.services.k8s.aws", "")
	refused(t, s.run(), problem.Failed, "you may not look for installs in the whole cluster", "oc ostoy-s3 status -n PROJECT")
}

// TestRunAllRefusedInOne: what may not be listed in one of several projects is unknown
// there, and there alone.
func TestRunAllRefusedInOne(t *testing.T) {
	s := many(t)
	s.kube.Forbid("GET /apis/apps/v1/deployments", "list", "deployments", "apps", "")
	project := func(name string) any {
		return map[string]any{"apiVersion": "v1", "kind": "Namespace", "metadata": map[string]any{"name": name}}
	}
	s.list("/api/v1/namespaces", project("demo"), project("other"))
	s.list("/api/v1/configmaps", inventory(nil), in("other", inventory(nil)))
	s.list("/apis/apps/v1/namespaces/demo/deployments", deploymentIn("demo"))
	s.kube.Forbid("GET /apis/apps/v1/namespaces/other/deployments", "list", "deployments", "apps", "")
	rows := s.rows()
	for name, missing := range map[string]bool{"demo": true, "other": false} {
		if text := strings.Join(rows[name].Problems, "\n"); strings.Contains(text, "ostoy-microservice: it is not there") != missing {
			t.Errorf("%s: %s", name, text)
		}
	}
}

// TestRunAllIssuer: the issuer is that of a token in the current project or, if none is to
// be had there, in a project with an install.
func TestRunAllIssuer(t *testing.T) {
	for _, current := range []bool{true, false} {
		s := many(t)
		s.request.Facts.Given.Issuer, s.request.Facts.Given.Namespace = render.Fact{}, render.Fact{}
		s.session.Getter = s.kube.Getter("current")
		s.kube.Forbid("GET /.well-known/openid-configuration", "get", "", "", "")
		s.list("/api/v1/configmaps", inventory(nil))
		s.list("/apis/apps/v1/deployments", deploymentIn("demo"))
		claims := base64.RawURLEncoding.EncodeToString([]byte(`{"iss": "` + issuer + `"}`))
		from := map[bool]string{true: "current", false: "demo"}[current]
		s.kube.Answer("POST /api/v1/namespaces/"+from+"/serviceaccounts/default/token", map[string]any{
			"apiVersion": "authentication.k8s.io/v1", "kind": "TokenRequest", "status": map[string]any{"token": "x." + claims + ".x"},
		})
		if got := s.rows()["demo"].RoleARN; got != desired(t).ARN {
			t.Errorf("with a token of %s: role %q\n%s", from, got, s.out)
		}
		if n := s.kube.Requests()["POST /api/v1/namespaces/demo/serviceaccounts/default/token"]; (n > 0) == current {
			t.Errorf("%d tokens of demo were asked for", n)
		}
	}
}

// TestListedOf: an install is compared only in what was listed: the rest would be unknown.
func TestListedOf(t *testing.T) {
	chart, err := render.New()
	if err != nil {
		t.Fatal(err)
	}
	objects, err := listedOf(chart)(t.Context(), givenFacts(), render.Options{RoleARN: desired(t).ARN})
	var kinds []string
	for _, object := range objects {
		kinds = append(kinds, object.GetKind())
	}
	slices.Sort(kinds)
	if want := []string{"Bucket", "Deployment", "Deployment", "PersistentVolumeClaim", "Service", "Service", "ServiceAccount"}; err != nil || !slices.Equal(kinds, want) {
		t.Errorf("%v, %v", kinds, err)
	}
}

// TestRunAllUnread: without inventories and Buckets nobody knows what is installed.
func TestRunAllUnread(t *testing.T) {
	s := many(t)
	for _, path := range []string{"/api/v1/configmaps", "/apis/s3.services.k8s.aws/v1alpha1/buckets"} {
		s.kube.Refuse("GET "+path, 410, "Gone", "it is gone")
	}
	if err := s.run(); err == nil || !strings.Contains(err.Error(), "it is gone") {
		t.Errorf("%v", err)
	}
}
