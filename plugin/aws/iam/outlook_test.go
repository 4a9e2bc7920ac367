package iam

import (
	"context"
	"errors"
	"strings"
	"testing"
)

// texts are policies by name or ARN; what is not there cannot be read.
type texts map[string]string

func (t texts) InlinePolicy(_ context.Context, name string) (string, error) { return t.read(name) }
func (t texts) ManagedPolicy(_ context.Context, arn string) (string, error) { return t.read(arn) }

func (t texts) read(name string) (string, error) {
	text, ok := t[name]
	if !ok {
		return "", errors.New("not read")
	}
	return text, nil
}

func statementOf(effect, action, resource string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"` + effect + `","Action":"` + action + `","Resource":"` + resource + `"}]}`
}

// TestOutlook: what verification will find is known from the policies that others
// put on the role and from its boundary, and so is the command that helps.
func TestOutlook(t *testing.T) {
	const full, edge = "arn:aws:iam::aws:policy/AmazonS3FullAccess", "arn:aws:iam::123456789012:policy/edge"
	all := statementOf("Allow", "s3:*", "*")
	for name, c := range map[string]struct {
		options RoleOptions
		actual  Actual
		texts   texts
		what    []string // of the warning, none: no warning
		next    string
	}{
		"a new role":      {RoleOptions{}, Actual{}, nil, nil, ""},
		"as install made": {RoleOptions{}, Actual{Exists: true, Inlines: []string{PolicyName}}, nil, nil, ""},
		"attached": {
			RoleOptions{},
			Actual{Exists: true, Attached: []string{full}},
			texts{full: all},
			[]string{"the role may s3:ListBucket on other buckets, s3:DeleteObject, s3:ListAllMyBuckets"},
			"aws iam detach-role-policy --role-name ROLE --policy-arn " + full,
		},
		"inline": {
			RoleOptions{},
			Actual{Exists: true, Inlines: []string{PolicyName, "of=billing"}},
			texts{"of=billing": statementOf("Allow", "iam:Get*", "*")},
			[]string{"the role may iam:GetRole"},
			"aws iam delete-role-policy --role-name ROLE --policy-name of=billing",
		},
		"of its own path": {
			RoleOptions{},
			Actual{Exists: true, Inlines: []string{"audit"}},
			texts{"audit": statementOf("Allow", "iam:GetRole", "arn:aws:iam::123456789012:role/ostoy-s3/*")},
			[]string{"the role may iam:GetRole"},
			"aws iam delete-role-policy --role-name ROLE --policy-name audit",
		},
		"harmless":   {RoleOptions{}, Actual{Exists: true, Attached: []string{edge}}, texts{edge: statementOf("Allow", "sqs:*", "*")}, nil, ""},
		"unreadable": {RoleOptions{}, Actual{Exists: true, Attached: []string{edge}}, nil, nil, ""},
		"forbids": {
			RoleOptions{},
			Actual{Exists: true, Inlines: []string{"no"}},
			texts{"no": statementOf("Deny", "s3:PutObject", "*")},
			[]string{"the role may not s3:PutObject, which OSToy needs"},
			"aws iam delete-role-policy --role-name ROLE --policy-name no",
		},
		"within a boundary": {
			RoleOptions{},
			Actual{Exists: true, Attached: []string{full}, Boundary: edge},
			texts{full: all, edge: statementOf("Allow", "s3:*Object", "*")},
			[]string{"the role may not s3:ListBucket, which OSToy needs; the role may s3:DeleteObject"},
			"",
		},
		"a boundary that is asked for": {
			RoleOptions{Boundary: edge},
			Actual{},
			texts{edge: statementOf("Allow", "s3:GetObject", "*")},
			[]string{"the role may not s3:ListBucket, s3:PutObject"},
			"ask who set the permissions boundary " + edge,
		},
		"a boundary that nobody can read": {RoleOptions{}, Actual{Exists: true, Attached: []string{full}, Boundary: edge}, texts{full: all}, nil, ""},
		"chosen":                          {RoleOptions{PolicyARN: full}, Actual{Exists: true, Attached: []string{full, edge}}, texts{full: all, edge: all}, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			desired, err := Desired(facts(), c.options)
			if err != nil {
				t.Fatal(err)
			}
			o := LookAhead(t.Context(), c.texts, desired, &c.actual, desired.OwnPolicy())
			what, next := o.Warning()
			for _, text := range c.what {
				if !strings.Contains(what, "verification will fail: ") || !strings.Contains(what, text) {
					t.Errorf("%q, want %q", what, text)
				}
			}
			if (len(c.what) > 0) != (what != "") || !strings.Contains(next, strings.ReplaceAll(c.next, "ROLE", desired.Name)) || strings.Contains(next, "oc ostoy-s3 install") {
				t.Errorf("%q\n%s", what, next)
			}
		})
	}
}
