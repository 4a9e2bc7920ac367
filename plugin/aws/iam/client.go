package iam

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
)

// Reader is what looking at a role takes.
type Reader interface {
	awsiam.GetRoleAPIClient
	awsiam.ListRolePoliciesAPIClient
	awsiam.ListAttachedRolePoliciesAPIClient
	GetRolePolicy(context.Context, *awsiam.GetRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.GetRolePolicyOutput, error)
}

// Writer is what changing a role takes. It cannot delete a role: Remover can.
type Writer interface {
	CreateRole(context.Context, *awsiam.CreateRoleInput, ...func(*awsiam.Options)) (*awsiam.CreateRoleOutput, error)
	UpdateAssumeRolePolicy(context.Context, *awsiam.UpdateAssumeRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.UpdateAssumeRolePolicyOutput, error)
	PutRolePolicy(context.Context, *awsiam.PutRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.PutRolePolicyOutput, error)
	policyDropper
	AttachRolePolicy(context.Context, *awsiam.AttachRolePolicyInput, ...func(*awsiam.Options)) (*awsiam.AttachRolePolicyOutput, error)
	PutRolePermissionsBoundary(context.Context, *awsiam.PutRolePermissionsBoundaryInput, ...func(*awsiam.Options)) (*awsiam.PutRolePermissionsBoundaryOutput, error)
	TagRole(context.Context, *awsiam.TagRoleInput, ...func(*awsiam.Options)) (*awsiam.TagRoleOutput, error)
}

// API is what Execute takes: it writes, and looks again when another run was
// faster.
type API interface {
	Reader
	Writer
}

// ProviderReader is what looking at an identity provider takes.
type ProviderReader interface {
	GetOpenIDConnectProvider(context.Context, *awsiam.GetOpenIDConnectProviderInput, ...func(*awsiam.Options)) (*awsiam.GetOpenIDConnectProviderOutput, error)
}

// PolicyReader is what reading a managed policy takes.
type PolicyReader interface {
	awsiam.GetPolicyAPIClient
	GetPolicyVersion(context.Context, *awsiam.GetPolicyVersionInput, ...func(*awsiam.Options)) (*awsiam.GetPolicyVersionOutput, error)
}

// Lister is what looking over all our roles of an account takes.
type Lister interface {
	Finder
	ListOpenIDConnectProviders(context.Context, *awsiam.ListOpenIDConnectProvidersInput, ...func(*awsiam.Options)) (*awsiam.ListOpenIDConnectProvidersOutput, error)
}

// call is one operation of IAM.
type call[In, Out any] func(context.Context, *In, ...func(*awsiam.Options)) (*Out, error)

// Client is the real IAM, as far as we use it. It holds the operations one by
// one and not the SDK's client: where a program calls methods by their names,
// as the templates of a chart do, the linker keeps every method of every type
// that an interface or a field leads to, and the SDK's client has 176. Without
// them, and those of CloudTrail's, the executable is 7 MB smaller (60 instead of 67).
type Client struct {
	getRole                    call[awsiam.GetRoleInput, awsiam.GetRoleOutput]
	getRolePolicy              call[awsiam.GetRolePolicyInput, awsiam.GetRolePolicyOutput]
	listRolePolicies           call[awsiam.ListRolePoliciesInput, awsiam.ListRolePoliciesOutput]
	listAttachedRolePolicies   call[awsiam.ListAttachedRolePoliciesInput, awsiam.ListAttachedRolePoliciesOutput]
	createRole                 call[awsiam.CreateRoleInput, awsiam.CreateRoleOutput]
	updateAssumeRolePolicy     call[awsiam.UpdateAssumeRolePolicyInput, awsiam.UpdateAssumeRolePolicyOutput]
	putRolePolicy              call[awsiam.PutRolePolicyInput, awsiam.PutRolePolicyOutput]
	deleteRolePolicy           call[awsiam.DeleteRolePolicyInput, awsiam.DeleteRolePolicyOutput]
	attachRolePolicy           call[awsiam.AttachRolePolicyInput, awsiam.AttachRolePolicyOutput]
	putRolePermissionsBoundary call[awsiam.PutRolePermissionsBoundaryInput, awsiam.PutRolePermissionsBoundaryOutput]
	tagRole                    call[awsiam.TagRoleInput, awsiam.TagRoleOutput]
	detachRolePolicy           call[awsiam.DetachRolePolicyInput, awsiam.DetachRolePolicyOutput]
	deleteRole                 call[awsiam.DeleteRoleInput, awsiam.DeleteRoleOutput]
	listRoles                  call[awsiam.ListRolesInput, awsiam.ListRolesOutput]
	getOpenIDConnectProvider   call[awsiam.GetOpenIDConnectProviderInput, awsiam.GetOpenIDConnectProviderOutput]
	getPolicy                  call[awsiam.GetPolicyInput, awsiam.GetPolicyOutput]
	getPolicyVersion           call[awsiam.GetPolicyVersionInput, awsiam.GetPolicyVersionOutput]
	listOpenIDConnectProviders call[awsiam.ListOpenIDConnectProvidersInput, awsiam.ListOpenIDConnectProvidersOutput]
}

// New gives a client that repeats conflicting requests, too, as often as the
// configuration says (package detect, which loads it).
func New(cfg aws.Config) *Client {
	client := awsiam.NewFromConfig(cfg, func(o *awsiam.Options) {
		o.Retryer = retry.AddWithErrorCodes(o.Retryer, "ConcurrentModification", "EntityTemporarilyUnmodifiable")
	})
	return &Client{ // each is of a type of its own: in another order they do not compile
		client.GetRole, client.GetRolePolicy, client.ListRolePolicies,
		client.ListAttachedRolePolicies, client.CreateRole, client.UpdateAssumeRolePolicy,
		client.PutRolePolicy, client.DeleteRolePolicy, client.AttachRolePolicy,
		client.PutRolePermissionsBoundary, client.TagRole, client.DetachRolePolicy,
		client.DeleteRole, client.ListRoles, client.GetOpenIDConnectProvider,
		client.GetPolicy, client.GetPolicyVersion, client.ListOpenIDConnectProviders,
	}
}

// GetRole implements Reader.
func (c *Client) GetRole(ctx context.Context, in *awsiam.GetRoleInput, opts ...func(*awsiam.Options)) (*awsiam.GetRoleOutput, error) {
	return c.getRole(ctx, in, opts...)
}

// GetRolePolicy implements Reader.
func (c *Client) GetRolePolicy(ctx context.Context, in *awsiam.GetRolePolicyInput, opts ...func(*awsiam.Options)) (*awsiam.GetRolePolicyOutput, error) {
	return c.getRolePolicy(ctx, in, opts...)
}

// ListRolePolicies implements Reader.
func (c *Client) ListRolePolicies(ctx context.Context, in *awsiam.ListRolePoliciesInput, opts ...func(*awsiam.Options)) (*awsiam.ListRolePoliciesOutput, error) {
	return c.listRolePolicies(ctx, in, opts...)
}

// ListAttachedRolePolicies implements Reader.
func (c *Client) ListAttachedRolePolicies(ctx context.Context, in *awsiam.ListAttachedRolePoliciesInput, opts ...func(*awsiam.Options)) (*awsiam.ListAttachedRolePoliciesOutput, error) {
	return c.listAttachedRolePolicies(ctx, in, opts...)
}

// CreateRole implements Writer.
func (c *Client) CreateRole(ctx context.Context, in *awsiam.CreateRoleInput, opts ...func(*awsiam.Options)) (*awsiam.CreateRoleOutput, error) {
	return c.createRole(ctx, in, opts...)
}

// UpdateAssumeRolePolicy implements Writer.
func (c *Client) UpdateAssumeRolePolicy(ctx context.Context, in *awsiam.UpdateAssumeRolePolicyInput, opts ...func(*awsiam.Options)) (*awsiam.UpdateAssumeRolePolicyOutput, error) {
	return c.updateAssumeRolePolicy(ctx, in, opts...)
}

// PutRolePolicy implements Writer.
func (c *Client) PutRolePolicy(ctx context.Context, in *awsiam.PutRolePolicyInput, opts ...func(*awsiam.Options)) (*awsiam.PutRolePolicyOutput, error) {
	return c.putRolePolicy(ctx, in, opts...)
}

// DeleteRolePolicy implements Writer.
func (c *Client) DeleteRolePolicy(ctx context.Context, in *awsiam.DeleteRolePolicyInput, opts ...func(*awsiam.Options)) (*awsiam.DeleteRolePolicyOutput, error) {
	return c.deleteRolePolicy(ctx, in, opts...)
}

// AttachRolePolicy implements Writer.
func (c *Client) AttachRolePolicy(ctx context.Context, in *awsiam.AttachRolePolicyInput, opts ...func(*awsiam.Options)) (*awsiam.AttachRolePolicyOutput, error) {
	return c.attachRolePolicy(ctx, in, opts...)
}

// PutRolePermissionsBoundary implements Writer.
func (c *Client) PutRolePermissionsBoundary(ctx context.Context, in *awsiam.PutRolePermissionsBoundaryInput, opts ...func(*awsiam.Options)) (*awsiam.PutRolePermissionsBoundaryOutput, error) {
	return c.putRolePermissionsBoundary(ctx, in, opts...)
}

// TagRole implements Writer.
func (c *Client) TagRole(ctx context.Context, in *awsiam.TagRoleInput, opts ...func(*awsiam.Options)) (*awsiam.TagRoleOutput, error) {
	return c.tagRole(ctx, in, opts...)
}

// DetachRolePolicy implements Remover.
func (c *Client) DetachRolePolicy(ctx context.Context, in *awsiam.DetachRolePolicyInput, opts ...func(*awsiam.Options)) (*awsiam.DetachRolePolicyOutput, error) {
	return c.detachRolePolicy(ctx, in, opts...)
}

// DeleteRole implements Remover.
func (c *Client) DeleteRole(ctx context.Context, in *awsiam.DeleteRoleInput, opts ...func(*awsiam.Options)) (*awsiam.DeleteRoleOutput, error) {
	return c.deleteRole(ctx, in, opts...)
}

// ListRoles implements Finder.
func (c *Client) ListRoles(ctx context.Context, in *awsiam.ListRolesInput, opts ...func(*awsiam.Options)) (*awsiam.ListRolesOutput, error) {
	return c.listRoles(ctx, in, opts...)
}

// GetOpenIDConnectProvider implements ProviderReader.
func (c *Client) GetOpenIDConnectProvider(ctx context.Context, in *awsiam.GetOpenIDConnectProviderInput, opts ...func(*awsiam.Options)) (*awsiam.GetOpenIDConnectProviderOutput, error) {
	return c.getOpenIDConnectProvider(ctx, in, opts...)
}

// GetPolicy implements PolicyReader.
func (c *Client) GetPolicy(ctx context.Context, in *awsiam.GetPolicyInput, opts ...func(*awsiam.Options)) (*awsiam.GetPolicyOutput, error) {
	return c.getPolicy(ctx, in, opts...)
}

// GetPolicyVersion implements PolicyReader.
func (c *Client) GetPolicyVersion(ctx context.Context, in *awsiam.GetPolicyVersionInput, opts ...func(*awsiam.Options)) (*awsiam.GetPolicyVersionOutput, error) {
	return c.getPolicyVersion(ctx, in, opts...)
}

// ListOpenIDConnectProviders implements Lister.
func (c *Client) ListOpenIDConnectProviders(ctx context.Context, in *awsiam.ListOpenIDConnectProvidersInput, opts ...func(*awsiam.Options)) (*awsiam.ListOpenIDConnectProvidersOutput, error) {
	return c.listOpenIDConnectProviders(ctx, in, opts...)
}

// OIDCProvider is an IAM OIDC identity provider: the account's trust in an issuer.
type OIDCProvider struct {
	Exists    bool
	ClientIDs []string // the audiences it takes
}

// Takes reports whether tokens for the audience get through the provider. A
// token for another one is refused with "Incorrect token audience", whatever
// the role's trust policy says.
func (p *OIDCProvider) Takes(audience string) bool {
	return p.Exists && slices.Contains(p.ClientIDs, audience)
}

// Provider looks at the provider with this ARN. An absent one is no error;
// for a caller who may not look, awserr.Denied(err) is true.
func Provider(ctx context.Context, api ProviderReader, arn string) (*OIDCProvider, error) {
	out, err := api.GetOpenIDConnectProvider(ctx, &awsiam.GetOpenIDConnectProviderInput{
		OpenIDConnectProviderArn: aws.String(arn),
	})
	if awserr.Missing(err) {
		return &OIDCProvider{}, nil
	}
	if err != nil {
		return nil, awserr.Translate(err, "iam:GetOpenIDConnectProvider", arn)
	}
	return &OIDCProvider{Exists: true, ClientIDs: out.ClientIDList}, nil
}
