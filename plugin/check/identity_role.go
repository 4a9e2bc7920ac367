package check

import (
	"context"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

func roleThere(ctx context.Context, i identityLook) Finding {
	name := i.RoleName(ctx)
	role, err := i.Role(ctx)
	switch {
	case err != nil:
		return unreadAWS(err, "iam:GetRole on role "+name, "whether the role is there, whom it trusts and what it may do")
	case !role.Exists:
		return Refuse("the role "+name+" is not there",
			"account "+i.Facts.Account.Value+" has none of that name, and the pods ask STS for it: every call of OSToy to S3 is refused",
			i.mendRole(ctx))
	}
	return Pass()
}

// policies are what is known of what a role may do.
type policies struct {
	role      *iam.Actual
	documents []iam.Document
	unknown   []string // policies that nobody here can judge: names, and why
	unread    []string // rights that reading the rest takes
}

// rolePolicy reads what others put on the role only where ours is not enough.
func rolePolicy(ctx context.Context, i identityLook) Finding {
	role, err := i.Role(ctx)
	if err != nil {
		return Fail(err)
	}
	p := policies{role: role}
	p.add("inline policy "+iam.PolicyName, role.Inline, role.InlineErr, "iam:GetRolePolicy")
	needed := iam.Needed(i.Facts.Partition.Value, render.BucketName(i.Namespace))
	missing, unsure := iam.Lacks(p.documents, needed, i.Facts.Account.Value)
	if len(missing) > 0 {
		readOthers(ctx, i, &p)
		missing, unsure = iam.Lacks(p.documents, needed, i.Facts.Account.Value)
	}
	return p.judge(missing, unsure, i.RoleName(ctx), i.mendRole(ctx))
}

// readOthers adds the other policies on the role.
func readOthers(ctx context.Context, i identityLook, p *policies) {
	for _, name := range p.role.Inlines {
		if name != iam.PolicyName {
			text, err := i.InlinePolicy(ctx, name)
			p.add("inline policy "+name, text, err, "iam:GetRolePolicy")
		}
	}
	for _, arn := range p.role.Attached {
		text, err := i.ManagedPolicy(ctx, arn)
		p.add(arn, text, err, "iam:GetPolicy and iam:GetPolicyVersion")
	}
	for _, unseen := range []struct {
		err   error
		right string
	}{{p.role.InlinesErr, "iam:ListRolePolicies"}, {p.role.AttachedErr, "iam:ListAttachedRolePolicies"}} {
		if unseen.err != nil {
			p.unread = append(p.unread, unseen.right)
		}
	}
}

// add takes a policy over, or why it cannot be judged.
func (p *policies) add(name, text string, err error, right string) {
	if err == nil && text == "" {
		return
	}
	var document iam.Document
	if err == nil {
		document, err = iam.ParseDocument(text)
	}
	switch {
	case awserr.Denied(err):
		p.unread = append(p.unread, right)
	case err != nil:
		p.unknown = append(p.unknown, name+" ("+awserr.Redact(err.Error())+")")
	default:
		p.documents = append(p.documents, document)
	}
}

func (p *policies) judge(missing, unsure []iam.Right, name, again string) Finding {
	switch {
	case len(missing) > 0 && len(p.unread) > 0:
		slices.Sort(p.unread)
		return Unseen(strings.Join(slices.Compact(p.unread), ", ")+" on role "+name, "whether the role may "+words(missing))
	case len(missing) > 0 && len(p.unknown) > 0:
		return Warn("cannot tell whether the role "+name+" may "+words(missing), "not understood here: "+strings.Join(p.unknown, ", "), again)
	case len(missing) > 0 && len(p.documents) == 0:
		return Refuse("the role "+name+" may do nothing", "it has no policy: OSToy needs "+words(missing), again)
	case len(missing) > 0:
		return Refuse("the role "+name+" may not "+words(missing), "OSToy needs it, and none of the role's policies allows it, or one forbids it", again)
	case len(unsure) > 0:
		return Warn("cannot tell whether the role "+name+" may "+words(unsure), "its policies allow or forbid it under a condition that only AWS can answer", again)
	}
	return Pass()
}

func words(rights []iam.Right) string {
	texts := make([]string, len(rights))
	for n, r := range rights {
		texts[n] = r.String()
	}
	return strings.Join(texts, ", ")
}

// roleBoundary holds what OSToy needs against the role's permissions boundary.
func roleBoundary(ctx context.Context, i identityLook) Finding {
	role, err := i.Role(ctx)
	if err != nil {
		return Fail(err)
	}
	if role.Boundary == "" {
		return Pass()
	}
	text, err := i.ManagedPolicy(ctx, role.Boundary)
	if err != nil {
		return unreadAWS(err, "iam:GetPolicy and iam:GetPolicyVersion on "+role.Boundary, "whether the role's permissions boundary lets OSToy through")
	}
	return judgeBoundary(role.Boundary, text, iam.Needed(i.Facts.Partition.Value, render.BucketName(i.Namespace)), i.Facts.Account.Value)
}

func judgeBoundary(arn, text string, needed []iam.Right, account string) Finding {
	document, err := iam.ParseDocument(text)
	if err != nil {
		return Warn("cannot tell whether the permissions boundary "+arn+" lets OSToy through", awserr.Redact(err.Error()),
			advice.Command("aws iam get-policy --policy-arn", arn)+" shows it")
	}
	missing, unsure := iam.Lacks([]iam.Document{document}, needed, account)
	switch {
	case len(missing) > 0:
		return Refuse("the role's permissions boundary does not allow "+words(missing),
			"a role may do what its policies and its boundary "+arn+" both allow",
			"ask who set the boundary to allow it there; install leaves boundaries as they are")
	case len(unsure) > 0:
		return Warn("cannot tell whether the permissions boundary "+arn+" allows "+words(unsure),
			"it does so under a condition that only AWS can answer", advice.Command("aws iam get-policy --policy-arn", arn)+" shows it")
	}
	return Pass()
}

// orphaned names what rebuilt clusters left.
func orphaned(ctx context.Context, i identityLook) Finding {
	found, err := i.Orphans(ctx)
	if err != nil {
		return unreadAWS(err, "iam:ListRoles and iam:ListOpenIDConnectProviders", "roles of ours that clusters which are gone have left")
	}
	if len(found) == 0 {
		return Pass()
	}
	first, err := i.RoleOf(ctx, found[0].Name)
	if err != nil {
		first = nil
	}
	return judgeOrphans(found, first)
}

// judgeOrphans warns of roles that nobody can assume. first is the first of them, nil if it
// could not be read: then it is taken to have the policy that install gives a role.
func judgeOrphans(found []iam.Found, first *iam.Actual) Finding {
	const shown = 3
	names := make([]string, 0, shown)
	for _, one := range found[:min(len(found), shown)] {
		name := one.Name
		if one.Controllers() {
			name += " (of an ACK S3 controller)"
		}
		names = append(names, name)
	}
	if len(found) > shown {
		names = append(names, "...")
	}
	what := "a role of ours that nobody can assume is left: "
	if len(found) > 1 {
		what = "roles of ours that nobody can assume are left: "
	}
	if first == nil {
		first = &iam.Actual{Inlines: []string{iam.PolicyName}}
	}
	return Warn(what+strings.Join(names, ", "),
		"made for the issuer "+awserr.Redact(found[0].Issuer())+", whose OIDC provider is gone from the account; a cluster that was rebuilt has another",
		"if that cluster no longer exists: "+removal(first, found[0].Name))
}
