package rolecode

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/aws/iam"
	"github.com/oc-ostoy-s3/oc-ostoy-s3/render"
)

// Names of the blocks.
const (
	hclProvider = "aws_iam_openid_connect_provider"
	hclCluster  = "cluster"
)

// terraform is HCL for Terraform and OpenTofu: the role, its one policy, and the
// OIDC provider, which has to be there and is looked up.
func terraform(s Source) string {
	r := s.Role
	_, account := s.account()
	label := strings.ReplaceAll(account, "-", "_")
	at := "aws_iam_role." + label
	provider := "data." + hclProvider + "." + hclCluster + ".arn"
	role := []attribute{
		{"name", str(r.Name)},
		{"path", str(r.Path)},
		{"description", str(r.Description)},
	}
	if r.Boundary != "" {
		role = append(role, attribute{"permissions_boundary", str(r.Boundary)})
	}
	var tags []attribute
	for _, t := range tagList(r.Tags) {
		tags = append(tags, attribute{str(t.Key), str(t.Value)})
	}
	role = append(role,
		attribute{"assume_role_policy", "jsonencode(" + documentHCL(r.Trust, map[string]string{r.Provider: provider}) + ")"},
		attribute{"tags", object(tags...)},
	)
	blocks := []string{
		"terraform {\n  required_version = \">= 1.5\"\n  required_providers {\n    aws = {\n      source  = \"hashicorp/aws\"\n      version = \">= 5.0\"\n    }\n  }\n}\n",
		block("data "+str(hclProvider)+" "+str(hclCluster), attribute{"arn", str(r.Provider)}),
	}
	if s.Import {
		blocks = append(blocks, block("import", attribute{"to", at}, attribute{"id", str(r.Name)}))
	}
	blocks = append(blocks,
		block("resource "+str("aws_iam_role")+" "+str(label), role...),
		policyHCL(s, label, at),
		block("output "+str("role_arn"), attribute{"value", at + ".arn"}),
	)
	return s.about(Terraform) + strings.Join(blocks, "\n")
}

// policyHCL is what gives the role its rights.
func policyHCL(s Source, label, role string) string {
	if s.Role.Policy == nil {
		return block(
			"resource "+str("aws_iam_role_policy_attachment")+" "+str(label),
			attribute{"role", role + ".name"},
			attribute{"policy_arn", str(s.Role.PolicyARN)},
		)
	}
	return block(
		"resource "+str("aws_iam_role_policy")+" "+str(label),
		attribute{"name", str(iam.PolicyName)},
		attribute{"role", role + ".name"},
		attribute{"policy", "jsonencode(" + documentHCL(*s.Role.Policy, nil) + ")"},
	)
}

// A writer of the little HCL that a role needs, laid out as terraform fmt lays it
// out. HashiCorp's own (hclwrite) would add two megabytes to the executable; the
// tests hold this one against it.

// attribute is name = value; value is an expression, of one line or of several.
type attribute struct{ name, value string }

// attributes lays out lines with their equals signs aligned, as far as values of
// one line stand together.
func attributes(indent string, list []attribute) string {
	var b strings.Builder
	for start := 0; start < len(list); {
		end, width := start, 0
		for ; end < len(list) && !strings.Contains(list[end].value, "\n"); end++ {
			width = max(width, len([]rune(list[end].name)))
		}
		if end == start { // a value of several lines is aligned with nobody
			end++
		}
		for _, a := range list[start:end] {
			pad := strings.Repeat(" ", max(0, width-len([]rune(a.name))))
			b.WriteString(indent + a.name + pad + " = " + strings.ReplaceAll(a.value, "\n", "\n"+indent) + "\n")
		}
		start = end
	}
	return b.String()
}

// block is a block of attributes under a head.
func block(head string, list ...attribute) string {
	return head + " {\n" + attributes("  ", list) + "}\n"
}

// object is an object expression.
func object(list ...attribute) string { return "{\n" + attributes("  ", list) + "}" }

// list is a tuple expression, on one line where its elements are.
func list(elements ...string) string {
	text := strings.Join(elements, ", ")
	if !strings.Contains(text, "\n") {
		return "[" + text + "]"
	}
	return "[\n  " + strings.ReplaceAll(strings.Join(elements, ",\n"), "\n", "\n  ") + ",\n]"
}

// str is a quoted template that stands for the text itself: nothing in it is
// interpolated.
func str(text string) string {
	return `"` + strings.NewReplacer(
		`\`, `\\`, `"`, `\"`, "\n", `\n`, "\r", `\r`, "\t", `\t`, "${", "$${", "%{", "%%{",
	).Replace(text) + `"`
}

// documentHCL is a policy document as an object expression. Where a value is
// replaced, the expression takes its place.
func documentHCL(d iam.Document, replaced map[string]string) string {
	value := func(v iam.Strings) string { return stringsHCL(v, replaced) }
	var statements []string
	for _, s := range d.Statement {
		var a []attribute
		if s.Sid != "" {
			a = append(a, attribute{"Sid", str(s.Sid)})
		}
		a = append(a, attribute{"Effect", str(s.Effect)})
		if len(s.Principal) > 0 {
			a = append(a, attribute{"Principal", object(lists(s.Principal, value)...)})
		}
		a = append(a, attribute{"Action", value(s.Action)})
		if len(s.Resource) > 0 {
			a = append(a, attribute{"Resource", value(s.Resource)})
		}
		if len(s.Condition) > 0 {
			var operators []attribute
			for _, operator := range slices.Sorted(maps.Keys(s.Condition)) {
				operators = append(operators, attribute{operator, object(lists(s.Condition[operator], value)...)})
			}
			a = append(a, attribute{"Condition", object(operators...)})
		}
		statements = append(statements, object(a...))
	}
	return object(attribute{"Version", str(d.Version)}, attribute{"Statement", list(statements...)})
}

// lists are attributes whose names may be anything.
func lists(values map[string]iam.Strings, value func(iam.Strings) string) []attribute {
	var out []attribute
	for _, key := range slices.Sorted(maps.Keys(values)) {
		out = append(out, attribute{str(key), value(values[key])})
	}
	return out
}

func stringsHCL(values iam.Strings, replaced map[string]string) string {
	var out []string
	for _, v := range values {
		if expression, ok := replaced[v]; ok {
			out = append(out, expression)
			continue
		}
		out = append(out, str(v))
	}
	if len(out) == 1 {
		return out[0]
	}
	return list(out...)
}

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
