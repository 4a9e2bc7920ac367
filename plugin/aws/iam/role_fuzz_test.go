package iam

import (
	"errors"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// checkRefused wants a refusal to be one in three parts.
func checkRefused(t *testing.T, err error) {
	t.Helper()
	var told *problem.Error
	if !errors.As(err, &told) || told.Kind != problem.Refused || told.What == "" || told.Why == "" || told.Next == "" {
		t.Errorf("not refused in three parts: %#v", err)
	}
}

// FuzzEditedRole: a role as somebody may have edited it, documents and tags.
// Install leaves a document only if it says what ours says; neither install nor
// uninstall touches a role whose tags are not ours.
func FuzzEditedRole(f *testing.F) {
	own := render.OwnershipTags(facts())
	f.Add(trustJSON, policyJSON, own[render.TagManagedBy], own[render.TagNamespace], own[render.TagIssuer], own[render.TagClusterID])
	f.Add(strings.Replace(trustJSON, "demo:ostoy-sa", "*", 1), "", "ostoy-s3", "demo", own[render.TagIssuer], "")
	f.Add(strings.Replace(trustJSON, "StringEquals", "StringLike", 1), strings.Replace(policyJSON, "demo-bucket", "*", 1), "terraform", "demo", "", "other")
	f.Add("%7B%22Statement%22%3A%5B%5D%7D", "{\"Statement\":[]}", "OSTOY-S3", "Demo", own[render.TagIssuer]+"/", "\n")
	f.Fuzz(func(t *testing.T, trust, policy, by, namespace, issuer, cluster string) {
		a := installed(func(a *Actual) {
			a.Trust, a.Inline = trust, policy
			a.Tags = map[string]string{render.TagManagedBy: by, render.TagNamespace: namespace, render.TagIssuer: issuer, render.TagClusterID: cluster}
		})
		ownTags := by == own[render.TagManagedBy] && namespace == own[render.TagNamespace] && issuer == own[render.TagIssuer] &&
			(cluster == "" || cluster == own[render.TagClusterID])
		want := desired(t, facts(), RoleOptions{})
		plan, err := NewPlan(want, a, facts())
		if (err == nil) != ownTags {
			t.Fatalf("tags %q, plan %v", a.Tags, err)
		}
		if err != nil {
			checkRefused(t, err)
			_, err = RemovalPlan(a, facts(), RemovalOptions{Name: want.Name})
			checkRefused(t, err)
			return
		}
		if left := !slices.ContainsFunc(plan.Steps, func(s Step) bool { return s.Kind == UpdateTrust }); left {
			checkSame(t, trust, want.Trust, "demo:ostoy-sa", "sts.amazonaws.com", "2abc")
		}
		if left := !slices.ContainsFunc(plan.Steps, func(s Step) bool { return s.Kind == PutPolicy }); left {
			checkSame(t, policy, *want.Policy, "demo-bucket", "123456789012", "StringEquals")
		}
		for _, s := range plan.Steps {
			if strings.ContainsAny(s.Reason, "\x1b\x00\r") {
				t.Errorf("not fit for a terminal: %q", s.Reason)
			}
		}
	})
}

// checkSame wants a document that was left as it is to be like ours, and to have
// in it what makes ours safe, which is looked for in its text.
func checkSame(t *testing.T, text string, want Document, words ...string) {
	t.Helper()
	have, err := ParseDocument(text)
	if err != nil || !have.Equal(want) {
		t.Fatalf("left as it is: %v\n%s", err, text)
	}
	plain := strings.ToLower(have.JSON())
	for _, word := range words {
		if !strings.Contains(plain, strings.ToLower(word)) {
			t.Errorf("left without %s: %s", word, plain)
		}
	}
	if len(have.Statement) != len(want.Statement) || strings.Contains(plain, "*\"") != strings.Contains(strings.ToLower(want.JSON()), "*\"") {
		t.Errorf("left with more than ours has: %s", plain)
	}
}

// FuzzRemovalPlan: whatever the record says is the role's name and policy, what
// is removed is a role with our tags, and of it only what is ours.
func FuzzRemovalPlan(f *testing.F) {
	const managed = "arn:aws:iam::aws:policy/AmazonS3FullAccess"
	f.Add("demo-ostoy-sa-00000000", managed, "", "theirs", true)
	f.Add("Admin", "arn:aws:iam::aws:policy/AdministratorAccess", "arn:aws:iam::123456789012:policy/x", "", false)
	f.Add("../x", "", "\n", PolicyName, true)
	f.Fuzz(func(t *testing.T, name, recorded, attached, inline string, tagged bool) {
		a := installed(func(a *Actual) {
			if attached != "" {
				a.Attached = []string{attached}
			}
			if inline != "" {
				a.Inlines = append(a.Inlines, inline)
			}
			if !tagged {
				a.Tags = maps.Clone(a.Tags)
				a.Tags[render.TagNamespace] = "another"
			}
		})
		plan, err := RemovalPlan(a, facts(), RemovalOptions{Name: name, PolicyARN: recorded})
		if err != nil {
			var told *problem.Error
			if !errors.As(err, &told) {
				t.Errorf("not in three parts: %#v", err)
			}
			return
		}
		if !tagged {
			t.Fatal("a role that is not ours is to go")
		}
		if others := inline != "" && inline != PolicyName || attached != "" && attached != recorded; others {
			t.Errorf("a role that others use is to go: %+v", plan.Steps)
		}
		for _, s := range plan.Steps {
			if s.Resource != a.ARN {
				t.Errorf("%s of %s, another than the role that was looked at", s.Kind, s.Resource)
			}
		}
	})
}
