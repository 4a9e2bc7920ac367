package render

import (
	"strings"
	"testing"
	"time"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/session"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/ui"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render/operator"
)

// TestF1RenderAccess: the permission to create Buckets is rendered only for a cluster
// that is known to check them.
func TestF1RenderAccess(t *testing.T) {
	for version, want := range map[string]struct{ policy, edit bool }{"": {true, false}, "v1.29.0": {}, "v1.30.0": {true, true}} {
		f := render.Facts{KubeVersion: render.Fact{Value: version}, Namespace: render.Fact{Value: "ack-system"}}
		var names []string
		for _, object := range access(f) {
			names = append(names, object.GetKind()+" "+object.GetName())
		}
		all := strings.Join(names, "\n")
		if strings.Contains(all, "ValidatingAdmissionPolicy "+operator.PolicyName) != want.policy || strings.Contains(all, operator.EditRole) != want.edit {
			t.Errorf("%q:\n%s", version, all)
		}
		if head := noPolicy(f); strings.Contains(head, "--kube-version") != (version == "") {
			t.Errorf("%q: %s", version, head)
		}
	}
}

// TestRun: with all facts given no server is asked; the values name role and region, the
// objects name the version that was asked for.
func TestRun(t *testing.T) {
	fact := func(value string) render.Fact { return render.Fact{Value: value, Source: "flag"} }
	given := render.Facts{
		Region: fact("us-east-2"), Account: fact("123456789012"), Partition: fact("aws"), Issuer: fact("https://oidc.example.com/1"), Audience: fact("sts.amazonaws.com"),
		Platform: fact(render.PlatformOpenShift), KubeVersion: fact("v1.33.0"),
	}
	for want, change := range map[string]func(*Request){
		"role/ostoy-s3-controller/ack-s3-controller-": func(r *Request) { r.Values = true },
		"startingCSV: ack-s3-controller.v1.13.0":      func(r *Request) { r.Version = "1.13.0" },
	} {
		streams, _, out, talk := genericiooptions.NewTestIOStreams()
		s := &session.Session{Streams: streams, UI: ui.New(talk, ui.Style{}, time.Now), Getter: genericclioptions.NewConfigFlags(false), Now: time.Now}
		r := Request{Facts: session.Facts{Given: given}}
		change(&r)
		if err := Run(t.Context(), s, r); err != nil || !strings.Contains(out.String(), want) {
			t.Errorf("%s: %v\n%s%s", want, err, out, talk)
		}
		r.Facts.Given.Namespace = fact("not/a/name")
		if err := Run(t.Context(), s, r); !problem.IsInput(err) {
			t.Errorf("%v", err)
		}
	}
}
