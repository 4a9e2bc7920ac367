package olm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/google/go-cmp/cmp"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
)

const pkg = "ack-s3-controller"

// manifest is a PackageManifest with one channel, whose head is the first of
// the versions; without more than that one its entries are not listed.
func manifest(t *testing.T, catalog, namespace, channel string, versions ...string) *unstructured.Unstructured {
	t.Helper()
	entries := ""
	for _, version := range versions {
		entries += fmt.Sprintf("    - {name: %s.v%s, version: %s}\n", pkg, version, version)
	}
	if len(versions) > 1 {
		entries = "    entries:\n" + entries
	} else {
		entries = ""
	}
	return object(t, fmt.Sprintf(`
apiVersion: packages.operators.coreos.com/v1
kind: PackageManifest
metadata: {name: %[1]s, namespace: ack-system, labels: {catalog: %[2]s, catalog-namespace: %[3]s}}
status:
  catalogSource: %[2]s
  catalogSourceNamespace: %[3]s
  packageName: %[1]s
  defaultChannel: %[4]s
  channels:
  - name: %[4]s
    currentCSV: %[1]s.v%[5]s
    currentCSVDesc: {version: %[5]s, displayName: AWS Controllers for Kubernetes - Amazon S3}
%[6]s`, pkg, catalog, namespace, channel, versions[0], entries))
}

func TestOffers(t *testing.T) {
	community := manifest(t, Community, Marketplace, "alpha", "1.10.0", "1.9.0", "1.2.0", "1.8.1", "1.10.0-rc.1", "nightly")
	other := object(t, "apiVersion: packages.operators.coreos.com/v1\nkind: PackageManifest\nmetadata: {name: ack-iam-controller}\nstatus: {packageName: ack-iam-controller}")
	got := Offers([]*unstructured.Unstructured{
		manifest(t, "mirror", "olm", "alpha", "1.13.0"),
		manifest(t, "certified", Marketplace, "stable", "1.10.0"),
		other, community, community.DeepCopy(),
	}, pkg, "alpha")
	if len(got) != 3 {
		t.Fatalf("%d offers: %+v", len(got), got)
	}
	first := got[0]
	if first.Catalog != Community || !first.Listed || first.Head != pkg+".v1.10.0" || first.HeadVersion != "1.10.0" {
		t.Errorf("%+v", first)
	}
	if diff := cmp.Diff([]string{"1.10.0", "1.10.0-rc.1", "1.9.0", "1.8.1", "1.2.0", "nightly"}, first.Versions); diff != "" {
		t.Errorf("newest first, what is no version last:\n%s", diff)
	}
	if got[1].Catalog != "mirror" || got[1].Listed || !slices.Equal(got[1].Versions, []string{"1.13.0"}) {
		t.Errorf("%+v", got[1])
	}
	if got[2].Head != "" || !slices.Equal(got[2].Channels, []string{"stable"}) {
		t.Errorf("a catalog without the channel: %+v", got[2])
	}
	if byDefault := Offers(objects(t), pkg, "alpha"); len(byDefault) != 0 {
		t.Errorf("out of nothing: %+v", byDefault)
	}
	if byDefault := Offers([]*unstructured.Unstructured{manifest(t, "certified", Marketplace, "stable", "1.10.0")}, pkg, ""); byDefault[0].Channel != "stable" || byDefault[0].Head == "" {
		t.Errorf("the default channel: %+v", byDefault[0])
	}
}

func TestOffersTakeTheVersionFromTheNameWhereTheCatalogDoesNotTellIt(t *testing.T) {
	got := Offers(objects(t, `
apiVersion: packages.operators.coreos.com/v1
kind: PackageManifest
metadata: {name: ack-s3-controller}
status:
  catalogSource: c
  catalogSourceNamespace: n
  channels: [{name: alpha, currentCSV: ack-s3-controller.v1.10.0, entries: [{name: ack-s3-controller.v1.10.0}, {name: ack-s3-controller.v1.9.0}]}]`), pkg, "alpha")
	if len(got) != 1 || got[0].HeadVersion != "1.10.0" || !slices.Equal(got[0].Versions, []string{"1.10.0", "1.9.0"}) {
		t.Errorf("%+v", got)
	}
}

func TestChoose(t *testing.T) {
	community := manifest(t, Community, Marketplace, "alpha", "1.10.0", "1.9.0", "1.2.0")
	newer := manifest(t, "mirror", "olm", "alpha", "1.13.0", "1.12.0")
	silent := manifest(t, "silent", "olm", "alpha", "1.11.0")
	// A catalog may name its versions by another rule.
	odd := object(t, `
apiVersion: packages.operators.coreos.com/v1
kind: PackageManifest
metadata: {name: ack-s3-controller}
status:
  catalogSource: odd
  catalogSourceNamespace: n
  channels: [{name: alpha, currentCSV: ack-s3.1.4.0, currentCSVDesc: {version: 1.4.0}, entries: [{name: ack-s3.1.4.0, version: 1.4.0}, {name: ack-s3-1.3.0-fixed, version: 1.3.0}]}]`)
	for name, c := range map[string]struct {
		in                   []*unstructured.Unstructured
		version              string
		catalog, csv, number string
		notes                []string
	}{
		"the head of the community's":  {[]*unstructured.Unstructured{newer, community}, "", Community, pkg + ".v1.10.0", "1.10.0", []string{"mirror in olm offers it as well, up to 1.13.0"}},
		"else of who has the newest":   {[]*unstructured.Unstructured{silent, newer}, "", "mirror", pkg + ".v1.13.0", "1.13.0", []string{"silent in olm offers it as well, up to 1.11.0"}},
		"a number":                     {[]*unstructured.Unstructured{community}, "1.9.0", Community, pkg + ".v1.9.0", "1.9.0", []string{"community-operators in openshift-marketplace has 1.10.0, which is newer"}},
		"a number with v":              {[]*unstructured.Unstructured{community}, "v1.10.0", Community, pkg + ".v1.10.0", "1.10.0", nil},
		"a CSV":                        {[]*unstructured.Unstructured{community}, pkg + ".v1.2.0", Community, pkg + ".v1.2.0", "1.2.0", []string{"1.10.0, which is newer"}},
		"only elsewhere":               {[]*unstructured.Unstructured{community, newer}, "1.12.0", "mirror", pkg + ".v1.12.0", "1.12.0", []string{"1.13.0, which is newer", "community-operators in openshift-marketplace offers"}},
		"on trust":                     {[]*unstructured.Unstructured{community, silent}, "1.7.0", "silent", pkg + ".v1.7.0", "1.7.0", []string{"does not list its versions", "1.11.0, which is newer", "community"}},
		"on trust, by its CSV":         {[]*unstructured.Unstructured{silent}, pkg + ".v1.7.0", "silent", pkg + ".v1.7.0", "1.7.0", []string{"does not list its versions", "1.11.0, which is newer"}},
		"the head, no trust is needed": {[]*unstructured.Unstructured{silent}, "1.11.0", "silent", pkg + ".v1.11.0", "1.11.0", nil},
		"listed goes before trust":     {[]*unstructured.Unstructured{silent, newer}, "1.12.0", "mirror", pkg + ".v1.12.0", "1.12.0", []string{"1.13.0, which is newer", "silent"}},
		"names by another rule":        {[]*unstructured.Unstructured{odd}, "1.3.0", "odd", "ack-s3-1.3.0-fixed", "1.3.0", []string{"1.4.0, which is newer"}},
	} {
		got, err := Choose(Offers(c.in, pkg, "alpha"), pkg, c.version)
		if err != nil || got.Catalog != c.catalog || got.CSV != c.csv || got.Version != c.number || got.Channel != "alpha" {
			t.Errorf("%s: %s %s %s, %v", name, got.Catalog, got.CSV, got.Version, err)
			continue
		}
		if len(got.Notes) != len(c.notes) {
			t.Errorf("%s: notes %q", name, got.Notes)
			continue
		}
		for i, note := range c.notes {
			if !strings.Contains(got.Notes[i], note) {
				t.Errorf("%s: note %q, want %q", name, got.Notes[i], note)
			}
		}
	}
}

func TestChooseRefuses(t *testing.T) {
	_, err := Choose(nil, pkg, "")
	refusal(t, err, problem.Refused, pkg, "oc get packagemanifests -n openshift-marketplace", "oc get operatorhub cluster -o yaml", "mirrored", "oc ostoy-s3 controller render --values")

	stable := []*unstructured.Unstructured{manifest(t, Community, Marketplace, "stable", "1.10.0")}
	_, err = Choose(Offers(stable, pkg, "alpha"), pkg, "")
	refusal(t, err, problem.Refused, `channel "alpha"`, "community-operators in openshift-marketplace has stable")

	many := []*unstructured.Unstructured{manifest(t, Community, Marketplace, "alpha", "1.10.0", "1.9.0", "1.8.0", "1.7.0", "1.6.0", "1.5.0", "1.4.0")}
	for _, version := range []string{"1.11.0", "1.10", "nonsense", pkg + ".v9.9.9"} {
		_, err = Choose(Offers(many, pkg, "alpha"), pkg, version)
		refusal(t, err, problem.Refused, version, "1.10.0, 1.9.0, 1.8.0, 1.7.0, 1.6.0 and 2 more", "--version 1.10.0")
	}
}

func TestNewer(t *testing.T) {
	// Each is newer than the next.
	order := []string{"2.0.0", "v1.10.0", "1.10.0-rc.2", "1.10.0-rc.1", "1.9.9", "1.2.0", "0.0.1", "vnightly", "1.10"}
	for i, a := range order {
		for j, b := range order {
			want := 0
			switch {
			case i < j:
				want = 1
			case i > j:
				want = -1
			}
			if got := newer(a, b); got != want {
				t.Errorf("newer(%s, %s) = %d, want %d", a, b, got, want)
			}
		}
	}
	if newer("v1.0.0", "1.0.0") != 0 {
		t.Error("a leading v is no difference")
	}
}
