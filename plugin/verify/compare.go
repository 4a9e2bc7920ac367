package verify

import (
	"context"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// openshiftAudience is the audience of the pod identity webhook of ROSA with hosted
// control planes, and beside render.DefaultAudience a client id of the providers that
// rosa and ccoctl register.
const openshiftAudience = "openshift"

// Audiences are those that tokens may be requested for although only a pod names them:
// such a token is of use at AWS and at no other service.
func Audiences() []string { return []string{render.DefaultAudience, openshiftAudience} }

// audienceToAsk is the one that tokens are requested for: the install's, or the pods' if it
// is known. "" is none.
func audienceToAsk(r *run) string {
	switch {
	case r.Target.Audience != "":
		return r.Target.Audience
	case r.pods.Audience != "":
		return known(r.pods.Audience)
	}
	// No pod names one, as where the webhook has not changed them: the annotation may.
	for _, c := range r.pods.Claims {
		if c.Audience != "" {
			return known(c.Audience)
		}
	}
	return render.DefaultAudience
}

// known is an audience if it is one of Audiences, else "".
func known(audience string) string {
	if slices.Contains(Audiences(), audience) {
		return audience
	}
	return ""
}

// checkAudience is why no token is requested: the pods, or the service account, name
// another audience than the install's.
func checkAudience(r *run) error {
	var names []string
	for _, c := range r.pods.Claims {
		if c.Audience != "" && c.Audience != r.Audience {
			names = append(names, fmt.Sprintf("%s names audience %s", c.Source, shownAudience(c.Audience)))
		}
	}
	if len(names) == 0 {
		return nil
	}
	wanted := "tokens are requested only for " + strings.Join(Audiences(), " and ") + ", or for the audience that --audience gives; none was requested"
	if r.Audience != "" {
		wanted = "the audience of the install is " + shownAudience(r.Audience) + "; no token was requested"
	}
	return problem.Refuse("the app's pods do not have the audience of the install",
		strings.Join(append(names, wanted), "\n"),
		r.ifChanged("if the install has another audience, name it:\n"+r.again(Flag{"--audience", "AUDIENCE"}))).See(helpPage)
}

// shownAudience is an audience in a sentence: any text may be one, and only the
// characters of names and URLs are repeated.
func shownAudience(text string) string {
	if !plainAudience.MatchString(text) {
		return "(a value that is not a name or a URL)"
	}
	return text
}

var plainAudience = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:/-]{0,127}$`)

// regionFits reports whether AWS may be asked in a region that the pods name: one of the
// install's partition.
func (t Target) regionFits(region string) bool {
	partition := render.PartitionOf(region)
	return partition != "" && (t.Partition == "" || partition == t.Partition)
}

// checkRegion is why AWS is not asked in the region that the pods name.
func checkRegion(r *run) error {
	if r.pods.Region == "" || r.regionFits(r.pods.Region) {
		return nil
	}
	why := "a pod's " + regionVariable + " is " + advice.Region(r.pods.Region).String()
	if r.Partition != "" {
		why += "; the install is in partition " + r.Partition
	}
	return problem.Refuse("the app's pods have a region that is not one of the install's partition",
		why,
		r.ifChanged("if the install is in another account, name it:\n"+r.again(Flag{"--account-id", "ACCOUNT"}))).See(helpPage)
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
