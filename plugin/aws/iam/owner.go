package iam

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

const moreForeign = "docs/checks/role-foreign.md"

// mayTouch refuses a role that is not ours. Path and account cannot be changed
// and the manifests carry them, so no leave helps there.
func mayTouch(r Role, a *Actual, f render.Facts) error {
	who := r.holder()
	if a.Path != "" && a.Path != r.Path {
		next := "--role-name NAME for another role, or " + advice.Command("--role-path", a.Path) + " to use this one"
		if !who.Owns(r.Name, a, f) {
			next += " together with --adopt=role"
		}
		return refuse(fmt.Sprintf("a role named %s exists under another path, %s", r.Name, a.Path),
			"role names are unique in an account whatever the path, and a path cannot be changed; "+who.whoseIs(r.Name, a, f), next)
	}
	if a.ARN != "" && a.ARN != r.ARN {
		return refuse(fmt.Sprintf("the role %s is %s, not %s", r.Label(), a.ARN, r.ARN),
			"the credentials are of another account than the one the manifests are made for, or the name is spelt in another case",
			"--account-id and --partition as aws sts get-caller-identity shows them, --role-name as IAM spells it")
	}
	if r.Adopt || who.Owns(r.Name, a, f) {
		return nil
	}
	return refuse(fmt.Sprintf("the role %s is there and is not ours", r.Label()), who.whoseIs(r.Name, a, f),
		"--role-name NAME to make another role, or --adopt=role to take this one over: its trust policy is then replaced")
}

func refuse(what, why, next string) error { return problem.Refuse(what, why, next).See(moreForeign) }

// notes tells what the plan leaves as it is though the reader may not expect it.
func notes(r Role, a *Actual, f render.Facts) []string {
	var out []string
	who := r.holder()
	if !who.Owns(r.Name, a, f) {
		leave := "--adopt=role"
		if r.Tighten {
			leave = "--tighten-role"
		}
		out = append(out, "the role was not ours and is taken over, as "+leave+" says: "+who.whoseIs(r.Name, a, f))
	}
	for _, extra := range r.Extras(a) {
		out = append(out, fmt.Sprintf("the %s on the role is not managed by ostoy-s3 and stays; %s has its permissions too (%s)", extra, who, extra.Removal(r.Name)))
	}
	if a.Boundary != "" && r.Boundary == "" {
		out = append(out, "the role's permissions boundary "+a.Boundary+" stays")
	}
	for _, action := range a.unlisted() {
		out = append(out, "policies of others on the role were not looked at: needs "+action)
	}
	return out
}

// mayRemove refuses a role that is not ours, and, with or without leave, one
// that cannot be the one that is meant.
func mayRemove(a *Actual, f render.Facts, o RemovalOptions) error {
	if o.Path != "" && a.Path != "" && a.Path != o.Path {
		return refuse(fmt.Sprintf("the role %s is under the path %s, not %s", o.Name, a.Path, o.Path),
			"a path cannot be changed, so this is another role than the one that was made; "+whose(a.Tags, f),
			advice.Command("--role-path", a.Path)+" if this one is meant")
	}
	arn, err := render.ParseARN(a.ARN)
	if err == nil && f.Account.Known() && arn.Account != f.Account.Value {
		return refuse(fmt.Sprintf("the role %s is of account %s, not %s", o.Name, arn.Account, f.Account.Value),
			"the credentials are of another account than the one the role was made in",
			"--profile NAME with credentials of account "+f.Account.Value+"; "+advice.Command("aws sts get-caller-identity")+" shows whose they are")
	}
	if who := o.holder(); who.another(o.Name, a) && (o.Adopt || sameOwner(a.Tags, f)) {
		return who.refuseAnothers(o.Name, a)
	}
	if o.Adopt {
		return nil
	}
	if !sameOwner(a.Tags, f) {
		return refuse(fmt.Sprintf("the role %s is not ours and stays", o.Name), whose(a.Tags, f), o.keepOr(a, f))
	}
	if !f.Issuer.Known() && !o.AnyIssuer {
		issuer := awserr.Redact(a.Tags[render.TagIssuer])
		return refuse(fmt.Sprintf("it is not known whether the role %s is this cluster's", o.Name),
			"this cluster's issuer is not known, and the role was made for namespace "+f.Namespace.Value+" of the issuer "+issuer,
			"--oidc-issuer URL with the issuer of this cluster, or --keep-role to leave the role")
	}
	return nil
}

// keepOr says what to do about a role with other tags. The project can name any role of
// the account, so no flag is suggested that removes it: for an app's role only the
// question whether the issuer has changed.
func (o RemovalOptions) keepOr(a *Actual, f render.Facts) string {
	const keep = "--keep-role to leave it"
	ofTool := a.Tags[render.TagManagedBy] == render.ManagedBy && a.Tags[render.TagNamespace] == f.Namespace.Value
	switch {
	case !ofTool:
		return keep
	case o.Controller:
		return keep + ", or --adopt=role to remove it anyway"
	case f.Issuer.Known() && a.Tags[render.TagIssuer] != f.Issuer.Value:
		return keep + "; if the OIDC issuer of this cluster has changed since the installation, --oidc-issuer URL with the earlier one"
	}
	return keep
}

// sameOwner is render.OfThisCluster for facts that may not know the issuer: it then does not
// count.
func sameOwner(tags map[string]string, f render.Facts) bool {
	return render.OfThisCluster(tags, assumeIssuer(tags, f))
}

// whose is awserr.Whose for facts that may not know the issuer.
func whose(tags map[string]string, f render.Facts) string {
	return awserr.Whose(tags, assumeIssuer(tags, f))
}

// assumeIssuer takes the issuer from the tags where the facts do not know it. A
// role of ours has the tag from its first moment; without it, no issuer is right.
func assumeIssuer(tags map[string]string, f render.Facts) render.Facts {
	if !f.Issuer.Known() {
		f.Issuer.Value = cmp.Or(tags[render.TagIssuer], "not known")
	}
	return f
}

// Orphans are the roles managed by ostoy-s3, of apps and of controllers, of any namespace,
// whose OIDC provider is gone: nobody can assume them any more. A rebuilt cluster,
// which gets another issuer, leaves them. Roles of the issuer given do not count.
//
// A list of roles has the trust policies, so it takes three requests and one more
// for each role that nobody can assume, whose tags say whether it is ours. For a
// caller who may not list, awserr.Denied(err) is true; one who may list the roles of
// apps alone sees those. A role that the caller may not look at is left out.
func Orphans(ctx context.Context, api Lister, issuer string) ([]Found, error) {
	roles, controllers, providers := map[string]Listed{}, map[string]Listed{}, []string(nil)
	var group errgroup.Group // one refusal does not end the others: what is asked is the same each time
	group.Go(func() (err error) {
		roles, err = List(ctx, api, render.RolePath)
		return err
	})
	group.Go(func() (err error) {
		if controllers, err = List(ctx, api, render.ControllerRolePath); awserr.Denied(err) {
			err = nil
		}
		return err
	})
	group.Go(func() (err error) {
		providers, err = listProviders(ctx, api)
		return awserr.Translate(err, "iam:ListOpenIDConnectProviders", "the account's OIDC providers")
	})
	if err := group.Wait(); err != nil {
		return nil, err
	}
	maps.Copy(roles, controllers)
	var suspects []string
	for _, role := range roles {
		if trustsNobody(role.Trust, providers) {
			suspects = append(suspects, role.Name)
		}
	}
	// Where only the trust policy is wrong, the cluster's own check tells.
	found, _, err := lookAtEach(ctx, api, suspects, func(_ string, a *Actual) bool {
		made := a.Tags[render.TagIssuer]
		known := func(arn string) bool { return strings.HasSuffix(arn, ":oidc-provider/"+render.IssuerHostPath(made)) }
		return a.Tags[render.TagManagedBy] == render.ManagedBy && made != issuer && !slices.ContainsFunc(providers, known)
	})
	return found, err
}

// trustsNobody reports whether all that a trust policy names are OIDC providers
// that are not there.
func trustsNobody(trust string, providers []string) bool {
	d, err := ParseDocument(trust)
	if err != nil || len(d.Statement) == 0 {
		return false
	}
	for _, s := range d.Statement {
		for kind, who := range s.Principal {
			if kind != "Federated" || slices.ContainsFunc(who, func(one string) bool { return slices.Contains(providers, one) }) {
				return false
			}
		}
	}
	return true
}

// listProviders are the ARNs of the account's OIDC providers; IAM has at most
// 100 of them and gives them all at once.
func listProviders(ctx context.Context, api Lister) ([]string, error) {
	out, err := api.ListOpenIDConnectProviders(ctx, &awsiam.ListOpenIDConnectProvidersInput{})
	if err != nil {
		return nil, err
	}
	arns := make([]string, len(out.OpenIDConnectProviderList))
	for i, one := range out.OpenIDConnectProviderList {
		arns[i] = aws.ToString(one.Arn)
	}
	return arns, nil
}

// Proof is what a role says about an S3 bucket.
type Proof struct {
	// Proven says that the role, which is of this issuer and namespace, names the bucket.
	Proven bool
	// Why is the reason where it does not, a clause.
	Why string
	// Role is the name of the role that proves it, and Created when that was created.
	Role    string
	Created time.Time
}

// Proves reports whether the role named name proves that the bucket is the one of the
// project of the facts: by its tag, or, if it was created before there was that tag, by
// the inline policy that install gave it, which is for exactly this bucket.
func (a *Actual) Proves(name, bucket string, f render.Facts) Proof {
	refuse := func(why string) Proof { return Proof{Why: "the role " + advice.RoleName(name).String() + " " + why} }
	proven := Proof{Proven: true, Role: name, Created: a.Created}
	tag, tagged := a.Tags[render.TagBucket]
	switch {
	case !a.Exists:
		return refuse("does not exist")
	case !f.Issuer.Known():
		return refuse("may be of another cluster: the issuer of this one is not known")
	case !App.Owns(name, a, f):
		return refuse("is not of this project: " + App.whoseIs(name, a, f))
	case tagged && tag == bucket:
		return proven
	case tagged:
		return refuse("has the tag " + render.TagBucket + "=" + advice.BucketName(tag).String())
	case a.InlineErr != nil:
		return refuse("has no tag " + render.TagBucket + ", and its policy " + PolicyName + " cannot be read without iam:GetRolePolicy")
	case onlyFor(a.Inline, render.BucketARN(f.Partition.Value, bucket)):
		return proven
	}
	return refuse("has neither the tag " + render.TagBucket + " nor a policy " + PolicyName + " for this bucket alone")
}

// onlyFor reports whether a policy, as IAM gives it, allows something on the bucket or
// its objects, and nothing on anything else.
func onlyFor(text, arn string) bool {
	document, err := ParseDocument(text)
	if text == "" || err != nil {
		return false
	}
	var named []string
	for _, s := range document.Statement {
		if s.Effect == "Allow" {
			named = append(named, s.Resource...)
		}
	}
	other := func(resource string) bool { return resource != arn && resource != arn+"/*" }
	return slices.Contains(named, arn) && !slices.ContainsFunc(named, other)
}
