package iam

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"
	"github.com/aws/aws-sdk-go-v2/service/iam/types"
	"golang.org/x/sync/errgroup"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Actual is what the role is. Without Exists all else is empty.
type Actual struct {
	Exists   bool
	ARN      string
	Path     string
	Created  time.Time
	Trust    string            // as IAM gives it: percent-encoded JSON
	Boundary string            // ARN, or ""
	Tags     map[string]string // all of them
	Inline   string            // our inline policy as IAM gives it, "" if absent
	Inlines  []string          // names of all inline policies
	Attached []string          // ARNs of all attached managed policies
	LastUse
	Unread
}

// LastUse is when a role's credentials were last used, in which region; zero if never, or
// not within the 400 days that IAM remembers ("RoleLastUsed").
type LastUse struct {
	LastUsed       time.Time
	LastUsedRegion string
}

// Unread is what the caller may not see of a role.
type Unread struct {
	// InlinesErr and AttachedErr say why the two lists are not known to a caller
	// who may not read them. Only a plan that needs them fails on it.
	InlinesErr, AttachedErr error
	// InlineErr is the same for our inline policy. Only Look leaves it here.
	InlineErr error
	// Hidden says that AWS refused to show whether the role exists, and that nothing is
	// known of it. Only ToCreate leaves it here.
	Hidden bool
}

// hasOwnPolicy reports whether the role has our inline policy.
func (a *Actual) hasOwnPolicy() bool { return a.Inline != "" || slices.Contains(a.Inlines, PolicyName) }

// unlisted are the actions that the caller lacks to list the role's policies.
func (a *Actual) unlisted() (actions []string) {
	if a.InlinesErr != nil {
		actions = append(actions, "iam:ListRolePolicies")
	}
	if a.AttachedErr != nil {
		actions = append(actions, "iam:ListAttachedRolePolicies")
	}
	return actions
}

// ToCreate turns an answer of Read, Look or Usual into one for who is about to create the
// role. A caller whose permissions end at its path is refused when asking for a role that
// does not exist. That the role exists after all is seen when it is created: IAM answers
// EntityAlreadyExists.
func ToCreate(a *Actual, err error) (*Actual, error) {
	if awserr.Hidden(err) {
		return &Actual{Unread: Unread{Hidden: true}}, nil
	}
	return Strict(a, err)
}

// Read looks at the role. known says that there is reason to believe it exists
// (an inventory names it): then all four reads run at once; otherwise the other
// three wait for GetRole, which on a first run saves them. An absent role is no
// error. Errors are explained (*problem.Error).
func Read(ctx context.Context, api Reader, name string, known bool) (*Actual, error) {
	look := lookFor
	if known {
		look = Look
	}
	return Strict(look(ctx, api, name))
}

// Strict turns an answer of Look or Usual into that of Read: without our inline policy,
// there is only the error.
func Strict(a *Actual, err error) (*Actual, error) {
	if err == nil && a.InlineErr != nil {
		return nil, a.InlineErr
	}
	return a, err
}

// lookFor is Look for a role that may not exist: its policies are asked for after it.
func lookFor(ctx context.Context, api Reader, name string) (*Actual, error) {
	a, err := roleAlone(ctx, api, name)
	if err != nil || !a.Exists {
		return a, err
	}
	return a, readPolicies(ctx, api, name, a)
}

// Look is Read for who only wants to see what there is: our inline policy, too,
// may be one that the caller may not read.
func Look(ctx context.Context, api Reader, name string) (*Actual, error) {
	// Two values, so that nothing is written twice; joined when both are done.
	role, policies := &Actual{}, &Actual{}
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return readRole(ctx, api, name, role) })
	g.Go(func() error { return readPolicies(ctx, api, name, policies) })
	if err := g.Wait(); err != nil {
		return nil, err
	}
	if !role.Exists {
		return role, nil
	}
	role.Inline, role.Inlines, role.Attached = policies.Inline, policies.Inlines, policies.Attached
	role.Unread = policies.Unread
	return role, nil
}

// ReadNew is Read for a role that was made a moment ago: IAM may not know it
// everywhere yet, so that it is asked a few times, for four seconds altogether,
// before the role is called absent.
func ReadNew(ctx context.Context, api Reader, name string) (*Actual, error) {
	const patience = 4 * time.Second
	for waits := (pauses{}); ; {
		actual, err := Read(ctx, api, name, true)
		if err != nil || actual.Exists || waits.sum >= patience || !waits.next(ctx) {
			return actual, err
		}
	}
}

// roleAlone is a role without its policies.
func roleAlone(ctx context.Context, api awsiam.GetRoleAPIClient, name string) (*Actual, error) {
	a := &Actual{}
	return a, readRole(ctx, api, name, a)
}

func readRole(ctx context.Context, api awsiam.GetRoleAPIClient, name string, a *Actual) error {
	out, err := api.GetRole(ctx, &awsiam.GetRoleInput{RoleName: aws.String(name)})
	switch {
	case awserr.Missing(err):
		return nil
	case err != nil:
		return awserr.Translate(err, "iam:GetRole", "role "+name)
	case out == nil || out.Role == nil:
		return nil
	}
	a.Exists = true
	a.ARN = aws.ToString(out.Role.Arn)
	a.Path = aws.ToString(out.Role.Path)
	a.Created = aws.ToTime(out.Role.CreateDate)
	a.Trust = aws.ToString(out.Role.AssumeRolePolicyDocument)
	a.Tags = fromTags(out.Role.Tags)
	if used := out.Role.RoleLastUsed; used != nil {
		a.LastUsed, a.LastUsedRegion = aws.ToTime(used.LastUsedDate), aws.ToString(used.Region)
	}
	if b := out.Role.PermissionsBoundary; b != nil {
		a.Boundary = aws.ToString(b.PermissionsBoundaryArn)
	}
	return nil
}

// readPolicies fills the policy fields of a. Whether the role exists is for
// readRole to say, so an absent role is an empty answer here.
func readPolicies(ctx context.Context, api Reader, name string, a *Actual) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		a.Inline, err = inlineDocument(ctx, api, name, PolicyName)
		a.InlineErr, err = tolerate(err, "iam:GetRolePolicy", name)
		return err
	})
	g.Go(func() error { return readNames(ctx, api, name, a) })
	return g.Wait()
}

// readNames fills in which policies the role has, of both kinds.
func readNames(ctx context.Context, api Reader, name string, a *Actual) error {
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() (err error) {
		a.Inlines, err = listInline(ctx, api, name)
		a.InlinesErr, err = tolerate(err, "iam:ListRolePolicies", name)
		return err
	})
	g.Go(func() (err error) {
		a.Attached, err = listAttached(ctx, api, name)
		a.AttachedErr, err = tolerate(err, "iam:ListAttachedRolePolicies", name)
		return err
	})
	return g.Wait()
}

func inlineDocument(ctx context.Context, api Reader, role, policy string) (string, error) {
	out, err := api.GetRolePolicy(ctx, &awsiam.GetRolePolicyInput{RoleName: aws.String(role), PolicyName: aws.String(policy)})
	if err != nil {
		return "", err
	}
	return aws.ToString(out.PolicyDocument), nil
}

// tolerate sorts the error of what some callers can do without: an
// absent role is none, a refusal is kept for later, all else is fatal.
func tolerate(err error, action, name string) (later, now error) {
	switch {
	case err == nil, awserr.Missing(err):
		return nil, nil
	case awserr.Denied(err):
		return awserr.Translate(err, action, "role "+name), nil
	}
	return nil, awserr.Translate(err, action, "role "+name)
}

func listInline(ctx context.Context, api Reader, name string) ([]string, error) {
	var names []string
	pages := awsiam.NewListRolePoliciesPaginator(api, &awsiam.ListRolePoliciesInput{RoleName: aws.String(name)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		names = append(names, page.PolicyNames...)
	}
	return names, nil
}

func listAttached(ctx context.Context, api Reader, name string) ([]string, error) {
	var arns []string
	pages := awsiam.NewListAttachedRolePoliciesPaginator(api, &awsiam.ListAttachedRolePoliciesInput{RoleName: aws.String(name)})
	for pages.HasMorePages() {
		page, err := pages.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, p := range page.AttachedPolicies {
			arns = append(arns, aws.ToString(p.PolicyArn))
		}
	}
	return arns, nil
}

func fromTags(tags []types.Tag) map[string]string {
	m := make(map[string]string, len(tags))
	for _, t := range tags {
		m[aws.ToString(t.Key)] = aws.ToString(t.Value)
	}
	return m
}

func toTags(m map[string]string) []types.Tag {
	tags := make([]types.Tag, 0, len(m))
	for _, k := range keysOf(m) {
		tags = append(tags, types.Tag{Key: aws.String(k), Value: aws.String(m[k])})
	}
	return tags
}

// RoleHere is the role that a project names, if it is one of the facts' account; the zero ARN for anything else.
func RoleHere(text string, f render.Facts) render.ARN {
	arn, legal := advice.Role(text)
	if !legal || arn.Account != f.Account.Value || arn.Partition != f.Partition.Value {
		return render.ARN{}
	}
	return arn
}

// UsualNameIn is the name in the ARN of a role of the facts' account, if it is one that
// the role of the project has without flags; "" otherwise.
func UsualNameIn(text string, f render.Facts) string {
	arn, legal := advice.Role(text)
	if !legal || arn.Account != f.Account.Value || !slices.Contains(render.RoleNames(f.Issuer.Value, f.Namespace.Value), arn.Name()) {
		return ""
	}
	return arn.Name()
}

// OwnPolicy is the inline policy that a role has by the name that install gives it; nil
// if it has none, or none that can be read: what it allows is then not known.
func (a *Actual) OwnPolicy() *Document {
	if a == nil {
		return nil
	}
	return readable(a.Inline, a.InlineErr)
}
