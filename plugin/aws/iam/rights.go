package iam

import (
	"context"
	"encoding/json"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	awsiam "github.com/aws/aws-sdk-go-v2/service/iam"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/awserr"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Right is one action on one resource. A resource that ends in /* means all
// objects.
type Right struct{ Action, Resource string }

// String is the right as a reader takes it in: s3:GetObject on arn:...
func (r Right) String() string { return r.Action + " on " + r.Resource }

// Answer is what policies say to a right.
type Answer int

// The answers.
const (
	No     Answer = iota // nothing allows it
	Denied               // something forbids it
	Unsure               // it hangs on a condition that only the request answers
	Yes
)

// Needed are the rights that OSToy uses, and no more.
func Needed(partition, bucket string) []Right {
	arn := render.BucketARN(partition, bucket)
	return []Right{{"s3:ListBucket", arn}, {"s3:GetObject", arn + "/*"}, {"s3:PutObject", arn + "/*"}}
}

// judge says what permissions policies, together, answer to a right on a thing
// of the account. Source: "Policy evaluation logic" of the IAM User Guide.
func judge(all []Document, r Right, account string) Answer {
	best, hindered := No, false
	for _, d := range all {
		for _, s := range d.Statement {
			met := min(s.about(r), s.Condition.met(account))
			switch {
			case s.Effect == "Deny" && met == Yes:
				return Denied
			case s.Effect == "Deny" && met == Unsure:
				hindered = true
			case s.Effect == "Allow":
				best = max(best, met)
			}
		}
	}
	if hindered {
		return min(best, Unsure)
	}
	return best
}

// Lacks are those of the rights to which policies do not say yes, each with the
// answer.
func Lacks(all []Document, rights []Right, account string) (missing, unsure []Right) {
	for _, r := range rights {
		switch judge(all, r, account) {
		case No, Denied:
			missing = append(missing, r)
		case Unsure:
			unsure = append(unsure, r)
		}
	}
	return missing, unsure
}

// about says whether a statement is about the right. Where a policy variable in a
// resource decides about it, that is not sure.
func (s Statement) about(r Right) Answer {
	if !s.namesOne(r.Action) {
		return No
	}
	answer := No
	for _, resource := range s.Resource {
		switch general, variable := withoutVariables(resource); {
		case !like(general, r.Resource):
		case variable:
			answer = Unsure
		default:
			return Yes
		}
	}
	return answer
}

// namesOne reports whether a statement names one of some actions.
func (s Statement) namesOne(actions ...string) bool {
	return slices.ContainsFunc(s.Action, func(a string) bool {
		return slices.ContainsFunc(actions, func(c string) bool { return like(strings.ToLower(a), strings.ToLower(c)) })
	})
}

// withoutVariables is a pattern that matches all that one with policy variables, such
// as ${aws:username}, can match, and whether it has any ("IAM policy elements: Variables
// and tags" of the IAM User Guide).
func withoutVariables(pattern string) (general string, variable bool) {
	from, to := strings.Index(pattern, "${"), strings.LastIndex(pattern, "}")
	if from < 0 || to < from {
		return pattern, false
	}
	return pattern[:from] + "*" + pattern[to+1:], true
}

// met says whether a request over TLS for a thing of the account, by a role of the
// same account, meets the condition. An operator, key or policy variable that this does
// not know makes it unsure.
func (c Condition) met(account string) Answer {
	answer := Yes
	for operator, keys := range c {
		for key, values := range keys {
			var one Answer
			switch strings.TrimSuffix(strings.ToLower(operator), "ifexists") + " " + strings.ToLower(key) {
			case "stringequals aws:resourceaccount", "stringequals s3:resourceaccount":
				one = anyOf(values, func(v string) bool { return v == account })
			case "stringlike aws:resourceaccount", "stringlike s3:resourceaccount":
				one = anyOf(values, func(v string) bool { return like(v, account) })
			case "bool aws:securetransport":
				one = anyOf(values, func(v string) bool { return strings.EqualFold(v, "true") })
			default:
				one = Unsure
			}
			answer = min(answer, one)
		}
	}
	return answer
}

// anyOf is Yes if one of a condition's values is right, and Unsure if only one with a
// policy variable can be. The account of the role is also that of the thing.
func anyOf(values []string, right func(string) bool) Answer {
	answer := No
	for _, value := range values {
		switch {
		case right(value), strings.EqualFold(value, "${aws:PrincipalAccount}"):
			return Yes
		case strings.Contains(value, "${"):
			answer = Unsure
		}
	}
	return answer
}

// Excess says what a policy allows beyond the rights, in words, sorted.
func Excess(d Document, rights []Right, account string) []string {
	var more []string
	for _, s := range d.Statement {
		if s.Effect != "Allow" {
			continue
		}
		for _, action := range s.Action {
			if !slices.ContainsFunc(rights, func(r Right) bool { return strings.EqualFold(r.Action, action) }) {
				more = append(more, "it allows "+action)
			}
		}
		for _, resource := range s.Resource {
			if !slices.ContainsFunc(rights, func(r Right) bool { return r.Resource == resource }) {
				more = append(more, "it reaches "+resource)
			}
		}
		if !s.Condition.bindsTo(account) {
			more = append(more, "its rights do not end at the account: no condition aws:ResourceAccount")
		}
	}
	return sorted(more)
}

// bindsTo reports whether a condition keeps to the things of one account.
func (c Condition) bindsTo(account string) bool {
	for operator, keys := range c {
		for key, values := range keys {
			if strings.EqualFold(operator, "StringEquals") && strings.HasSuffix(strings.ToLower(key), ":resourceaccount") {
				return slices.Equal(values, Strings{account})
			}
		}
	}
	return false
}

// Allowed says what a policy allows, in a few words: "s3:*, iam:PassRole on *".
func Allowed(d Document) string {
	const most = 4
	var actions, resources []string
	for _, s := range d.Statement {
		if s.Effect == "Allow" {
			actions, resources = append(actions, s.Action...), append(resources, s.Resource...)
		}
	}
	return awserr.Redact(some(sorted(actions), most) + " on " + some(sorted(resources), most))
}

func some(all []string, most int) string {
	if len(all) > most {
		return strings.Join(all[:most], ", ") + " and more"
	}
	return strings.Join(all, ", ")
}

// OnlyS3 reports whether a policy allows actions of S3 alone.
func OnlyS3(d Document) bool {
	return !slices.ContainsFunc(d.Statement, func(s Statement) bool {
		return s.Effect == "Allow" && slices.ContainsFunc(s.Action, func(action string) bool {
			service, _, _ := strings.Cut(strings.ToLower(action), ":")
			return service != "s3" && service != "s3-object-lambda"
		})
	})
}

// PlainHTTP says why a bucket policy lets requests without TLS in; "" if it does
// not.
func PlainHTTP(policy, arn string) string {
	if policy == "" {
		return "it has no policy"
	}
	for _, s := range statementsOf(policy) {
		everybody := slices.ContainsFunc([]string{"*", "AWS"}, func(key string) bool { return slices.Contains(s.Principal[key], "*") })
		all := slices.Contains(s.Action, "s3:*") || slices.Contains(s.Action, "*")
		both := slices.Contains(s.Resource, arn+"/*") && slices.Contains(s.Resource, arn) || slices.Contains(s.Resource, "*") || slices.Contains(s.Resource, arn+"*")
		if s.Effect == "Deny" && everybody && all && both && refusesPlain(s.Condition) {
			return ""
		}
	}
	return "no statement of its policy denies everything to everybody where aws:SecureTransport is false"
}

// statementsOf are those of a policy that ParseDocument can read. It wants to know
// every element, so they are read one by one: one that it does not know (a
// NotAction of somebody else's) is not the one looked for, and hides no other.
func statementsOf(policy string) []Statement {
	var document struct{ Statement json.RawMessage }
	var raw []json.RawMessage
	if json.Unmarshal([]byte(policy), &document) != nil || json.Unmarshal(asList(document.Statement), &raw) != nil {
		return nil
	}
	var known []Statement
	for _, one := range raw {
		var s Statement
		if strictly(one, &s) == nil {
			known = append(known, s)
		}
	}
	return known
}

// refusesPlain: a condition with more in it denies less.
func refusesPlain(condition Condition) bool {
	plain := Condition{"Bool": {"aws:SecureTransport": {"false"}}}
	return Statement{Condition: condition}.canonical() == Statement{Condition: plain}.canonical()
}

// ManagedPolicy is the text of a managed policy in its default version, as IAM
// gives it. It takes two requests, one after the other. Errors are explained;
// for a caller who may not look awserr.Denied(err) is true.
func ManagedPolicy(ctx context.Context, api PolicyReader, arn string) (string, error) {
	policy, err := api.GetPolicy(ctx, &awsiam.GetPolicyInput{PolicyArn: aws.String(arn)})
	if err != nil {
		return "", awserr.Translate(err, "iam:GetPolicy", arn)
	}
	if policy == nil || policy.Policy == nil {
		return "", nil
	}
	version, err := api.GetPolicyVersion(ctx, &awsiam.GetPolicyVersionInput{
		PolicyArn: aws.String(arn), VersionId: policy.Policy.DefaultVersionId,
	})
	if err != nil {
		return "", awserr.Translate(err, "iam:GetPolicyVersion", arn)
	}
	if version == nil || version.PolicyVersion == nil {
		return "", nil
	}
	return aws.ToString(version.PolicyVersion.Document), nil
}

// InlinePolicy is the text of one of a role's inline policies, as IAM gives it.
func InlinePolicy(ctx context.Context, api Reader, role, policy string) (string, error) {
	text, err := inlineDocument(ctx, api, role, policy)
	return text, awserr.Translate(err, "iam:GetRolePolicy", "role "+role)
}
