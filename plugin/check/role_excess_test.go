package check

import (
	"errors"
	"strings"
	"testing"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const (
	reports    = "arn:aws:iam::123456789012:policy/reports" // all of S3
	everything = "arn:aws:iam::aws:policy/AdministratorAccess"
	narrow     = "arn:aws:iam::123456789012:policy/narrow" // what OSToy needs
	hidden     = "arn:aws:iam::123456789012:policy/hidden"
	detach     = "aws iam detach-role-policy --role-name r --policy-arn "
	keepIt     = "oc ostoy-s3 install -n demo --policy-arn "
)

// TestF3RoleExcess: a role passes if all that is on it was read and is needed, or if its
// tag names the managed policy. What somebody else says is wanted does not count.
func TestF3RoleExcess(t *testing.T) {
	texts := map[string]string{
		narrow: inline, "narrow": inline, "extra": `{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`,
		reports: `{"Statement": {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}}`, everything: `{"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}}`,
	}
	tagged := func(value string) map[string]string { return map[string]string{render.TagPolicy: value} }
	for name, c := range map[string]struct {
		role iam.Actual
		want Status
		says []string
		not  string
	}{
		"ours":                   {iam.Actual{Inline: inline, Inlines: []string{"ostoy-s3"}}, Passed, nil, ""},
		"none":                   {iam.Actual{}, Passed, nil, ""},
		"another":                {iam.Actual{Inline: inline, Inlines: []string{"ostoy-s3", "extra"}}, Warned, []string{"extra", "it allows s3:* on *", "delete-role-policy"}, keepIt},
		"another, narrow":        {iam.Actual{Inline: inline, Inlines: []string{"ostoy-s3", "narrow"}}, Passed, nil, ""},
		"attached":               {iam.Actual{Inline: inline, Attached: []string{reports}}, Warned, []string{detach + reports, "it allows s3:* on *"}, keepIt},
		"attached, narrow":       {iam.Actual{Inline: inline, Attached: []string{narrow}}, Passed, nil, ""},
		"attached, not readable": {iam.Actual{Inline: inline, Attached: []string{hidden}}, Warned, []string{detach + hidden, "iam:GetPolicy"}, keepIt},
		"as asked":               {iam.Actual{Attached: []string{reports}, Tags: tagged(reports)}, Passed, nil, ""},
		"as asked, and another":  {iam.Actual{Attached: []string{reports, everything}, Tags: tagged(reports)}, Warned, []string{detach + everything}, keepIt},
		"asked for another":      {iam.Actual{Attached: []string{everything}, Tags: tagged(reports)}, Warned, []string{detach + everything, "it allows * on *"}, keepIt},
		"not asked, tagged":      {iam.Actual{Attached: []string{reports}, Tags: map[string]string{render.TagBucket: "demo-bucket"}}, Warned, []string{detach + reports}, keepIt},
		"asked for once":         {iam.Actual{Attached: []string{reports}, Tags: tagged("none")}, Warned, []string{detach + reports}, ""},
		"older":                  {iam.Actual{Attached: []string{reports}}, Warned, []string{keepIt + reports, "if not: " + detach + reports, "it allows s3:* on *"}, ""},
		"older, everything":      {iam.Actual{Attached: []string{everything}}, Warned, []string{detach + everything, "it allows * on *"}, "--policy-arn " + everything + "\n"},
		"older, two":             {iam.Actual{Attached: []string{reports, narrow}}, Warned, []string{detach + reports}, keepIt},
		"wider":                  {iam.Actual{Inline: strings.ReplaceAll(inline, "s3:GetObject", "s3:*")}, Warned, []string{"it allows s3:*", "again"}, ""},
		"not ours":               {iam.Actual{Inline: "{"}, Warned, []string{"not the one that install writes"}, ""},
		"not to be seen":         {iam.Actual{Inline: inline, Unread: iam.Unread{AttachedErr: denied()}}, NotAllowed, []string{"iam:ListAttachedRolePolicies"}, ""},
		"seen so far":            {iam.Actual{Inline: inline, Attached: []string{reports}, Unread: iam.Unread{InlinesErr: denied()}}, Warned, []string{reports}, ""},
	} {
		t.Run(name, func(t *testing.T) {
			look := identityLook{World: &live.World{Namespace: "demo", Facts: identityFacts()}}
			got := excess{
				role: &c.role, name: "r", account: "123456789012", needed: iam.Needed("aws", "demo-bucket"), again: "again",
				keep: func(arn string) string { return installWith(look, &iam.Actual{}, arn) },
				read: func(extra iam.Extra) (string, error) {
					if text, known := texts[extra.ARN+extra.Inline]; known {
						return text, nil
					}
					return "", denied()
				},
			}.judge()
			wantFinding(t, got, c.want, c.says...)
			if c.not != "" && strings.Contains(got.Next, c.not) {
				t.Errorf("suggests %s", got.Next)
			}
		})
	}
}

// TestF3RoleOfThisProject: a role that only the inventory names is not judged as the
// app's, whatever it may do.
func TestF3RoleOfThisProject(t *testing.T) {
	f := identityFacts()
	look := identityLook{World: &live.World{Namespace: "demo", Facts: f}}
	issuer := strings.TrimPrefix(f.Issuer.Value, "https://")
	admits := strings.NewReplacer("PROVIDER", render.ProviderARN("aws", "123456789012", f.Issuer.Value), "ISSUER", issuer).Replace(
		`{"Statement": {"Effect": "Allow", "Principal": {"Federated": "PROVIDER"}, "Action": "sts:AssumeRoleWithWebIdentity",
"Condition": {"StringEquals": {"ISSUER:sub": "system:serviceaccount:demo:ostoy-sa", "ISSUER:aud": "sts.amazonaws.com"}}}}`)
	for name, c := range map[string]struct {
		role iam.Actual
		want bool
	}{
		"by its tags":     {iam.Actual{Exists: true, ARN: goodARN, Tags: render.OwnershipTags(f)}, true},
		"by its trust":    {iam.Actual{Exists: true, ARN: goodARN, Trust: admits}, true},
		"an admin's":      {iam.Actual{Exists: true, ARN: goodARN, Trust: `{"Statement": {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::123456789012:root"}, "Action": "sts:AssumeRole"}}`}, false},
		"another app's":   {iam.Actual{Exists: true, ARN: goodARN, Trust: strings.ReplaceAll(admits, ":demo:", ":other:")}, false},
		"cannot be read":  {iam.Actual{Exists: true, ARN: goodARN, Trust: "{"}, false},
		"of another tool": {iam.Actual{Exists: true, ARN: goodARN, Tags: map[string]string{render.TagNamespace: "demo"}}, false},
	} {
		if got := ofThisProject(look, &c.role); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}

// TestF3Keep: the printed command names the role that IAM shows, and no policy that is
// not a legal ARN.
func TestF3Keep(t *testing.T) {
	look := identityLook{World: &live.World{Namespace: "demo", Facts: identityFacts()}}
	got := installWith(look, &iam.Actual{ARN: "arn:aws:iam::123456789012:role/team/a/odd"}, reports)
	if got != "oc ostoy-s3 install -n demo --role-name odd --role-path /team/a/ --policy-arn "+reports {
		t.Error(got)
	}
	if got := installWith(look, &iam.Actual{}, "arn:aws:iam::aws:policy/x';id;'"); !strings.HasSuffix(got, "--policy-arn POLICY_ARN") {
		t.Error(got)
	}
}

// TestF3AskedPolicyOfAnAdoptedRole: that the inventory calls a role adopted suggests
// nothing about a policy that the role's tag names.
func TestF3AskedPolicyOfAnAdoptedRole(t *testing.T) {
	const full = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	now := scene{documents: documentsOf(t, goodScene), said: goodSaid()}
	played := newStage(t, now)
	const path = "/api/v1/namespaces/demo/configmaps/ostoy-s3"
	record := (&unstructured.Unstructured{Object: now.documents[path].(map[string]any)}).DeepCopy()
	_ = unstructured.SetNestedField(record.Object, apply.OriginAdopted, "data", "roleOrigin")
	now = now.with(path, record.Object).saying("attached policy", full)
	look := func(s scene) Finding { return roleExcess(t.Context(), identityLook{World: played.world(s)}) }

	wantFinding(t, look(now), Warned, "the inventory says", "oc ostoy-s3 install -n demo --adopt --tighten-role")
	asked := now.saying("role tag", render.TagPolicy).saying("role tag value", full)
	if got := look(asked); strings.Contains(got.What+got.Why+got.Next, "tighten") || strings.Contains(got.Why, "AmazonS3FullAccess") {
		t.Errorf("%+v", got)
	}
}

// TestRemovalOfTutorialRole: IAM deletes a role only after its policies are removed from it.
func TestRemovalOfTutorialRole(t *testing.T) {
	const full = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	want := "aws iam delete-role-policy --role-name ostoy-sa-role --policy-name own\n" +
		"aws iam detach-role-policy --role-name ostoy-sa-role --policy-arn " + full + "\n" +
		"aws iam delete-role --role-name ostoy-sa-role"
	if got := removal(&iam.Actual{Inlines: []string{"own"}, Attached: []string{full}}, tutorialRole); got != want {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	unread := &iam.Actual{}
	unread.AttachedErr = errors.New("AccessDenied")
	if got := removal(unread, tutorialRole); !strings.Contains(got, "aws iam list-attached-role-policies --role-name ostoy-sa-role") {
		t.Error(got)
	}
}
