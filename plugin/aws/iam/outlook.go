package iam

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/advice"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Extra is a policy on a role that ostoy-s3 does not manage: an inline policy of
// another name, or an attached managed policy that nobody asked for.
type Extra struct {
	Inline string // name
	ARN    string // of a managed policy
	text   *Document
}

// String names the policy.
func (e Extra) String() string {
	if e.ARN != "" {
		return "policy " + awserr.Redact(e.ARN)
	}
	return "inline policy " + strconv.Quote(awserr.Redact(e.Inline))
}

// Removal is the command that takes the policy off a role.
func (e Extra) Removal(role string) string {
	name := advice.Flag("--role-name", advice.RoleName(role).Word())
	if e.ARN != "" {
		return advice.Command("aws iam detach-role-policy", append(name, "--policy-arn", awserr.Redact(e.ARN))...)
	}
	return advice.Command("aws iam delete-role-policy", append(name, "--policy-name", awserr.Redact(e.Inline))...)
}

// drop is the step that does so.
func (e Extra) drop(role, reason string) Step {
	if e.ARN != "" {
		return dropAttached(role, e.ARN, reason)
	}
	return dropInline(role, e.Inline, reason, "")
}

// Extras are the policies on a role that ostoy-s3 does not manage and that a plan
// does not remove, sorted.
func (r Role) Extras(a *Actual) []Extra {
	var extras []Extra
	for _, name := range sorted(a.Inlines) {
		if name != PolicyName {
			extras = append(extras, Extra{Inline: name})
		}
	}
	for _, arn := range sorted(a.Attached) {
		if arn != r.PolicyARN && !(r.Tighten && arn == fullAccess(r.partition())) {
			extras = append(extras, Extra{ARN: arn})
		}
	}
	return extras
}

// PolicySource reads the texts of policies, of the one role that is looked at.
type PolicySource interface {
	InlinePolicy(ctx context.Context, name string) (string, error)
	ManagedPolicy(ctx context.Context, arn string) (string, error)
}

// Outlook is what a role will be able to do, as far as its policies and its
// permissions boundary tell: its own policy is taken for what install makes it.
type Outlook struct {
	Role     string // name
	ARN      string // of the role
	Extras   []Extra
	Boundary string // ARN, "" without one

	boundary  *Document // nil if it could not be read
	own       *Document // nil if there is none, or none that could be read
	chosen    bool      // a managed policy was asked for: what it allows is not tried
	account   string
	partition string
	bucket    string
}

// LookAhead reads the policies that others put on the role, and its boundary; it
// asks nothing where there are none. A text that cannot be read tells nothing.
func LookAhead(ctx context.Context, from PolicySource, r Role, a *Actual, own *Document) Outlook {
	o := Outlook{Role: r.Name, ARN: r.ARN, Boundary: r.Boundary, own: own, chosen: r.PolicyARN != "", partition: r.partition(), bucket: r.Bucket}
	if arn, err := render.ParseARN(r.ARN); err == nil {
		o.account = arn.Account
	}
	if a == nil || !a.Exists {
		a = &Actual{}
	}
	o.Boundary = cmp.Or(o.Boundary, a.Boundary)
	for _, extra := range r.Extras(a) {
		if extra.ARN != "" {
			extra.text = readable(from.ManagedPolicy(ctx, extra.ARN))
		} else {
			extra.text = readable(from.InlinePolicy(ctx, extra.Inline))
		}
		o.Extras = append(o.Extras, extra)
	}
	if o.Boundary != "" {
		o.boundary = readable(from.ManagedPolicy(ctx, o.Boundary))
	}
	return o
}

func readable(text string, err error) *Document {
	document, unreadable := ParseDocument(text)
	if err != nil || unreadable != nil {
		return nil
	}
	return &document
}

// OwnPolicy is the policy that install gives the role, or for a managed policy in
// its place one that allows what OSToy needs: of that, only what others forbid
// can be foreseen.
func (r Role) OwnPolicy() *Document {
	if r.Policy != nil {
		return r.Policy
	}
	own := &Document{Version: policyVersion}
	for _, right := range Needed(r.partition(), r.Bucket) {
		own.Statement = append(own.Statement, Statement{Effect: "Allow", Action: Strings{right.Action}, Resource: Strings{right.Resource}})
	}
	return own
}

// Needed are the rights that OSToy uses.
func (o Outlook) Needed() []Right { return Needed(o.partition, o.bucket) }

// Forbidden are rights that OSToy does not need and verify tries, on things that
// every account has.
func (o Outlook) Forbidden() []Right {
	arn := render.BucketARN(o.partition, "")
	return []Right{
		{"s3:ListBucket", arn + "another-bucket"},
		{"s3:DeleteObject", arn + o.bucket + "/*"},
		{"s3:ListAllMyBuckets", arn + "*"},
		{"iam:GetRole", o.ARN},
	}
}

// Foreseen reports whether verification is known to find something wrong with a
// right, whatever IAM still has to spread: one that OSToy needs and others
// forbid, or any other that others allow.
func (o Outlook) Foreseen(r Right) bool {
	texts := []*Document{o.own}
	for _, extra := range o.Extras {
		texts = append(texts, extra.text)
	}
	answer, bounded := o.answer(r, texts...), Yes
	if o.Boundary != "" {
		bounded = o.says(o.boundary, r)
	}
	if o.needs(r) {
		return answer == Denied || bounded == Denied || bounded == No
	}
	return !o.chosen && answer == Yes && bounded == Yes
}

// answer is what policies say together; one that could not be read says nothing.
func (o Outlook) answer(r Right, texts ...*Document) Answer {
	var known []Document
	for _, text := range texts {
		if text != nil {
			known = append(known, *text)
		}
	}
	return judge(known, r, o.account)
}

// says is what one policy says to a right: of one that could not be read that is not sure.
func (o Outlook) says(text *Document, r Right) Answer {
	if text == nil {
		return Unsure
	}
	return o.answer(r, text)
}

func (o Outlook) needs(r Right) bool { return slices.Contains(o.Needed(), r) }

// Cure are the commands that help against what is wrong with a right, one a line;
// "" if nothing on the role but install's own policy is the cause. A policy that
// could not be read may be the cause of what should be forbidden and is not; of what
// is denied there are too many other causes.
func (o Outlook) Cure(r Right) string {
	wrong := Yes
	if o.needs(r) {
		wrong = Denied
	}
	var known, perhaps []string
	for _, extra := range o.Extras {
		switch {
		case extra.text == nil:
			perhaps = append(perhaps, extra.Removal(o.Role))
		case o.says(extra.text, r) == wrong:
			known = append(known, extra.Removal(o.Role))
		}
	}
	if o.needs(r) && o.says(o.boundary, r) < Unsure {
		known = append(known, "ask who set the permissions boundary "+awserr.Redact(o.Boundary)+" to allow "+r.Action)
	}
	if len(known) == 0 && !o.needs(r) && !o.OwnIsWide(r) {
		known = perhaps
	}
	return strings.Join(known, "\n")
}

// OwnIsWide reports whether the role's own policy is the cause, which install
// fixes.
func (o Outlook) OwnIsWide(r Right) bool {
	return !o.needs(r) && o.says(o.own, r) == Yes
}

// OwnLacks reports whether the role's own policy is not known to allow all that OSToy
// needs: then it needs the others, or install.
func (o Outlook) OwnLacks() bool {
	return slices.ContainsFunc(o.Needed(), func(r Right) bool { return o.says(o.own, r) != Yes })
}

// Warning is what verification is going to find, and what helps; "" if nothing is
// foreseen.
func (o Outlook) Warning() (what, next string) {
	var lacks, allows, cures []string
	for _, r := range append(o.Needed(), o.Forbidden()...) {
		if !o.Foreseen(r) || o.OwnIsWide(r) {
			continue
		}
		if o.needs(r) {
			lacks = append(lacks, r.Action)
		} else {
			allows = append(allows, o.inWords(r))
		}
		for _, cure := range strings.Split(o.Cure(r), "\n") {
			if cure != "" && !slices.Contains(cures, cure) {
				cures = append(cures, cure)
			}
		}
	}
	var parts []string
	if len(lacks) > 0 {
		parts = append(parts, "the role may not "+strings.Join(lacks, ", ")+", which OSToy needs")
	}
	if len(allows) > 0 {
		parts = append(parts, "the role may "+strings.Join(allows, ", "))
	}
	if len(parts) == 0 {
		return "", ""
	}
	return "verification will fail: " + strings.Join(parts, "; "), strings.Join(cures, "\n")
}

func (o Outlook) inWords(r Right) string {
	if r.Action == "s3:ListBucket" {
		return r.Action + " on other buckets"
	}
	return r.Action
}
