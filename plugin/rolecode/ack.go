package rolecode

import (
	"encoding/json"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/oc-ostoy-s3/oc-ostoy-s3/plugin/iam"
)

// ackAPI is what ACK's IAM controller serves (FACTS 1.9). RBAC has Roles, too:
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
