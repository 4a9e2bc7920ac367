// Package rolecode prints a role as code: for people, and for the engines that
// make roles instead of us. The use cases iam render and iam plan call it.
//
// Every format is made of the one description of the role (iam.Role) and of the
// one list of steps to it (iam.Role.Whole, iam.Plan), never of facts or flags, so
// that what is printed and what install does cannot drift apart. It is pure: it
// asks nobody, writes nowhere, knows no clock, and gives the same bytes for the
// same role.
package rolecode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Format is a way to write a role.
type Format string

// The formats.
const (
	Text           Format = "text"           // for people
	AWS            Format = "aws"            // a bash script of aws commands
	JSON           Format = "json"           // requests as the aws CLI's --cli-input-json takes them
	CloudFormation Format = "cloudformation" // a template
	Terraform      Format = "terraform"      // HCL
	ACK            Format = "ack"            // an object for ACK's IAM controller
)

// Formats are all formats, the default first.
func Formats() []Format { return []Format{Text, AWS, JSON, CloudFormation, Terraform, ACK} }

// Source is a role to be printed, and what else the formats say of it. Role has
// to be of Facts.
type Source struct {
	Role   iam.Role
	Facts  render.Facts // account, region, issuer, partition
	Import bool         // Terraform takes over a role that exists
}

// Print gives the role in a format.
func Print(format Format, s Source) (string, error) {
	switch format {
	case Text:
		return text(s), nil
	case AWS:
		return script(s)
	case JSON:
		return s.requests()
	case CloudFormation:
		return s.template()
	case Terraform:
		return terraform(s), nil
	case ACK:
		return s.object()
	}
	return "", fmt.Errorf("format %q is not known", format)
}

// text is the role for people.
func text(s Source) string {
	r := s.Role
	parts := [][2]string{{"role", "name         " + r.Name + "\npath         " + r.Path + "\narn          " + r.ARN + "\ndescription  " + r.Description}}
	if r.Boundary != "" {
		parts = append(parts, [2]string{"permissions boundary", r.Boundary})
	}
	parts = append(parts, [2]string{"trust policy", r.Trust.Sorted().Pretty()})
	if r.Policy != nil {
		parts = append(parts, [2]string{"inline policy " + iam.PolicyName, r.Policy.Sorted().Pretty()})
	} else {
		parts = append(parts, [2]string{"managed policy", r.PolicyARN})
	}
	var b strings.Builder
	for _, part := range append(parts, [2]string{"tags", iam.TagLines(r.Tags)}) {
		fmt.Fprintf(&b, "%s\n%s\n\n", part[0], indented(part[1]))
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func indented(text string) string { return "  " + strings.ReplaceAll(text, "\n", "\n  ") }

// about is the first line of every format that has comments.
func (s Source) about(format Format) string {
	return "# The IAM role " + s.Role.Label() + ", as printed by: oc ostoy-s3 iam render --format " + string(format) + "\n"
}

// account is namespace and name of the service account that may assume the role.
func (s Source) account() (namespace, name string) {
	namespace, name, _ = strings.Cut(strings.TrimPrefix(s.Role.Subject, "system:serviceaccount:"), ":")
	return namespace, name
}

// maxTrust is the default quota of a trust policy, in characters ("IAM and AWS
// STS quotas" of the IAM User Guide).
const maxTrust = 2048

// readable is a document for an engine that sends it as it stands: indented,
// unless that made it too long. Whether blanks count against the quota of a trust
// policy is not documented.
func readable(d iam.Document) string {
	if text := d.Pretty(); len(text) <= maxTrust {
		return text
	}
	return d.JSON()
}

// request is a step as IAM's API takes it: the operation and its parameters, by
// the names of the IAM API Reference, in the order of a command line.
type request struct {
	operation string
	params    []param
}

// param is a parameter: a string, an iam.Document, or a list of tags.
type param struct {
	name  string
	value any
}

// tag is a tag as IAM, CloudFormation and the CLI write it.
type tag struct{ Key, Value string }

// requestOf is the request that iam.Execute makes of the same step.
func requestOf(r iam.Role, s iam.Step) (request, error) {
	role, policy := param{"RoleName", r.Name}, param{"PolicyName", s.PolicyName}
	switch s.Kind {
	case iam.CreateRole:
		create := request{"CreateRole", []param{
			role,
			{"Path", r.Path},
			{"Description", r.Description},
			{"AssumeRolePolicyDocument", *s.Document},
			{"Tags", tagList(s.Tags)},
		}}
		if s.PolicyARN != "" {
			create.params = append(create.params, param{"PermissionsBoundary", s.PolicyARN})
		}
		return create, nil
	case iam.PutBoundary:
		return request{"PutRolePermissionsBoundary", []param{role, {"PermissionsBoundary", s.PolicyARN}}}, nil
	case iam.UpdateTrust:
		return request{"UpdateAssumeRolePolicy", []param{role, {"PolicyDocument", *s.Document}}}, nil
	case iam.PutPolicy:
		return request{"PutRolePolicy", []param{role, policy, {"PolicyDocument", *s.Document}}}, nil
	case iam.AttachPolicy:
		return request{"AttachRolePolicy", []param{role, {"PolicyArn", s.PolicyARN}}}, nil
	case iam.DetachPolicy:
		return request{"DetachRolePolicy", []param{role, {"PolicyArn", s.PolicyARN}}}, nil
	case iam.DeletePolicy:
		return request{"DeleteRolePolicy", []param{role, policy}}, nil
	case iam.TagRole:
		return request{"TagRole", []param{role, {"Tags", tagList(s.Tags)}}}, nil
	}
	return request{}, fmt.Errorf("step %q is not known", s.Kind)
}

// tagList is tags by their keys, sorted.
func tagList(tags map[string]string) []tag {
	var list []tag
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		list = append(list, tag{key, tags[key]})
	}
	return list
}

func (s Source) templateTags() []map[string]any {
	var list []map[string]any
	for _, t := range tagList(s.Role.Tags) {
		var value any = t.Value
		if t.Key == render.TagIssuer {
			value = substituted("https://${" + issuerParameter + "}")
		}
		list = append(list, map[string]any{"Key": t.Key, "Value": value})
	}
	return list
}

// requests is one JSON object: what makes the role, each request under the name
// of its operation, with documents as strings, as the API has them.
func (s Source) requests() (string, error) {
	absent, _ := s.Role.Whole()
	all := map[string]map[string]any{}
	for _, step := range absent {
		r, err := requestOf(s.Role, step)
		if err != nil {
			return "", err
		}
		body := map[string]any{}
		for _, p := range r.params {
			body[p.name] = p.value
			if document, ok := p.value.(iam.Document); ok {
				body[p.name] = document.JSON()
			}
		}
		all[r.operation] = body
	}
	return marshal(all, "  ")
}

// marshal is JSON without the escapes that make sense in HTML only, ending in a
// line feed.
func marshal(v any, indent string) (string, error) {
	var b bytes.Buffer
	encoder := json.NewEncoder(&b)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(v)
	return b.String(), err
}

// ackAPI is what ACK's IAM controller serves. RBAC has Roles, too:
// oc get roles.iam.services.k8s.aws asks for these.
const ackAPI = "iam.services.k8s.aws/v1alpha1"

// ackWave is before the wave of the objects that need the role.
const ackWave = "-1"

// object is a Role of ACK's IAM controller, in the namespace of the service
// account. One that exists is taken over, as by a Bucket of ours.
func (s Source) object() (string, error) {
	r := s.Role
	namespace, account := s.account()
	fields, err := json.Marshal(map[string]string{"name": r.Name})
	if err != nil {
		return "", fmt.Errorf("write adoption fields: %w", err)
	}
	spec := map[string]any{
		"name":                     r.Name,
		"path":                     r.Path,
		"description":              r.Description,
		"assumeRolePolicyDocument": readable(r.Trust),
		"tags":                     ackTags(r.Tags),
	}
	if r.Boundary != "" {
		spec["permissionsBoundary"] = r.Boundary
	}
	if r.Policy != nil {
		spec["inlinePolicies"] = map[string]string{iam.PolicyName: r.Policy.Pretty()}
	} else {
		spec["policies"] = []string{r.PolicyARN}
	}
	text, err := yaml.Marshal(map[string]any{
		"apiVersion": ackAPI,
		"kind":       "Role",
		"metadata": map[string]any{
			"name":      account,
			"namespace": namespace,
			"annotations": map[string]string{
				"argocd.argoproj.io/sync-wave":     ackWave,
				"services.k8s.aws/adoption-policy": "adopt-or-create",
				"services.k8s.aws/adoption-fields": string(fields),
			},
		},
		"spec": spec,
	})
	if err != nil {
		return "", fmt.Errorf("write the Role: %w", err)
	}
	return s.about(ACK) + ackNote + string(text), nil
}

const ackNote = `#
# Applying this takes over a role of that name if the account already has one, and
# removes inline policies that are not named here. ACK's IAM controller has to be
# installed; the role goes when this object is deleted.
`

// ackTags are tags as ACK spells them.
func ackTags(tags map[string]string) []map[string]string {
	var list []map[string]string
	for _, t := range tagList(tags) {
		list = append(list, map[string]string{"key": t.Key, "value": t.Value})
	}
	return list
}
