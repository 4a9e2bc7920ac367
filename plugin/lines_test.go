package plugin

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice/advicetest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/cluster/clustertest"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/status"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// poison would run in a shell, look like another line of this tool, and hide itself.
const poison = advicetest.Quotes + advicetest.Lines + advicetest.Control

// poisonedRoles are what a project's editor can write where a role is expected.
func poisonedRoles() []string {
	const role = "arn:aws:iam::123456789012:role/"
	return []string{
		poison, role + poison, role + "$(touch${IFS}/tmp/pwned)", role + "a'b", role + "`id`", role + "a;id", role + "x --policy-arn=arn:aws:iam::aws:policy/AdministratorAccess",
		role + "a\u202eb", role + "$(id)/name", role + "a b/name",
	}
}

// TestF2RolesOfTheRecord: a role that the project names is looked at, and its name
// becomes a flag, only if name and path are legal.
func TestF2RolesOfTheRecord(t *testing.T) {
	for _, text := range poisonedRoles() {
		if _, legal := roleNamed(text); legal {
			t.Errorf("%q is legal", text)
		}
	}
	for _, name := range []string{"mine/r", "r", "mine/-rf", "a!b/#c/~d/r"} {
		if arn, legal := roleNamed("arn:aws:iam::123456789012:role/" + name); !legal || "/"+name != arn.Path()+arn.Name() {
			t.Errorf("%s: %v, %t", name, arn, legal)
		}
	}
}

// TestF3RenderRoleNamesNoPolicyOfTheRecord: the command that prints a role names a policy
// only if you gave it.
func TestF3RenderRoleNamesNoPolicyOfTheRecord(t *testing.T) {
	i := &install{}
	i.facts.Namespace.Value = "demo"
	desired := iam.Role{Name: "r", Path: render.RolePath, PolicyARN: "arn:aws:iam::aws:policy/AdministratorAccess"}
	if got, want := i.renderRole(desired), "oc ostoy-s3 iam render -n demo --role-name r"; got != want {
		t.Errorf("%s, want %s", got, want)
	}
	i.request.Role.PolicyARN = "arn:aws:iam::aws:policy/x'y"
	desired.Name, desired.Path = "-odd", "/$(id)/"
	want := `oc ostoy-s3 iam render -n demo --role-name=-odd --role-path '/$(id)/' --policy-arn 'arn:aws:iam::aws:policy/x'\''y'`
	if got := i.renderRole(desired); got != want {
		t.Errorf("%s, want %s", got, want)
	}
}

// TestF2LastRole: a role that only the record names is not to be deleted by a command to
// copy.
func TestF2LastRole(t *testing.T) {
	for role, want := range map[string]string{
		"arn:aws:iam::123456789012:role/Finance": "aws iam list-role-tags --role-name ROLE",
		poisonedRoles()[2]:                       "",
		"":                                       "",
	} {
		var talk bytes.Buffer
		i := &install{App: &App{&session.Session{UI: ui.New(&talk, ui.Style{}, statusNoon)}}, role: &iam.Plan{Role: iam.Role{ARN: statusRole}}}
		i.inventory.RoleARN = role
		i.warnOfLastRole()
		if text := talk.String(); strings.Contains(text, "delete") || !strings.Contains(text, want) || want == "" && text != "" {
			t.Errorf("%q: %q", role, text)
		}
	}
}

// TestF2OpenRefusesAHost: an address made of a host that is none is not opened or printed,
// and not passed over as if there were no Route.
func TestF2OpenRefusesAHost(t *testing.T) {
	for _, host := range []string{"$(touch /tmp/pwned)", "a'b.example.com", "a.example.com/x y", "a.example.com\x1b[8m", "user@a.example.com", "a.example.com\nb", "-x"} {
		server := clustertest.New(t, "v1.33.0")
		server.Answer("GET /apis/route.openshift.io/v1/namespaces/demo/routes/ostoy-route", map[string]any{
			"apiVersion": "route.openshift.io/v1", "kind": "Route", "metadata": map[string]any{"name": "ostoy-route", "namespace": "demo"},
			"status": map[string]any{"ingress": []any{map[string]any{"host": host, "conditions": []any{map[string]any{"type": "Admitted", "status": "True"}}}}},
		})
		conn, err := cluster.Connect(clustertest.Getter(t, server.URL, "demo"), cluster.Options{})
		if err != nil {
			t.Fatal(err)
		}
		address, err := appURL(t.Context(), conn, "demo")
		if address != "" || !errors.Is(err, errHost) || strings.Contains(err.Error(), host) {
			t.Errorf("%q: %q, %v", host, address, err)
		}
	}
	route := &unstructured.Unstructured{Object: map[string]any{"kind": "Route", "metadata": map[string]any{"name": "ostoy-route", "namespace": "demo"}}}
	var told *problem.Error
	if err := noAddress(route); !errors.As(err, &told) || told.Next != "oc get route ostoy-route -n demo -o yaml" {
		t.Errorf("%+v", told)
	}
}

// TestF5StatusLines: each line of a report stays one line, in tables and lists.
func TestF5StatusLines(t *testing.T) {
	a := &App{&session.Session{Report: ui.New(&bytes.Buffer{}, ui.Style{}, statusNoon)}}
	for _, line := range a.drawn([]statusLine{{"bucket", status.OK, poison, poison}}) {
		if strings.ContainsAny(line, "\n\x1b\u202e") {
			t.Errorf("%q", line)
		}
	}
	for _, line := range session.Columns([][]string{{poison, poison}}) {
		if strings.ContainsAny(line, "\n\x1b\u202e") {
			t.Errorf("%q", line)
		}
	}
	if got := beforeAfter(poison, poison); strings.ContainsAny(got, "\n\x1b\u202e") {
		t.Errorf("%q", got)
	}
	r := goodReport()
	r.Bucket.Part = status.Part{Mark: status.Wrong, Hint: "oc a\noc b"}
	if got := hintsOf(r); !slices.Equal(got, []string{"oc a", "oc b"}) {
		t.Errorf("%q", got)
	}
}

// TestF2Adoption: what is adopted is named by legal values.
func TestF2Adoption(t *testing.T) {
	got := policies(&iam.Actual{Attached: []string{poison, "arn:aws:iam::aws:policy/ReadOnlyAccess"}, Inlines: []string{poison}})
	if len(got) != 3 || strings.Contains(got[0], "touch") || got[1] != "arn:aws:iam::aws:policy/ReadOnlyAccess" || strings.ContainsAny(got[2], "\n\x1b\u202e") {
		t.Errorf("%q", got)
	}
	i := &install{}
	if why := i.uselessRole(iam.Role{ARN: statusRole}, &iam.Actual{Exists: true, ARN: poison}); strings.Contains(why, "touch") {
		t.Error(why)
	}
}

// TestF2HelmInstall: what you give is one word of the printed command.
func TestF2HelmInstall(t *testing.T) {
	f := render.Facts{Namespace: render.Fact{Value: "ack-system"}}
	const begin = "helm install ack-s3-controller oci://public.ecr.aws/aws-controllers-k8s/s3-chart --namespace ack-system --create-namespace"
	for version, want := range map[string]string{"": begin + " -f v.yaml", "v1.9.0": begin + " --version 1.9.0 -f v.yaml", "$(id)": begin + " --version '$(id)' -f v.yaml"} {
		if got := helmInstall(f, version, "-f", "v.yaml"); got != want {
			t.Errorf("%s\nwant %s", got, want)
		}
	}
}
