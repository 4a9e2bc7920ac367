package rolecode

import (
	"maps"
	"slices"
	"strings"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// Names of the blocks.
const (
	hclProvider = "aws_iam_openid_connect_provider"
	hclCluster  = "cluster"
)

// terraform is HCL for Terraform and OpenTofu: the role, its one policy, and the
// OIDC provider, which has to be there and is looked up.
func (s Source) terraform() string {
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
	role = append(
		role,
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
	blocks = append(
		blocks,
		block("resource "+str("aws_iam_role")+" "+str(label), role...),
		s.policyHCL(label, at),
		block("output "+str("role_arn"), attribute{"value", at + ".arn"}),
	)
	return s.about(Terraform) + strings.Join(blocks, "\n")
}

// policyHCL is what gives the role its rights.
func (s Source) policyHCL(label, role string) string {
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

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
