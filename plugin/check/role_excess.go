package check

import (
	"context"
	"errors"
	"net/url"
	"slices"
	"strings"
	"sync"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/apply"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/health"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/kinds"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/kube/live"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// excess judges every policy on a role: what it allows beyond what OSToy needs.
type excess struct {
	role    *iam.Actual
	name    string
	account string
	needed  []iam.Right
	again   string // the command that restores the role's own policy
	// keep is the command that has a managed policy accepted; nil if it is not to be
	// suggested.
	keep func(arn string) string
	read func(iam.Extra) (string, error) // the text of a policy
}

// roleExcess names what the app may do beyond what it does. It passes only if every
// policy on the role was read, by what IAM says of it. The inventory in the project,
// which an editor of the project can write, is not asked which policies are wanted.
func roleExcess(ctx context.Context, i identityLook) Finding {
	role, err := i.Role(ctx)
	if err != nil {
		return Fail(err)
	}
	name := i.RoleName(ctx)
	if !ofThisProject(i, role) {
		return Leave("the role " + advice.RoleName(name).String() + " is not shown to be this project's: neither its tags nor its trust policy name it")
	}
	inventory, _ := i.Inventory(ctx)
	if before := existedBefore(i, inventory); before != "" && role.AskedPolicy() == "" && slices.ContainsFunc(role.Attached, isFullAccess) {
		return Warn("the role "+name+" may do more than OSToy does",
			before+", and AmazonS3FullAccess gives it every permission on every bucket of the account", i.narrow(ctx))
	}
	e := excess{
		role: role, name: name, account: i.Facts.Account.Value, again: i.mendRole(ctx),
		needed: iam.Needed(i.Facts.Partition.Value, render.BucketName(i.Namespace)),
		read: func(extra iam.Extra) (string, error) {
			if extra.ARN != "" {
				return i.ManagedPolicy(ctx, extra.ARN)
			}
			return i.InlinePolicy(ctx, extra.Inline)
		},
	}
	if i.coming == "" && inventory.RoleOrigin == "" && render.Ours(role.Tags, i.Facts) {
		e.keep = func(arn string) string { return installWith(i, role, arn) }
	}
	return e.judge()
}

// existedBefore says why a role is one that install has adopted, or would adopt; "" if it is
// not.
func existedBefore(i identityLook, inventory apply.Inventory) string {
	switch {
	case inventory.RoleOrigin == apply.OriginAdopted:
		return "the inventory says that it existed before install"
	case i.Hands.Tutorial && i.coming == "":
		return "the app was made by hand, as the ROSA tutorial does it"
	}
	return ""
}

// ofThisProject reports whether IAM says that a role is the app's: by its tags, or
// because its trust policy lets the app in.
func ofThisProject(i identityLook, role *iam.Actual) bool {
	if render.Ours(role.Tags, i.Facts) {
		return true
	}
	t := newTrust(role, i.Facts)
	return slices.ContainsFunc(t.ours(), func(a iam.Admission) bool { return !a.Deny && iam.Admit(a.Subject, t.subject) })
}

// installWith is the install of this role that is asked for a managed policy.
func installWith(i identityLook, role *iam.Actual, policyARN string) string {
	var words []string
	if arn, err := render.ParseARNOf(role.ARN, "iam", "role"); err == nil {
		words = advice.RoleFlags(advice.RoleName(arn.Name()).Word(), advice.RolePath(arn.Path()).Word(), render.RoleNames(i.Facts.Issuer.Value, i.Namespace)...)
	}
	return installIn(i.World, append(words, "--policy-arn", advice.PolicyARN(policyARN).Word())...)
}

// isFullAccess recognises the policy that the ROSA tutorial attaches.
func isFullAccess(arn string) bool {
	return strings.HasSuffix(arn, ":iam::aws:policy/AmazonS3FullAccess")
}

func (e excess) judge() Finding {
	var all []Finding
	for _, extra := range e.extras() {
		all = append(all, e.judgeExtra(extra))
	}
	document, err := iam.ParseDocument(e.role.Inline)
	switch more := iam.Excess(document, e.needed, e.account); {
	case e.role.Inline != "" && err != nil:
		all = append(all, Warn("the policy "+iam.PolicyName+" of role "+e.name+" is not the one that install writes", awserr.Redact(err.Error()), e.again))
	case e.role.Inline != "" && len(more) > 0:
		all = append(all, Warn(e.what(), "its policy "+iam.PolicyName+" allows more than the one that install writes: "+awserr.Redact(strings.Join(more, "; ")), e.again))
	}
	if err := errors.Join(e.role.InlineErr, e.role.InlinesErr, e.role.AttachedErr); err != nil {
		all = append(all, Unseen("iam:GetRolePolicy, iam:ListRolePolicies and iam:ListAttachedRolePolicies on role "+e.name, "which policies the role has besides "+iam.PolicyName))
	}
	return worstFirst(all)
}

func (e excess) what() string { return "the role " + e.name + " may do more than OSToy does" }

// extras are the policies besides the inline one of ostoy-s3 and the managed one that the role's tag
// names.
func (e excess) extras() []iam.Extra { return iam.Role{PolicyARN: e.role.AskedPolicy()}.Extras(e.role) }

// judgeExtra passes a policy that was read and allows no more than OSToy needs.
func (e excess) judgeExtra(extra iam.Extra) Finding {
	text, err := e.read(extra)
	var document iam.Document
	if err == nil {
		document, err = iam.ParseDocument(text)
	}
	why := "the policy " + advice.PolicyARN(extra.ARN).String() + " is attached to it, and its tag " + render.TagPolicy + " does not name it"
	if extra.ARN == "" {
		why = "it has an inline policy " + awserr.Redact(extra.Inline) + " that is not managed by ostoy-s3"
	}
	next := extra.Removal(e.name) + ", if nobody needs it"
	switch {
	case awserr.Denied(err):
		return Warn(e.what(), why+"; what it allows cannot be read without "+readsPolicy(extra), next)
	case err != nil:
		return Warn(e.what(), why+"; what it allows is not known: "+awserr.Redact(err.Error()), next)
	case len(iam.Excess(document, e.needed, e.account)) == 0:
		return Pass()
	}
	why += "; it allows " + iam.Allowed(document)
	if e.mayBeAskedFor(extra, document) {
		next = "if install was asked for it with --policy-arn, have the tag written: " + e.keep(extra.ARN) + "\nif not: " + extra.Removal(e.name)
	}
	return Warn(e.what(), why, next)
}

// mayBeAskedFor reports whether a policy may be what an install was asked for that did
// not write tags yet: such an install gave the role its own policy or that one, and no
// tag with the bucket. Nobody asks for a policy of more than S3 for OSToy.
func (e excess) mayBeAskedFor(extra iam.Extra, document iam.Document) bool {
	return e.keep != nil && extra.ARN != "" && len(e.role.Attached) == 1 && e.role.Inline == "" && e.role.InlineErr == nil &&
		e.role.Tags[render.TagBucket] == "" && advice.PolicyARN(extra.ARN).Legal() && iam.OnlyS3(document)
}

func readsPolicy(extra iam.Extra) string {
	if extra.ARN != "" {
		return "iam:GetPolicy and iam:GetPolicyVersion"
	}
	return "iam:GetRolePolicy"
}

// The names of what the ROSA tutorial makes, which are the same in every account
// and cluster (openshift-cs/rosaworkshop).
const (
	tutorialRole    = "ostoy-sa-role"
	tutorialBinding = "system:openshift:scc:restricted"
)

// tutorial looks for what the tutorial leaves that still gives rights to this
// project's service account.
func (o ownLook) tutorial(ctx context.Context) Finding {
	var role *iam.Actual
	var binding *unstructured.Unstructured
	var roleErr, bindingErr error
	var group sync.WaitGroup
	group.Go(func() { role, roleErr = o.namedRole(ctx, tutorialRole) })
	group.Go(func() { binding, bindingErr = o.Get(ctx, kinds.ClusterRoleBinding.GVR(), "", tutorialBinding) })
	group.Wait()
	switch {
	case role != nil && role.Exists && trusts(role.Trust, o.Facts.Issuer.Value, o.Namespace):
		return Warn("the tutorial's role "+tutorialRole+" still trusts this project's service account",
			"it reaches every bucket of the account ("+held(role)+"), and the app does not need it: its own role is "+o.RoleName(ctx),
			removal(role, tutorialRole))
	case binding != nil && binds(binding, o.Namespace):
		return Warn("the tutorial's ClusterRoleBinding "+tutorialBinding+" names this project's service account",
			"oc adm policy without -n grants across the cluster; the app runs under restricted-v2 and does not need it",
			"a cluster admin revokes it: "+advice.Command("oc adm policy remove-scc-from-user restricted", "system:serviceaccount:"+o.Namespace+":"+render.ServiceAccount))
	}
	return unseenTutorial(roleErr, bindingErr, o)
}

// unseenTutorial is the finding where nothing was found: what may not be looked
// at may still be there.
func unseenTutorial(roleErr, bindingErr error, o ownLook) Finding {
	if bindingErr != nil {
		return unreadable(o.Conn, bindingErr, "get clusterrolebindings", "whether the tutorial's grant for the whole cluster is still there")
	}
	return unreadAWS(roleErr, "iam:GetRole on "+tutorialRole, "whether the tutorial's role still trusts this project")
}

// namedRole reads a role that is not the install's own.
func (o ownLook) namedRole(ctx context.Context, name string) (*iam.Actual, error) {
	switch {
	case o.Roles == nil:
		return nil, live.ErrNoAWS
	case o.RoleName(ctx) == name: // asked for with --role-name
		return nil, nil
	}
	return iam.Read(ctx, o.Roles, name, false)
}

// trusts reports whether a trust policy lets in this project's service account
// of this cluster. IAM gives policies percent-encoded.
func trusts(trust, issuer, namespace string) bool {
	if plain, err := url.PathUnescape(trust); err == nil {
		trust = plain
	}
	host := strings.TrimSuffix(strings.TrimPrefix(issuer, "https://"), "/")
	return strings.Contains(trust, `"system:serviceaccount:`+namespace+`:`+render.ServiceAccount+`"`) && strings.Contains(trust, host)
}

// removal are the commands that delete a role, with its policies, which IAM wants removed
// first.
func removal(role *iam.Actual, name string) string {
	var all []string
	for _, inline := range role.Inlines {
		all = append(all, iam.Extra{Inline: inline}.Removal(name))
	}
	for _, arn := range role.Attached {
		all = append(all, iam.Extra{ARN: arn}.Removal(name))
	}
	if role.InlinesErr != nil || role.AttachedErr != nil {
		all = append(all, "remove its policies; these list them: "+advice.Command("aws iam list-attached-role-policies", "--role-name", name)+
			"; "+advice.Command("aws iam list-role-policies", "--role-name", name))
	}
	return strings.Join(append(all, advice.Command("aws iam delete-role", advice.Flag("--role-name", advice.RoleName(name).Word())...)), "\n")
}

func held(role *iam.Actual) string {
	if len(role.Attached) == 0 {
		return "as AmazonS3FullAccess lets it"
	}
	return strings.Join(role.Attached, ", ")
}

func binds(binding *unstructured.Unstructured, namespace string) bool {
	return slices.ContainsFunc(health.Maps(binding.Object, "subjects"), func(subject map[string]any) bool {
		return subject["kind"] == "ServiceAccount" && subject["namespace"] == namespace && subject["name"] == render.ServiceAccount
	})
}
