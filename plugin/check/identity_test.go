package check

import (
	"strings"
	"testing"
	"time"

	core "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	goodARN = "arn:aws:iam::123456789012:role/ostoy-s3/demo-ostoy-sa-00000000"
	tokens  = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
)

func identityFacts() render.Facts {
	return render.Facts{
		Namespace: render.Fact{Value: "demo"},
		Issuer:    render.Fact{Value: "https://oidc.op1.openshiftapps.com/2abc", Source: "authentications/cluster"},
		Audience:  render.Fact{Value: render.DefaultAudience},
		Account:   render.Fact{Value: "123456789012"},
		Partition: render.Fact{Value: "aws"},
	}
}

// wantFinding holds status and words against a finding.
func wantFinding(t *testing.T, got Finding, status Status, words ...string) {
	t.Helper()
	text := got.What + "\n" + got.Why + "\n" + got.Next
	if got.Status != status {
		t.Errorf("it is %s, want %s\n%s", got.Status, status, text)
	}
	for _, word := range words {
		if !strings.Contains(text, word) {
			t.Errorf("it does not say %q\n%s", word, text)
		}
	}
	if (status == Failed || status == Warned) && (got.What == "" || got.Why == "" || got.Next == "") {
		t.Errorf("a part is missing: %+v", got)
	}
}

// goodPod is one as install makes it.
func goodPod(change ...func(*core.Pod)) core.Pod {
	container := func(name string) core.Container {
		return core.Container{
			Name: name,
			Env: []core.EnvVar{
				{Name: roleVariable, Value: goodARN},
				{Name: tokenVariable, Value: tokens + "/token"},
				{Name: regionVariable, Value: "us-east-2"},
				{Name: endpointsVariable, Value: "regional"},
			},
			VolumeMounts: []core.VolumeMount{{Name: "aws-iam-token", MountPath: tokens}},
		}
	}
	pod := core.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "ostoy-frontend-1", Namespace: "demo", CreationTimestamp: metav1.Unix(1000, 0)},
		Spec: core.PodSpec{
			InitContainers: []core.Container{container(bucketWaiter)},
			Containers:     []core.Container{container(frontendName), {Name: "sidecar"}},
			Volumes: []core.Volume{{Name: "aws-iam-token", VolumeSource: core.VolumeSource{Projected: &core.ProjectedVolumeSource{
				Sources: []core.VolumeProjection{{ServiceAccountToken: &core.ServiceAccountTokenProjection{Audience: render.DefaultAudience, Path: "token"}}},
			}}}},
		},
	}
	for _, f := range change {
		f(&pod)
	}
	return pod
}

func without(name string) func(*core.Pod) {
	return func(p *core.Pod) {
		env := p.Spec.Containers[0].Env
		var left []core.EnvVar
		for _, e := range env {
			if e.Name != name {
				left = append(left, e)
			}
		}
		p.Spec.Containers[0].Env = left
	}
}

func with(name, value string) func(*core.Pod) {
	return func(p *core.Pod) {
		without(name)(p)
		p.Spec.Containers[0].Env = append(p.Spec.Containers[0].Env, core.EnvVar{Name: name, Value: value})
	}
}

func TestMissingIdentity(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*core.Pod)
		want   string
	}{
		"good":                {func(*core.Pod) {}, ""},
		"no role":             {without(roleVariable), "ostoy-frontend lacks AWS_ROLE_ARN"},
		"an empty role":       {with(roleVariable, ""), "ostoy-frontend lacks AWS_ROLE_ARN"},
		"no token file":       {without(tokenVariable), "ostoy-frontend lacks AWS_WEB_IDENTITY_TOKEN_FILE, the token volume"},
		"another token file":  {with(tokenVariable, tokens+"/other"), "ostoy-frontend lacks the token volume"},
		"a file of elsewhere": {with(tokenVariable, tokens+"2/token"), "ostoy-frontend lacks the token volume"},
		"no mount":            {func(p *core.Pod) { p.Spec.InitContainers[0].VolumeMounts = nil }, "wait-for-bucket lacks the token volume"},
		"no volume":           {func(p *core.Pod) { p.Spec.Volumes = nil }, "wait-for-bucket lacks the token volume; ostoy-frontend lacks the token volume"},
		"a volume of others":  {func(p *core.Pod) { p.Spec.Volumes[0].Projected.Sources = nil }, "wait-for-bucket lacks the token volume; ostoy-frontend lacks the token volume"},
		"a role by reference": {func(p *core.Pod) {
			p.Spec.Containers[0].Env[0] = core.EnvVar{Name: roleVariable, ValueFrom: &core.EnvVarSource{}}
		}, ""},
		"a container by another name": {func(p *core.Pod) { p.Spec.Containers[0].Name = "web" }, "sidecar lacks AWS_ROLE_ARN, AWS_WEB_IDENTITY_TOKEN_FILE, the token volume"},
	} {
		t.Run(name, func(t *testing.T) {
			if got := missing(goodPod(c.change).Spec); got != c.want {
				t.Errorf("%q, want %q", got, c.want)
			}
		})
	}
}

func TestJudgePodIdentity(t *testing.T) {
	bare := goodPod(without(roleVariable))
	born := bare.CreationTimestamp.Time
	again := "oc ostoy-s3 install -n demo"
	wantFinding(t, judgePodIdentity(goodPod(), true, true, born.Add(time.Hour), again, "PROJECTED"), Passed)
	wantFinding(t, judgePodIdentity(bare, false, true, born, again, "PROJECTED"), Failed, "lacks AWS_ROLE_ARN", again)
	wantFinding(t, judgePodIdentity(bare, true, false, born, again, "PROJECTED"), Failed, "names no role")
	wantFinding(t, judgePodIdentity(bare, true, true, born.Add(time.Second), again, "PROJECTED"), Failed, "before its service account was annotated", "oc delete pod ostoy-frontend-1 -n demo")
	wantFinding(t, judgePodIdentity(bare, true, true, born, again, "PROJECTED"), Failed, "missed it", "PROJECTED")
}

func TestAnnotatedAt(t *testing.T) {
	entry := func(second int64, fields string) metav1.ManagedFieldsEntry {
		at := metav1.Unix(second, 0)
		return metav1.ManagedFieldsEntry{Time: &at, FieldsV1: metav1.NewFieldsV1(fields)}
	}
	role := `{"f:metadata":{"f:annotations":{"f:eks.amazonaws.com/role-arn":{}}}}`
	got := annotatedAt([]metav1.ManagedFieldsEntry{entry(5, role), entry(7, role), entry(9, `{"f:secrets":{}}`), {}})
	if got.Unix() != 7 {
		t.Errorf("annotated at %d", got.Unix())
	}
	if got := annotatedAt(nil); !got.IsZero() {
		t.Errorf("nobody says when, and yet %v", got)
	}
}

func TestPodJudgements(t *testing.T) {
	again := "oc ostoy-s3 install -n demo"
	wantFinding(t, judgeRole(goodPod(), goodARN, again), Passed)
	wantFinding(t, judgeRole(goodPod(with(roleVariable, "arn:aws:iam::123456789012:role/other")), goodARN, again), Failed, "role/other", "ostoy-frontend", goodARN)
	wantFinding(t, judgeRole(goodPod(), "", again), Skipped)

	region := func(change func(*core.Pod), elsewhere bool, want string) Finding {
		return judgePodRegion("p", goodPod(change).Spec.Containers[0], elsewhere, want, again)
	}
	wantFinding(t, region(func(*core.Pod) {}, false, "us-east-2"), Passed)
	wantFinding(t, region(func(*core.Pod) {}, false, ""), Passed)
	wantFinding(t, region(without(regionVariable), false, "us-east-2"), Failed, "has no AWS_REGION")
	wantFinding(t, region(without(regionVariable), true, "us-east-2"), Passed)
	wantFinding(t, region(with(regionVariable, "eu-west-1"), false, "us-east-2"), Warned, "eu-west-1", "the bucket is in us-east-2")
	wantFinding(t, region(without(endpointsVariable), false, "us-east-2"), Warned, "global STS")
	wantFinding(t, region(with(endpointsVariable, "legacy"), false, "us-east-2"), Warned, "global STS")

	audience := func(is string, p *iam.OIDCProvider, known bool) Finding {
		pod := goodPod(func(p *core.Pod) { p.Spec.Volumes[0].Projected.Sources[0].ServiceAccountToken.Audience = is })
		return judgeAudience(pod, "mine", known, p, render.DefaultAudience, again)
	}
	wantFinding(t, audience("mine", nil, true), Passed)
	wantFinding(t, audience("mine", &iam.OIDCProvider{}, true), Passed) // that it is gone is told elsewhere
	wantFinding(t, audience("openshift", nil, true), Failed, `"openshift"`, "mine")
	wantFinding(t, audience("openshift", nil, false), NotAllowed, "iam:GetRole")
	wantFinding(t, audience("mine", &iam.OIDCProvider{Exists: true, ClientIDs: []string{"sts.amazonaws.com"}}, true), Failed, "does not take", "sts.amazonaws.com")
}

func TestJudgeReadable(t *testing.T) {
	group, one, root := int64(1000), int64(1001), int64(0)
	narrow := func(p *core.Pod) { mode := int32(0o400); p.Spec.Volumes[0].Projected.DefaultMode = &mode }
	user := func(id int64) func(*core.Pod) {
		return func(p *core.Pod) { p.Spec.SecurityContext = &core.PodSecurityContext{RunAsUser: &id} }
	}
	fsGroup := func(p *core.Pod) { p.Spec.SecurityContext = &core.PodSecurityContext{FSGroup: &group} }
	for name, c := range map[string]struct {
		server string
		change []func(*core.Pod)
		want   Status
	}{
		"as the chart has it":          {"v1.33.1", nil, Passed},
		"narrow":                       {"v1.33.1", []func(*core.Pod){narrow}, Failed},
		"narrow, with a group":         {"v1.33.1", []func(*core.Pod){narrow, fsGroup}, Passed},
		"narrow, one user":             {"v1.33.1", []func(*core.Pod){narrow, user(one)}, Passed},
		"narrow, root":                 {"v1.33.1", []func(*core.Pod){narrow, user(root)}, Passed},
		"old":                          {"v1.18.20", nil, Failed},
		"old, with a group":            {"v1.18.20", []func(*core.Pod){fsGroup}, Passed},
		"of a version nobody can read": {"", nil, Passed},
		"two users, narrow": {"v1.33.1", []func(*core.Pod){narrow, user(one), func(p *core.Pod) {
			p.Spec.Containers[0].SecurityContext = &core.SecurityContext{RunAsUser: &group}
		}}, Failed},
	} {
		t.Run(name, func(t *testing.T) { wantFinding(t, judgeReadable(goodPod(c.change...), c.server, "again"), c.want) })
	}
}

func TestSkipped(t *testing.T) {
	template := func(label, containers string) core.PodTemplateSpec {
		out := core.PodTemplateSpec{Spec: goodPod().Spec}
		if label != "" {
			out.Labels = map[string]string{skipLabel: label}
		}
		out.Annotations = map[string]string{skipAnnotation: containers}
		return out
	}
	for want, is := range map[string]core.PodTemplateSpec{
		"":                   template("", ""),
		"label " + skipLabel: template("no", ""), // whatever its value
		"annotation " + skipAnnotation + " names ostoy-frontend": template("", "sidecar, ostoy-frontend"),
	} {
		if got := skipped(is); got != want {
			t.Errorf("%q, want %q", got, want)
		}
	}
	if got := skipped(template("", "sidecar")); got != "" {
		t.Errorf("another container: %q", got)
	}
}

// of are the annotations of the service account, as install sets them but for
// these; "-" takes one away.
func of(injected bool, changed ...string) annotations {
	a := annotations{
		all: map[string]string{
			live.RoleAnnotation: goodARN, audienceAnnotation: render.DefaultAudience, regionalAnnotation: "true",
		},
		injected: injected, facts: identityFacts(), recorded: goodARN, audience: render.DefaultAudience, again: "oc ostoy-s3 install -n demo",
	}
	for n := 0; n < len(changed); n += 2 {
		if a.all[changed[n]] = changed[n+1]; changed[n+1] == "-" {
			delete(a.all, changed[n])
		}
	}
	return a
}

func TestAnnotations(t *testing.T) {
	hcp := of(true, audienceAnnotation, "-")
	hcp.facts.Platform.Value = render.PlatformROSAHCP
	unrecorded := of(true, live.RoleAnnotation, "arn:aws:iam::123456789012:role/x")
	unrecorded.recorded = ""
	const wrong = "eks.amazon.com/role-arn"
	for name, c := range map[string]struct {
		judge func(annotations) Finding
		is    annotations
		want  Status
		says  string
	}{
		"good domain":           {misspelt, of(true), Passed, ""},
		"misspelt":              {misspelt, of(true, wrong, goodARN, live.RoleAnnotation, "-"), Failed, wrong},
		"misspelt, no harm":     {misspelt, of(false, wrong, goodARN, live.RoleAnnotation, "-"), Warned, wrong},
		"misspelt besides":      {misspelt, of(true, wrong, goodARN), Warned, wrong + "-"},
		"no domain":             {misspelt, of(true, "role-arn", goodARN, live.RoleAnnotation, "-"), Failed, "role-arn"},
		"good role":             {namesRole, of(true), Passed, ""},
		"no role":               {namesRole, of(true, live.RoleAnnotation, "-"), Failed, "names no role"},
		"no role, no harm":      {namesRole, of(false, live.RoleAnnotation, "-"), Warned, "no harm"},
		"told already":          {namesRole, of(true, wrong, goodARN, live.RoleAnnotation, "-"), Skipped, ""},
		"no ARN":                {namesRole, of(true, live.RoleAnnotation, "my-role"), Failed, "six parts"},
		"ARN with a blank":      {namesRole, of(true, live.RoleAnnotation, goodARN+" "), Failed, "does not name a role but (a value that is not the ARN of an IAM role)"},
		"of a user":             {namesRole, of(true, live.RoleAnnotation, "arn:aws:iam::123456789012:user/me"), Failed, "does not name a role"},
		"another partition":     {namesRole, of(true, live.RoleAnnotation, "arn:aws-cn:iam::123456789012:role/x"), Failed, "another partition"},
		"another account":       {namesRole, of(true, live.RoleAnnotation, "arn:aws:iam::222222222222:role/x"), Failed, "another account"},
		"another role":          {namesRole, of(true, live.RoleAnnotation, "arn:aws:iam::123456789012:role/x"), Failed, "another role"},
		"a role of no record":   {namesRole, unrecorded, Passed, ""},
		"good token":            {asksForToken, of(true), Passed, ""},
		"another audience":      {asksForToken, of(true, audienceAnnotation, "openshift"), Failed, `"openshift"`},
		"its audience, no harm": {asksForToken, of(false, audienceAnnotation, "openshift"), Warned, "no harm"},
		"no audience":           {asksForToken, of(true, audienceAnnotation, "-"), Passed, ""},
		"no audience on HCP":    {asksForToken, hcp, Failed, "openshift on ROSA HCP"},
		"expiration is a word":  {asksForToken, of(true, expirationAnnotation, "1d"), Warned, "86400"},
		"expiration is short":   {asksForToken, of(true, expirationAnnotation, "60"), Warned, "600"},
		"expiration is good":    {asksForToken, of(true, expirationAnnotation, "3600"), Passed, ""},
		"global endpoint":       {asksForToken, of(true, regionalAnnotation, "false"), Warned, "opt-in"},
	} {
		t.Run(name, func(t *testing.T) { wantFinding(t, c.judge(c.is), c.want, c.says) })
	}
}

func TestJudgeTokenIssuer(t *testing.T) {
	f := identityFacts()
	wantFinding(t, judgeTokenIssuer(f.Issuer.Value, f), Passed)
	wantFinding(t, judgeTokenIssuer(f.Issuer.Value+"/", f), Passed)
	wantFinding(t, judgeTokenIssuer("https://kubernetes.default.svc", f), Failed, "kubernetes.default.svc", f.Issuer.Value, "authentications/cluster")
	wantFinding(t, judgeTokenIssuer("", f), Failed)
}
