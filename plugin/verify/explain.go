package verify

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/text/plain"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// helpPage is where the messages of this package are explained.
const helpPage = "docs/verify.md"

// notAssumed says what STS means by a refusal of a token: codes of
// "AssumeRoleWithWebIdentity" in the AWS STS API Reference, and the texts that come with
// them. What is no answer about the token is left to package awserr.
func (r *run) notAssumed(ctx context.Context, err error) error {
	code, message := awserr.Code(err), awserr.Message(err)
	says := func(text string) bool { return strings.Contains(strings.ToLower(message), strings.ToLower(text)) }
	var told *problem.Error
	switch {
	case awserr.Stays(err):
		return r.forbidden(ctx, fmt.Sprintf("STS does not let %s assume role %s", render.ServiceAccount, r.roleName()), "assume-role", err)
	case awserr.Denied(err):
		told = r.notTrusted()
	case says("No OpenIDConnect provider found"):
		told = r.noProvider()
	case says("Incorrect token audience"):
		told = r.wrongAudience()
	case says("verification key"), code == "IDPCommunicationError", code == "IDPCommunicationErrorException":
		told = problem.Refuse("AWS does not get the cluster's public keys",
			"STS reads them at "+r.issuerURL().String()+"/.well-known/openid-configuration and where that points, and cannot",
			"have a cluster administrator make both answer from the internet; curl shows whether they do")
	case code == "ExpiredToken", code == "ExpiredTokenException":
		told = problem.Refuse("STS takes a token made a moment ago for expired",
			"the clocks of the cluster's control plane are behind AWS's",
			"have a cluster administrator set them; oc get --raw /version -v=8 shows the Date of the server")
	case code == "IDPRejectedClaim", code == "IDPRejectedClaimException":
		told = problem.Refuse("STS rejects a claim of the cluster's token",
			plain.Line(message)+" (the issuer has revoked the token, or says otherwise what it is)",
			"run the same command again; if it stays so, show the message to a cluster administrator")
	case code == "InvalidIdentityToken", code == "InvalidIdentityTokenException":
		told = problem.Refuse("STS does not take the cluster's token for valid",
			plain.Line(message)+": the keys published at "+r.issuerURL().String()+" are not those the cluster signs with",
			"have a cluster administrator publish the new public keys, as after a change of the signing key")
	case code == "RegionDisabledException", code == "RegionDisabled":
		told = r.regionOff()
	case code == "ValidationError" && says("arn"):
		told = r.badARN(message)
	default:
		return awserr.Translate(err, actionAssume, r.role.String())
	}
	return told.See(helpPage).Because(awserr.Cause(err))
}

// mendRole is what to type against a role that does not let the app in.
func (r *run) mendRole() string {
	switch {
	case r.options.Given == nil && r.options.Narrow != "" && r.options.Applied:
		return r.options.Narrow + " sets the trust policy of the role, which was there before install"
	case r.options.Given == nil && r.options.Narrow != "":
		return r.install() + " uses the role, which was there before install, if its trust policy names the service account, and otherwise creates another one"
	}
	return r.mend(" restores the role and its trust policy")
}

func (r *run) notTrusted() *problem.Error {
	return problem.Refuse(fmt.Sprintf("STS does not let %s assume role %s%s", render.ServiceAccount, r.roleName(), r.pace.stillSo()),
		fmt.Sprintf("the role is not there, or its trust policy does not name what the token says:\nissuer %s\nsub %s\naud %s",
			r.issuerURL(), plain.Line(r.claims.Subject), r.Audience),
		r.mendRole())
}

// provider is the ARN of the cluster's OIDC provider, or a placeholder in the place of
// an issuer that is not one.
func (r *run) provider() string {
	return render.ProviderARN(r.role.Partition, r.role.Account, r.issuerURL().Word())
}

// issuerURL is the issuer that the token names.
func (r *run) issuerURL() advice.Value { return advice.Issuer(r.claims.Issuer) }

func (r *run) noProvider() *problem.Error {
	return problem.Refuse(fmt.Sprintf("IAM of account %s does not know the issuer %s", r.role.Account, r.issuerURL()),
		"there is no OIDC provider "+r.provider()+": it was removed, or the cluster was made with another account",
		"install with the account the cluster was made in (--profile), or register the issuer:\n"+
			advice.Command("aws iam create-open-id-connect-provider --url", r.issuerURL().Word(), "--client-id-list", "openshift", "sts.amazonaws.com"))
}

// wrongAudience: a client id that is added holds for every role that trusts the provider.
// The command for it names the audience only if you gave it, or it is the usual one.
func (r *run) wrongAudience() *problem.Error {
	told := problem.Refuse("the OIDC provider of the cluster does not take audience "+r.Audience,
		"it is not among the client ids of "+r.provider(),
		advice.Command("aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn", r.provider(), "--client-id", r.Audience))
	if r.Audience != render.DefaultAudience && !r.Flags.have("--audience") {
		told.Why = "no flag names this audience: it is from the pods or the service account\n" + told.Why
		told.Next = "name the audience of the install:\n" + r.again(Flag{"--audience", "AUDIENCE"})
	}
	return told
}

// regionOff: enabling a region is a change of the whole account. The command for it
// names the region only if the pods, which an editor of the project can change, are not
// where it is from.
func (r *run) regionOff() *problem.Error {
	const byDefault = "; in a region that is on by default: IAM console, Account settings, Endpoints"
	told := problem.Refuse("STS of region "+r.region+" is switched off in account "+r.role.Account,
		"the app's pods ask the STS of their region, and so does this",
		advice.Command("aws account enable-region --region-name", r.region)+byDefault)
	if r.Region == "" && r.region != r.AWS.Region { // nothing but a pod names it
		told.Why = "only a pod's " + regionVariable + " names this region\n" + told.Why
		told.Next = "name the region of the bucket:\n" + r.again(Flag{"--region", "REGION"}) +
			"\nif that region is switched off:\n" + advice.Command("aws account enable-region --region-name", "REGION") + byDefault
	}
	return told
}

func (r *run) badARN(message string) *problem.Error {
	return problem.Refuse("STS does not take "+r.role.String()+" for a role",
		plain.Line(message),
		r.installs(" names the right one in the annotation "+roleAnnotation))
}

// mend is what to type against a role that is too wide. One that was there before is
// not put back by install alone.
func (r *run) mend(what string) string {
	switch {
	case r.options.Given != nil:
		return r.options.Given(r.Flags.ofVerify())
	case r.options.Narrow != "":
		return r.options.Narrow + " narrows the role, which was there before install"
	case r.options.Applied:
		return r.appliedNow()
	}
	return r.install() + what
}

// appliedNow is the advice after an install that has just done what another one would do:
// IAM may not use it yet, or something that install does not change is the cause.
func (r *run) appliedNow() string {
	name := advice.Flag("--role-name", advice.RoleName(r.roleName()).Word())
	return "this run has set the role's policy and its trust policy; if IAM does not use them yet, verify again in a minute: " + r.again() +
		"\nif it stays so, another policy on the role is the cause; these list them:\n" +
		advice.Command("aws iam list-attached-role-policies", name...) + "\n" + advice.Command("aws iam list-role-policies", name...)
}

// mendPolicy is what to type against a role that does not allow what the app does.
func (r *run) mendPolicy() string {
	if r.options.Given == nil && r.options.Narrow != "" {
		return r.options.Narrow + " gives the role, which was there before install, the policy that the app needs"
	}
	return r.mend(" restores the policy of the role")
}

// cure is the advice against a probe that failed: the commands that help if a
// policy of others is the cause, else what is said.
func (r *run) cure(ctx context.Context, probe, otherwise string) string {
	if r.options.Cure != nil {
		if commands := r.options.Cure(ctx, r.role.String(), probe); commands != "" {
			return commands
		}
	}
	return otherwise
}

// foreseen reports whether a probe is known to fail.
func (r *run) foreseen(probe string) bool {
	return r.options.Foreseen != nil && r.options.Foreseen(probe)
}

// ifChanged adds install to advice against pods and annotations that do not match the
// install's. It is not the first advice: an install with --role-name or --audience is
// correct, and install without these flags would replace it with another one.
func (r *run) ifChanged(first string) string {
	if r.options.Applied { // an install has just restored them
		return first
	}
	return first + "\nif somebody changed the pods or the service account, restore them with the flags that the install had:\n" + r.installs("")
}

// install is what installs what is verified, with the user's flags, by whoever manages it.
func (r *run) install() string { return r.options.Hands.Install(r.Namespace, r.Flags.Words()...) }

// installs is install as advice: what it does, and what the inventory says about the role.
func (r *run) installs(what string) string {
	if r.options.Applied {
		return r.again() + " looks again: this run has just installed"
	}
	advised := r.install() + what
	if r.options.Given == nil || len(r.Flags.ofVerify()) < len(r.Flags) {
		return advised
	}
	return advised + "\n" + advice.ManagedByOthers
}

// checkRole finds out the role of the install, and compares with it the roles that the
// pods and the service account name. It is untestable where the account is not known,
// unless the reason is one that fails: a server that does not answer.
func checkRole(ctx context.Context, r *run) error {
	if r.Account == "" || r.Partition == "" {
		if _, err := r.Target.Role(ctx, "", render.ARN{}); err != nil {
			return err
		}
		return nothingToCompare(r)
	}
	issuer, err := render.NormalizeIssuer(r.claims.Issuer)
	if err != nil {
		return err
	}
	claimed, err := roleOf(r, r.pods)
	if err != nil {
		return err
	}
	if claimed.Account != r.Account || claimed.Partition != r.Partition {
		claimed = render.ARN{}
	}
	role, reason := r.Target.Role(ctx, issuer, claimed)
	if role == (render.ARN{}) {
		return reason
	}
	r.role = role
	if !r.options.Applied && r.options.Narrow == "" { // install knows the role that it has adopted
		r.Flags = r.Flags.naming(role, render.RoleNames(issuer, r.Namespace))
	}
	if others := otherRoles(r); len(others) > 0 {
		return anotherRole(r, others, reason)
	}
	return nil
}

// nothingToCompare is why the roles that the project names are not judged. The partition
// follows from the region, and that of the pods is no source.
func nothingToCompare(r *run) error {
	if r.Account != "" {
		return &untestable{
			why:  "the role's partition cannot be compared with the install's: neither --region nor your AWS configuration names a region",
			next: "name the region of the bucket:\n" + r.again(Flag{"--region", "REGION"}),
		}
	}
	return &untestable{
		why:  "the role's account cannot be compared with the install's: " + r.noCaller(),
		next: "give AWS credentials of the account, or name it:\n" + r.again(Flag{"--account-id", "ACCOUNT"}),
	}
}

// otherRoles are the claims of another role than the install's, in words.
func otherRoles(r *run) []string {
	var others []string
	for _, c := range r.pods.Claims {
		switch {
		case c.Hidden:
			others = append(others, fmt.Sprintf("the environment of %s refers to another object: its %s is not known", c.Source, roleVariable))
		case c.Role != "" && c.Role != r.role.String():
			others = append(others, fmt.Sprintf("%s names %s", c.Source, advice.RoleARN(c.Role)))
		}
	}
	return others
}

// anotherRole is the failure. reason, which may be nil, is why IAM did not say more.
func anotherRole(r *run, others []string, reason error) error {
	why := append(slices.Clone(others), "the role of the install is "+r.role.String())
	var told *problem.Error
	if errors.As(reason, &told) {
		why = append(why, "IAM was asked whether it is this project's: "+told.Error())
	}
	return problem.Refuse("the app's pods do not have the role of the install",
		strings.Join(why, "\n"),
		r.ifChanged("if the install has another role, or is in another account, name it:\n"+
			r.again(Flag{"--account-id", "ACCOUNT"}, Flag{"--role-name", "ROLE"}, Flag{"--role-path", "PATH"}))).See(helpPage)
}
