package e2e

import (
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/testbed"
)

// factsDocument is what `facts -o yaml|json` prints.
type factsDocument map[string]struct {
	Value, Source, Why string
	Values             []string
}

// want looks at one fact: value, and source or, where it is unknown, why.
func (d factsDocument) want(t *testing.T, name, value, from string) {
	t.Helper()
	fact := d[name]
	if fact.Value != value || fact.Source+fact.Why != from {
		t.Errorf("%s is %q from %q (%s), want %q from %q", name, fact.Value, fact.Source, fact.Why, value, from)
	}
}

// factsOf prints the facts in all three formats, which must agree.
func factsOf(t *testing.T, user run.User, args ...string) factsDocument {
	t.Helper()
	format := func(name string) run.Result {
		return user.Run(t, append([]string{"facts", "-o", name}, args...)...).WantCode(t, 0)
	}
	var fromYAML, fromJSON factsDocument
	if err := yaml.UnmarshalStrict([]byte(format("yaml").Stdout), &fromYAML); err != nil {
		t.Fatal(err)
	}
	format("json").JSON(t, &fromJSON)
	if one, other := asJSON(t, fromYAML), asJSON(t, fromJSON); one != other {
		t.Errorf("facts as YAML and as JSON differ\n%s\n%s", one, other)
	}
	table := format("table")
	for name, fact := range fromYAML {
		line := regexp.MustCompile(`(?m)^` + name + ` +(\S.*)$`).FindString(table.Stdout)
		if !strings.Contains(line, fact.Value) || !strings.Contains(line, fact.Source+fact.Why) {
			t.Errorf("the table says %q of %s, want %q from %q", line, name, fact.Value, fact.Source+fact.Why)
		}
	}
	return fromYAML
}

func asJSON(t *testing.T, value any) string {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// testFactsAsClusterAdmin: everything is read where it is kept.
func testFactsAsClusterAdmin(t *testing.T, bed *testbed.Bed) {
	facts := factsOf(t, run.Admin(bed), "-n", "some-project")
	facts.want(t, "namespace", "some-project", "flag --namespace")
	facts.want(t, "accountID", testbed.Account, "sts:GetCallerIdentity")
	facts.want(t, "partition", "aws", "sts:GetCallerIdentity")
	facts.want(t, "audience", "sts.amazonaws.com", "default")
	wantCommonFacts(t, bed, facts)
	if bed.Platform.OpenShift() {
		facts.want(t, "platform", string(bed.Platform), "infrastructures/cluster")
		facts.want(t, "region", testbed.Region, "infrastructures/cluster")
		facts.want(t, "issuer", bed.Issuer, "authentications/cluster")
		facts.want(t, "clusterID", testbed.ClusterID, "clusterversions/version")
		return
	}
	facts.want(t, "region", testbed.Region, "AWS configuration")
	facts.want(t, "issuer", bed.Issuer, "/.well-known/openid-configuration")
	facts.want(t, "clusterID", "", "the cluster has no clusterversions/version")
	facts.want(t, "platform", string(bed.Platform), platformSource(bed))
}

// platformSource is what shows which kind of cluster without OpenShift it is.
func platformSource(bed *testbed.Bed) string {
	if bed.Platform == testbed.EKS {
		return "issuer"
	}
	return "API groups served"
}

// testFactsAsProjectAdmin: what may not be read is unknown, and the tool says
// why; the rest comes from elsewhere.
func testFactsAsProjectAdmin(t *testing.T, bed *testbed.Bed) {
	const namespace = "facts-of-learner"
	user := projectAdmin(t, bed, namespace)
	if bed.Platform.OpenShift() {
		requestProject(t, user, namespace)
	}
	facts := factsOf(t, user, "-n", namespace)
	facts.want(t, "issuer", bed.Issuer, fmt.Sprintf("token of serviceaccounts/default in %s", namespace))
	facts.want(t, "region", testbed.Region, "AWS configuration")
	facts.want(t, "clusterID", "", "you may not read clusterversions/version")
	if bed.Platform.OpenShift() { // which kind of OpenShift is not to be seen
		facts.want(t, "platform", "openshift", "API groups served")
	} else {
		facts.want(t, "platform", string(bed.Platform), platformSource(bed))
	}
	wantCommonFacts(t, bed, facts)
	talk := user.Run(t, "facts", "-n", namespace).WantCode(t, 0)
	talk.WantTalk(t, "the issuer is read from a token", "the region is your AWS configuration's")
}

// wantCommonFacts are those that everybody may know.
func wantCommonFacts(t *testing.T, bed *testbed.Bed, facts factsDocument) {
	t.Helper()
	version, err := bed.Client.Discovery().ServerVersion()
	if err != nil {
		t.Fatal(err)
	}
	facts.want(t, "kubeVersion", version.GitVersion, "/version")
	groups := " " + strings.Join(facts["apiVersions"].Values, " ") + " "
	for group, want := range map[string]bool{
		"apps/v1": true, "s3.services.k8s.aws/v1alpha1": true, "route.openshift.io/v1": bed.Platform.OpenShift(),
	} {
		if strings.Contains(groups, " "+group+" ") != want {
			t.Errorf("api versions hold %s: %t, want %t", group, !want, want)
		}
	}
}

// requestProject makes a project as `oc new-project` does.
func requestProject(t *testing.T, user run.User, namespace string) {
	t.Helper()
	request := "apiVersion: project.openshift.io/v1\nkind: ProjectRequest\nmetadata: {name: " + namespace + "}\n"
	user.Typing(request).Kubectl(t, "create", "--validate=false", "-f", "-").WantCode(t, 0)
	eventually(t, "rights in "+namespace, mayUse(user, namespace))
}
