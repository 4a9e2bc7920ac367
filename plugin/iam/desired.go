package iam

import (
	"fmt"
	"maps"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// PolicyName is the name of our inline policy. Names of inline policies are the
// role's own, so a constant does.
const PolicyName = "ostoy-s3"

// Role is what the role should be.
type Role struct {
	Name        string
	Path        string
	ARN         string
	Description string
	Provider    string            // ARN of the OIDC provider the trust policy names
	Subject     string            // system:serviceaccount:NAMESPACE:NAME
	Audience    string            // token audience the trust policy asks for
	Bucket      string            // the one bucket, or for the controller's role the pattern
	Trust       Document          // the trust policy
	Policy      *Document         // our inline policy, nil with PolicyARN
	PolicyARN   string            // the managed policy to attach instead, or ""
	Boundary    string            // ARN of the permissions boundary, or ""
	Tags        map[string]string // ours and the user's
	Adopt       bool              // leave to take over a role that is not ours
	Tighten     bool              // take over, and take the tutorial's policy off
}

// Desired says what the app's role should be. It asks nobody. What cannot be is
// a *render.InputError.
func Desired(f render.Facts, o RoleOptions) (Role, error) {
	bucket := render.BucketName(f.Namespace.Value)
	return describe(f, o, purpose{
		account:     render.ServiceAccount,
		bucket:      bucket,
		description: "OSToy in namespace " + f.Namespace.Value + " reads and writes its bucket " + bucket,
		policy:      bucketPolicy(bucket, f.Partition.Value, f.Account.Value),
		tags:        askedTags(bucket, o.PolicyARN),
	})
}

// purpose is what one role has that another has not.
type purpose struct {
	account     string // name of the service account that may assume it
	bucket      string // name or pattern
	description string
	policy      Document // its permissions, unless a managed policy is asked for
	tags        map[string]string
}

// describe makes the role of a purpose.
func describe(f render.Facts, o RoleOptions, p purpose) (Role, error) {
	if err := o.validate(f); err != nil {
		return Role{}, err
	}
	r := Role{
		Name:        o.name(f),
		Path:        o.path(),
		ARN:         ARN(f, o),
		Description: p.description,
		Provider:    render.ProviderARN(f.Partition.Value, f.Account.Value, f.Issuer.Value),
		Subject:     "system:serviceaccount:" + f.Namespace.Value + ":" + p.account,
		Audience:    f.Audience.Value,
		Bucket:      p.bucket,
		PolicyARN:   o.PolicyARN,
		Boundary:    o.Boundary,
		Tags:        map[string]string{},
		Adopt:       o.Adopt || o.Tighten,
		Tighten:     o.Tighten,
	}
	maps.Copy(r.Tags, o.Tags)
	maps.Copy(r.Tags, render.OwnershipTags(f))
	maps.Copy(r.Tags, p.tags)
	r.Trust = trustPolicy(r, render.IssuerHostPath(f.Issuer.Value))
	if size := len(r.Trust.JSON()); size > maxTrust {
		return Role{}, &render.InputError{
			What: fmt.Sprintf("the trust policy for issuer %s has %d characters", f.Issuer.Value, size),
			Why:  fmt.Sprintf("IAM takes at most %d, and the issuer is in it three times", maxTrust),
			Next: "--oidc-issuer URL with the real issuer of the cluster",
		}
	}
	if o.PolicyARN == "" {
		r.Policy = &p.policy
	}
	return r, nil
}

// trustPolicy lets exactly one service account of exactly one issuer in, with a
// token made for exactly one audience. Both conditions are needed: without sub
// every service account of the cluster gets in, and without aud a token made
// for another service does.
func trustPolicy(r Role, issuer string) Document {
	return Document{Version: policyVersion, Statement: []Statement{{
		Effect:    "Allow",
		Principal: map[string]Strings{"Federated": {r.Provider}},
		Action:    Strings{"sts:AssumeRoleWithWebIdentity"},
		Condition: Condition{"StringEquals": {
			issuer + ":aud": {r.Audience},
			issuer + ":sub": {r.Subject},
		}},
	}}}
}

// bucketPolicy allows what OSToy calls and no more: HeadBucket and ListObjects
// (both s3:ListBucket), GetObject, PutObject. Bucket names are global and ours
// can be guessed, so each right ends at the account's border: the app never
// writes into a bucket that somebody else registered first.
func bucketPolicy(bucket, partition, account string) Document {
	arn := render.BucketARN(partition, bucket)
	return Document{Version: policyVersion, Statement: []Statement{
		{Sid: "List", Effect: "Allow", Action: Strings{"s3:ListBucket"}, Resource: Strings{arn}, Condition: inAccount(account)},
		{Sid: "ReadWrite", Effect: "Allow", Action: Strings{"s3:GetObject", "s3:PutObject"}, Resource: Strings{arn + "/*"}, Condition: inAccount(account)},
	}}
}

// inAccount lets a right end at the account's border.
func inAccount(account string) Condition {
	return Condition{"StringEquals": {"aws:ResourceAccount": {account}}}
}

// Label is the role as people name it: path and name without the first slash.
func (r Role) Label() string { return strings.TrimPrefix(r.Path, "/") + r.Name }

// Trusts says in one line who may assume the role.
func (r Role) Trusts() string { return r.Subject + "  (audience " + r.Audience + ")" }

// Allows says in one line what the role may do.
func (r Role) Allows() string {
	if r.Policy == nil {
		return "what " + r.PolicyARN + " allows"
	}
	if r.holder() == theController {
		return controllerAllows(r.Bucket)
	}
	var actions []string
	for _, s := range r.Policy.Statement {
		actions = append(actions, s.Action...)
	}
	return strings.Join(actions, " ") + " on " + r.Bucket + ", in this account only"
}
