package uninstall

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/project"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/removal"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// roleSeen is what IAM says of the role, and of the roles that may be meant.
type roleSeen struct {
	plan    *iam.Removal
	hidden  string        // name of a role that AWS refuses to show, if none was found
	missing []string      // names of roles that do not exist
	others  removal.Lines // roles that only the project names, and that are not managed by ostoy-s3
	proof   iam.Proof     // what they say about the bucket
	unread  []string      // names of roles that were to prove something and may not be read
	doubts  []string      // what the user has to confirm
	notes   []string
}

// findRole finds the role of the project: by the names that the inventory and the service
// account give, by its usual names, and, if it is none of these, by its path and tags.
// Everybody who can edit the project chooses what the first two name: that ends neither
// the run nor the search.
func findRole(ctx context.Context, a app, api roleClient) (roleSeen, error) {
	var seen roleSeen
	var refused, unread error
	for _, name := range a.roleNames() {
		actual, err := readRole(ctx, a, api, name)
		switch {
		// As one that does not exist, to a caller who may not read every role.
		case awserr.Hidden(err), awserr.Denied(err) && a.onlyNamed(name):
			seen.hidden = cmp.Or(seen.hidden, name)
			continue
		case awserr.Denied(err): // the other usual name may be the role's
			unread = cmp.Or(unread, err)
			continue
		case err != nil:
			return seen, err
		case !actual.Exists:
			seen.missing = append(seen.missing, name)
			continue
		}
		seen.proof = weighed(a, seen.proof, name, actual)
		plan, err := iam.RemovalPlan(actual, a.facts, removalOptions(a, name, actual))
		switch {
		case err == nil:
			seen.plan = plan
			return seen, nil
		case a.onlyNamed(name) && !a.ownTags(actual):
			seen.others = append(seen.others, notManaged(a, name, actual))
		default:
			refused = cmp.Or(refused, notBelieved(a, name, actual), err)
		}
	}
	if err := cmp.Or(refused, unread); err != nil {
		return seen, err
	}
	return searchRole(ctx, a, api, seen)
}

// notBelieved is the error for a role that is refused, if only the inventory says that it
// is of this cluster's issuer: no command is suggested that changes it. nil otherwise.
func notBelieved(a app, name string, actual *iam.Actual) error {
	if a.facts.Issuer.Source != project.OnRecord {
		return nil
	}
	_, err := iam.RemovalPlan(actual, a.confirmedFacts(), iam.RemovalOptions{Name: name})
	return err
}

// readRole looks at a role. One of an install that ran a moment ago is looked for more
// than once: if it were taken for absent, it would be left behind, and the inventory that
// names it would be deleted.
func readRole(ctx context.Context, a app, api roleClient, name string) (*iam.Actual, error) {
	const aMoment = 2 * time.Minute
	record := a.removal.Inventory
	if name == a.nameOf(record.RoleARN) && a.now().Sub(record.Written()) < aMoment {
		return iam.ReadNew(ctx, api, name)
	}
	return iam.Read(ctx, api, name, true)
}

// removalOptions repeats --adopt=role only for a role whose tags are this project's and
// this cluster's: the flag is about the policies that others attached to it. The
// inventory and the service account can name any role of the account, and the inventory
// any issuer.
func removalOptions(a app, name string, actual *iam.Actual) iam.RemovalOptions {
	return iam.RemovalOptions{
		Name:      name,
		PolicyARN: attachedByUs(actual),
		Adopt:     a.request.Adopt.Role() && a.confirmedFacts().Issuer.Known() && a.ownTags(actual),
	}
}

// attachedByUs is the managed policy that install attached: the one that the role's tag
// names, or on a role from before there was that tag, which has no policy of ours, the
// only one, because install gives a role one or the other. The inventory is not asked.
func attachedByUs(actual *iam.Actual) string {
	if asked := actual.AskedPolicy(); asked != "" {
		return asked
	}
	if actual.Tags[render.TagBucket] == "" && actual.Inline == "" && len(actual.Inlines) == 0 && len(actual.Attached) == 1 {
		return actual.Attached[0]
	}
	return ""
}

// notManaged keeps a role that the project names, and that is not the project's.
func notManaged(a app, name string, actual *iam.Actual) *removal.Line {
	facts, next := a.facts, ""
	facts.Issuer = render.Fact{Value: actual.Tags[render.TagIssuer]}
	if a.facts.Issuer.Known() && render.Ours(actual.Tags, facts) {
		next = "if the OIDC issuer of this cluster has changed since the installation: " + a.again("--role-only", "--oidc-issuer", "URL") + " with the earlier one"
	}
	return &removal.Line{
		Object: "role " + name, Subject: removal.OtherRole, Fate: removal.Kept, Next: next,
		Why: "the project names it, but it is not managed by ostoy-s3 for this project: " + awserr.Whose(actual.Tags, a.facts),
	}
}

// searchRole looks among all roles of our path. If the issuer is not known, one that was
// created for a namespace of this name may be another cluster's: the user has to confirm
// it.
func searchRole(ctx context.Context, a app, api roleClient, seen roleSeen) (roleSeen, error) {
	found, err := iam.App.Find(ctx, api, a.facts)
	switch {
	case awserr.Denied(err) && len(a.roleNames()) > 0:
		// Those whose names were tried are all that is found, which is all there usually is.
		seen.notes = append(seen.notes, "roles under another name were not looked for: it needs iam:ListRoles")
		return seen, nil
	case err != nil:
		return seen, err
	case len(found) == 0:
		return seen, nil
	case len(found) > 1:
		return seen, whichRole(a, found)
	}
	name := found[0].Name
	actual, err := iam.Read(ctx, api, name, true)
	if err != nil {
		return seen, err
	}
	seen.proof = weighed(a, seen.proof, name, actual)
	options := removalOptions(a, name, actual)
	if options.AnyIssuer = !a.facts.Issuer.Known(); options.AnyIssuer {
		options.Adopt = a.request.Adopt.Role() // for a role that IAM lists, and that you are asked about
	}
	if seen.plan, err = iam.RemovalPlan(actual, a.facts, options); err != nil {
		return seen, err
	}
	if options.AnyIssuer && !seen.plan.Empty() {
		seen.doubts = append(seen.doubts, fmt.Sprintf("role %s was made for a project %s of issuer %s; whether that is this cluster is not known",
			name, a.namespace(), found[0].Issuer()))
	}
	return seen, nil
}

// whichRole is the error for several roles that may be meant, each of another cluster.
func whichRole(a app, found []iam.Found) error {
	var names, nexts []string
	for _, role := range found {
		issuer := advice.Issuer(role.Issuer())
		names = append(names, role.Name+" for issuer "+issuer.String())
		nexts = append(nexts, advice.Command("oc ostoy-s3 uninstall -n", a.namespace(), "--role-only", "--oidc-issuer", issuer.Word()))
	}
	return problem.Refuse("several roles were made for a project named "+a.namespace(),
		"they are of different clusters: "+strings.Join(names, ", "),
		strings.Join(nexts, "\n"))
}

// What shows that a bucket is this project's is a role in IAM that names it: everything
// else, the inventory, the Bucket resource and the tags that the controller sets from it,
// can be written by everybody who may edit the project. Without that role the bucket
// stays, also an empty one, unless the user says --adopt=bucket.

// lookForProof reads roles that stay, for what they say about the bucket. Roles that go
// are read anyway. A role that may not be read proves nothing and ends nothing.
func lookForProof(ctx context.Context, a app, api roleClient) (roleSeen, error) {
	var seen roleSeen
	names := a.roleNames()
	for _, name := range names {
		if err := readForProof(ctx, a, api, name, &seen); err != nil || seen.proof.Proven {
			return seen, err
		}
	}
	if !a.confirmedFacts().Issuer.Known() {
		return seen, nil
	}
	found, err := iam.App.Find(ctx, api, a.facts)
	if err != nil && !awserr.Denied(err) {
		return seen, err
	}
	for _, role := range found {
		if slices.Contains(names, role.Name) {
			continue
		}
		if err := readForProof(ctx, a, api, role.Name, &seen); err != nil || seen.proof.Proven {
			return seen, err
		}
	}
	return seen, nil
}

func readForProof(ctx context.Context, a app, api roleClient, name string, seen *roleSeen) error {
	actual, err := iam.Look(ctx, api, name)
	switch {
	case awserr.Denied(err):
		seen.unread = append(seen.unread, name)
	case err != nil:
		return err
	case actual.Exists:
		seen.proof = weighed(a, seen.proof, name, actual)
	default:
		seen.missing = append(seen.missing, name)
	}
	return nil
}

// weighed is the better of a proof and of what another role says about the bucket.
func weighed(a app, proof iam.Proof, name string, actual *iam.Actual) iam.Proof {
	if proof.Proven {
		return proof
	}
	if another := actual.Proves(name, a.bucketName(), a.confirmedFacts()); another.Proven || proof.Why == "" {
		return another
	}
	return proof
}

// noProof says why no role shows that the bucket is this project's.
func (r roleSeen) noProof() string {
	switch {
	case r.proof.Why != "":
		return r.proof.Why
	case r.hidden != "":
		return "AWS refuses to show the role " + r.hidden
	case len(r.unread) > 0:
		return "you are not allowed to read the role " + r.unread[0]
	}
	return "none exists"
}
