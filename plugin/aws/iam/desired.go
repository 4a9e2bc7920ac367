// Package iam is the app's role, and that of the ACK S3 controller: what it should
// be (Desired, DesiredController), what it is (Read), the steps between (NewPlan),
// and the walk over those steps (Execute). The two roles differ in what they
// should be and in nothing else.
//
// The steps are data: the executor here, and every printer elsewhere (aws
// commands, CloudFormation, Terraform, ACK), read the same list, so "would do"
// and "did" cannot drift apart.
//
// The way back has the same parts: which role is ours (Holder.Find), the steps that
// remove it (RemovalPlan), and the walk over them (Remove).
//
// It changes one role and nothing else. A role whose tags are not ours is not
// touched without leave; policies that others put on it are reported, and
// removed only together with the role and with leave; it neither makes nor changes an identity provider. It knows nothing
// of clusters and prints nothing.
package iam

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/problem"
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
	Bucket      string            // the one bucket, or for the controller's role the pattern
	Trust       Document          // the trust policy
	Policy      *Document         // our inline policy, nil with PolicyARN
	PolicyARN   string            // the managed policy to attach instead, or ""
	Boundary    string            // ARN of the permissions boundary, or ""
	Tags        map[string]string // ours and the user's

	Admitted
	Leave
}

// Admitted is whom the trust policy lets in.
type Admitted struct {
	Provider string // ARN of the OIDC provider that it names
	Subject  string // system:serviceaccount:NAMESPACE:NAME
	Audience string // that it asks a token to be for
}

// Leave is what the user allows with a role that is there.
type Leave struct {
	Adopt   bool // take over one that is not ours
	Tighten bool // take it over, and take the tutorial's policy off
}

// Desired says what the app's role should be. It asks nobody. What cannot be is
// a *problem.Error.
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
		Bucket:      p.bucket,
		PolicyARN:   o.PolicyARN,
		Boundary:    o.Boundary,
		Tags:        map[string]string{},
		Admitted: Admitted{
			Provider: render.ProviderARN(f.Partition.Value, f.Account.Value, f.Issuer.Value),
			Subject:  "system:serviceaccount:" + f.Namespace.Value + ":" + p.account,
			Audience: f.Audience.Value,
		},
		Leave: Leave{o.Adopt || o.Tighten, o.Tighten},
	}
	maps.Copy(r.Tags, o.Tags)
	maps.Copy(r.Tags, render.OwnershipTags(f))
	maps.Copy(r.Tags, p.tags)
	r.Trust = trustPolicy(r, render.IssuerHostPath(f.Issuer.Value))
	if size := len(r.Trust.JSON()); size > maxTrust {
		return Role{}, problem.Input(fmt.Sprintf("the trust policy for issuer %s has %d characters", f.Issuer.Value, size),
			fmt.Sprintf("IAM takes at most %d, and the issuer is in it three times", maxTrust),
			"--oidc-issuer URL with the real issuer of the cluster")
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
		allow("List", Strings{"s3:ListBucket"}, Strings{arn}, inAccount(account)),
		allow("ReadWrite", Strings{"s3:GetObject", "s3:PutObject"}, Strings{arn + "/*"}, inAccount(account)),
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
	if r.holder() == Controller {
		return controllerAllows(r.Bucket)
	}
	var actions []string
	for _, s := range r.Policy.Statement {
		actions = append(actions, s.Action...)
	}
	return strings.Join(actions, " ") + " on " + r.Bucket + ", in this account only"
}

// holder is whom the role is described for.
func (r Role) holder() Holder {
	if strings.HasSuffix(r.Subject, ":"+string(Controller)) {
		return Controller
	}
	return App
}

// AsTagged is the role with the managed policy that its tag names, where this run names
// none: an install without --policy-arn keeps what an earlier one was asked for.
func (r Role) AsTagged(a *Actual) Role {
	asked := a.AskedPolicy()
	if r.Policy == nil || r.Tighten || asked == "" || r.holder() != App {
		return r
	}
	r.Policy, r.PolicyARN = nil, asked
	return r.tagged(render.TagPolicy, policyTag(asked))
}

// withoutPolicyTag is the role whose tag names no policy, where it names one that is not
// wanted.
func (r Role) withoutPolicyTag(a *Actual) Role {
	if r.PolicyARN != "" || !a.namesPolicy() || r.holder() != App {
		return r
	}
	return r.tagged(render.TagPolicy, noPolicy)
}

func (r Role) tagged(key, value string) Role {
	tags := map[string]string{}
	maps.Copy(tags, r.Tags)
	tags[key] = value
	r.Tags = tags
	return r
}

// Whole are the steps for whoever cannot look at the role first, and prints them
// instead: those where it is not there, and those where it is, whatever has
// become of it. Both are the steps of NewPlan, each is safe to repeat, and after
// either the role is the same. They say nothing of what was before.
func (r Role) Whole() (absent, present []Step) {
	absent = append([]Step{createStep(r)}, policySteps(r, &Actual{})...)
	// Nothing of it is as it should be, and our inline policy may be there.
	is := &Actual{Exists: true, Inlines: []string{PolicyName}}
	present = changes(r, is)
	for i := range present {
		present[i].Reason, present[i].Before = "", ""
	}
	return absent, present
}

// Sorted is the document with its statements and their values in one order, and
// without repetitions, so that two of them can be laid side by side. It means the
// same (see Equal).
func (d Document) Sorted() Document {
	out := d
	out.Statement = make([]Statement, 0, len(d.Statement))
	for _, s := range d.Statement {
		out.Statement = append(out.Statement, s.ordered(func(text string) string { return text }))
	}
	slices.SortStableFunc(out.Statement, func(a, b Statement) int {
		return slices.Compare([]string{a.Effect, a.canonical()}, []string{b.Effect, b.canonical()})
	})
	return out
}

// ordered is the statement with its values in one order, and without repetitions. Fold is
// done to actions, operators and condition keys.
func (s Statement) ordered(fold func(string) string) Statement {
	out := Statement{Sid: s.Sid, Effect: s.Effect, Resource: sorted(s.Resource), Principal: principal{}, Condition: Condition{}}
	for kind, who := range s.Principal {
		out.Principal[kind] = sorted(who)
	}
	for _, action := range s.Action {
		out.Action = append(out.Action, fold(action))
	}
	out.Action = sorted(out.Action)
	for operator, keys := range s.Condition {
		ordered := map[string]Strings{}
		for key, values := range keys {
			ordered[fold(key)] = sorted(values)
		}
		out.Condition[fold(operator)] = ordered
	}
	return out
}
