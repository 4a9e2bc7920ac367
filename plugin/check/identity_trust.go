package check

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// trust is a role's trust policy, read for the tokens of this cluster.
type trust struct {
	role       string // its name
	provider   string // ARN of this cluster's OIDC provider
	issuer     string
	subject    string
	audience   string // of the tokens that the pods have
	admissions []iam.Admission
	err        error // it could not be read
	again      string
}

func newTrust(role *iam.Actual, f render.Facts) trust {
	t := trust{
		role:     advice.RoleName(role.ARN[strings.LastIndex(role.ARN, "/")+1:]).String(),
		provider: render.ProviderARN(f.Partition.Value, f.Account.Value, f.Issuer.Value),
		issuer:   f.Issuer.Value,
		subject:  "system:serviceaccount:" + f.Namespace.Value + ":" + render.ServiceAccount,
	}
	var document iam.Document
	if document, t.err = iam.ParseDocument(role.Trust); t.err == nil {
		t.admissions = iam.Admissions(document, f.Issuer.Value)
	}
	return t
}

func (i identityLook) trusting(judge func(trust) Finding) look {
	return func(ctx context.Context) Finding {
		role, err := i.Role(ctx)
		if err != nil {
			return Fail(err)
		}
		t := newTrust(role, i.Facts)
		t.again = i.narrow(ctx)
		t.audience, _ = i.audience(ctx)
		return judge(t)
	}
}

// audience is the one that tokens must be for: what the pods are given, if the
// role takes it, else what the facts say. known is false where nobody could
// tell what the role takes.
func (i identityLook) audience(ctx context.Context) (audience string, known bool) {
	usual := i.Facts.Audience.Value
	if i.coming != "" {
		return usual, true
	}
	role, err := i.Role(ctx)
	if err != nil || !role.Exists {
		return usual, false
	}
	t := newTrust(role, i.Facts)
	given := i.audienceGiven(ctx)
	for _, a := range t.ours() {
		if given != "" && iam.Admit(a.Subject, t.subject) && iam.Admit(a.Audience, given) {
			return given, true
		}
	}
	return usual, true
}

// audienceGiven is the audience that new pods get a token for, as far as the
// Deployment or the service account says.
func (i identityLook) audienceGiven(ctx context.Context) string {
	d, err := i.frontend(ctx)
	if err != nil || d == nil {
		return ""
	}
	for _, v := range d.Spec.Template.Spec.Volumes {
		if token := tokenIn(v); token != nil {
			return token.Audience
		}
	}
	account, err := i.Account(ctx)
	if err != nil || account == nil {
		return ""
	}
	return account.GetAnnotations()[audienceAnnotation]
}

// ours are the statements that let tokens of this cluster in.
func (t trust) ours() []iam.Admission {
	return slices.DeleteFunc(slices.Clone(t.admissions), func(a iam.Admission) bool {
		return a.Deny || !a.ByToken || !a.Trusts(t.provider) || len(a.Strange) > 0
	})
}

// trustsApp judges whether the role trusts the app's service account, and no others that
// it does not name.
func trustsApp(t trust) Finding {
	policy := trustPolicy(t)
	if !policy.met() {
		return policy
	}
	issuer := trustIssuer(t)
	if !issuer.met() {
		return worstFirst([]Finding{policy, issuer})
	}
	return worstFirst([]Finding{policy, trustSubject(t)})
}

// trustsOnly judges for which tokens the role is, and whom else it trusts.
func trustsOnly(t trust) Finding {
	if !trustPolicy(t).met() || !trustIssuer(t).met() {
		return Leave("needs " + IDTrust)
	}
	if !trustSubject(t).met() {
		return trustAudience(t)
	}
	return worstFirst([]Finding{trustAudience(t), trustOthers(t)})
}

// trustPolicy is about all that would make the other questions moot.
func trustPolicy(t trust) Finding {
	if t.err != nil {
		return Refuse("the trust policy of role "+t.role+" cannot be judged", awserr.Redact(t.err.Error()), t.again)
	}
	for _, a := range t.admissions {
		if !a.Deny || !a.ByToken || !a.Trusts(t.provider) || len(a.Strange) > 0 {
			continue
		}
		if iam.Admit(a.Subject, t.subject) && iam.Admit(a.Audience, t.audience) {
			if len(a.Others) > 0 {
				return Warn("the trust policy of role "+t.role+" may shut the app out", "it has a Deny that hangs on "+awserr.Redact(strings.Join(a.Others, ", ")), t.again)
			}
			return Refuse("the trust policy of role "+t.role+" shuts the app out", "it has a Deny for its tokens, which wins over every Allow", t.again)
		}
	}
	for _, a := range t.admissions {
		if !a.Deny && !a.ByToken && slices.Contains(a.Principal["Federated"], t.provider) {
			return Refuse("the trust policy of role "+t.role+" names the cluster, but for another action",
				"a pod has a token and no credentials: it needs sts:AssumeRoleWithWebIdentity", t.again)
		}
	}
	for _, a := range t.ours() {
		if len(a.Others) > 0 {
			return Warn("cannot tell whether the app meets the trust policy of role "+t.role, "it has a further condition: "+awserr.Redact(strings.Join(a.Others, ", ")), t.again)
		}
	}
	return Pass()
}

// trustIssuer tells a role that trusts another cluster, for the most part the
// one that was here before.
func trustIssuer(t trust) Finding {
	if len(t.ours()) > 0 {
		return Pass()
	}
	var trusted []string
	for _, a := range t.admissions {
		if a.Deny {
			continue
		}
		if a.Trusts(t.provider) && len(a.Strange) > 0 {
			return Refuse("the role "+t.role+" trusts this cluster, but asks for claims of another",
				"its conditions are on "+awserr.Redact(strings.Join(a.Strange, ", "))+", which tokens of "+t.issuer+" do not have", t.again)
		}
		for _, who := range a.Principal {
			trusted = append(trusted, who...)
		}
	}
	slices.Sort(trusted)
	why := "it trusts nobody"
	if len(trusted) > 0 {
		why = "it trusts " + awserr.Redact(strings.Join(slices.Compact(trusted), ", "))
	}
	return Refuse("the role "+t.role+" does not trust this cluster", why+"; this cluster's tokens are of "+t.provider, t.again)
}

// trustSubject tells which service accounts get in.
func trustSubject(t trust) Finding {
	var named []string
	for _, a := range t.ours() {
		values, open := iam.Named(a.Subject)
		switch {
		case !iam.Admit(a.Subject, t.subject):
			named = append(named, values...)
		case open && len(values) == 0:
			return Refuse("the role "+t.role+" lets every service account of the cluster in",
				"its trust policy has no condition on "+render.IssuerHostPath(t.issuer)+":sub", t.again)
		case open:
			return Refuse("the role "+t.role+" lets in more than "+t.subject,
				"its condition has wildcards: "+awserr.Redact(strings.Join(values, ", ")), t.again)
		default:
			return Pass()
		}
	}
	why := "it lets in " + awserr.Redact(strings.Join(named, ", "))
	if slices.ContainsFunc(named, func(v string) bool { return strings.ContainsAny(v, "*?") }) {
		why += "; StringEquals takes a * for itself, StringLike for others"
	}
	return Refuse("the role "+t.role+" does not let "+t.subject+" in", why, t.again)
}

// trustAudience is asked of the statements that let the app in, and, where none
// does, of all of this cluster.
func trustAudience(t trust) Finding {
	admissions := slices.DeleteFunc(t.ours(), func(a iam.Admission) bool { return !iam.Admit(a.Subject, t.subject) })
	if len(admissions) == 0 {
		admissions = t.ours()
	}
	var named []string
	for _, a := range admissions {
		values, open := iam.Named(a.Audience)
		switch {
		case !iam.Admit(a.Audience, t.audience):
			named = append(named, values...)
		case open:
			return Warn("the role "+t.role+" takes tokens for any audience",
				"its trust policy does not name one as "+render.IssuerHostPath(t.issuer)+":aud, so a token of the app's that was made for another service opens it", t.again)
		default:
			return Pass()
		}
	}
	return Refuse("the role "+t.role+" does not take tokens for audience "+t.audience,
		"it takes those for "+awserr.Redact(strings.Join(named, ", ")), t.again)
}

// trustOthers names whom else the role lets in. Wildcards are for trustSubject to judge.
func trustOthers(t trust) Finding {
	var others []string
	for _, a := range t.admissions {
		if a.Deny {
			continue
		}
		values, open := iam.Named(a.Subject)
		for kind, who := range a.Principal {
			for _, one := range who {
				switch {
				case kind != "Federated" || one != t.provider:
					others = append(others, one)
				case a.ByToken && len(a.Strange) == 0 && !open:
					others = append(others, slices.DeleteFunc(values, func(v string) bool { return v == t.subject })...)
				}
			}
		}
	}
	slices.Sort(others)
	if others = slices.Compact(others); len(others) == 0 {
		return Pass()
	}
	return Warn(fmt.Sprintf("the role %s lets others in than %s", t.role, t.subject),
		"its trust policy names "+awserr.Redact(strings.Join(others, ", "))+", who can read and write the bucket by it", t.again)
}
