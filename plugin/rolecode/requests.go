package rolecode

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

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
