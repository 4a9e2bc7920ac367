package check

import (
	"strings"
	"testing"

	core "k8s.io/api/core/v1"
)

// TestTrustAsAWhole: what does not trust the cluster is not asked for more, what trusts
// the wrong account is not asked who else it trusts, and everything else is told at once.
func TestTrustAsAWhole(t *testing.T) {
	const userToo = begin + `{"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}, `
	for name, c := range map[string]struct {
		judge   func(trust) Finding
		instead []string
		want    Status
		says    []string
		not     string
	}{
		"good":                       {trustsApp, nil, Passed, nil, ""},
		"good, and nothing else":     {trustsOnly, nil, Passed, nil, ""},
		"no trust":                   {trustsApp, []string{"sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"}, Failed, []string{"AssumeRoleWithWebIdentity"}, "does not trust this cluster"},
		"no trust, what else":        {trustsOnly, []string{"sts:AssumeRoleWithWebIdentity", "sts:AssumeRole"}, Skipped, []string{"needs trust-policy"}, ""},
		"the old cluster":            {trustsApp, []string{"PROVIDER", "arn:aws:iam::123456789012:oidc-provider/old.example.com"}, Failed, []string{"old.example.com"}, "does not let"},
		"the old cluster, else":      {trustsOnly, []string{"PROVIDER", "arn:aws:iam::123456789012:oidc-provider/old.example.com"}, Skipped, []string{"needs trust-policy"}, ""},
		"another account":            {trustsApp, []string{":ostoy-sa", ":default"}, Failed, []string{"does not let"}, ""},
		"another account, for any":   {trustsOnly, []string{":ostoy-sa", ":default", audience, "", begin, userToo}, Warned, []string{"any audience"}, ":root"},
		"for any, and a user":        {trustsOnly, []string{audience, "", begin, userToo}, Warned, []string{"any audience", ":root"}, ""},
		"for another, and a user":    {trustsOnly, []string{`"sts.amazonaws.com"`, `"openshift"`, begin, userToo}, Failed, []string{"openshift", ":root"}, ""},
		"on an if, another account":  {trustsApp, []string{`"Condition": {`, `"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, `, ":ostoy-sa", ":default"}, Failed, []string{"does not let", "aws:SourceIp"}, ""},
		"on an if, and nothing else": {trustsOnly, []string{`"Condition": {`, `"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}, `}, Passed, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			got := c.judge(trustOf(t, c.instead...))
			text := got.What + "\n" + got.Why
			if got.Status != c.want || c.not != "" && strings.Contains(text, c.not) {
				t.Errorf("%+v, want %s", got, c.want)
			}
			for _, says := range c.says {
				if !strings.Contains(text, says) {
					t.Errorf("does not say %q: %+v", says, got)
				}
			}
		})
	}
}

// TestFindingsOfOneObject: of several faults each is told, and the gravest decides.
func TestFindingsOfOneObject(t *testing.T) {
	token := asksForToken(of(true, audienceAnnotation, "openshift", expirationAnnotation, "60", regionalAnnotation, "false"))
	wantFinding(t, token, Failed, `"openshift"`, "no less than 600", "opt-in")
	pod := goodPod(without(regionVariable), without(endpointsVariable))
	wantFinding(t, judgePodRegion("p", pod.Spec.Containers[0], false, "us-east-2", "again"), Failed, "has no AWS_REGION", "global STS")

	now := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	played := newStage(t, now)
	look := identityLook{World: played.world(now)}
	wantFinding(t, look.identified(t.Context()), Passed)
	keyed := goodPod(with("AWS_ACCESS_KEY_ID", "x"), func(p *core.Pod) {
		p.Spec.InitContainers[0].Env = append(p.Spec.InitContainers[0].Env, core.EnvVar{Name: "AMAZON_ACCESS_KEY_ID", Value: "x"})
	})
	wantFinding(t, podCredentials(t.Context(), look, keyed), Failed, "ostoy-frontend in pod", "wait-for-bucket in pod")

	if account := (awsLook{played.world(now)}).callers(t.Context()); account != "123456789012" {
		t.Errorf("the account is %q", account)
	}
}
