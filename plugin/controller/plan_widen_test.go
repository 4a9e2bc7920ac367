package controller

import (
	"errors"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/ack"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
)

// TestF1PolicyBesideAnyController: the policy is applied beside a controller whose reach
// is not known, and the permission to create Buckets is not.
func TestF1PolicyBesideAnyController(t *testing.T) {
	const all = "ClusterRole ostoy-s3-buckets-edit, ClusterRole ostoy-s3-buckets-view, ValidatingAdmissionPolicy ostoy-s3-buckets, ValidatingAdmissionPolicyBinding ostoy-s3-buckets"
	without := strings.TrimPrefix(all, "ClusterRole ostoy-s3-buckets-edit, ")
	for name, c := range map[string]struct {
		by    ack.Installer
		allow bool
		want  string
		says  string
	}{
		"by Helm":        {ack.Helm, false, without, "can read Buckets and not create them"},
		"by OLM":         {ack.OLM, false, without, "can create Buckets only because OLM gives"},
		"with your word": {ack.Helm, true, all, ""},
	} {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, false)
			used := controllerBy(c.by, "elsewhere", "somebody")
			used.Spec.Selector = &metav1.LabelSelector{MatchLabels: map[string]string{"a": "b"}}
			p := &Plan{
				Mode:      Used,
				Admission: Admission{Served: true},
				basis: basis{facts: testFacts(), options: Options{DryRun: session.DryRunClient, AllowAnyBucket: c.allow}, found: &Found{
					World: &live.World{Conn: w.conn, Namespace: ackSystem}, Namespace: ackSystem,
					Controllers: provenOnes(used),
				}},
			}
			p.set = accessOf(p)
			var err error
			p.Objects, err = p.planObjects(t.Context(), nil)
			if err := errors.Join(err, mayWiden(t.Context(), p)); err != nil {
				t.Fatal(err)
			}
			var planned []string
			for _, item := range p.Objects.All() {
				planned = append(planned, item.Ref.String())
			}
			slices.Sort(planned)
			if got := strings.Join(planned, ", "); got != c.want {
				t.Errorf("planned: %s", got)
			}
			said := ""
			for _, warning := range p.Admission.Warnings {
				said += warning.What + "\n" + warning.Next
			}
			if (c.says == "") != (said == "") || !strings.Contains(said, c.says) || c.says != "" && !strings.Contains(said, "--allow-any-bucket") {
				t.Errorf("warns: %s", said)
			}
		})
	}
}
