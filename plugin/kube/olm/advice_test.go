package olm

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/shell"
)

// breakout ends a word and a line, and begins a command of its own.
const breakout = "x'; touch /tmp/x; $(id)\noc delete project demo #\x1b[8m\u202e"

// wantOneLine: a text that repeats breakout stays one line that a terminal shows as it is.
func wantOneLine(t *testing.T, name string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.ContainsAny(text, "\n\x1b\u202e\u2028") {
			t.Errorf("%s: %q", name, text)
		}
	}
}

// wantCommands: each line is advice of this package, and what was repeated is one word.
func wantCommands(t *testing.T, name, next string) {
	t.Helper()
	if strings.ContainsAny(next, "\x1b\u202e") {
		t.Errorf("%s: %q", name, next)
	}
	for _, line := range strings.Split(next, "\n") {
		if bare, closed := shell.Bare(line); !closed || strings.Contains(bare, "delete project") || strings.Contains(bare, "touch") {
			t.Errorf("%s: %q", name, line)
		}
	}
}

func objectWith(kind string, fields map[string]any) *unstructured.Unstructured {
	o := &unstructured.Unstructured{Object: fields}
	o.SetKind(kind)
	o.SetName("one")
	o.SetNamespace("ns")
	return o
}

// TestF2Texts: what Subscriptions, plans, versions, groups and catalogs say is repeated in
// one line, or as one word of a command.
func TestF2Texts(t *testing.T) {
	condition := func(kind, reason string) map[string]any {
		return map[string]any{"type": kind, "status": "True", "reason": reason, "message": breakout}
	}
	for _, kind := range []string{"ResolutionFailed", "BundleUnpackFailed", "InstallPlanFailed", "CatalogSourcesUnhealthy"} {
		s := objectWith("Subscription", map[string]any{
			"spec": map[string]any{"channel": breakout, "source": breakout, "sourceNamespace": breakout},
			"status": map[string]any{
				"conditions": []any{condition(kind, breakout)}, "installPlanRef": map[string]any{"name": breakout}, "installedCSV": breakout,
				"catalogHealth": []any{map[string]any{"healthy": false, "catalogSourceRef": map[string]any{"name": breakout, "namespace": breakout}}},
			},
		})
		trouble, is := TroubleOf(s)
		if !is {
			t.Fatal(kind)
		}
		wantOneLine(t, kind, trouble.Why)
		wantCommands(t, kind, trouble.Next)
		install := InstallOf(s)
		wantOneLine(t, kind, install.Channel, install.Source, install.SourceNamespace, install.Installed, install.Plan)
	}
	for _, reason := range []string{"RequirementsNotMet", "InstallCheckFailed", "OperatorConditionNotUpgradeable", "NoOperatorGroup", breakout} {
		csv := CSVOf(objectWith("ClusterServiceVersion", map[string]any{
			"spec": map[string]any{"replaces": breakout, "install": map[string]any{"spec": map[string]any{"deployments": []any{map[string]any{"name": breakout}}}}},
			"status": map[string]any{"phase": "Failed", "reason": reason, "message": breakout, "requirementStatus": []any{
				map[string]any{"kind": breakout, "name": breakout, "status": breakout, "message": breakout},
			}},
		}))
		failure, _ := csv.Failure()
		wantOneLine(t, reason, failure.What, failure.Why)
		wantCommands(t, reason, failure.Next)
	}
	plan := PlanOf(objectWith("InstallPlan", map[string]any{
		"spec":   map[string]any{"clusterServiceVersionNames": []any{breakout, "b"}},
		"status": map[string]any{"phase": "Failed", "message": breakout},
	}))
	failure, _ := plan.Failure()
	wantOneLine(t, "plan", failure.Why)
	refusal := problemOf(t, plan.Refuse("b"))
	wantOneLine(t, "plan of others", refusal.What, refusal.Why)
	wantCommands(t, "plan of others", refusal.Next)
	_, err := JudgeGroups([]*unstructured.Unstructured{objectWith("OperatorGroup", map[string]any{"spec": map[string]any{"targetNamespaces": []any{breakout}}})}, "ns")
	wantOneLine(t, "group", problemOf(t, err).Why)
}

// TestF2Offers: a catalog is anybody's who can create a CatalogSource.
func TestF2Offers(t *testing.T) {
	offers := Offers([]*unstructured.Unstructured{objectWith("PackageManifest", map[string]any{"status": map[string]any{
		"packageName": "ack", "catalogSource": breakout, "catalogSourceNamespace": breakout, "defaultChannel": breakout,
		"channels": []any{map[string]any{"name": breakout, "currentCSV": breakout, "currentCSVDesc": map[string]any{"version": "1.2.3"}, "entries": []any{map[string]any{"name": breakout, "version": breakout}}}},
	}})}, "ack", "")
	if len(offers) != 1 {
		t.Fatal(offers)
	}
	choice, err := Choose(offers, "ack", "")
	if err != nil {
		t.Fatal(err)
	}
	wantOneLine(t, "choice", append(choice.Notes, choice.CSV, choice.Catalog, choice.CatalogNamespace, choice.Channel)...)
	_, err = Choose(offers, "ack", "9.9.9\n")
	none := problemOf(t, err)
	wantOneLine(t, "no version", none.What, none.Why)
	wantCommands(t, "no version", none.Next)
	_, err = Choose(Offers([]*unstructured.Unstructured{objectWith("PackageManifest", map[string]any{"status": map[string]any{
		"packageName": "ack", "catalogSource": breakout, "catalogSourceNamespace": breakout, "channels": []any{map[string]any{"name": breakout}},
	}})}, "ack", "alpha"), "ack", "")
	none = problemOf(t, err)
	wantOneLine(t, "no channel", none.What, none.Why)
}

// TestF2CreateGroup: the object in the advised command is one word.
func TestF2CreateGroup(t *testing.T) {
	csv := CSV{Namespace: "ack-system"}
	const want = `echo '{"apiVersion":"operators.coreos.com/v1","kind":"OperatorGroup","metadata":{"name":"ack-system","namespace":"ack-system"},"spec":{}}' | oc create -f -`
	if got := csv.createGroup(); got != want {
		t.Errorf("%s\nwant %s", got, want)
	}
}

func problemOf(t *testing.T, err error) *problem.Error {
	t.Helper()
	var p *problem.Error
	if !errors.As(err, &p) {
		t.Fatalf("%v", err)
	}
	return p
}
