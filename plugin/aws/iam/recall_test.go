package iam

import (
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// TestF2Recall: the inventory's role is named in a command only if IAM proves it, and IAM
// is asked only about one that is not the usual one.
func TestF2Recall(t *testing.T) {
	f := facts()
	account := "arn:aws:iam::" + f.Account.Value + ":role"
	odd, usual := account+"/mine/r", ARN(f, RoleOptions{})
	ownTags := render.OwnershipTags(f)
	otherTags := render.OwnershipTags(f)
	otherTags[render.TagIssuer] = "https://other.example.com"
	desired, err := Desired(f, RoleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	trusts := desired.Trust.JSON()
	for name, c := range map[string]struct {
		recorded string
		used     bool
		actual   *Actual
		want     string
	}{
		"nothing on record":   {"", true, nil, ""},
		"the usual role":      {usual, false, nil, ""},
		"the usual, used":     {usual, true, nil, ""},
		"IAM says nothing":    {odd, false, nil, ""},
		"does not exist":      {odd, false, &Actual{}, ""},
		"tagged":              {odd, false, &Actual{Exists: true, ARN: odd, Tags: ownTags}, "--role-name r --role-path /mine/"},
		"of another issuer":   {odd, false, &Actual{Exists: true, ARN: odd, Tags: otherTags}, ""},
		"under another path":  {odd, false, &Actual{Exists: true, ARN: account + "/r", Tags: ownTags}, ""},
		"trusts the app":      {odd, false, &Actual{Exists: true, ARN: odd, Trust: trusts}, ""},
		"used, trusts it":     {odd, true, &Actual{Exists: true, ARN: odd, Trust: trusts}, "--role-name r --role-path /mine/"},
		"used, by a wildcard": {odd, true, &Actual{Exists: true, ARN: odd, Trust: strings.NewReplacer("StringEquals", "StringLike", ":ostoy-sa", ":*").Replace(trusts)}, "--role-name ROLE --role-path PATH"},
		"used, not proven":    {odd, true, &Actual{Exists: true, ARN: odd}, "--role-name ROLE --role-path PATH"},
		"not legal":           {account + "/$(id)/r", false, nil, ""},
		"used, not legal":     {account + "/$(id)/r", true, nil, "--role-name ROLE --role-path PATH"},
		"of another account":  {"arn:aws:iam::999999999999:role/r", false, &Actual{Exists: true, ARN: "arn:aws:iam::999999999999:role/r", Tags: ownTags}, ""},
		"a controller's":      {account + "/" + render.ControllerRoleName(f.Issuer.Value), false, &Actual{Exists: true, ARN: account + "/" + render.ControllerRoleName(f.Issuer.Value), Tags: ownTags}, ""},
	} {
		asked := false
		got := strings.Join(Recall(c.recorded, c.used, f, func() *Actual { asked = true; return c.actual }), " ")
		if got != c.want || asked && c.recorded == usual {
			t.Errorf("%s: %s, want %s; asked %t", name, got, c.want, asked)
		}
	}
}

// TestF2HyphenRole: a name that begins with a hyphen, which IAM allows, is no option of
// the AWS CLI.
func TestF2HyphenRole(t *testing.T) {
	const policy = "arn:aws:iam::123456789012:policy/p"
	for got, want := range map[string]string{
		Extra{ARN: policy}.Removal("-rf"): "aws iam detach-role-policy --role-name=-rf --policy-arn " + policy,
		Extra{Inline: "x"}.Removal("-rf"): "aws iam delete-role-policy --role-name=-rf --policy-name x",
		Extra{ARN: policy}.Removal("r"):   "aws iam detach-role-policy --role-name r --policy-arn " + policy,
		Extra{ARN: policy}.Removal("a b"): "aws iam detach-role-policy --role-name ROLE --policy-arn " + policy,
	} {
		if got != want {
			t.Errorf("%s, want %s", got, want)
		}
	}
}
