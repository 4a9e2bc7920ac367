package denied

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/run"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/test/internal/world"
)

// earlierPolicy is a printed policy as versions printed it that did not know the tags for
// the bucket and the managed policy.
func earlierPolicy(t *testing.T, policy string) string {
	t.Helper()
	var document map[string]any
	must(t, json.Unmarshal([]byte(policy), &document))
	found := false
	for _, one := range document["Statement"].([]any) {
		statement := one.(map[string]any)
		if statement["Sid"] != "NeverOtherTags" {
			continue
		}
		keys := statement["Condition"].(map[string]any)["ForAnyValue:StringNotEquals"].(map[string]any)
		keys["aws:TagKeys"] = slices.DeleteFunc(keys["aws:TagKeys"].([]any), func(key any) bool {
			return key == "ostoy-s3/bucket" || key == "ostoy-s3/policy"
		})
		found = true
	}
	if !found {
		t.Fatal("the policy denies no tags")
	}
	text, err := json.Marshal(document)
	must(t, err)
	return string(text)
}

// TestF7PolicyOfAnEarlierVersion: a person whose permissions policy an earlier version
// printed can still update an install of that version, and is warned in each run until
// the policy is printed again. A role cannot be created with it, and the error says why.
func TestF7PolicyOfAnEarlierVersion(t *testing.T) {
	t.Parallel()
	bed := run.TheBed(t)
	const namespace, another = "hugo-own", "hugo-new"
	const again = "oc ostoy-s3 iam policy --for install"
	policy := printed(t, bed, "--for", "install")
	hugo, err := bed.User(t.Context(), "hugo", "", earlierPolicy(t, policy))
	must(t, err)
	newer, err := bed.User(t.Context(), "hugo-again", "", policy)
	must(t, err)
	role := world.RoleName(bed.Issuer, namespace)
	run.Admin(bed).Run(t, "install", "--new-project="+namespace, "--verify=false").WantCode(t, done)
	_, err = bed.IAM().UntagRole(t.Context(), &iam.UntagRoleInput{RoleName: &role, TagKeys: []string{"ostoy-s3/bucket"}})
	must(t, err)
	breakRole(t, bed, role)

	user := run.Admin(bed).With(hugo.Env...)
	user.Run(t, "install", "-n", namespace).WantCode(t, done).
		WantTalk(t, "updated: trust policy, inline policy ostoy-s3", "the role has no tag ostoy-s3/bucket", "iam:TagRole", again, "✔ verified")
	user.Run(t, "install", "-n", namespace).WantCode(t, done).WantTalk(t, "the role has no tag ostoy-s3/bucket", again)
	if result := user.Run(t, "status", "-n", namespace).WantCode(t, done); !strings.Contains(result.Stdout, "without the tags that earlier versions did not set") {
		t.Errorf("status does not say which tags are missing\n%s", result)
	}
	user.Run(t, "install", "--new-project="+another, "--verify=false").WantCode(t, 1).WantTalk(t, "iam:CreateRole", "an earlier version of ostoy-s3", again)

	user = run.Admin(bed).With(newer.Env...)
	user.Run(t, "install", "-n", namespace).WantCode(t, done).WantTalk(t, "updated: tags").WantNoTalk(t, "has no tag")
	for _, project := range []string{namespace, another} {
		user.Run(t, "uninstall", "-n", project, "--delete-data", "--yes").WantCode(t, done)
	}
}
