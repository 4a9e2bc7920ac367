package rolecode

import (
	"encoding/json"
	"fmt"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Parameters of the template.
const (
	issuerParameter  = "Issuer"
	accountParameter = "Account"
)

// template is a CloudFormation template whose issuer and account are parameters.
//
// The issuer is part of keys in the trust policy, and a key cannot be an intrinsic
// function. So both documents are JSON texts with Fn::Sub around them:
// CloudFormation takes a text for a property of type Json.
func (s Source) template() (string, error) {
	r := s.Role
	role := map[string]any{
		"RoleName":                 r.Name,
		"Path":                     r.Path,
		"Description":              r.Description,
		"AssumeRolePolicyDocument": substituted(readable(s.parametrized(r.Trust))),
		"Tags":                     s.templateTags(),
	}
	if r.Boundary != "" {
		role["PermissionsBoundary"] = r.Boundary
	}
	if r.Policy != nil {
		role["Policies"] = []any{map[string]any{
			"PolicyName":     iam.PolicyName,
			"PolicyDocument": substituted(s.parametrized(*r.Policy).Pretty()),
		}}
	} else {
		role["ManagedPolicyArns"] = []string{r.PolicyARN}
	}
	text, err := yaml.Marshal(map[string]any{
		"AWSTemplateFormatVersion": "2010-09-09",
		"Description":              r.Description,
		"Parameters": map[string]any{
			issuerParameter: map[string]any{
				"Type": "String", "Default": render.IssuerHostPath(s.Facts.Issuer.Value),
				"AllowedPattern": `[a-z0-9.-]+(/[A-Za-z0-9._~-]+)*`,
				"Description":    "Service account issuer of the cluster, without https://",
			},
			accountParameter: map[string]any{
				"Type": "String", "Default": s.Facts.Account.Value,
				"AllowedPattern": `[0-9]{12}`,
				"Description":    "AWS account of the role, its OIDC provider and the bucket",
			},
		},
		"Resources": map[string]any{"Role": map[string]any{"Type": "AWS::IAM::Role", "Properties": role}},
		"Outputs": map[string]any{"RoleArn": map[string]any{
			"Description": "ARN of the role", "Value": map[string]any{"Fn::GetAtt": []string{"Role", "Arn"}},
		}},
	})
	if err != nil {
		return "", fmt.Errorf("write the template: %w", err)
	}
	return s.about(CloudFormation) + templateNote + string(text), nil
}

const templateNote = `#
#   aws cloudformation deploy --template-file FILE --stack-name NAME --capabilities CAPABILITY_NAMED_IAM
#
# The role's name has a part that is made of the issuer. The manifests name the
# role: with another issuer or account, print both anew.
`

// parametrized is a document in which issuer and account are parameters, and all
// else stands for itself.
func (s Source) parametrized(d iam.Document) iam.Document {
	issuer, account := render.IssuerHostPath(s.Facts.Issuer.Value), s.Facts.Account.Value
	out := d
	out.Statement = make([]iam.Statement, 0, len(d.Statement))
	for _, st := range d.Statement {
		st.Action, st.Resource = verbatim(st.Action), verbatim(st.Resource)
		principal := map[string]iam.Strings{}
		for kind, who := range st.Principal {
			principal[kind] = verbatim(who)
			for i, one := range who {
				if one == s.Role.Provider {
					principal[kind][i] = render.ProviderARN(s.Facts.Partition.Value, "${"+accountParameter+"}", "https://${"+issuerParameter+"}")
				}
			}
		}
		st.Principal = principal
		condition := iam.Condition{}
		for operator, keys := range st.Condition {
			condition[operator] = map[string]iam.Strings{}
			for key, values := range keys {
				values = verbatim(values)
				if claim, ok := strings.CutPrefix(key, issuer+":"); ok {
					key = "${" + issuerParameter + "}:" + claim
				} else if strings.HasSuffix(strings.ToLower(key), ":resourceaccount") && len(values) == 1 && values[0] == account {
					values = iam.Strings{"${" + accountParameter + "}"}
				}
				condition[operator][key] = values
			}
		}
		st.Condition = condition
		out.Statement = append(out.Statement, st)
	}
	return out
}

// verbatim are values that Fn::Sub gives back as they are.
func verbatim(values iam.Strings) iam.Strings {
	out := make(iam.Strings, len(values))
	for i, v := range values {
		out[i] = strings.ReplaceAll(v, "${", "${!")
	}
	return out
}

// substituted has the parameters in a text replaced by their values.
func substituted(text string) map[string]string { return map[string]string{"Fn::Sub": text} }

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
